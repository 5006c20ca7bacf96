import { plural } from './words.ts';

/**
 * How a mark stands: `matched` has its other half; `quiet` needs none; `doubt` lacks it; `breach` is or belongs to a
 * counterexample.
 */
export type Standing = 'matched' | 'quiet' | 'doubt' | 'breach';

/** One connection or use on the time line; times in milliseconds. */
export interface Mark {
  readonly id: string;
  readonly from: number;
  readonly until: number;
  readonly standing: Standing;
  readonly hollow: boolean;
  readonly title: string;
  /** What the title says beside name, time and standing. */
  readonly remark: string;
}

export interface Row {
  readonly name: string;
  readonly label: string;
  readonly marks: readonly Mark[];
}

/** One process or one credential session, with a row for each endpoint or action. */
export interface Lane {
  readonly label: string;
  readonly title: string;
  readonly depth: number;
  readonly life?: { readonly from: number; readonly until: number; readonly open: boolean };
  readonly rows: readonly Row[];
}

export interface FoldLimits {
  readonly lanes: number;
  readonly rows: number;
  /** What each is called, one and many. */
  readonly laneNoun: readonly [string, string];
  readonly rowNoun: readonly [string, string];
  readonly markNoun: readonly [string, string];
}

export function worst(marks: readonly Mark[]): Standing {
  return standings.find((standing) => marks.some((mark) => mark.standing === standing)) ?? 'quiet';
}

const standings: readonly Standing[] = ['breach', 'doubt', 'matched', 'quiet'];

/**
 * Keeps the lanes and rows that matter most (what stands out, then what has marks) within the limits, in their given
 * order; all others become one lane whose marks keep their standing, so that folding hides no breach.
 */
export function foldLanes(lanes: readonly Lane[], limits: FoldLimits): readonly Lane[] {
  const short = shorten(lanes, limits);
  const kept = new Set<Lane>();
  let rows = 0;
  for (const lane of [...short].sort((a, b) => rank(a.rows) - rank(b.rows))) {
    if (kept.size === limits.lanes || rows + lane.rows.length > limits.rows) continue;
    kept.add(lane);
    rows += lane.rows.length;
  }
  const rest = short.filter((lane) => !kept.has(lane));
  if (rest.length === 0) return short;
  const marks = rest.flatMap((lane) => lane.rows.flatMap((row) => row.marks));
  const title = plural(rest.length, `more ${limits.laneNoun[0]}`, `more ${limits.laneNoun[1]}`);
  const label = plural(marks.length, ...limits.markNoun);
  const row = { name: label, label, marks };
  const more = {
    label: title,
    title: `${title}, listed in report.json`,
    depth: 0,
    rows: marks.length === 0 ? [] : [row],
  };
  return [...pruneLanes(short, (lane) => (kept.has(lane) ? lane : undefined)), more];
}

/**
 * Lanes in the order of the tree without those that are not kept. A lane whose parent is not drawn stands at the root with all
 * below it, after the others, and says so: elsewhere it would pass for a child of the lane before it, and the next for a child of it.
 */
export function pruneLanes(lanes: readonly Lane[], keep: (lane: Lane) => Lane | undefined): Lane[] {
  const roots: Lane[] = [];
  const groups = [roots];
  // the parent that a lane of each depth would have now; undefined where it is not drawn
  const parents: ({ readonly depth: number; readonly group: Lane[] } | undefined)[] = [{ depth: -1, group: roots }];
  for (const lane of lanes) {
    const kept = keep(lane);
    parents.length = lane.depth + 1;
    const parent = parents[lane.depth];
    const group = parent?.group ?? [];
    const depth = (parent?.depth ?? -1) + 1;
    parents.push(kept === undefined ? undefined : { depth, group });
    if (kept === undefined) continue;
    if (parent === undefined) groups.push(group);
    group.push({ ...kept, depth, ...(parent === undefined ? { title: `parent not drawn; ${kept.title}` } : {}) });
  }
  return groups.flat();
}

/** As many rows in each lane as let most lanes be shown. */
function shorten(lanes: readonly Lane[], limits: FoldLimits): readonly Lane[] {
  const most = [8, 5, 3].find((each) => sum(lanes.map((lane) => Math.min(lane.rows.length, each))) <= limits.rows) ?? 2;
  return lanes.map((lane) => ({ ...lane, rows: foldRows(lane.rows, most, limits) }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function foldRows(rows: readonly Row[], limit: number, { rowNoun: [one, many] }: FoldLimits): readonly Row[] {
  if (rows.length <= limit) return rows;
  const kept = new Set([...rows].sort((a, b) => rank([a]) - rank([b])).slice(0, limit - 1));
  const rest = rows.filter((row) => !kept.has(row));
  const label = plural(rest.length, `more ${one}`, `more ${many}`);
  return [...rows.filter((row) => kept.has(row)), { name: label, label, marks: rest.flatMap((row) => row.marks) }];
}

/** Lower matters more. */
function rank(rows: readonly Row[]): number {
  const marks = rows.flatMap((row) => row.marks);
  return marks.length === 0 ? standings.length : standings.indexOf(worst(marks));
}
