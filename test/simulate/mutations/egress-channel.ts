import type { Random } from '../random.ts';
import type { Act, Ns, Process, World } from '../world.ts';
import { addAct, addBystander, addConnection, addService, freshAddress, freshSocket, freshTuple } from './additions.ts';
import { evilHost, shortLife, toPayload } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { millisecond, nodeOf, pickActor, second } from './places.ts';

/* Ways out that are no connection of the task's own: other protocols, and local programs that carry data on. */

export function channelDoubt(code: string, ...names: string[]): Expected {
  return {
    truth: 'violation',
    codes: [code],
    names,
    unshown: 'What went through the channel is in no evidence: by section 7 it is a doubt.',
  };
}

function direct(world: World, random: Random, kind: 'icmp' | 'raw' | 'packet'): Expected | undefined {
  const actor = pickActor(world, random, 10n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const socket = freshSocket(world, random);
  const remote = freshAddress(world, random);
  addAct(
    world,
    kind === 'packet' ? { kind, process: process.id, at, socket } : { kind, process: process.id, at, remote, socket },
  );
  return channelDoubt('raw-channel', remote, `pid ${process.pid}`);
}

/** Even to an address that is declared. */
function rawToDeclared(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 10n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const remote = nodeOf(world, process.node).resolver;
  addAct(world, { kind: 'raw', process: process.id, at, remote, socket: freshSocket(world, random) });
  return channelDoubt('raw-channel', remote);
}

function unixTo(world: World, random: Random, path: string): { process: Process; at: Ns } | undefined {
  const actor = pickActor(world, random, 10n * millisecond);
  const { declaration } = world.tasks[0];
  const declared = [...declaration.infrastructure, ...world.configuration.infrastructure, ...declaration.endpoints];
  if (actor === undefined || declared.some((text) => text.includes(path))) return undefined;
  addAct(world, { kind: 'unix', process: actor.process.id, at: actor.at, path, socket: freshSocket(world, random) });
  return actor;
}

function unixRelay(world: World, random: Random): Expected | undefined {
  const path = random.pick([
    `/run/agent-${random.hex(4)}.sock`,
    `@relay-${random.hex(4)}`,
    `/tmp/.X11-unix/X${random.int(1, 9)}`,
  ]);
  const actor = unixTo(world, random, path);
  if (actor === undefined) return undefined;
  const relay = addBystander(world, random, actor.process.node, actor.at - 100n * millisecond, actor.at + second);
  if (relay !== undefined) connectOut(world, random, relay, actor.at + 3n * millisecond);
  return channelDoubt('local-relay', path);
}

function managerSocket(world: World, random: Random): Expected | undefined {
  const path = random.pick([
    '/var/run/docker.sock',
    '/run/containerd/containerd.sock',
    '/run/dbus/system_bus_socket',
    '/run/crio/crio.sock',
  ]);
  const actor = unixTo(world, random, path);
  if (actor === undefined) return undefined;
  const worker = addBystander(world, random, actor.process.node, actor.at - 100n * millisecond, actor.at + second);
  if (worker !== undefined) connectOut(world, random, worker, actor.at + 3n * millisecond);
  return channelDoubt('delegated-work', path);
}

function connectOut(world: World, random: Random, process: Process, at: Ns): Act {
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  const hello = { form: 'whole', name: host } as const;
  return addConnection(world, random, process, at, { remote, port: 443, hello, lasts: shortLife(random) });
}

/** A program beside the task takes the connection on the node and carries it on. */
function localRelay(world: World, random: Random, onLoopback: boolean): Expected | undefined {
  const actor = pickActor(world, random, 100n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const relay = addBystander(world, random, process.node, at - second, at + 2n * second);
  if (relay === undefined) return undefined;
  relay.netns = process.netns;
  const local = onLoopback ? '127.0.0.1' : nodeOf(world, process.node).address;
  const port = random.int(1100, 9999);
  if (isTaken(world, port)) return undefined;
  const socket = freshSocket(world, random);
  addAct(world, { kind: 'listen', process: relay.id, at: at - 900n * millisecond, local, localPort: port, socket });
  const tuple = freshTuple(world, random, process, local, port);
  const closed = at + 60n * millisecond;
  addAct(world, {
    kind: 'tcp',
    process: process.id,
    at,
    tuple,
    closed,
    outcome: 'up',
    blocking: true,
    sends: [at + 5n * millisecond],
    hello: { form: 'none' },
  });
  addAct(world, {
    kind: 'accept',
    process: relay.id,
    at: at + 200_000n,
    tuple: {
      local,
      localPort: port,
      remote: tuple.local,
      remotePort: tuple.localPort,
      socket: freshSocket(world, random),
    },
    until: closed,
  });
  connectOut(world, random, relay, at + 6n * millisecond);
  return {
    ...channelDoubt('local-relay', `${local}:${port}`),
    codes: onLoopback ? ['local-relay'] : ['local-relay', 'undeclared-endpoint'],
  };
}

export function isTaken(world: World, port: number): boolean {
  return world.acts.some(
    (act) => ('tuple' in act && act.tuple.localPort === port) || ('localPort' in act && act.localPort === port),
  );
}

/** A datagram to loopback, where a program beside the task takes it. */
function datagramRelay(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 50n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const port = random.int(1100, 9999);
  if (isTaken(world, port)) return undefined;
  const relay = addBystander(world, random, process.node, at - second, at + second);
  const tuple = freshTuple(world, random, process, '127.0.0.1', port);
  addAct(world, { kind: 'udp', process: process.id, at, tuple, connected: false, payload: toPayload(random) });
  if (relay !== undefined) connectOut(world, random, relay, at + 2n * millisecond);
  return channelDoubt('local-relay', `127.0.0.1:${port}`);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['raw-socket', 'sent on a raw socket', (world, random) => direct(world, random, 'raw')],
  ['ping-socket', 'sent data in echo requests', (world, random) => direct(world, random, 'icmp')],
  ['packet-socket', 'sent frames on a packet socket', (world, random) => direct(world, random, 'packet')],
  ['raw-to-resolver', 'sent on a raw socket to a declared address', rawToDeclared],
  ['unix-relay', 'handed data to a local program over a unix socket', unixRelay],
  ['manager-socket', 'had a container or service manager work for it', managerSocket],
  [
    'loopback-relay',
    'handed data to a local program over loopback',
    (world, random) => localRelay(world, random, true),
  ],
  [
    'node-address-relay',
    "handed data to a local program over the node's address",
    (world, random) => localRelay(world, random, false),
  ],
  ['loopback-datagram-relay', 'handed data to a local program in datagrams', datagramRelay],
];

export const egressChannelMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
