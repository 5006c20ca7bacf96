/*
 * Which items have a line: what is folded away, and what passes the filter.
 */

/**
 * As much as fits is open, from the roots down, and what stands out.
 * @param {Timeline} timeline
 */
function openFirst({ roots, findings }) {
  for (const items of [roots.kernel, roots.provider]) {
    const all = [...walk(items)];
    const fits = all.length <= 45;
    const queue = [...items];
    for (let shown = items.length, item = queue.shift(); item !== undefined; item = queue.shift()) {
      if (item.kind === 'group' || (!fits && shown + item.children.length > 30)) continue;
      item.open = true;
      shown += item.children.length;
      queue.push(...item.children);
    }
  }
  for (const mark of findings.slice(0, 60)) reveal(mark);
}

/** @param {Mark} mark */
function reveal(mark) {
  for (let item = mark.row.parent; item !== undefined; item = item.parent) item.open = true;
}

/**
 * @param {Timeline} timeline
 * @param {boolean} open
 */
function foldAll(timeline, open) {
  const { roots } = timeline;
  for (const item of walk([...roots.kernel, ...roots.provider])) item.open = open;
  layOut(timeline);
}

/** @param {Timeline} timeline */
function filter(timeline) {
  const { data, roots, connections, uses, page } = timeline;
  const { words, only, part } = filterOf(page);
  for (const item of [...roots.kernel, ...roots.provider]) sift(item, words, only, false);
  layOut(timeline);
  const seen = { kernel: sum(roots.kernel), provider: sum(roots.provider) };
  const left = data.left === 0 ? '' : ` ${count(data.left)} more are only in report.json.`;
  page.status.textContent = part
    ? `Shown: ${count(seen.kernel)} of ${count(connections.length)} connections, ${count(seen.provider)} of ${count(uses.length)} uses.${left}`
    : `Shown: all ${count(connections.length)} connections and ${count(uses.length)} uses.${left}`;
}

/**
 * `part` says whether a filter is on.
 * @param {Page} page
 */
function filterOf({ search, standsOut }) {
  const words = search.value.trim().toLowerCase();
  const only = standsOut.checked;
  return { words, only, part: words !== '' || only };
}

/**
 * Gives each item that is to be seen its line, and has the page drawn.
 * @param {Timeline} timeline
 */
function layOut(timeline) {
  const { roots, connections, uses, lines, page } = timeline;
  const { part } = filterOf(page);
  for (const half of /** @type {const} */ (['kernel', 'provider'])) {
    lines[half] = [];
    for (const mark of half === 'kernel' ? connections : uses) mark.line = -1;
    for (const item of roots[half]) addLines(item, lines[half], part);
  }
  redraw(timeline);
}

/**
 * Says of an item and all below it what passes the filter. What is below a name that passes, passes.
 * @param {Item} item
 * @param {string} words In lower case.
 * @param {boolean} only Only what stands out.
 * @param {boolean} above
 */
function sift(item, words, only, above) {
  const named =
    above ||
    words === '' ||
    item.name.toLowerCase().includes(words) ||
    (item.kind !== 'row' && item.title.toLowerCase().includes(words));
  const own = item.marks.filter(
    (mark) => (named || mark.id.toLowerCase().includes(words)) && (!only || mark.standing >= 2),
  );
  for (const child of item.children) sift(child, words, only, named);
  item.shown =
    item.children.length === 0 ? own : item.children.flatMap((child) => child.shown).sort((a, b) => a.from - b.from);
  item.found = item.shown.length > 0 || (named && !only) || item.children.some((child) => child.found);
}

/**
 * @param {Item} item
 * @param {Item[]} lines
 * @param {boolean} part Whether a filter is on: then only what passes has a line.
 */
function addLines(item, lines, part) {
  if (part && !item.found) return;
  if (!item.open || item.children.length === 0) for (const mark of item.shown) mark.line = lines.length;
  lines.push(item);
  if (item.open) for (const child of item.children) addLines(child, lines, part);
}

/** @param {readonly Item[]} items */
function sum(items) {
  return items.reduce((total, item) => total + item.shown.length, 0);
}
