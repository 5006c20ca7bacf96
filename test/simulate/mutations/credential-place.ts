import type { Random } from '../random.ts';
import type { Call, Ns, World } from '../world.ts';
import { addBystander, addCall, addConnection, freshAddress } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import {
  carrierOf,
  greatest,
  isConnectedAround,
  least,
  millisecond,
  momentIn,
  nodeOf,
  recordedFrom,
  recordedUntil,
  second,
  taskCalls,
  taskNodes,
  taskSpan,
} from './places.ts';

/* The task's credential used by someone else: from elsewhere, or beside the task. */

const isolated = 'co-tenants-isolated';

function foreign(...names: string[]): Expected {
  return { truth: 'violation', codes: ['foreign-use'], names };
}

function useFromAnotherHost(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world))?.call;
  if (like === undefined) return undefined;
  const source = freshAddress(world, random);
  addCall(world, random, like, { source });
  return foreign(source);
}

/** Addresses of declared nodes on which the task did not run and which no node shares on which it did. */
function otherEgress(world: World): { node: string; source: string }[] {
  const { nodes } = world.configuration;
  const own = new Set([...taskNodes(world)].flatMap((node) => nodes[node] ?? []));
  return world.nodes.flatMap(({ name, egress }) =>
    !own.has(egress) && (nodes[name] ?? []).includes(egress) ? [{ node: name, source: egress }] : [],
  );
}

function useFromAnotherNode(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world))?.call;
  const place = random.maybe(otherEgress(world));
  if (like === undefined || place === undefined) return undefined;
  addCall(world, random, like, { source: place.source });
  return foreign(place.source);
}

function useFromAnotherNodeConnected(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world).filter(({ call }) => carrierOf(world, call) !== undefined))?.call;
  const carrier = like && carrierOf(world, like)?.act;
  const place = random.maybe(otherEgress(world));
  if (like === undefined || carrier === undefined || place === undefined) return undefined;
  const at = like.at - 200n * millisecond;
  const thief = addBystander(world, random, place.node, at - 100n * millisecond, at + second);
  if (thief === undefined) return undefined;
  const { remote, remotePort } = carrier.tuple;
  const connection = addConnection(world, random, thief, at, {
    remote,
    port: remotePort,
    hello: carrier.hello,
    lasts: 500n * millisecond,
  });
  addCall(world, random, like, { source: place.source, connection: connection.id });
  return foreign(place.source);
}

/** Another tree on the task's node, at the moment at which the task used its credential itself. */
function useByBystanderMeanwhile(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world).filter(({ call }) => carrierOf(world, call) !== undefined))?.call;
  const carrier = like && carrierOf(world, like);
  if (like === undefined || carrier === undefined) return undefined;
  const at = like.at - BigInt(random.int(50, 400)) * millisecond;
  const thief = addBystander(world, random, carrier.process.node, at - 50n * millisecond, at + second);
  if (thief === undefined) return undefined;
  const { remote, remotePort } = carrier.act.tuple;
  const hello = carrier.act.hello;
  const connection = addConnection(world, random, thief, at, {
    remote,
    port: remotePort,
    hello,
    lasts: 600n * millisecond,
  });
  const call = addCall(world, random, like, { connection: connection.id });
  // That trees can't read each other's credentials is what the assumption says: who accepts it has answered the question.
  if (world.configuration.assume.includes(isolated)) return { truth: 'harmless', codes: [], names: [] };
  return {
    truth: 'violation',
    codes: ['ambiguous-use'],
    names: [call.action, call.eventId],
    unshown: 'Both trees had a connection to the host behind one address.',
  };
}

/** A time at which the kernel's half is covered, the credential valid, and no connection of the task near. */
function lonelyMoment(world: World, random: Random, issued: Ns): { at: Ns; node: string } | undefined {
  const node = world.tasks[0].node;
  const { until } = taskSpan(world);
  const span = { from: greatest([recordedFrom(world, node) + 10n * second, issued + 3n * second]), until };
  if (span.from >= span.until) return undefined;
  const moments = Array.from({ length: 60 }, () => momentIn(random, span));
  const at = moments.find((moment) => !isConnectedAround(world, moment));
  return at === undefined ? undefined : { at, node };
}

function lonelyCall(world: World, random: Random): { like: Call; at: Ns; node: string } | undefined {
  const one = random.maybe(taskCalls(world));
  const place = one && lonelyMoment(world, random, one.session.issued);
  return one && place && { like: one.call, ...place };
}

/** Another tree on the task's node, while the task had no connection of its own. */
function useByBystanderAlone(world: World, random: Random): Expected | undefined {
  const one = lonelyCall(world, random);
  const carrier = one && carrierOf(world, one.like);
  if (one === undefined || carrier === undefined) return undefined;
  const at = one.at - 200n * millisecond;
  const thief = addBystander(world, random, one.node, at - 50n * millisecond, at + second);
  if (thief === undefined) return undefined;
  const { remote, remotePort } = carrier.act.tuple;
  const lasts = 600n * millisecond;
  const hello = carrier.act.hello;
  const connection = addConnection(world, random, thief, at, { remote, port: remotePort, hello, lasts });
  const { eventId, action } = addCall(world, random, one.like, { at: one.at, connection: connection.id });
  return foreign(eventId, action);
}

