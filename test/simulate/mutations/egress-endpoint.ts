import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addAct, addConnection, addLookup, addService, freshAddress, freshPid, freshTuple } from './additions.ts';
import { evilHost, shortLife, toPayload, undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredPorts, declaredServices, millisecond, pickActor, second } from './places.ts';

/* Connections and datagrams to endpoints that the declaration does not name. */

function undeclaredHost(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 120n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address } = addService(world, random, evilHost(world, random));
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [address] });
  addConnection(world, random, actor.process, actor.at + 20n * millisecond, {
    remote: address,
    port: 443,
    hello: { form: 'whole', name: host },
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(host);
}

/** Its address was known beforehand: only its ClientHello names it. */
function undeclaredHostWithoutLookup(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 80n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address } = addService(world, random, evilHost(world, random));
  const hello = { form: 'whole', name: host } as const;
  addConnection(world, random, actor.process, actor.at, {
    remote: address,
    port: 443,
    hello,
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(host);
}

function openPort(world: World, random: Random, protocol: 'tcp' | 'udp'): number | undefined {
  const declared = declaredPorts(world);
  return random.maybe([22, 80, 4444, 6667, 8443, 9001].filter((port) => !declared.has(`${port}/${protocol}`)));
}

function bareAddress(world: World, random: Random, mapped: boolean): Expected | undefined {
  const actor = pickActor(world, random, 80n * millisecond);
  const port = openPort(world, random, 'tcp');
  if (actor === undefined || port === undefined) return undefined;
  const address = freshAddress(world, random);
  addConnection(world, random, actor.process, actor.at, {
    remote: mapped ? `::ffff:${address}` : address,
    port,
    hello: { form: 'none' },
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(`${address}:${port}`);
}

/** On the port that a declared host has: without a name it can't be told from one. */
function bareAddressDeclaredPort(world: World, random: Random, mapped: boolean): Expected | undefined {
  const actor = pickActor(world, random, 80n * millisecond);
  const port = random.maybe(
    [...declaredPorts(world)].flatMap((one) => (one.endsWith('/tcp') ? [Number.parseInt(one)] : [])),
  );
  if (actor === undefined || port === undefined) return undefined;
  const address = freshAddress(world, random);
  addConnection(world, random, actor.process, actor.at, {
    remote: mapped ? `::ffff:${address}` : address,
    port,
    hello: { form: random.pick(['none', 'old', 'split'] as const), name: 'any.example' },
    lasts: shortLife(random),
  });
  return {
    truth: 'violation',
    codes: ['unattributed-address'],
    names: [address],
    unshown: 'An address without a name on the port of a declared host.',
  };
}

function undeclaredPort(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 120n * millisecond);
  const declared = random.maybe(declaredServices(world));
  const port = openPort(world, random, 'tcp');
  if (actor === undefined || declared === undefined || port === undefined) return undefined;
  const { host, addresses } = declared.service;
  const remote = addresses.find((address) => !address.includes(':'));
  if (remote === undefined) return undefined;
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [remote] });
  const hello = { form: 'whole', name: host } as const;
  addConnection(world, random, actor.process, actor.at + 20n * millisecond, {
    remote,
    port,
    hello,
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(`${host}:${port}`, `${remote}:${port}`);
}

function metadata(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 80n * millisecond);
  if (actor === undefined || declaredPorts(world).has('80/tcp')) return undefined;
  const remote = '169.254.169.254';
  addConnection(world, random, actor.process, actor.at, {
    remote,
    port: 80,
    hello: { form: 'none' },
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(remote);
}

function neverClosed(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 80n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  const hello = { form: 'whole', name: host } as const;
  addConnection(world, random, actor.process, actor.at, {
    remote,
    port: 443,
    hello,
    lasts: shortLife(random),
    open: true,
  });
  return undeclaredEndpoint(host);
}

function udpToUndeclared(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 20n * millisecond);
  const port = openPort(world, random, 'udp');
  if (actor === undefined || port === undefined) return undefined;
  const remote = freshAddress(world, random);
  const tuple = freshTuple(world, random, actor.process, remote, port);
  addAct(world, {
    kind: 'udp',
    process: actor.process.id,
    at: actor.at,
    tuple,
    connected: random.chance(0.5),
    payload: toPayload(random),
  });
  return undeclaredEndpoint(`${remote}:${port}`);
}

/** To the address of a declared host, whose endpoint is TCP. */
function quicToDeclared(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 60n * millisecond);
  const declared = random.maybe(declaredServices(world).filter(({ port }) => port === 443));
  const remote = declared?.service.addresses.find((address) => !address.includes(':'));
  if (actor === undefined || declared === undefined || remote === undefined || declaredPorts(world).has('443/udp'))
    return undefined;
  const { host } = declared.service;
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [remote] });
  const tuple = freshTuple(world, random, actor.process, remote, 443);
  addAct(world, {
    kind: 'udp',
    process: actor.process.id,
    at: actor.at + 20n * millisecond,
    tuple,
    connected: true,
    payload: toPayload(random),
  });
  return undeclaredEndpoint(`${host}:443`, `${remote}:443`);
}

