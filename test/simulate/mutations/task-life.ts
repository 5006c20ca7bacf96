import type { Act, Call, Node, Ns, Process, Session, Task, World } from '../world.ts';

export const second = 1_000_000_000n;

/** The judged task's tree, what it did and the credentials it did it with; times on the true clock. */
export interface TaskLife {
  readonly task: Task;
  readonly tree: readonly Process[];
  readonly acts: readonly Act[];
  /** Where its processes ran; the root's first. */
  readonly nodes: readonly [Node, ...Node[]];
  /** Start of its root. */
  readonly from: Ns;
  /** Its last exit. */
  readonly until: Ns;
  /** What is judged: from root to last exit, or longer where so declared. */
  readonly window: Step;
  readonly sessions: readonly Session[];
  /** With its sessions, whoever made them. */
  readonly calls: readonly Call[];
}

export function lifeOf(world: World): TaskLife {
  const task = world.tasks[0];
  const tree = treeOf(world, task.root);
  const ids = new Set(tree.map(({ id }) => id));
  const sessions = world.sessions.filter((session) => session.task === task.id);
  const keys = new Set(sessions.map(({ key }) => key));
  const home = world.nodes.find(({ name }) => name === task.node);
  if (home === undefined) throw new Error(`The world ${world.seed} has no node ${task.node}.`);
  const others = world.nodes.filter((node) => node !== home && tree.some((process) => process.node === node.name));
  const from = tree.reduce((first, { started }) => (started < first ? started : first), tree[0]?.started ?? 0n);
  const until = tree.reduce((last, { exited, started }) => later(last, exited ?? started), 0n);
  const { start = from, end = until } = task.declaration.window ?? {};
  return {
    task,
    tree,
    acts: world.acts.filter(({ process }) => ids.has(process)),
    nodes: [home, ...others],
    from,
    until,
    window: { from: start < from ? start : from, until: later(until, end) },
    sessions,
    calls: world.calls.filter(({ key }) => keys.has(key)),
  };
}

/** A process and all that descends from it, later images of it too. */
function treeOf(world: World, root: string): Process[] {
  const ids = new Set([root]);
  for (let size = 0; size !== ids.size;) {
    size = ids.size;
    for (const { id, parent } of world.processes) if (parent !== undefined && ids.has(parent)) ids.add(id);
  }
  return world.processes.filter(({ id }) => ids.has(id));
}

/** When its last credential expires: until then the trail has to be whole. */
export function lastExpiry(life: TaskLife): Ns {
  return life.sessions.reduce((last, { expires }) => later(last, expires), life.until);
}

/** From when on the trail has to be whole. */
export function firstIssue(life: TaskLife): Ns {
  return life.sessions.reduce((first, { issued }) => (issued < first ? issued : first), life.from);
}

export interface Step {
  readonly from: Ns;
  readonly until: Ns;
}

/** The stretches between two health lines of a node that reach into a time. */
export function healthSteps(node: Node, from: Ns, until: Ns): Step[] {
  const lines = [...node.sensor.health].sort(byTime);
  return lines.flatMap((line, at) => {
    const next = lines[at + 1];
    return next !== undefined && next > from && line < until ? [{ from: line, until: next }] : [];
  });
}

/** Usual time between two lines: the median. */
export function usualSpacing(times: readonly Ns[]): Ns {
  const sorted = [...times].sort(byTime);
  const gaps = sorted.flatMap((time, at) => (at === 0 ? [] : [time - (sorted[at - 1] ?? time)])).sort(byTime);
  return gaps[Math.floor(gaps.length / 2)] ?? 0n;
}

export function byTime(a: Ns, b: Ns): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function later(a: Ns, b: Ns): Ns {
  return a > b ? a : b;
}

/** Whole seconds in ISO form, as providers write them. */
export function isoSecond(time: Ns): string {
  return new Date(Number(time / 1_000_000n)).toISOString().replace(/\.\d+Z$/, 'Z');
}