/** From the node's address, though no process there had a connection: from behind the same address translation. */
function useWithoutConnection(world: World, random: Random): Expected | undefined {
  const one = lonelyCall(world, random);
  if (one === undefined) return undefined;
  const { eventId, action } = addCall(world, random, one.like, { at: one.at });
  return foreign(eventId, action);
}

/** At a time at which only connections to other hosts were open. */
function useOfAnotherHostThen(world: World, random: Random): Expected | undefined {
  const calls = taskCalls(world).filter(({ call }) => call.tellsHost);
  const pairs = calls.flatMap(({ call }) =>
    calls.flatMap(({ call: other }) => (other.host !== call.host ? [{ call, at: other.at }] : [])),
  );
  const { skew } = nodeOf(world, world.tasks[0].node);
  const margin = 4n * second + 500n * millisecond + (skew < 0n ? -skew : skew);
  const pair = random.maybe(
    pairs.filter(({ call, at }) => {
      const own = plain(carrierOf(world, call)?.act.tuple.remote);
      const host = world.services.find((service) => service.host === call.host);
      return world.acts.every(
        (act) =>
          act.kind !== 'tcp' ||
          !(plain(act.tuple.remote) === own || (host?.addresses ?? []).includes(plain(act.tuple.remote))) ||
          at < act.at - margin ||
          (act.closed !== undefined && at > act.closed + margin),
      );
    }),
  );
  if (pair === undefined) return undefined;
  const issued = world.sessions.find(({ key }) => key === pair.call.key)?.issued;
  if (issued === undefined || pair.at < issued) return undefined;
  const { eventId, action } = addCall(world, random, pair.call, { at: pair.at });
  return foreign(eventId, action);
}

/** An IPv4 address, also where an IPv6 socket shows it as ::ffff:192.0.2.1. */
function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** From an IPv6 address that no node has, or from the node's own private one, which no provider ever sees. */
function useFromOddSource(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world))?.call;
  if (like === undefined) return undefined;
  const node = world.nodes.find(({ name }) => name === world.tasks[0].node);
  const isPrivate = node !== undefined && !Object.values(world.configuration.nodes).flat().includes(node.address);
  const source = isPrivate && random.chance(0.5) ? node.address : `2001:db8:${random.hex(4)}::${random.int(1, 9)}`;
  addCall(world, random, like, { source });
  // The address may be printed in another form: the event's id or the action names it as well.
  return foreign(source, like.action);
}

/** A use that a service made for the session: nothing of the task shows it. */
function delegatedUse(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world))?.call;
  if (like === undefined) return undefined;
  const source = random.pick(['cloudformation.amazonaws.com', 'athena.amazonaws.com', 'AWS Internal']);
  addCall(world, random, like, { source, userAgent: source, at: like.at + BigInt(random.int(0, 500)) * millisecond });
  return { truth: 'doubt', codes: ['delegated-use'], names: [source] };
}

/** Long before the task's first process, by who held the credential before it. */
function useBeforeTask(world: World, random: Random): Expected | undefined {
  const one = random.maybe(taskCalls(world));
  if (one === undefined) return undefined;
  const { node } = world.tasks[0];
  const span = {
    from: greatest([one.session.issued, recordedFrom(world, node) + 5n * second]),
    until: least([taskSpan(world).from - 6n * second, recordedUntil(world, node)]),
  };
  if (span.from >= span.until) return undefined;
  const at = momentIn(random, span);
  if (isConnectedAround(world, at)) return undefined;
  const { eventId, action } = addCall(world, random, one.call, { at });
  return foreign(eventId, action);
}

export const credentialPlaceMutations: readonly WorldMutation[] = [
  mutation(
    'use-from-another-host',
    'used from an address of no node, in the second of a use by the task',
    useFromAnotherHost,
  ),
  mutation('use-from-another-node', 'used from a declared node on which the task did not run', useFromAnotherNode),
  mutation(
    'use-from-another-node-connected',
    'used by a process of another declared node over a connection that is in evidence',
    useFromAnotherNodeConnected,
  ),
  mutation(
    'use-by-bystander-meanwhile',
    'used by another tree of the same node while the task was connected',
    useByBystanderMeanwhile,
  ),
  mutation(
    'use-by-bystander-alone',
    'used by another tree of the same node while the task was not connected',
    useByBystanderAlone,
  ),
  mutation(
    'use-without-connection',
    "used from the node's address while no connection of the task was open",
    useWithoutConnection,
  ),
  mutation(
    'use-over-other-host',
    'used against a host while the task had only connections to others',
    useOfAnotherHostThen,
  ),
  mutation('use-from-odd-source', "used from an IPv6 address or the node's private one", useFromOddSource),
  mutation('use-before-task', "used before the task's first process", useBeforeTask),
  mutation('delegated-use', "used by a service on the session's behalf", delegatedUse),
];

function mutation(id: string, happened: string, apply: WorldMutation['apply']): WorldMutation {
  return { id, group: 'credential', about: `The credential was ${happened}.`, changes: 'world', apply };
}