function byThread(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 120n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  const tid = freshPid(world, random, actor.process.node);
  addAct(world, { kind: 'thread', process: actor.process.id, at: actor.at, tid });
  const hello = { form: 'whole', name: host } as const;
  const at = actor.at + 5n * millisecond;
  addConnection(world, random, actor.process, at, { remote, port: 443, hello, lasts: shortLife(random), tid });
  return undeclaredEndpoint(host);
}

function byRing(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 120n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  addAct(world, { kind: 'io-uring', process: actor.process.id, at: actor.at });
  const hello = { form: 'whole', name: host } as const;
  const at = actor.at + 2n * millisecond;
  addConnection(world, random, actor.process, at, { remote, port: 443, hello, lasts: shortLife(random) });
  return undeclaredEndpoint(host);
}

/** In the same moment and towards the same port as a connection that was declared. */
function besideDeclared(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, second);
  if (actor === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  const declared = world.acts.find(
    (act) =>
      act.kind === 'tcp' && act.process === actor.process.id && act.outcome === 'up' && act.tuple.remotePort === 443,
  );
  const at = declared?.at ?? actor.at;
  const hello = { form: 'whole', name: host } as const;
  addConnection(world, random, actor.process, at + 1000n, { remote, port: 443, hello, lasts: shortLife(random) });
  return undeclaredEndpoint(host);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['undeclared-host', 'looked up an undeclared host and connected to it', undeclaredHost],
  [
    'undeclared-host-without-lookup',
    'connected to an undeclared host that only its ClientHello names',
    undeclaredHostWithoutLookup,
  ],
  [
    'bare-address',
    'connected to an address on a port of no declared host',
    (world, random) => bareAddress(world, random, false),
  ],
  [
    'bare-address-mapped',
    'connected to an IPv4-mapped address on a port of no declared host',
    (world, random) => bareAddress(world, random, true),
  ],
  [
    'bare-address-declared-port',
    'connected to a nameless address on a declared port',
    (world, random) => bareAddressDeclaredPort(world, random, false),
  ],
  [
    'bare-address-declared-port-mapped',
    'connected to a nameless IPv4-mapped address on a declared port',
    (world, random) => bareAddressDeclaredPort(world, random, true),
  ],
  ['undeclared-port', 'connected to a declared host on a port that is not', undeclaredPort],
  ['metadata', "asked the instance metadata for the node's own role", metadata],
  ['never-closed', 'opened a connection to an undeclared host that never closes', neverClosed],
  ['udp-undeclared', 'sent a datagram to an undeclared address', udpToUndeclared],
  ['quic-declared-host', 'sent datagrams to port 443 of a declared host whose endpoint is TCP', quicToDeclared],
  ['undeclared-host-by-thread', 'connected to an undeclared host from a thread', byThread],
  ['undeclared-host-by-ring', 'connected to an undeclared host through io_uring', byRing],
  ['undeclared-host-beside', 'connected to an undeclared host at the moment of a declared connection', besideDeclared],
];

export const egressEndpointMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
