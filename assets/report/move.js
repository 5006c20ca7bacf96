/*
 * Moves through the time line: zooms, pans, and goes to a finding.
 */

/**
 * @param {Timeline} timeline
 * @param {number} from
 * @param {number} until
 */
function show(timeline, from, until) {
  const { data, whole, view } = timeline;
  const least = Math.max((data.until - data.from) / 100_000, 2);
  const wide = Math.min(Math.max(until - from, least), whole.until - whole.from);
  view.from = Math.min(Math.max(from, whole.from), whole.until - wide);
  view.until = view.from + wide;
  redraw(timeline);
}

/** @param {Timeline} timeline */
function showWhole(timeline) {
  show(timeline, timeline.whole.from, timeline.whole.until);
}

/**
 * The task's own time.
 * @param {Timeline} timeline
 */
function showWindow(timeline) {
  const { data } = timeline;
  const [start, end] = data.window;
  const from = (start ?? data.from) - data.from;
  const until = (end ?? data.until) - data.from;
  const edge = Math.max((until - from) * 0.03, 1);
  show(timeline, from - edge, until + edge);
}

/**
 * @param {Timeline} timeline
 * @param {number} factor
 * @param {number} [at] Where to stay; the middle without it.
 */
function zoom(timeline, factor, at = (timeline.view.from + timeline.view.until) / 2) {
  const { view } = timeline;
  show(timeline, at - (at - view.from) * factor, at + (view.until - at) * factor);
}

/**
 * @param {Timeline} timeline
 * @param {number} share
 */
function pan(timeline, share) {
  const { view } = timeline;
  const by = (view.until - view.from) * share;
  show(timeline, view.from + by, view.until + by);
}

/**
 * @param {Timeline} timeline
 * @param {number} by
 */
function goToFinding(timeline, by) {
  const { findings, page } = timeline;
  if (findings.length === 0) return;
  timeline.finding = (timeline.finding + by + findings.length) % findings.length;
  const mark = /** @type {Mark} */ (findings[timeline.finding]);
  if (!mark.row.shown.includes(mark)) {
    page.search.value = '';
    filter(timeline);
  }
  pick(timeline, mark);
  page.next.textContent = `Finding ${timeline.finding + 1} of ${findings.length}`;
}

/**
 * Brings a mark into sight and tells of it.
 * @param {Timeline} timeline
 * @param {Mark} mark
 */
function pick(timeline, mark) {
  const { view, page } = timeline;
  timeline.picked = mark;
  reveal(mark);
  if (!within(mark.from, view)) {
    const half = (view.until - view.from) / 2;
    show(timeline, mark.from - half, mark.from + half);
  }
  layOut(timeline);
  const { pane } = page[mark.row.half];
  pane.scrollTop = (mark.line + 0.5) * lineHeight - pane.clientHeight / 2;
  tell(timeline, mark.row, [mark]);
}
