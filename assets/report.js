// @ts-check
/*
 * Makes the time line of a report one to search and zoom. Runs inlined in report.html, as a module; without it the page shows
 * the same time line, folded. All names come from hostile text: they reach the page as text content alone, never as markup.
 */

/** @typedef {'kernel' | 'provider'} Half */
/**
 * @typedef {object} DataLane As src/report/html-data.ts writes it.
 * @property {string} name
 * @property {string} title
 * @property {number} depth
 * @property {[number, number, number]} [life]
 * @property {[number, (number | string)[]][]} rows Name by its place in `strings`, and numbers of each mark: six, of a use eight.
 */
/**
 * @typedef {object} Data
 * @property {number} from
 * @property {number} until
 * @property {[number | null, number | null]} window
 * @property {string[]} strings
 * @property {DataLane[]} kernel
 * @property {DataLane[]} provider
 * @property {[number, number | null, number | null, string][]} gaps
 * @property {[string, number | null, number | null, string][]} coverage
 * @property {Record<string, number>} records
 * @property {number} left
 */
/**
 * @typedef {object} Mark One connection or use; times are milliseconds since the start of the axis.
 * @property {number} from
 * @property {number} until
 * @property {number} standing Index into `standings`.
 * @property {boolean} hollow
 * @property {string} id
 * @property {string} remark
 * @property {Mark | undefined} other The matched other half of a use.
 * @property {boolean} shared
 * @property {Item} row
 * @property {number} line Where it is drawn, -1 where it is not.
 */
/**
 * @typedef {object} Item A process, a session, a group of processes that look alike, or one row of either.
 * @property {'lane' | 'group' | 'row'} kind
 * @property {Half} half
 * @property {string} name
 * @property {string} title
 * @property {number} depth
 * @property {[number, number, number] | undefined} life
 * @property {Item | undefined} parent
 * @property {Item[]} children
 * @property {Mark[]} marks Of a row.
 * @property {boolean} open
 * @property {Mark[]} shown All below it that pass the filter, in order of time.
 * @property {boolean} found Whether it passes the filter.
 */

const standings = ['matched', 'quiet', 'doubt', 'breach'];
const told = ['matched with its other half', 'needs no other half', 'in doubt', 'part of a breach'];
const lineHeight = 24;
const overscan = 6;
/** More lines than this between the halves say nothing: then only some are drawn. */
const maxJoins = 250;
/** Deeper processes stand beside their parents: each level holds the marks of all below it. */
const maxDepth = 40;
const svgSpace = 'http://www.w3.org/2000/svg';

const block = document.getElementById('data');
const live = document.getElementById('live');
if (block !== null && live !== null) {
  /** @type {unknown} */
  const data = JSON.parse(block.textContent);
  openTimeline(live, /** @type {Data} */ (data));
}
window.addEventListener('hashchange', openTarget);
openTarget();

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

/**
 * @param {HTMLElement} root
 * @param {Data} data
 */
