import type { Random } from '../random.ts';
import type { Act, Call, Ns, Process, Service, Session, Task, World } from '../world.ts';

/*
 * Where in a good world something can be changed: processes and how long they lived, the task's sessions, calls and
 * connections, and stretches of time that fit.
 */

export const millisecond = 1_000_000n;
export const second = 1_000_000_000n;

export type TcpOf = Extract<Act, { kind: 'tcp' }>;

export interface Span {
  readonly from: Ns;
  readonly until: Ns;
}

/** Ids of the processes that descend from the task's root, itself included. */
export function treeIds(world: World, task: Task = world.tasks[0]): Set<string> {
  const ids = new Set([task.root]);
  for (let before = 0; before !== ids.size;) {
    before = ids.size;
    for (const { id, parent } of world.processes) if (parent !== undefined && ids.has(parent)) ids.add(id);
  }
  return ids;
}

export function treeOf(world: World, task?: Task): Process[] {
  const ids = treeIds(world, task);
  return world.processes.filter(({ id }) => ids.has(id));
}

/** Processes of no task. */
export function bystandersOf(world: World): Process[] {
  const tasks = new Set(world.tasks.flatMap((task) => [...treeIds(world, task)]));
  return world.processes.filter(({ id }) => !tasks.has(id));
}

export function taskNodes(world: World): Set<string> {
  return new Set(treeOf(world).map(({ node }) => node));
}

/** From when its image began to when it exited, or another image took its place; else the end of the recording. */
export function lifeOf(world: World, process: Process): Span {
  const next = world.processes.filter(({ parent, how }) => parent === process.id && how === 'image');
  const ends = [process.exited, ...next.map(({ started }) => started), recordedUntil(world, process.node)];
  return { from: process.started, until: least(ends.filter((end) => end !== undefined)) };
}

/** The last canary or health line of the node, whichever is earlier: what happens later is not settled. */
export function recordedUntil(world: World, node: string): Ns {
  const sensor = nodeOf(world, node).sensor;
  const ends = [sensor.health, sensor.canaries.map(({ at }) => at)].filter((times) => times.length > 0);
  // another mutation may have left the node without either
  return ends.length === 0 ? lastExit(world, node) : least(ends.map(greatest));
}

export function recordedFrom(world: World, node: string): Ns {
  const { health, started } = nodeOf(world, node).sensor;
  return health.length === 0 ? started : least(health);
}

function lastExit(world: World, node: string): Ns {
  const own = world.processes.filter((process) => process.node === node);
  return greatest(own.flatMap(({ started, exited }) => [started, exited ?? started]));
}

export function nodeOf(world: World, name: string): World['nodes'][number] {
  const node = world.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`There is no node ${name}.`);
  return node;
}

/** From the start of the task's first process to its last exit. */
export function taskSpan(world: World): Span {
  const lives = treeOf(world).map((process) => lifeOf(world, process));
  return { from: least(lives.map(({ from }) => from)), until: greatest(lives.map(({ until }) => until)) };
}

/** A process of the task that had so long to live after its start, and when it may begin something that takes so long. */
export function pickActor(
  world: World,
  random: Random,
  needs: Ns,
  among: readonly Process[] = treeOf(world),
): { process: Process; at: Ns } | undefined {
  const fitting = among.flatMap((process) => {
    const { from, until } = lifeOf(world, process);
    const begin = greatest([from, recordedFrom(world, process.node)]) + 5n * millisecond;
    const end = until - needs - 5n * millisecond;
    return process.how !== 'procfs' && begin < end ? [{ process, begin, end }] : [];
  });
  const one = random.maybe(fitting);
  return one && { process: one.process, at: momentIn(random, { from: one.begin, until: one.end }) };
}

export function momentIn(random: Random, { from, until }: Span): Ns {
  return from + ((until - from) * BigInt(random.int(0, 1_000_000))) / 1_000_000n;
}

export function taskSessions(world: World): Session[] {
  return world.sessions.filter(({ task, logged }) => task === world.tasks[0].id && logged);
}

/** Calls of the judged task that stand in its trail, with their session; none that issued another one. */
export function taskCalls(world: World): { call: Call; session: Session }[] {
  const sessions = new Map(taskSessions(world).map((session) => [session.key, session]));
  return world.calls.flatMap((call) => {
    const session = sessions.get(call.key);
    const issues = call.eventName.startsWith('AssumeRole');
    return session !== undefined && call.logged && !issues && isAddress(call.source) ? [{ call, session }] : [];
  });
}

export function taskConnections(world: World): { act: TcpOf; process: Process }[] {
  const processes = new Map(treeOf(world).map((process) => [process.id, process]));
  return world.acts.flatMap((act) => {
    const process = processes.get(act.process);
    return act.kind === 'tcp' && process !== undefined ? [{ act, process }] : [];
  });
}

/** Whether a connection of the judged task was open at a time, or so near that clocks and whole seconds leave it open. */
export function isConnectedAround(world: World, at: Ns): boolean {
  return taskConnections(world).some(({ act, process }) => {
    const { skew } = nodeOf(world, process.node);
    const margin = 6n * second + (skew < 0n ? -skew : skew);
    return (
      act.tuple.remotePort !== 53 && at > act.at - margin && (act.closed === undefined || at < act.closed + margin)
    );
  });
}

/** The connection that truly carried a call of the task, and who made it. */
export function carrierOf(world: World, call: Call): { act: TcpOf; process: Process } | undefined {
  return taskConnections(world).find(({ act }) => act.id === call.connection);
}

/** Services whose name is declared as an endpoint on a TCP port, with the port. */
export function declaredServices(world: World): { service: Service; port: number }[] {
  return world.services.flatMap((service) => {
    const text = world.tasks[0].declaration.endpoints.find((one) => one.startsWith(`${service.host}:`));
    const port = Number(text?.slice(service.host.length + 1));
    return Number.isInteger(port) && service.addresses.length > 0 ? [{ service, port }] : [];
  });
}

/** Ports, as `443/tcp`, of every endpoint that is declared by a host name. */
export function declaredPorts(world: World): Set<string> {
  const { endpoints, infrastructure } = world.tasks[0].declaration;
  const texts = [...endpoints, ...infrastructure, ...world.configuration.infrastructure];
  return new Set(
    texts.flatMap((text) => {
      const [, host, port, protocol] = /^([^:[/]+):(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
      return host !== undefined && port !== undefined && !isAddress(host) ? [`${port}/${protocol ?? 'tcp'}`] : [];
    }),
  );
}

export function isAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) || /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text);
}

export function least(times: readonly Ns[]): Ns {
  return times.reduce((one, other) => (other < one ? other : one));
}

export function greatest(times: readonly Ns[]): Ns {
  return times.reduce((one, other) => (other > one ? other : one));
}
