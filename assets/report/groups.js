/*
 * Puts items that look alike under one line, so that a big task starts as a short list.
 */

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