function openTimeline(root, data) {
  const span = data.until - data.from;
  const margin = span * 0.015;
  const whole = { from: -margin, until: span + margin };
  const view = { ...whole };
  const roots = { kernel: toItems(data, 'kernel'), provider: toItems(data, 'provider') };
  const connections = marksOf(roots.kernel);
  const uses = marksOf(roots.provider);
  joinUses(data, connections, uses);
  const findings = [...connections, ...uses].filter(({ standing }) => standing >= 2);
  /** @type {Record<Half, Item[]>} */
  const lines = { kernel: [], provider: [] };
  /** @type {Mark | undefined} */
  let picked;
  let finding = -1;
  let version = 0;
  let drawnVersion = -1;
  /** @type {Mark[]} */
  let joined = [];
  let asked = false;
  /** @type {WeakMap<Element, Mark[]>} */
  const drawnMarks = new WeakMap();

  // ---- what is on the page

  const search = element('input', { type: 'search', id: 'filter', placeholder: 'process, endpoint, session, action' });
  const standsOut = element('input', { type: 'checkbox', id: 'stands-out' });
  const status = element('p', { class: 'status', role: 'status' });
  const next = button('Next finding', 'n', () => goToFinding(1));
  next.hidden = findings.length === 0;
  standsOut.disabled = findings.length === 0;
  const tools = element(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'Filter and zoom' },
    element('label', { class: 'search', for: 'filter' }, 'Filter ', search),
    element('label', { for: 'stands-out' }, standsOut, ` Only what stands out (${count(findings.length)})`),
    next,
    element(
      'span',
      { class: 'zoom' },
      button('−', 'zoom out: -', () => zoom(2)),
      button('+', 'zoom in: +', () => zoom(0.5)),
      button('Task', 'the task’s own time: t', showWindow),
      button('All', 'the whole time: 0', () => show(whole.from, whole.until)),
    ),
    element(
      'span',
      { class: 'folding' },
      button('Unfold', 'unfold everything', () => fold(true)),
      button('Fold', 'fold', () => fold(false)),
    ),
  );
  const axis = vector('svg', { class: 'timeline axis', 'aria-hidden': 'true' });
  const joins = vector('svg', { class: 'timeline overlay', 'aria-hidden': 'true' });
  const brush = element('div', { class: 'brush' });
  brush.hidden = true;
  const kernel = openPane('kernel', 'Kernel: what the machine saw');
  const provider = openPane('provider', 'Provider: what its log says');
  const coverage = vector('svg', {
    class: 'timeline covered',
    role: 'img',
    'aria-label': 'How long each source watched: see Coverage',
  });
  const stage = element('div', { class: 'stage' }, axis, kernel.box, provider.box, coverage, joins, brush);
  const detail = element('div', { class: 'detail', 'aria-live': 'polite' });
  root.append(tools, stage, status, detail);
  root.hidden = false;
  document.documentElement.classList.add('js');
  openFirst();
  filter();

  /**
   * @param {Half} half
   * @param {string} title
   */
  function openPane(half, title) {
    const back = vector('svg', { class: 'timeline back', 'aria-hidden': 'true' });
    const space = element('div', { class: 'space' });
    const pane = element('div', { class: 'pane', role: 'group', 'aria-label': title, tabindex: '0' }, space);
    const box = element('div', { class: `half-box ${half}` }, element('p', { class: 'half' }, title), back, pane);
    pane.addEventListener('scroll', ask, { passive: true });
    return { half, back, space, pane, box, kept: /** @type {Map<Item, HTMLElement>} */ (new Map()), version: -1 };
  }

  // ---- what is shown

  /** As much as fits is open, from the roots down, and what stands out. */
  function openFirst() {
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

  /** @param {boolean} open */
  function fold(open) {
    for (const item of walk([...roots.kernel, ...roots.provider])) item.open = open;
    layOut();
  }

  function filter() {
    const words = search.value.trim().toLowerCase();
    const only = standsOut.checked;
    for (const item of [...roots.kernel, ...roots.provider]) sift(item, words, only, false);
    layOut();
    const seen = { kernel: sum(roots.kernel), provider: sum(roots.provider) };
    const part = words !== '' || only;
    const left = data.left === 0 ? '' : ` ${count(data.left)} more are only in report.json.`;
    status.textContent = part
      ? `Shown: ${count(seen.kernel)} of ${count(connections.length)} connections, ${count(seen.provider)} of ${count(uses.length)} uses.${left}`
      : `Shown: all ${count(connections.length)} connections and ${count(uses.length)} uses.${left}`;
  }

  function layOut() {
    const part = search.value.trim() !== '' || standsOut.checked;
    for (const half of /** @type {const} */ (['kernel', 'provider'])) {
      lines[half] = [];
      for (const mark of half === 'kernel' ? connections : uses) mark.line = -1;
      for (const item of roots[half]) addLines(item, lines[half], part);
    }
    version += 1;
    ask();
  }

  function ask() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  }

  // ---- drawing

  function sizes() {
    const width = stage.clientWidth;
    const left = width < 640 ? 132 : 300;
    return { width, left, right: width - 18 };
  }

  function draw() {
    const size = sizes();
    if (size.width === 0) return;
    const scale = toScale(view, size);
    // read first, write later: else each write makes the browser lay out the page anew
    const panes = [kernel, provider].map((pane) => ({
      pane,
      scrollTop: pane.pane.scrollTop,
      clientHeight: pane.pane.clientHeight,
    }));
    const isFresh = drawnVersion !== version;
    const before = isFresh ? undefined : placesOf();
    if (isFresh) {
      drawAxis(size, scale);
      drawCoverage(size, scale);
      joined = chooseJoins();
    }
    for (const { pane, ...seen } of panes) drawPane(pane, size, scale, isFresh ? pane.pane : seen);
    drawJoins(scale, size, before ?? placesOf());
    drawnVersion = version;
  }

  /**
   * @param {Size} size
   * @param {Scale} scale
   */
  function drawAxis(size, scale) {
    axis.setAttribute('width', String(size.width));
    axis.setAttribute('height', '24');
    const day = new Date(data.from + Math.max(view.from, 0)).toISOString().slice(0, 10);
    axis.replaceChildren(
      text('tick first', 8, 16, size.left > 200 ? `${day}, UTC` : day),
      ...ticks(data.from + view.from, data.from + view.until, Math.max(2, (size.right - size.left) / 110)).map(
        ({ time, label }) => text('tick', scale(time - data.from), 16, label),
      ),
    );
  }

  /**
   * @param {ReturnType<typeof openPane>} pane
   * @param {Size} size
   * @param {Scale} scale
   * @param {{ readonly scrollTop: number, readonly clientHeight: number }} seen
   */
  function drawPane(pane, size, scale, seen) {
    const own = lines[pane.half];
    if (pane.version !== version) {
      pane.space.style.height = `${Math.max(own.length, 1) * lineHeight}px`;
      for (const [item, node] of pane.kept) if (own[Number(node.dataset['line'])] !== item) drop(pane, item);
      drawBack(pane, size, scale);
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
      const node = drawLine(item, i, size, scale, known);
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
   * @param {ReturnType<typeof openPane>} pane
   * @param {Item} item
   */
  function drop(pane, item) {
    pane.kept.get(item)?.remove();
    pane.kept.delete(item);
  }

  /**
   * @param {Item} item
   * @param {number} line
   * @param {Size} size
   * @param {Scale} scale
   * @param {HTMLElement | undefined} known
   */
  function drawLine(item, line, size, scale, known) {
    const node = known ?? element('div', {});
    const focused = known?.contains(document.activeElement) ?? false;
    const [worst, foldable] = [worstOf(item.shown), item.children.length > 0];
    const attributes = {
      class: `label ${item.kind} ${worst < 2 ? '' : (standings[worst] ?? '')}`,
      type: 'button',
      title: item.title,
    };
    const label = element('button', foldable ? { ...attributes, 'aria-expanded': String(item.open) } : attributes);
    label.style.paddingLeft = `${8 + Math.min(item.depth, size.left > 200 ? 8 : 3) * 12}px`;
    label.style.width = `${size.left - 10}px`;
    const sign = worst === 3 ? '✗ ' : worst === 2 ? '? ' : '';
    const name = item.kind === 'row' && item.shown.length > 1 ? `${item.name} ×${count(item.shown.length)}` : item.name;
    label.append(
      element('span', { class: 'caret', 'aria-hidden': 'true' }, foldable ? (item.open ? '▾' : '▸') : ''),
      sign + name,
    );
    label.addEventListener('click', () => press(item, foldable));
    const drawing = vector('svg', {
      class: 'timeline plot',
      width: String(size.width - size.left),
      height: String(lineHeight),
      'aria-hidden': 'true',
    });
    drawing.append(...drawLife(item, size, scale), ...drawMarks(item, size, scale));
    node.className = `line ${item.kind}`;
    node.dataset['line'] = String(line);
    node.dataset['version'] = String(version);
    node.style.top = `${line * lineHeight}px`;
    node.replaceChildren(label, drawing);
    if (focused) label.focus({ preventScroll: true });
    return node;
  }

  /**
   * @param {Item} item
   * @param {Size} size
   * @param {Scale} scale
   */
  function drawLife({ life }, size, scale) {
    if (life === undefined || life[0] > view.until || life[0] + life[1] < view.from) return [];
    const x = clamp(scale(life[0]), size) - size.left;
    const end = clamp(scale(life[0] + life[1]), size) - size.left;
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

  /**
   * @param {Item} item
   * @param {Size} size
   * @param {Scale} scale
   */
  function drawMarks(item, size, scale) {
    if (item.open && item.children.length > 0) return [];
    const drawn = [];
    const groups = merge(item.shown, view, scale);
    for (const group of groups) {
      const x = clamp(group.x, size) - size.left;
      const end = clamp(group.end, size) - size.left;
      const ringed = picked !== undefined && group.marks.includes(picked);
      const crowd = groups.length > 45 && group.standing < 2;
      const shape = crowd
        ? pile(group, x, ringed)
        : item.half === 'kernel'
          ? bar(group, x, end, ringed)
          : dot(group, x, ringed);
      drawnMarks.set(shape, group.marks);
      drawn.push(shape);
      if (group.standing === 3 && item.half === 'kernel')
        drawn.push(vector('path', { class: 'cross', d: `M${fix(x - 12)} 9l6 6m0-6l-6 6` }));
      const crowded = groups.some((other) => other !== group && other.x >= group.x && other.x - group.x <= 40);
      if (item.half === 'provider' && group.marks.length > 1 && !crowded && !crowd)
        drawn.push(text('count', x + 9, 16, `×${count(group.marks.length)}`));
    }
    return drawn;
  }

  /**
   * @param {ReturnType<typeof openPane>} pane
   * @param {Size} size
   * @param {Scale} scale
   */
  function drawBack(pane, size, scale) {
    const height = String(pane.box.clientHeight);
    pane.back.setAttribute('width', String(size.width));
    pane.back.setAttribute('height', height);
    const grid = ticks(data.from + view.from, data.from + view.until, Math.max(2, (size.right - size.left) / 110)).map(
      ({ time }) => upright('tick', scale(time - data.from), height),
    );
    const edges = data.window.flatMap((time) =>
      time === null || !within(time - data.from, view) ? [] : [upright('window', scale(time - data.from), height)],
    );
    const gaps = data.gaps.flatMap(([half, from, until, what]) => {
      const start = from === null ? whole.from : from - data.from;
      const end = until === null ? whole.until : until - data.from;
      if ((half === 0) !== (pane.half === 'kernel') || end < view.from || start > view.until) return [];
      const x = clamp(scale(start), size);
      const wide = Math.max(clamp(scale(end), size) - x, 4);
      const shade = vector('rect', { class: 'gap', x: fix(x), y: '0', width: fix(wide), height });
      shade.append(vector('title', {}, `Gap in ${what}`));
      return [shade, text('gap', Math.min(Math.max(x + wide / 2, size.left + 12), size.right - 12), 18, 'gap')];
    });
    pane.back.replaceChildren(...grid, ...gaps, ...edges);
  }

  /**
   * @param {Size} size
   * @param {Scale} scale
   */
  function drawCoverage(size, scale) {
    coverage.setAttribute('width', String(size.width));
    coverage.setAttribute('height', String(data.coverage.length * 20 + 28));
    coverage.replaceChildren(
      text('half', 8, 18, 'Coverage: who watched, and when'),
      ...data.coverage.flatMap(([name, from, until, title], i) => {
        const y = 28 + i * 20;
        const [start, end] = [(from ?? data.from) - data.from, (until ?? data.until) - data.from];
        const label = text(
          'row',
          22,
          y + 12,
          name.length * 6.6 > size.left - 30 ? `${name.slice(0, Math.floor((size.left - 30) / 6.6))}…` : name,
        );
        label.append(vector('title', {}, `${name}: ${title}`));
        if (end < view.from || start > view.until) return [label];
        const x = clamp(scale(start), size);
        const rect = vector('rect', {
          class: 'cover',
          x: fix(x),
          y: fix(y + 5),
          width: fix(Math.max(clamp(scale(end), size) - x, 2)),
          height: '7',
          rx: '2',
        });
        rect.append(vector('title', {}, title));
        return [label, rect];
      }),
    );
  }

  /** Uses whose other half is drawn; of too many, some, evenly. */
  function chooseJoins() {
    const all = uses.filter(
      (use) => use.line >= 0 && use.other !== undefined && use.other.line >= 0 && within(use.from, view),
    );
    const every = Math.ceil(all.length / maxJoins);
    return all.filter((use, i) => i % every === 0 || isPicked(use));
  }

  /** @param {Mark} use */
  function isPicked(use) {
    return picked !== undefined && (picked === use || picked === use.other);
  }

  /**
   * @param {Scale} scale
   * @param {Size} size
   * @param {ReturnType<typeof placesOf>} places
   */
  function drawJoins(scale, size, places) {
    /** @type {Map<string, string>} */
    const paths = new Map();
    for (const use of joined) {
      const other = /** @type {Mark} */ (use.other);
      const [top, bottom] = [places.kernel(other.line), places.provider(use.line)];
      if (top.far && bottom.far) continue;
      const end = Math.min(Math.max(use.from, other.from), Math.max(other.until, other.from));
      const path = `M${fix(clamp(scale(end), size))} ${fix(top.y)}L${fix(clamp(scale(use.from), size))} ${fix(bottom.y)}`;
      const far = top.far || bottom.far ? ' far' : '';
      if (!paths.has(path) || isPicked(use))
        paths.set(path, `join${use.shared ? ' shared' : ''}${far}${isPicked(use) ? ' picked' : ''}`);
    }
    joins.setAttribute('width', String(size.width));
    joins.setAttribute('height', places.height);
    joins.setAttribute('class', `timeline overlay${paths.size > 60 ? ' crowded' : ''}`);
    joins.replaceChildren(...[...paths].map(([d, look]) => vector('path', { class: look, d })));
  }

  function placesOf() {
    return { kernel: toPlace(kernel), provider: toPlace(provider), height: String(stage.clientHeight) };
  }

  /**
   * Where a line of a pane is on the stage; what is scrolled out is at the pane's edge.
   * @param {ReturnType<typeof openPane>} of
   * @returns {(line: number) => { y: number, far: boolean }}
   */
  function toPlace({ box, pane }) {
    const top = box.offsetTop + pane.offsetTop;
    const { scrollTop, clientHeight } = pane;
    return (line) => {
      const inside = (line + 0.5) * lineHeight - scrollTop;
      const y = Math.min(Math.max(inside, 0), clientHeight);
      return { y: top + y, far: y !== inside };
    };
  }

  // ---- what a reader does

  /**
   * @param {number} from
   * @param {number} until
   */
  function show(from, until) {
    const least = Math.max(span / 100_000, 2);
    const wide = Math.min(Math.max(until - from, least), whole.until - whole.from);
    view.from = Math.min(Math.max(from, whole.from), whole.until - wide);
    view.until = view.from + wide;
    version += 1;
    ask();
  }

  function showWindow() {
    const [start, end] = data.window;
    const from = (start ?? data.from) - data.from;
    const until = (end ?? data.until) - data.from;
    const edge = Math.max((until - from) * 0.03, 1);
    show(from - edge, until + edge);
  }

  /**
   * @param {number} factor
   * @param {number} [at] Where to stay; the middle without it.
   */
  function zoom(factor, at = (view.from + view.until) / 2) {
    show(at - (at - view.from) * factor, at + (view.until - at) * factor);
  }

  /** @param {number} share */
  function pan(share) {
    const by = (view.until - view.from) * share;
    show(view.from + by, view.until + by);
  }

  /**
   * @param {Item} item
   * @param {boolean} foldable
   */
  function press(item, foldable) {
    if (foldable) {
      item.open = !item.open;
      layOut();
    }
    tell(item, item.shown);
  }

  /** @param {number} step */
  function goToFinding(step) {
    if (findings.length === 0) return;
    finding = (finding + step + findings.length) % findings.length;
    const mark = /** @type {Mark} */ (findings[finding]);
    if (!mark.row.shown.includes(mark)) {
      search.value = '';
      filter();
    }
    pick(mark);
    next.textContent = `Finding ${finding + 1} of ${findings.length}`;
  }

  /** @param {Mark} mark */
  function pick(mark) {
    picked = mark;
    reveal(mark);
    if (!within(mark.from, view)) {
      const half = (view.until - view.from) / 2;
      show(mark.from - half, mark.from + half);
    }
    layOut();
    const { pane } = mark.row.half === 'kernel' ? kernel : provider;
    pane.scrollTop = (mark.line + 0.5) * lineHeight - pane.clientHeight / 2;
    tell(mark.row, [mark]);
  }

  /**
   * @param {Item} item
   * @param {Mark[]} marks
   */
  function tell(item, marks) {
    const noun = item.half === 'kernel' ? ['connection', 'connections'] : ['use', 'uses'];
    const owner = item.kind === 'row' ? item.parent : undefined;
    const first = [...marks].sort((a, b) => b.standing - a.standing || a.from - b.from).slice(0, 25);
    const more = marks.length - first.length;
    detail.replaceChildren(
      element('h3', {}, item.name),
      element('p', { class: 'none' }, owner === undefined ? item.title : owner.title),
      element(
        'p',
        {},
        `${count(marks.length)} ${marks.length === 1 ? noun[0] : noun[1]}${marks.length === 0 ? '' : ':'}`,
      ),
      element(
        'ul',
        {},
        ...first.map((mark) => element('li', { class: standings[mark.standing] ?? '' }, ...tellMark(mark, item))),
      ),
      ...(more > 0
        ? [element('p', { class: 'none' }, `and ${count(more)} more: unfold, filter or zoom, or read report.json`)]
        : []),
    );
  }

  /**
   * @param {Mark} mark
   * @param {Item} item
   */
  function tellMark(mark, item) {
    const name = item.kind === 'row' ? '' : `${mark.row.name}, `;
    const time = mark.until > mark.from ? `${clock(mark.from)} – ${clock(mark.until)}` : clock(mark.from);
    const parts = [
      element('span', { class: 'tag' }, told[mark.standing] ?? ''),
      ` ${time} ${name}${mark.remark} `,
      cite(mark.id),
    ];
    if (mark.other !== undefined) {
      const { other } = mark;
      parts.push(
        ' ',
        button('show its connection', '', () => pick(other)),
      );
    }
    return parts;
  }

  /** @param {string} id */
  function cite(id) {
    const known = Object.keys(data.records).find(
      (record) => record === id || record.slice(record.indexOf('#') + 1) === id,
    );
    const code = element('code', {}, id);
    return known === undefined ? code : element('a', { href: `#record-${data.records[known]}` }, code);
  }

  /** @param {number} time */
  function clock(time) {
    return new Date(data.from + time).toISOString().slice(11, 23);
  }

  // ---- events

  let typing = 0;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(filter, 120);
  });
  standsOut.addEventListener('change', filter);
  new ResizeObserver(() => {
    version += 1;
    ask();
  }).observe(stage);

  stage.addEventListener('click', (event) => {
    const marks = event.target instanceof Element ? drawnMarks.get(event.target) : undefined;
    const [mark] = marks ?? [];
    if (marks === undefined || mark === undefined) return;
    picked = mark;
    version += 1;
    ask();
    tell(mark.row, marks);
  });
  stage.addEventListener('pointerover', (event) => {
    const marks = event.target instanceof Element ? drawnMarks.get(event.target) : undefined;
    const [mark] = marks ?? [];
    if (
      marks === undefined ||
      mark === undefined ||
      !(event.target instanceof Element) ||
      event.target.firstChild !== null
    )
      return;
    const what =
      marks.length === 1
        ? `${clock(mark.from)}, ${mark.remark}, ${told[mark.standing] ?? ''}`
        : `${marks.length} of them, ${told[mark.standing] ?? ''}`;
    event.target.append(vector('title', {}, `${mark.row.name}: ${what}`));
  });
  stage.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, toTime(event.clientX));
      else if (event.shiftKey) pan(event.deltaY > 0 ? 0.1 : -0.1);
      else return;
      event.preventDefault();
    },
    { passive: false },
  );

  /** @param {number} clientX */
  function toTime(clientX) {
    const { left, right } = sizes();
    const x = clientX - stage.getBoundingClientRect().left;
    return view.from + ((x - left) / (right - left)) * (view.until - view.from);
  }

  /** @type {{ x: number, time: number } | undefined} */
  let drag;
  stage.addEventListener('pointerdown', (event) => {
    const { left, right } = sizes();
    const x = event.clientX - stage.getBoundingClientRect().left;
    if (event.pointerType !== 'mouse' || event.button !== 0 || x < left || x > right) return;
    drag = { x, time: toTime(event.clientX) };
  });
  window.addEventListener('pointermove', (event) => {
    if (drag === undefined) return;
    const { left, right } = sizes();
    const x = Math.min(Math.max(event.clientX - stage.getBoundingClientRect().left, left), right);
    brush.hidden = Math.abs(x - drag.x) < 5;
    brush.style.left = `${Math.min(x, drag.x)}px`;
    brush.style.width = `${Math.abs(x - drag.x)}px`;
    if (!brush.hidden) event.preventDefault();
  });
  window.addEventListener('pointerup', (event) => {
    if (drag === undefined) return;
    const [a, b] = [drag.time, toTime(event.clientX)];
    if (!brush.hidden) show(Math.min(a, b), Math.max(a, b));
    brush.hidden = true;
    drag = undefined;
  });
  stage.addEventListener('dblclick', (event) => {
    if (event.target instanceof Element && event.target.closest('button') === null) show(whole.from, whole.until);
  });

  root.addEventListener('keydown', (event) => {
    if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keys.get(event.key);
    const by = lineSteps.get(event.key);
    if (action !== undefined) action();
    else if (by === undefined || !step(event.target, by)) return;
    event.preventDefault();
  });

  /** @type {Map<string, () => void>} */
  const keys = new Map([
    ['+', () => zoom(0.5)],
    ['=', () => zoom(0.5)],
    ['-', () => zoom(2)],
    ['0', () => show(whole.from, whole.until)],
    ['t', () => showWindow()],
    ['n', () => goToFinding(1)],
    ['p', () => goToFinding(-1)],
    ['ArrowLeft', () => pan(-0.15)],
    ['ArrowRight', () => pan(0.15)],
  ]);

  const lineSteps = new Map([
    ['ArrowUp', -1],
    ['ArrowDown', 1],
  ]);

  /**
   * From one line to the next, also to one that is not drawn yet.
   * @param {EventTarget | null} target
   * @param {number} by
   */
  function step(target, by) {
    const node = target instanceof Element ? target.closest('.line') : null;
    const pane = [kernel, provider].find(({ space }) => node?.parentElement === space);
    if (!(node instanceof HTMLElement) || pane === undefined) return false;
    const line = Number(node.dataset['line']) + by;
    const item = lines[pane.half][line];
    if (item === undefined) return true;
    const { scrollTop, clientHeight } = pane.pane;
    if (line * lineHeight < scrollTop) pane.pane.scrollTop = line * lineHeight;
    if ((line + 1) * lineHeight > scrollTop + clientHeight)
      pane.pane.scrollTop = (line + 1) * lineHeight - clientHeight;
    draw();
    pane.kept.get(item)?.querySelector('button')?.focus({ preventScroll: true });
    return true;
  }
}

