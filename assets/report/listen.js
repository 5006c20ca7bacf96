/*
 * What the reader does with the tools, the mouse and the wheel, and what follows.
 */

/**
 * @param {HTMLElement} root
 * @param {Timeline} timeline
 */
function listen(root, timeline) {
  const { stage, kernel, provider } = timeline.page;
  listenToTools(timeline);
  for (const { pane } of [kernel, provider]) pane.addEventListener('scroll', () => ask(timeline), { passive: true });
  new ResizeObserver(() => redraw(timeline)).observe(stage);
  listenToMarks(timeline);
  listenToWheel(timeline);
  listenToDrag(timeline);
  stage.addEventListener('dblclick', (event) => {
    if (event.target instanceof Element && event.target.closest('button') === null) showWhole(timeline);
  });
  listenToKeys(root, timeline);
}

/** @param {Timeline} timeline */
function listenToTools(timeline) {
  const { page } = timeline;
  /** @type {[HTMLButtonElement, () => void][]} */
  const buttons = [
    [page.next, () => goToFinding(timeline, 1)],
    [page.zoomOut, () => zoom(timeline, 2)],
    [page.zoomIn, () => zoom(timeline, 0.5)],
    [page.toTask, () => showWindow(timeline)],
    [page.toAll, () => showWhole(timeline)],
    [page.unfold, () => foldAll(timeline, true)],
    [page.fold, () => foldAll(timeline, false)],
  ];
  for (const [node, action] of buttons) node.addEventListener('click', action);
  let typing = 0;
  page.search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => filter(timeline), 120);
  });
  page.standsOut.addEventListener('change', () => filter(timeline));
}

/**
 * The label of an item folds it, and tells of all in it.
 * @param {Timeline} timeline
 * @param {Item} item
 */
function press(timeline, item) {
  if (item.children.length > 0) {
    item.open = !item.open;
    layOut(timeline);
  }
  tell(timeline, item, item.shown);
}

/** @param {Timeline} timeline */
function listenToMarks(timeline) {
  const { data, page, drawing } = timeline;
  page.stage.addEventListener('click', (event) => {
    const marks = event.target instanceof Element ? drawing.marks.get(event.target) : undefined;
    const [mark] = marks ?? [];
    if (marks === undefined || mark === undefined) return;
    timeline.picked = mark;
    redraw(timeline);
    tell(timeline, mark.row, marks);
  });
  // a shape gets its title when it is first pointed at: most never are
  page.stage.addEventListener('pointerover', ({ target }) => {
    if (!(target instanceof Element) || target.firstChild !== null) return;
    const marks = drawing.marks.get(target);
    const [mark] = marks ?? [];
    if (marks === undefined || mark === undefined) return;
    const standing = told[mark.standing] ?? '';
    const what =
      marks.length === 1
        ? `${clock(data, mark.from)}, ${mark.remark}, ${standing}`
        : `${marks.length} of them, ${standing}`;
    target.append(vector('title', {}, `${mark.row.name}: ${what}`));
  });
}

/** @param {Timeline} timeline */
function listenToWheel(timeline) {
  timeline.page.stage.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey || event.metaKey)
        zoom(timeline, event.deltaY > 0 ? 1.25 : 0.8, toTime(timeline, event.clientX));
      else if (event.shiftKey) pan(timeline, event.deltaY > 0 ? 0.1 : -0.1);
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
}

/**
 * What the mouse is dragged over is zoomed to.
 * @param {Timeline} timeline
 */
function listenToDrag(timeline) {
  const { stage, brush } = timeline.page;
  /** @type {{ x: number, time: number } | undefined} */
  let drag;
  stage.addEventListener('pointerdown', (event) => {
    const { left, right } = sizeOf(timeline.page);
    const x = event.clientX - stage.getBoundingClientRect().left;
    if (event.pointerType !== 'mouse' || event.button !== 0 || x < left || x > right) return;
    drag = { x, time: toTime(timeline, event.clientX) };
  });
  window.addEventListener('pointermove', (event) => {
    if (drag === undefined) return;
    const { left, right } = sizeOf(timeline.page);
    const x = Math.min(Math.max(event.clientX - stage.getBoundingClientRect().left, left), right);
    brush.hidden = Math.abs(x - drag.x) < 5;
    brush.style.left = `${Math.min(x, drag.x)}px`;
    brush.style.width = `${Math.abs(x - drag.x)}px`;
    if (!brush.hidden) event.preventDefault();
  });
  window.addEventListener('pointerup', (event) => {
    if (drag === undefined) return;
    const [a, b] = [drag.time, toTime(timeline, event.clientX)];
    if (!brush.hidden) show(timeline, Math.min(a, b), Math.max(a, b));
    brush.hidden = true;
    drag = undefined;
  });
}
