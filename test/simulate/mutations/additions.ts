import type { Random } from '../random.ts';
import type { Act, Call, Ns, Process, Session, Tuple, World } from '../world.ts';
import { bystandersOf, lifeOf, millisecond, nodeOf, recordedFrom, type TcpOf } from './places.ts';

/* What mutations add to a world: each addition keeps its ids, sockets, ports and process ids unique. */

/** The next id of the form p12 that nothing of the world has. */
export function freshId(world: World, letter: string): string {
  const all = [...world.processes, ...world.acts, ...world.sessions, ...world.calls].map(({ id }) => id);
  const numbers = all.flatMap((id) => (id.startsWith(letter) ? [Number(/\d+$/.exec(id)?.[0] ?? 0)] : []));
  return `${letter}${Math.max(0, ...numbers) + 1}`;
}

export function freshUuid(random: Random): string {
  return [8, 4, 4, 4, 12].map((digits) => random.hex(digits)).join('-');
}

/** A public address that nothing of the world has. */
export function freshAddress(world: World, random: Random): string {
  const known = JSON.stringify(world, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  for (;;) {
    const address = `${random.pick(['45.33', '104.21', '185.199', '139.162'])}.${random.int(1, 254)}.${random.int(1, 254)}`;
    if (!known.includes(address)) return address;
  }
}

/** A kernel address in the form that the world's sockets have. */
export function freshSocket(world: World, random: Random): string {
  const known = socketsOf(world);
  const hex = [...known].some((socket) => socket.startsWith('0x'));
  for (;;) {
    const number = 0xffff_8880_0000_0000n + BigInt(random.int(1, 0x7fff_ffff)) * 64n;
    const socket = hex ? `0x${number.toString(16)}` : String(number);
    if (!known.has(socket)) return socket;
  }
}

function socketsOf(world: World): Set<string> {
  return new Set(
    world.acts.flatMap((act) => ('tuple' in act ? [act.tuple.socket] : 'socket' in act ? [act.socket] : [])),
  );
}

export function freshPort(world: World, random: Random): number {
  const known = new Set(
    world.acts.flatMap((act) => ('tuple' in act ? [act.tuple.localPort] : 'localPort' in act ? [act.localPort] : [])),
  );
  for (;;) {
    const port = random.int(32_768, 60_999);
    if (!known.has(port)) return port;
  }
}

export function freshTuple(world: World, random: Random, process: Process, remote: string, remotePort: number): Tuple {
  const local = remote.startsWith('127.') ? '127.0.0.1' : nodeOf(world, process.node).address;
  const form = remote.startsWith('::ffff:') ? `::ffff:${local}` : local;
  return { local: form, localPort: freshPort(world, random), remote, remotePort, socket: freshSocket(world, random) };
}

/** One of the union without the fields that the addition fills in. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export function addAct(world: World, act: Without<Act, 'id'>): Act {
  const added: Act = { ...act, id: freshId(world, 'a') };
  world.acts.push(added);
  return added;
}

export interface Connection {
  readonly remote: string;
  readonly port: number;
  readonly hello: TcpOf['hello'];
  /** How long it stays open. */
  readonly lasts: Ns;
  /** Never closed. */
  readonly open?: boolean;
  readonly tid?: number;
}

/** A connection of a process that is up and carries data. */
export function addConnection(world: World, random: Random, process: Process, at: Ns, one: Connection): Act {
  const sends = Array.from({ length: random.int(1, 3) }, (_, n) => at + (one.lasts * BigInt(n + 1)) / 5n);
  return addAct(world, {
    kind: 'tcp',
    process: process.id,
    at,
    tuple: freshTuple(world, random, process, one.remote, one.port),
    closed: one.open === true ? undefined : at + one.lasts,
    outcome: 'up',
    blocking: random.chance(0.5),
    sends,
    hello: one.hello,
    ...(one.tid === undefined ? {} : { tid: one.tid }),
  });
}