// ---- from data to items

/**
 * @param {Data} data
 * @param {Half} half
 * @returns {Item[]}
 */
function toItems(data, half) {
  /** @type {Item[]} */
  const roots = [];
  /** @type {Item[]} */
  const stack = [];
  for (const lane of data[half]) {
    const depth = Math.min(lane.depth, stack.length, maxDepth);
    stack.length = depth;
    const parent = stack[depth - 1];
    const item = toItem('lane', half, lane.name, parent);
    item.title = lane.title;
    item.life = lane.life;
    item.children = foldRows(
      lane.rows.map(([name, numbers]) => toRow(data, data.strings[name] ?? '', numbers, item)),
      item,
    );
    (parent?.children ?? roots).push(item);
    stack.push(item);
  }
  return groupAlike(roots, half);
}

/**
 * Many rows of one process or session are one line until someone opens it; what stands out stays.
 * @param {Item[]} rows
 * @param {Item} lane
 */
function foldRows(rows, lane) {
  const plain = rows.filter(({ marks }) => worstOf(marks) < 2);
  if (plain.length <= (lane.half === 'kernel' ? 6 : 16)) return rows;
  const group = toItem('group', lane.half, `${plain.length} ${lane.half === 'kernel' ? 'endpoints' : 'actions'}`, lane);
  group.title = `${group.name} of ${lane.name}`;
  group.children = plain;
  for (const row of plain) row.parent = group;
  return [...rows.filter((row) => !plain.includes(row)), group];
}

