/*
 * Starts the script: puts in place of the drawn time line one to search and zoom. Without it the page shows the same time
 * line, folded.
 */

/**
 * @param {HTMLElement} root
 * @param {Data} data
 */
function openTimeline(root, data) {
  const timeline = toTimeline(data);
  const { tools, stage, status, detail } = timeline.page;
  root.append(tools, stage, status, detail);
  root.hidden = false;
  document.documentElement.classList.add('js');
  openFirst(timeline);
  filter(timeline);
  listen(root, timeline);
}

/**
 * @param {Data} data
 * @returns {Timeline}
 */
function toTimeline(data) {
  const span = data.until - data.from;
  const margin = span * 0.015;
  const whole = { from: -margin, until: span + margin };
  const roots = { kernel: toItems(data, 'kernel'), provider: toItems(data, 'provider') };
  const connections = marksOf(roots.kernel);
  const uses = marksOf(roots.provider);
  joinUses(data, connections, uses);
  const findings = [...connections, ...uses].filter(({ standing }) => standing >= 2);
  return {
    data,
    whole,
    roots,
    connections,
    uses,
    findings,
    page: makePage(findings.length),
    view: { ...whole },
    lines: { kernel: [], provider: [] },
    picked: undefined,
    finding: -1,
    drawing: { version: 0, drawnVersion: -1, asked: false, joined: [], marks: new WeakMap() },
  };
}

/** A link to what is folded away opens it. */
function openTarget() {
  const target = document.getElementById(decodeHash());
  for (let at = target; at !== null; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
  if (target !== null && location.hash !== '') target.scrollIntoView();
}

function decodeHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ''; // a broken escape names nothing here
  }
}

const block = document.getElementById('data');
const live = document.getElementById('live');
if (block !== null && live !== null) {
  /** @type {unknown} */
  const data = JSON.parse(block.textContent);
  openTimeline(live, /** @type {Data} */ (data));
}
window.addEventListener('hashchange', openTarget);
openTarget();
