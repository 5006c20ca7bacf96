/*
 * Draws the time line once for each frame of the browser in which something changed.
 */

/**
 * After a change of what is shown.
 * @param {Timeline} timeline
 */
function redraw(timeline) {
  timeline.drawing.version += 1;
  ask(timeline);
}

/**
 * After a scroll it is enough to draw what came into sight.
 * @param {Timeline} timeline
 */
function ask(timeline) {
  const { drawing } = timeline;
  if (drawing.asked) return;
  drawing.asked = true;
  requestAnimationFrame(() => {
    drawing.asked = false;
    draw(timeline);
  });
}

/** @param {Timeline} timeline */
function draw(timeline) {
  const { page, view, drawing } = timeline;
  const size = sizeOf(page);
  if (size.width === 0) return;
  const frame = toFrame(view, size);
  // read first, write later: else each write makes the browser lay out the page anew
  const panes = [page.kernel, page.provider].map((pane) => ({
    pane,
    scrollTop: pane.pane.scrollTop,
    clientHeight: pane.pane.clientHeight,
  }));
  const isFresh = drawing.drawnVersion !== drawing.version;
  const before = isFresh ? undefined : placesOf(page);
  if (isFresh) {
    drawAxis(timeline, frame);
    drawCoverage(timeline, frame);
    drawing.joined = chooseJoins(timeline);
  }
  for (const { pane, ...seen } of panes) drawPane(timeline, pane, frame, isFresh ? pane.pane : seen);
  drawJoins(timeline, frame, before ?? placesOf(page));
  drawing.drawnVersion = drawing.version;
}

/**
 * @param {Timeline} timeline
 * @param {Frame} frame
 */
function drawAxis(timeline, frame) {
  const { data, view, page } = timeline;
  page.axis.setAttribute('width', String(frame.width));
  page.axis.setAttribute('height', '24');
  const date = new Date(data.from + Math.max(view.from, 0)).toISOString().slice(0, 10);
  page.axis.replaceChildren(
    text('tick first', 8, 16, frame.left > 200 ? `${date}, UTC` : date),
    ...ticksOf(timeline, frame).map(({ time, label }) => text('tick', frame.scale(time - data.from), 16, label)),
  );
}

/**
 * @param {Timeline} timeline
 * @param {Frame} frame
 */
function drawCoverage({ data, view, page }, frame) {
  page.coverage.setAttribute('width', String(frame.width));
  page.coverage.setAttribute('height', String(data.coverage.length * 20 + 28));
  const letters = (frame.left - 30) / 6.6;
  page.coverage.replaceChildren(
    text('half', 8, 18, 'Coverage: who watched, and when'),
    ...data.coverage.flatMap(([name, from, until, title], i) => {
      const y = 28 + i * 20;
      const [start, end] = [(from ?? data.from) - data.from, (until ?? data.until) - data.from];
      const short = name.length > letters ? `${name.slice(0, Math.floor(letters))}…` : name;
      const label = text('row', 22, y + 12, short);
      label.append(vector('title', {}, `${name}: ${title}`));
      if (end < view.from || start > view.until) return [label];
      const x = clamp(frame.scale(start), frame);
      const rect = vector('rect', {
        class: 'cover',
        x: fix(x),
        y: fix(y + 5),
        width: fix(Math.max(clamp(frame.scale(end), frame) - x, 2)),
        height: '7',
        rx: '2',
      });
      rect.append(vector('title', {}, title));
      return [label, rect];
    }),
  );
}