/**
 * @param {Item['kind']} kind
 * @param {Half} half
 * @param {string} name
 * @param {Item | undefined} parent
 * @returns {Item}
 */
function toItem(kind, half, name, parent) {
  const depth = parent === undefined ? 0 : parent.depth + 1;
  return {
    kind,
    half,
    name,
    title: name,
    depth,
    life: undefined,
    parent,
    children: [],
    marks: [],
    open: false,
    shown: [],
    found: true,
  };
}

/**
 * @param {Data} data
 * @param {string} name
 * @param {(number | string)[]} numbers
 * @param {Item} parent
 */
function toRow(data, name, numbers, parent) {
  const row = toItem('row', parent.half, name, parent);
  const many = numbersOf(parent.half);
  for (let i = 0; i + many <= numbers.length; i += many) {
    const [from, long, look, head, tail, remark, other = -1, shared] = numbers.slice(i, i + many);
    row.marks.push({
      from: Number(from),
      until: Number(from) + Number(long),
      standing: Number(look) % 4,
      hollow: Number(look) >= 4,
      id: `${data.strings[Number(head)] ?? ''}${String(tail)}`,
      remark: data.strings[Number(remark)] ?? '',
      other: undefined,
      shared: shared === 1,
      row,
      line: Number(other), // until the uses are joined
    });
  }
  row.marks.sort((a, b) => a.from - b.from);
  return row;
}

