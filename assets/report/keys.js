/*
 * What the keys do anywhere on the time line but in the filter.
 */

/** @type {ReadonlyMap<string, (timeline: Timeline) => void>} */
const keys = new Map([
  ['+', (timeline) => zoom(timeline, 0.5)],
  ['=', (timeline) => zoom(timeline, 0.5)],
  ['-', (timeline) => zoom(timeline, 2)],
  ['0', showWhole],
  ['t', showWindow],
  ['n', (timeline) => goToFinding(timeline, 1)],
  ['p', (timeline) => goToFinding(timeline, -1)],
  ['ArrowLeft', (timeline) => pan(timeline, -0.15)],
  ['ArrowRight', (timeline) => pan(timeline, 0.15)],
]);

const lineSteps = new Map([
  ['ArrowUp', -1],
  ['ArrowDown', 1],
]);

/**
 * @param {HTMLElement} root
 * @param {Timeline} timeline
 */
function listenToKeys(root, timeline) {
  root.addEventListener('keydown', (event) => {
    if (event.target === timeline.page.search || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keys.get(event.key);
    const by = lineSteps.get(event.key);
    if (action !== undefined) action(timeline);
    else if (by === undefined || !step(timeline, event.target, by)) return;
    event.preventDefault();
  });
}

/**
 * From one line to the next, also to one that is not drawn yet.
 * @param {Timeline} timeline
 * @param {EventTarget | null} target
 * @param {number} by
 */
function step(timeline, target, by) {
  const { kernel, provider } = timeline.page;
  const node = target instanceof Element ? target.closest('.line') : null;
  const pane = [kernel, provider].find(({ space }) => node?.parentElement === space);
  if (!(node instanceof HTMLElement) || pane === undefined) return false;
  const line = Number(node.dataset['line']) + by;
  const item = timeline.lines[pane.half][line];
  if (item === undefined) return true;
  const { scrollTop, clientHeight } = pane.pane;
  if (line * lineHeight < scrollTop) pane.pane.scrollTop = line * lineHeight;
  if ((line + 1) * lineHeight > scrollTop + clientHeight) pane.pane.scrollTop = (line + 1) * lineHeight - clientHeight;
  draw(timeline);
  pane.kept.get(item)?.querySelector('button')?.focus({ preventScroll: true });
  return true;
}
