/*
 * Draws one half: the lines that can be seen of many, and what lies behind them.
 */

/** Lines above and below those that can be seen. */
const overscan = 6;

/**
 * @param {Timeline} timeline
 * @param {Pane} pane
 * @param {Frame} frame
 * @param {{ readonly scrollTop: number, readonly clientHeight: number }} seen
 */
function drawPane(timeline, pane, frame, seen) {
  const own = timeline.lines[pane.half];
  const { version } = timeline.drawing;
  if (pane.version !== version) {
    pane.space.style.height = `${Math.max(own.length, 1) * lineHeight}px`;
    for (const [item, node] of pane.kept) if (own[Number(node.dataset['line'])] !== item) drop(pane, item);
    drawBack(timeline, pane, frame);
  }
  const { scrollTop, clientHeight } = seen;
  const first = Math.max(0, Math.floor(scrollTop / lineHeight) - overscan);
  const last = Math.min(own.length, Math.ceil((scrollTop + clientHeight) / lineHeight) + overscan);
  const wanted = new Set(own.slice(first, last));
  for (const [item, node] of pane.kept)
    if (!wanted.has(item) && !node.contains(document.activeElement)) drop(pane, item);
  for (let i = first; i < last; i += 1) {
    const item = /** @type {Item} */ (own[i]);
    const known = pane.kept.get(item);
    if (known !== undefined && known.dataset['version'] === String(version)) continue;
    const node = drawLine(timeline, item, i, frame, known);
    if (known !== undefined) continue;
    pane.kept.set(item, node);
    pane.space.insertBefore(node, after(pane.space, i));
  }
  pane.version = version;
}

/**
 * Kept in the order of the lines, so that the tabulator goes down and not about.
 * @param {HTMLElement} space
 * @param {number} line
 */
function after(space, line) {
  for (const node of space.children)
    if (node instanceof HTMLElement && Number(node.dataset['line']) > line) return node;
  return null;
}

/**
 * @param {Pane} pane
 * @param {Item} item
 */
function drop(pane, item) {
  pane.kept.get(item)?.remove();
  pane.kept.delete(item);
}

/**
 * The grid, the edges of the task's own time, and gaps.
 * @param {Timeline} timeline
 * @param {Pane} pane
 * @param {Frame} frame
 */
function drawBack(timeline, pane, frame) {
  const { data, view } = timeline;
  const height = String(pane.box.clientHeight);
  pane.back.setAttribute('width', String(frame.width));
  pane.back.setAttribute('height', height);
  const grid = ticksOf(timeline, frame).map(({ time }) => upright('tick', frame.scale(time - data.from), height));
  const edges = data.window.flatMap((time) =>
    time === null || !within(time - data.from, view) ? [] : [upright('window', frame.scale(time - data.from), height)],
  );
  pane.back.replaceChildren(...grid, ...drawGaps(timeline, pane.half, frame, height), ...edges);
}

/**
 * @param {Timeline} timeline
 * @param {Half} of
 * @param {Frame} frame
 * @param {string} height
 */
function drawGaps({ data, whole, view }, of, frame, height) {
  return data.gaps.flatMap(([half, from, until, what]) => {
    const start = from === null ? whole.from : from - data.from;
    const end = until === null ? whole.until : until - data.from;
    if ((half === 0) !== (of === 'kernel') || end < view.from || start > view.until) return [];
    const x = clamp(frame.scale(start), frame);
    const wide = Math.max(clamp(frame.scale(end), frame) - x, 4);
    const shade = vector('rect', { class: 'gap', x: fix(x), y: '0', width: fix(wide), height });
    shade.append(vector('title', {}, `Gap in ${what}`));
    return [shade, text('gap', Math.min(Math.max(x + wide / 2, frame.left + 12), frame.right - 12), 18, 'gap')];
  });
}