/** @param {Half} half */
function numbersOf(half) {
  return half === 'kernel' ? 6 : 8;
}

/**
 * Four or more siblings of one name are one line until someone opens it.
 * @param {Item[]} items
 * @param {Half} half
 * @param {Item} [parent]
 * @returns {Item[]}
 */
function groupAlike(items, half, parent) {
  /** @type {Map<string, Item[]>} */
  const alike = new Map();
  const nameOf = (/** @type {Item} */ item) =>
    item.kind === 'lane' && half === 'kernel' ? item.name.replace(/ \d+$/, '') : '';
  for (const item of items) {
    const name = nameOf(item);
    if (name !== '') alike.set(name, [...(alike.get(name) ?? []), item]);
  }
  /** @type {Item[]} */
  const result = [];
  const placed = new Set();
  for (const item of items) {
    const name = nameOf(item);
    const same = alike.get(name) ?? [];
    if (same.length < 4) result.push(item);
    else if (!placed.has(name)) {
      placed.add(name);
      const group = toItem('group', half, `${name} ×${same.length}`, parent);
      group.title = `${same.length} processes of ${name}`;
      group.children = same;
      for (const one of same) one.parent = group;
      result.push(group);
    }
  }
  for (const item of result) {
    item.depth = parent === undefined ? 0 : parent.depth + 1;
    if (item.kind === 'group') for (const one of item.children) deepen(one, half, item);
    else if (item.kind === 'lane') item.children = groupAlike(item.children, half, item);
  }
  return result;
}

