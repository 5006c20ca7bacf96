/*
 * Draws the lines that join uses with their connections, from one half to the other.
 */

/** More lines than this between the halves say nothing: then only some are drawn. */
const maxJoins = 250;

/**
 * Uses whose other half is drawn; of too many, some, evenly.
 * @param {Timeline} timeline
 */
function chooseJoins({ uses, view, picked }) {
  const all = uses.filter(
    (use) => use.line >= 0 && use.other !== undefined && use.other.line >= 0 && within(use.from, view),
  );
  const every = Math.ceil(all.length / maxJoins);
  return all.filter((use, i) => i % every === 0 || isPicked(use, picked));
}

/**
 * @param {Mark} use
 * @param {Mark | undefined} picked
 */
function isPicked(use, picked) {
  return picked !== undefined && (picked === use || picked === use.other);
}

/**
 * @param {Timeline} timeline
 * @param {Frame} frame
 * @param {ReturnType<typeof placesOf>} places
 */
function drawJoins({ page, picked, drawing }, frame, places) {
  const xOf = (/** @type {number} */ time) => fix(clamp(frame.scale(time), frame));
  /** @type {Map<string, string>} */
  const paths = new Map();
  for (const use of drawing.joined) {
    const other = /** @type {Mark} */ (use.other);
    const [top, bottom] = [places.kernel(other.line), places.provider(use.line)];
    if (top.far && bottom.far) continue;
    const end = Math.min(Math.max(use.from, other.from), Math.max(other.until, other.from));
    const path = `M${xOf(end)} ${fix(top.y)}L${xOf(use.from)} ${fix(bottom.y)}`;
    const far = top.far || bottom.far ? ' far' : '';
    const ringed = isPicked(use, picked);
    if (!paths.has(path) || ringed)
      paths.set(path, `join${use.shared ? ' shared' : ''}${far}${ringed ? ' picked' : ''}`);
  }
  page.joins.setAttribute('width', String(frame.width));
  page.joins.setAttribute('height', places.height);
  page.joins.setAttribute('class', `timeline overlay${paths.size > 60 ? ' crowded' : ''}`);
  page.joins.replaceChildren(...[...paths].map(([d, look]) => vector('path', { class: look, d })));
}

/** @param {Page} page */
function placesOf({ kernel, provider, stage }) {
  return { kernel: toPlace(kernel), provider: toPlace(provider), height: String(stage.clientHeight) };
}

/**
 * Where a line of a pane is on the stage; what is scrolled out is at the pane's edge.
 * @param {Pane} of
 * @returns {Place}
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
