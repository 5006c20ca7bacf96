/*
 * Draws one line of a pane: its label, how long it lived, and its marks.
 */

/**
 * @param {Timeline} timeline
 * @param {Item} item
 * @param {number} line
 * @param {Frame} frame
 * @param {HTMLElement | undefined} known The element of this item, where it has one.
 */
function drawLine(timeline, item, line, frame, known) {
  const node = known ?? element('div', {});
  const focused = known?.contains(document.activeElement) ?? false;
  const label = toLabel(timeline, item, frame);
  const drawing = vector('svg', {
    class: 'timeline plot',
    width: String(frame.width - frame.left),
    height: String(lineHeight),
    'aria-hidden': 'true',
  });
  drawing.append(...drawLife(item, timeline.view, frame), ...drawMarks(timeline, item, frame));
  node.className = `line ${item.kind}`;
  node.dataset['line'] = String(line);
  node.dataset['version'] = String(timeline.drawing.version);
  node.style.top = `${line * lineHeight}px`;
  node.replaceChildren(label, drawing);
  if (focused) label.focus({ preventScroll: true });
  return node;
}

/**
 * @param {Timeline} timeline
 * @param {Item} item
 * @param {Size} size
 */
function toLabel(timeline, item, { left }) {
  const [worst, foldable] = [worstOf(item.shown), item.children.length > 0];
  const attributes = {
    class: `label ${item.kind} ${worst < 2 ? '' : (standings[worst] ?? '')}`,
    type: 'button',
    title: item.title,
  };
  const label = element('button', foldable ? { ...attributes, 'aria-expanded': String(item.open) } : attributes);
  label.style.paddingLeft = `${8 + Math.min(item.depth, left > 200 ? 8 : 3) * 12}px`;
  label.style.width = `${left - 10}px`;
  const sign = worst === 3 ? '✗ ' : worst === 2 ? '? ' : '';
  const name = item.kind === 'row' && item.shown.length > 1 ? `${item.name} ×${count(item.shown.length)}` : item.name;
  label.append(
    element('span', { class: 'caret', 'aria-hidden': 'true' }, foldable ? (item.open ? '▾' : '▸') : ''),
    sign + name,
  );
  label.addEventListener('click', () => press(timeline, item));
  return label;
}

/**
 * @param {Item} item
 * @param {TimeSpan} view
 * @param {Frame} frame
 */
function drawLife({ life }, view, frame) {
  if (life === undefined || life[0] > view.until || life[0] + life[1] < view.from) return [];
  const x = clamp(frame.scale(life[0]), frame) - frame.left;
  const end = clamp(frame.scale(life[0] + life[1]), frame) - frame.left;
  return [
    vector('rect', {
      class: `life${life[2] === 1 ? ' open' : ''}`,
      x: fix(x),
      y: '10',
      width: fix(Math.max(end - x, 2)),
      height: '5',
      rx: '2.5',
    }),
  ];
}