/**
 * @param {Item} item
 * @param {Half} half
 * @param {Item} parent
 */
function deepen(item, half, parent) {
  item.depth = parent.depth + 1;
  item.children = groupAlike(item.children, half, item);
}

/**
 * A use knows the number of its connection, in the order in which the data has them.
 * @param {Data} data
 * @param {Mark[]} connections
 * @param {Mark[]} uses
 */
function joinUses(data, connections, uses) {
  const order = new Map(connections.map((mark) => [mark.id, mark]));
  const many = numbersOf('kernel');
  const ids = data.kernel.flatMap(({ rows }) =>
    rows.flatMap(([, numbers]) =>
      Array.from(
        { length: Math.floor(numbers.length / many) },
        (_, i) => `${data.strings[Number(numbers[i * many + 3])] ?? ''}${String(numbers[i * many + 4])}`,
      ),
    ),
  );
  for (const use of uses) {
    const id = ids[use.line];
    use.other = id === undefined ? undefined : order.get(id);
  }
}

/**
 * @param {Item[]} items
 * @returns {Generator<Item>}
 */
function* walk(items) {
  const stack = [...items].reverse();
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    yield item;
    for (let i = item.children.length - 1; i >= 0; i -= 1) stack.push(/** @type {Item} */ (item.children[i]));
  }
}

