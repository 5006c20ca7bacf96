import type { KernelLine } from '../evidence.ts';
import { actHappenings } from './acts.ts';
import { isBlind } from './blind.ts';
import { canaryHappenings } from './canary.ts';
import { forkHappening } from './escape.ts';
import type { Happening, Scene } from './hooks.ts';
import { type Lineage, openLineage } from './lineage.ts';
import { type Lines, openLines } from './line.ts';
import { openProcessTexts } from './process.ts';
import { TimeQueue } from './queue.ts';
import type { Act, Node, Ns, Process, World } from '../world.ts';

const minute = 60_000_000_000n;

/** What begins at a time: it puts its lines in the queue. */
type Start = readonly [at: Ns, begin: () => void];
/** A line to be written, unless it never came to that. */
type Due = () => KernelLine | undefined;

export function* renderNode(world: World, node: Node, form: 'export' | 'lean'): Generator<KernelLine, void, undefined> {
  const lineage = openLineage(world, node);
  const lines = openLines(node, openProcessTexts(node, lineage, form), new Set(world.processes));
  const queue = new TimeQueue<Due>();
  const pass = openLimit();
  const write = (happening: Happening): Due => {
    const { hook, at, written, process, limit } = happening;
    return () => {
      const generation = lineage.generation(written);
      const { name, policy } = hook;
      if (generation === 0 || isBlind(node.sensor, written, { hook: name, policy, process: process.id }))
        return undefined;
      if (limit !== undefined && !pass(limit, at)) return undefined;
      return lines.hooked(happening, generation);
    };
  };
  const happenIn = (happening: Happening): void => {
    queue.push(happening.written, write(happening));
  };
  for (const [at, begin] of toStarts(world, node, lineage, lines, queue, happenIn)) {
    for (let next = queue.next; next !== undefined && next <= at; next = queue.next) {
      const line = queue.pop()?.();
      if (line !== undefined) yield line;
    }
    begin();
  }
  while (queue.next !== undefined) {
    const line = queue.pop()?.();
    if (line !== undefined) yield line;
  }
}

function toStarts(
  world: World,
  node: Node,
  lineage: Lineage,
  lines: Lines,
  queue: TimeQueue<Due>,
  happen: (happening: Happening) => void,
): Start[] {
  const byId = new Map(world.processes.map((process) => [process.id, process]));
  const memory = new Map<string, string>();
  const scene = (process: Process, act?: Act, tid = process.pid): Scene => ({
    act,
    process,
    tid,
    node,
    processes: byId,
    memory,
    happen,
  });
  const starts: Start[] = [];
  const base = (hook: 'exec' | 'exit', process: Process, at: Ns): void => {
    queue.push(at, () => {
      const generation = lineage.generation(at);
      if (generation === 0 || isBlind(node.sensor, at, { hook, policy: undefined, process: process.id }))
        return undefined;
      return lines.base(hook, process, generation, at);
    });
  };
  for (const process of lineage.processes) {
    const { how, forked, started, exited, parent } = process;
    const forker = parent === undefined ? undefined : byId.get(parent);
    if ((how === 'exec' || how === 'fork') && forker !== undefined) {
      const child = { pid: process.pid, tgid: process.pid, parent: forker.pid };
      const told = how === 'fork' ? forked - 60_000n : forked;
      starts.push([told, () => forkHappening(scene(forker), child, told)]);
    }
    if (how === 'exec' || how === 'image') starts.push([started, () => base('exec', process, started)]);
    if (exited !== undefined && lineage.successor(process) === undefined) {
      starts.push([exited, () => base('exit', process, exited)]);
    }
  }
  for (const [n, boot] of lineage.boots.entries()) starts.push([boot, () => announce(boot, n + 1)]);
  const announce = (boot: Ns, generation: number): void => {
    for (const process of lineage.running(boot)) {
      queue.push(boot, () => {
        if (isBlind(node.sensor, boot, { hook: 'exec', policy: undefined, process: process.id })) return undefined;
        const { ktime } = lineage.identity(process, generation);
        return lines.base('exec', process, generation, node.booted + ktime);
      });
    }
  };
  for (const canary of node.sensor.canaries) {
    if (!canary.made) continue;
    const maker = canary.by === undefined ? lineage.collector : byId.get(canary.by);
    if (maker !== undefined) starts.push([canary.at - 70_000n, () => canaryHappenings(scene(maker), canary)]);
  }
  for (const act of world.acts) {
    const process = byId.get(act.process);
    if (process?.node !== node.name) continue;
    const tid = act.kind === 'tcp' ? (act.tid ?? process.pid) : process.pid;
    starts.push([act.at, () => actHappenings(scene(process, act, tid), act)]);
  }
  return starts.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
}

/** One event a minute for each key passes. */
function openLimit(): (key: string, at: Ns) => boolean {
  let passed = new Map<string, Ns>();
  return (key, at) => {
    const last = passed.get(key);
    if (last !== undefined && at - last < minute) return false;
    if (passed.size > 50_000) passed = new Map([...passed].filter(([, then]) => at - then < minute));
    passed.set(key, at);
    return true;
  };
}
