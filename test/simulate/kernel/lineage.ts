import type { Node, Ns, Process, World } from '../world.ts';

/** A process image as the sensor knows it: after a restart of the sensor under another id. */
export interface Identity {
  readonly process: Process;
  readonly execId: string;
  readonly flags: string;
  /** ns since boot; what is known from procFS alone is told in ticks of 10 ms. */
  readonly ktime: Ns;
  /** Known from /proc, where there is no environment. */
  readonly procFs: boolean;
  /** Undefined: the kernel itself. */
  readonly parent: Process | undefined;
}

/** Who is who on one node, as its sensor tells it. */
export interface Lineage {
  readonly processes: readonly Process[];
  readonly collector: Process;
  /** When the agent was started, the first time included. */
  readonly boots: readonly Ns[];
  /** The image that this one turned into by exec. */
  successor(process: Process): Process | undefined;
  /** How often the agent had been started by then; 0 is never. */
  generation(at: Ns): number;
  /** The same object for the same process and generation. */
  identity(process: Process, generation: number): Identity;
  /** Those images that run at a time, the oldest first. */
  running(at: Ns): Process[];
}

const tick = 10_000_000n;

export function openLineage(world: World, node: Node): Lineage {
  const own = world.processes.filter((process) => process.node === node.name);
  const init = own.find(({ pid }) => pid === 1) ?? toService(node, 'init', 1, undefined, '/usr/lib/systemd/systemd');
  const collector = toService(node, 'collector', freePid(own), init.id, '/usr/bin/tally');
  const processes = [...own, ...(own.includes(init) ? [] : [init]), collector];
  const byId = new Map(processes.map((process) => [process.id, process]));
  const successors = new Map<string, Process>();
  for (const process of processes) {
    if (process.how === 'image' && process.parent !== undefined) successors.set(process.parent, process);
  }
  const boots = [node.sensor.started, ...node.sensor.restarts].sort((a, b) => (a < b ? -1 : 1));
  const generation = (at: Ns): number => {
    let count = 0;
    for (const boot of boots) if (boot <= at) count += 1;
    return count;
  };

  /** The first image of its pid: what forked it is in /proc, what it execed is not. */
  const first = (process: Process): Process => {
    const before = process.how === 'image' && process.parent !== undefined ? byId.get(process.parent) : undefined;
    return before === undefined ? process : first(before);
  };
  const latest = (process: Process, at: Ns): Process => {
    const next = successors.get(process.id);
    return next !== undefined && next.started <= at ? latest(next, at) : process;
  };
  const identify = (process: Process, boot: Ns | undefined): Identity => {
    const life = first(process);
    const parent = process.parent === undefined ? undefined : byId.get(process.parent);
    if (process.how === 'procfs' || (boot !== undefined && process.started < boot)) {
      const ktime = ((life.forked - node.booted) / tick) * tick;
      const forker = life.parent === undefined ? undefined : byId.get(life.parent);
      const known = forker === undefined ? undefined : latest(forker, boot ?? node.sensor.started);
      const gone = known?.exited !== undefined && known.exited <= (boot ?? node.sensor.started);
      return {
        process,
        execId: toExecId(node, ktime, process.pid),
        flags: process.cwd === '/' ? 'procFS rootcwd' : 'procFS',
        ktime,
        procFs: true,
        parent: process === init ? undefined : known === undefined || gone || life.adopted ? init : known,
      };
    }
    const ktime = process.started - node.booted;
    const words = ['execve', process.cwd === '/' ? 'rootcwd' : '', process.how === 'exec' ? 'clone' : ''];
    if (process.container?.injected === false) words.push('inInitTree');
    return {
      process,
      execId: toExecId(node, ktime, process.pid),
      flags: words.filter((word) => word !== '').join(' '),
      ktime,
      procFs: false,
      parent: process === init ? undefined : (process.adopted && process.how === 'exec') || !parent ? init : parent,
    };
  };

  let known = new Map<Process, Identity>();
  let knownGeneration = 0;
  return {
    processes,
    collector,
    boots,
    successor: ({ id }) => successors.get(id),
    generation,
    identity(process, at) {
      if (at !== knownGeneration) {
        known = new Map();
        knownGeneration = at;
      }
      const found = known.get(process);
      if (found !== undefined) return found;
      const identity = identify(process, boots[at - 1]);
      known.set(process, identity);
      return identity;
    },
    running: (at) =>
      processes
        .filter(({ id, started, exited }) => {
          const next = successors.get(id);
          return started <= at && (exited === undefined || exited > at) && (next === undefined || next.started > at);
        })
        .sort((a, b) => (a.started < b.started ? -1 : a.started > b.started ? 1 : a.pid - b.pid)),
  };
}

export function toExecId(node: Node, ktime: Ns, pid: number): string {
  return Buffer.from(`${node.name}:${ktime}:${pid}`).toString('base64');
}

/** What runs on every node since it booted, whether the world tells of it or not. */
function toService(node: Node, name: string, pid: number, parent: string | undefined, binary: string): Process {
  const up = node.sensor.started - node.booted;
  const started = node.booted + (pid === 1 ? up / 8n : up / 2n);
  return {
    id: `${name}@${node.name}`,
    node: node.name,
    pid,
    parent,
    how: 'procfs',
    forked: started,
    started,
    exited: undefined,
    binary,
    arguments: pid === 1 ? '--switched-root --system' : 'collect --config /etc/tally/tally.yaml',
    cwd: '/',
    uid: 0,
    env: {},
    netns: node.netns,
    adopted: false,
  };
}

function freePid(processes: readonly Process[]): number {
  const taken = new Set(processes.map(({ pid }) => pid));
  let pid = 420;
  while (taken.has(pid)) pid += 1;
  return pid;
}