/** @param {Item[]} items */
function marksOf(items) {
  return [...walk(items)].flatMap((item) => item.marks);
}

/** @param {Item[]} items */
function sum(items) {
  return items.reduce((total, item) => total + item.shown.length, 0);
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

// ---- from items to shapes

/** @typedef {{ width: number, left: number, right: number }} Size */
/** @typedef {(time: number) => number} Scale */
/** @typedef {{ x: number, end: number, standing: number, hollow: boolean, marks: Mark[] }} Group */

/**
 * @param {{ from: number, until: number }} view
 * @param {Size} size
 * @returns {Scale}
 */
function toScale(view, { left, right }) {
  const factor = (right - left) / (view.until - view.from);
  return (time) => left + (time - view.from) * factor;
}

/**
 * Marks that look alike and would touch are one, so that what is drawn is bounded by pixels.
 * @param {Mark[]} marks In order of time.
 * @param {{ from: number, until: number }} view
 * @param {Scale} scale
 * @returns {Group[]}
 */
function merge(marks, view, scale) {
  /** @type {Group[]} */
  const groups = [];
  /** @type {(Group | undefined)[]} */
  const last = [];
  for (const mark of marks) {
    if (mark.until < view.from || mark.from > view.until) continue;
    const look = mark.standing + (mark.hollow ? 4 : 0);
    const x = scale(mark.from);
    const end = scale(mark.until);
    const before = last[look];
    if (before !== undefined && x <= before.x + 7) {
      before.marks.push(mark);
      before.end = Math.max(before.end, end);
    } else {
      const group = { x, end, standing: mark.standing, hollow: mark.hollow, marks: [mark] };
      last[look] = group;
      groups.push(group);
    }
  }
  return groups.sort((a, b) => paintOrder(a.standing) - paintOrder(b.standing) || a.x - b.x);
}

/**
 * What needs nothing is painted first, a breach last.
 * @param {number} standing
 */
function paintOrder(standing) {
  return [1, 0, 2, 3][standing] ?? 3;
}

/**
 * In a crowd: as tall as there are many.
 * @param {Group} group
 * @param {number} x
 * @param {boolean} isPicked
 */
function pile({ standing, hollow, marks }, x, isPicked) {
  const tall = Math.min(4 + 3 * Math.log2(marks.length), 18);
  const look = `bar ${standings[standing] ?? ''}${hollow ? ' open' : ''}${isPicked ? ' picked' : ''}`;
  return vector('rect', { class: look, x: fix(x), y: fix(21 - tall), width: '6', height: fix(tall), rx: '1' });
}

/**
 * @param {Group} group
 * @param {number} x
 * @param {number} end
 * @param {boolean} isPicked
 */
function bar({ standing, hollow }, x, end, isPicked) {
  const tall = standing === 1 ? 6 : 10;
  const look = `bar ${standings[standing] ?? ''}${hollow ? ' open' : ''}${isPicked ? ' picked' : ''}`;
  return vector('rect', {
    class: look,
    x: fix(x),
    y: fix(lineHeight / 2 - tall / 2),
    width: fix(Math.max(end - x, 4)),
    height: fix(tall),
    rx: '2',
  });
}

/**
 * @param {Group} group
 * @param {number} x
 * @param {boolean} isPicked
 */
function dot({ standing, hollow }, x, isPicked) {
  const look = `dot ${standings[standing] ?? ''}${hollow ? ' open' : ''}${isPicked ? ' picked' : ''}`;
  return standing < 2
    ? vector('circle', { class: look, cx: fix(x), cy: '12', r: '4.5' })
    : vector('path', { class: look, d: `M${fix(x)} 5l7 7l-7 7l-7-7z` });
}

/** @param {Mark[]} marks */
function worstOf(marks) {
  let worst = 0;
  for (const { standing } of marks) if (standing > worst) worst = standing;
  return worst;
}

const second = 1000;
const minute = 60 * second;
const day = 1440 * minute;
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((many) => many * minute),
  ...[1, 2, 7, 14, 30, 90, 365].map((many) => many * day),
];