/** A look-up that a resolver answers; the node's own where none is given. */
export function addLookup(
  world: World,
  random: Random,
  process: Process,
  at: Ns,
  question: { name: string; addresses: readonly string[]; server?: string; through?: readonly string[] },
): Act {
  return addAct(world, {
    kind: 'lookup',
    process: process.id,
    at,
    name: question.name,
    type: 'A',
    server: question.server ?? nodeOf(world, process.node).resolver,
    localPort: freshPort(world, random),
    socket: freshSocket(world, random),
    answered: question.addresses.length === 0 ? undefined : BigInt(random.int(1, 4)) * millisecond,
    answers: question.addresses.map((address) => ({ address, ttl: random.int(30, 300) })),
    through: [...(question.through ?? [])],
    messageId: random.int(1, 65_535),
  });
}

/** A service that no one has heard of: its name and address. */
export function addService(world: World, random: Random, host: string): { host: string; address: string } {
  const address = freshAddress(world, random);
  world.services.push({ host, addresses: [address] });
  return { host, address };
}

export interface Birth {
  readonly how: 'exec' | 'fork' | 'image';
  readonly forked: Ns;
  readonly exited: Ns | undefined;
  readonly binary?: string;
  readonly arguments?: string;
  readonly env?: Record<string, string>;
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly container?: Process['container'];
}

/** A child of a process: its copy (fork), or a program of its own. */
export function addProcess(world: World, random: Random, parent: Process, birth: Birth): Process {
  const container = 'container' in birth ? birth.container : parent.container;
  const process: Process = {
    id: freshId(world, 'p'),
    node: parent.node,
    pid: birth.pid ?? freshPid(world, random, parent.node),
    parent: parent.id,
    how: birth.how,
    forked: birth.forked,
    started: birth.how === 'exec' ? birth.forked + millisecond : birth.forked,
    exited: birth.exited,
    binary: birth.binary ?? parent.binary,
    arguments: birth.arguments ?? parent.arguments,
    cwd: parent.cwd,
    uid: parent.uid,
    env: birth.env ?? { ...parent.env },
    netns: parent.netns,
    adopted: birth.adopted ?? false,
    ...(container === undefined ? {} : { container }),
  };
  world.processes.push(process);
  return process;
}

/** A process id that none of the node's processes or threads has. */
export function freshPid(world: World, random: Random, node: string): number {
  const pids = world.processes.flatMap((process) => (process.node === node ? [process.pid] : []));
  const tids = world.acts.flatMap((act) => (act.kind === 'thread' ? [act.tid] : []));
  return Math.max(1000, ...pids, ...tids) + random.int(1, 40);
}

/** A program beside the task on one of its nodes, alive in the given span; undefined where nothing there could have started it. */
export function addBystander(
  world: World,
  random: Random,
  node: string,
  from: Ns,
  until: Ns,
  program = { binary: '/usr/bin/curl', arguments: '-s https://localhost' },
): Process | undefined {
  const forked = from - 20n * millisecond;
  const parent = random.maybe(
    bystandersOf(world).filter((one) => {
      const life = lifeOf(world, one);
      return one.node === node && one.container === undefined && life.from < forked && life.until > until;
    }),
  );
  if (parent === undefined || forked < recordedFrom(world, node)) return undefined;
  return addProcess(world, random, parent, { ...program, how: 'exec', forked, exited: until });
}

/** The same call again under other ids; nothing of the world carried it. */
export function addCall(world: World, random: Random, like: Call, changes: Partial<Call>): Call {
  const call: Call = {
    ...like,
    connection: undefined,
    ...changes,
    id: freshId(world, /^\D*/.exec(like.id)?.[0] ?? 'c'),
    eventId: freshUuid(random),
    requestId: freshUuid(random),
  };
  world.calls.push(call);
  return call;
}

/** A further session; what is not told is as that of the given one, and it expires with it. */
export function addSession(world: World, random: Random, like: Session, changes: Partial<Session>): Session {
  const session: Session = {
    ...like,
    task: undefined,
    ...changes,
    id: freshId(world, /^\D*/.exec(like.id)?.[0] ?? 's'),
    key: `ASIA${random.base32(16)}`,
    eventId: freshUuid(random),
    requestId: freshUuid(random),
  };
  world.sessions.push(session);
  return session;
}
