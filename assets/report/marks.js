/*
 * The shapes of connections and uses: bars, dots, and piles where there are many.
 */

/**
 * @param {Timeline} timeline
 * @param {Item} item
 * @param {Frame} frame
 */
function drawMarks({ view, picked, drawing }, item, frame) {
  if (item.open && item.children.length > 0) return [];
  const drawn = [];
  const groups = merge(item.shown, view, frame);
  for (const group of groups) {
    const x = clamp(group.x, frame) - frame.left;
    const end = clamp(group.end, frame) - frame.left;
    const ringed = picked !== undefined && group.marks.includes(picked);
    const crowd = groups.length > 45 && group.standing < 2;
    const shape = crowd
      ? pile(group, x, ringed)
      : item.half === 'kernel'
        ? bar(group, x, end, ringed)
        : dot(group, x, ringed);
    drawing.marks.set(shape, group.marks);
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
 * Marks that look alike and would touch are one, so that what is drawn is bounded by pixels.
 * @param {readonly Mark[]} marks In order of time.
 * @param {TimeSpan} view
 * @param {Frame} frame
 * @returns {MarkGroup[]}
 */
function merge(marks, view, { scale }) {
  /** @type {MarkGroup[]} */
  const groups = [];
  /** @type {(MarkGroup | undefined)[]} */
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
 * In a crowd: as tall as there are many.
 * @param {MarkGroup} group
 * @param {number} x
 * @param {boolean} ringed
 */
function pile(group, x, ringed) {
  const tall = Math.min(4 + 3 * Math.log2(group.marks.length), 18);
  const look = lookOf('bar', group, ringed);
  return vector('rect', { class: look, x: fix(x), y: fix(21 - tall), width: '6', height: fix(tall), rx: '1' });
}

/**
 * @param {MarkGroup} group
 * @param {number} x
 * @param {number} end
 * @param {boolean} ringed
 */
function bar(group, x, end, ringed) {
  const tall = group.standing === 1 ? 6 : 10;
  return vector('rect', {
    class: lookOf('bar', group, ringed),
    x: fix(x),
    y: fix(lineHeight / 2 - tall / 2),
    width: fix(Math.max(end - x, 4)),
    height: fix(tall),
    rx: '2',
  });
}

/**
 * @param {MarkGroup} group
 * @param {number} x
 * @param {boolean} ringed
 */
function dot(group, x, ringed) {
  const look = lookOf('dot', group, ringed);
  return group.standing < 2
    ? vector('circle', { class: look, cx: fix(x), cy: '12', r: '4.5' })
    : vector('path', { class: look, d: `M${fix(x)} 5l7 7l-7 7l-7-7z` });
}

/**
 * @param {'bar' | 'dot'} shape
 * @param {MarkGroup} group
 * @param {boolean} ringed
 */
function lookOf(shape, { standing, hollow }, ringed) {
  return `${shape} ${standings[standing] ?? ''}${hollow ? ' open' : ''}${ringed ? ' picked' : ''}`;
}
