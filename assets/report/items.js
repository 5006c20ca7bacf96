/*
 * From the data in the page to items with their marks: the tree that the time line shows.
 */

/** Deeper processes stand beside their parents: each level holds the marks of all below it. */
const maxDepth = 40;

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
 * @param {readonly (number | string)[]} numbers
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

/**
 * How many numbers the data has of each mark.
 * @param {Half} half
 */
function numbersOf(half) {
  return half === 'kernel' ? 6 : 8;
}

/**
 * A use knows the number of its connection, in the order in which the data has them.
 * @param {Data} data
 * @param {readonly Mark[]} connections
 * @param {readonly Mark[]} uses
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
 * The items and all below them, from the top down.
 * @param {readonly Item[]} items
 * @returns {Generator<Item>}
 */
function* walk(items) {
  const stack = [...items].reverse();
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    yield item;
    for (let i = item.children.length - 1; i >= 0; i -= 1) stack.push(/** @type {Item} */ (item.children[i]));
  }
}

/** @param {readonly Item[]} items */
function marksOf(items) {
  return [...walk(items)].flatMap((item) => item.marks);
}
