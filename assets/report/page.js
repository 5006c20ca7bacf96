/*
 * Makes the elements of the time line, still empty; listen.js makes them answer.
 */

/** Of one line of a pane, in pixels. */
const lineHeight = 24;

/**
 * @param {number} findings
 * @returns {Page}
 */
function makePage(findings) {
  const axis = vector('svg', { class: 'timeline axis', 'aria-hidden': 'true' });
  const joins = vector('svg', { class: 'timeline overlay', 'aria-hidden': 'true' });
  const brush = element('div', { class: 'brush' });
  brush.hidden = true;
  const kernel = makePane('kernel', 'Kernel: what the machine saw');
  const provider = makePane('provider', 'Provider: what its log says');
  const coverage = vector('svg', {
    class: 'timeline covered',
    role: 'img',
    'aria-label': 'How long each source watched: see Coverage',
  });
  return {
    ...makeTools(findings),
    stage: element('div', { class: 'stage' }, axis, kernel.box, provider.box, coverage, joins, brush),
    axis,
    kernel,
    provider,
    coverage,
    joins,
    brush,
    status: element('p', { class: 'status', role: 'status' }),
    detail: element('div', { class: 'detail', 'aria-live': 'polite' }),
  };
}

/** @param {number} findings */
function makeTools(findings) {
  const search = element('input', { type: 'search', id: 'filter', placeholder: 'process, endpoint, session, action' });
  const standsOut = element('input', { type: 'checkbox', id: 'stands-out' });
  const next = button('Next finding', 'n');
  next.hidden = findings === 0;
  standsOut.disabled = findings === 0;
  const zoomOut = button('−', 'zoom out: -');
  const zoomIn = button('+', 'zoom in: +');
  const toTask = button('Task', 'the task’s own time: t');
  const toAll = button('All', 'the whole time: 0');
  const unfold = button('Unfold', 'unfold everything');
  const fold = button('Fold', 'fold');
  const tools = element(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'Filter and zoom' },
    element('label', { class: 'search', for: 'filter' }, 'Filter ', search),
    element('label', { for: 'stands-out' }, standsOut, ` Only what stands out (${count(findings)})`),
    next,
    element('span', { class: 'zoom' }, zoomOut, zoomIn, toTask, toAll),
    element('span', { class: 'folding' }, unfold, fold),
  );
  return { tools, search, standsOut, next, zoomOut, zoomIn, toTask, toAll, unfold, fold };
}

/**
 * @param {Half} half
 * @param {string} title
 * @returns {Pane}
 */
function makePane(half, title) {
  const back = vector('svg', { class: 'timeline back', 'aria-hidden': 'true' });
  const space = element('div', { class: 'space' });
  const pane = element('div', { class: 'pane', role: 'group', 'aria-label': title, tabindex: '0' }, space);
  const box = element('div', { class: `half-box ${half}` }, element('p', { class: 'half' }, title), back, pane);
  return { half, back, space, pane, box, kept: new Map(), version: -1 };
}