/**
 * Round times, as src/report/time-axis.ts has them.
 * @param {number} from
 * @param {number} until
 * @param {number} most
 */
function ticks(from, until, most) {
  const apart = steps.find((size) => (until - from) / size <= most) ?? Math.ceil((until - from) / most / day) * day;
  const first = Math.ceil(from / apart) * apart;
  return Array.from({ length: Math.max(Math.floor((until - first) / apart) + 1, 0) }, (_, i) => {
    const time = first + i * apart;
    const iso = new Date(time).toISOString();
    const label = time % day === 0 ? iso.slice(0, 10) : iso.slice(11, apart < second ? 23 : apart < minute ? 19 : 16);
    return { time, label };
  });
}

/**
 * @param {number} x
 * @param {Size} size
 */
function clamp(x, { left, right }) {
  return Math.min(Math.max(x, left), right + 8);
}

/**
 * @param {number} time
 * @param {{ from: number, until: number }} view
 */
function within(time, view) {
  return time >= view.from && time <= view.until;
}

/** @param {number} value */
function fix(value) {
  return String(Math.round(value * 10) / 10);
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString('en');
}

// ---- elements

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} content
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(name, attributes, ...content) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...content);
  return node;
}

/**
 * @param {string} name
 * @param {string} title
 * @param {() => void} press
 */
function button(name, title, press) {
  const node = element('button', title === '' ? { type: 'button' } : { type: 'button', title }, name);
  node.addEventListener('click', press);
  return node;
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {string} [content]
 */
function vector(name, attributes, content) {
  const node = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (content !== undefined) node.textContent = content;
  return node;
}

/**
 * @param {string} look
 * @param {number} x
 * @param {number} y
 * @param {string} content
 */
function text(look, x, y, content) {
  return vector('text', { class: look, x: fix(x), y: fix(y) }, content);
}

/**
 * @param {string} look
 * @param {number} x
 * @param {string} height
 */
function upright(look, x, height) {
  return vector('line', { class: look, x1: fix(x), y1: '0', x2: fix(x), y2: height });
}
