import type { Random } from '../random.ts';
import type { Ns, Process, Tuple, World } from '../world.ts';
import {
  addAct,
  addBystander,
  addConnection,
  addLookup,
  freshAddress,
  freshPort,
  freshSocket,
  freshTuple,
} from './additions.ts';
import { toPayload } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { bystandersOf, declaredServices, lifeOf, millisecond, nodeOf, pickActor, second } from './places.ts';

/* Ways out made to look as though they stayed inside the tree. */

const loopback = '127.0.0.1';

function datagram(world: World, random: Random, process: Process, at: Ns, localPort: number, remotePort: number): void {
  const tuple: Tuple = { local: loopback, localPort, remote: loopback, remotePort, socket: freshSocket(world, random) };
  addAct(world, { kind: 'udp', process: process.id, at, tuple, connected: true, payload: toPayload(random) });
}

function doubt(code: string, ...names: string[]): Expected {
  return { truth: 'violation', codes: [code], names, unshown: 'What took the data tells nothing of it.' };
}

/** A socket of the task had the port first and is gone; then a program beside the task has it. */
function datagramToReusedPort(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const relay = addBystander(world, random, process.node, at - second, at + second);
  if (relay === undefined) return undefined;
  relay.netns = process.netns;
  const [one, other, third] = [freshPort(world, random), freshPort(world, random), freshPort(world, random)];
  datagram(world, random, process, at, one, other);
  datagram(world, random, process, at + 2n * millisecond, other, one);
  datagram(world, random, process, at + 100n * millisecond, third, one);
  const remote = freshAddress(world, random);
  const lasts = 50n * millisecond;
  // Not on a port of HTTPS, where it could be taken for another user of the credential.
  addConnection(world, random, relay, at + 102n * millisecond, { remote, port: 4444, hello: { form: 'none' }, lasts });
  return doubt('local-relay', `${loopback}:${one}`);
}

/**
 * The task listens on a port on which a program beside it listens too (SO_REUSEPORT). That one has been in accept() since
 * before the sensor, so that no event tells of the connection that it took.
 */
function relayBehindOwnListener(world: World, random: Random, isSeen: boolean): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const relay = random.maybe(
    bystandersOf(world).filter(
      ({ how, node, netns, pid }) => node === process.node && netns === process.netns && how === 'procfs' && pid !== 1,
    ),
  );
  if (relay === undefined || lifeOf(world, relay).until < at + second) return undefined;
  const port = freshPort(world, random);
  addAct(world, {
    kind: 'listen',
    process: process.id,
    at,
    local: loopback,
    localPort: port,
    socket: freshSocket(world, random),
  });
  const tuple = freshTuple(world, random, process, loopback, port);
  const opened = at + 50n * millisecond;
  const closed = opened + 60n * millisecond;
  addAct(world, {
    kind: 'tcp',
    process: process.id,
    at: opened,
    tuple,
    closed,
    outcome: 'up',
    blocking: true,
    sends: [opened + 2n * millisecond],
    hello: { form: 'none' },
  });
  if (isSeen) {
    const taken = {
      local: loopback,
      localPort: port,
      remote: loopback,
      remotePort: tuple.localPort,
      socket: freshSocket(world, random),
    };
    addAct(world, { kind: 'accept', process: relay.id, at: opened + 100_000n, tuple: taken, until: closed });
  }
  return doubt('local-relay', `${loopback}:${port}`);
}

/** An address full of data comes into the evidence by an answer of the task's own server; then its name is looked up. */
function plantedReverse(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  const host = random.maybe(declaredServices(world))?.service.host;
  if (actor === undefined || host === undefined) return undefined;
  const { process, at } = actor;
  const server = `127.0.0.${random.int(2, 250)}`;
  if (nodeOf(world, process.node).resolver === server) return undefined;
  const planted = freshAddress(world, random);
  const asked = addLookup(world, random, process, at, { name: host, addresses: [planted], server });
  if (asked.kind !== 'lookup') return undefined;
  addAct(world, {
    kind: 'udp',
    process: process.id,
    at: at + 600_000n,
    tuple: {
      local: server,
      localPort: 53,
      remote: server,
      remotePort: asked.localPort,
      socket: freshSocket(world, random),
    },
    connected: true,
    payload: toPayload(random),
  });
  const name = `${planted.split('.').reverse().join('.')}.in-addr.arpa`;
  addLookup(world, random, process, at + 50n * millisecond, { name, addresses: [] });
  return doubt('undeclared-lookup', name);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['datagram-to-reused-port', 'sent a datagram to a loopback port that had been its own before', datagramToReusedPort],
  [
    'relay-behind-own-listener',
    'shared a listening port with a local program',
    (world, random) => relayBehindOwnListener(world, random, true),
  ],
  [
    'relay-behind-own-listener-unseen',
    'shared a listening port with a local program that was in accept() before the sensor began',
    (world, random) => relayBehindOwnListener(world, random, false),
  ],
  ['planted-reverse-lookup', 'looked up the name of an address that its own server had given it', plantedReverse],
];

export const egressDisguisedMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
