import { learn } from './lookups.ts';
import { between, millisecond, second, stretch } from './time.ts';
import type { Actor, Place, Step } from './place.ts';
import type { Operation } from './catalogue.ts';
import type { Target } from './names.ts';
import type { Random } from '../random.ts';
import type { Ns, TcpAct, Tuple } from '../world.ts';

/** What is to be done on one connection, where it is not left to chance. */
interface Errand {
  readonly target: Target;
  /** What to ask first. */
  readonly operation?: Operation;
  /** ms more that it stays open, for a child that goes on with it. */
  readonly hold?: number;
}

export interface Visit {
  readonly act: string;
  readonly tuple: Tuple;
  readonly source: string;
  readonly target: Target;
  readonly opened: Ns;
  readonly closed: Ns;
}

/** Looks the name up if need be, tries, connects, asks, closes. */
export function visit(place: Place, random: Random, actor: Actor, at: Ns, errand: Errand): Visit {
  const { target } = errand;
  const { addresses, at: known } = learn(place, random, actor, target, at);
  let now = known;
  const address = random.pick(addresses);
  if (random.chance(0.15 * place.size.variety)) now = failOnce(place, random, actor, random.pick(addresses), now);
  if (random.chance(0.08 * place.size.variety) && isSilent(place, actor, address, now))
    now = connectIdly(place, random, actor, address, now);
  return talk(place, random, actor, now, { ...errand, address });
}

function talk(place: Place, random: Random, actor: Actor, at: Ns, errand: Errand & { address: string }): Visit {
  const { target, address } = errand;
  const requests = target.cloud === undefined ? random.int(0, 2) : random.int(...place.size.calls);
  const up = at + stretch(random, 1, 80);
  const opened = at;
  const hello = up + stretch(random, 0.3, 5);
  const lasted = stretch(random, 40, 200 + 600 * requests) + stretch(random, 0, errand.hold ?? 0);
  const closed = hello + lasted + BigInt(errand.hold ?? 0) * millisecond;
  const busyUntil = closed - BigInt(errand.hold ?? 0) * millisecond;
  const tuple = open(place, random, address, 443, opened, closed);
  const moments = Array.from({ length: Math.max(1, requests) }, (_, index) =>
    between(
      hello + 2n * millisecond,
      busyUntil - millisecond,
      (index + 0.2 + random.int(0, 60) / 100) / Math.max(1, requests),
    ),
  );
  const act = place.draft.addAct({
    kind: 'tcp',
    process: actor.process.id,
    at: opened,
    tuple,
    closed,
    outcome: 'up',
    blocking: random.chance(0.5),
    sends: [hello, ...moments.map((moment) => hello + (moment - hello) / 2n)].sort((a, b) => (a < b ? -1 : 1)),
    hello: helloTo(place, random, target),
    ...(actor.tid === undefined ? {} : { tid: actor.tid }),
  });
  place.sent.set(sentKey(actor.process.pid, address), closed);
  const source = sourceOf(place, address);
  if (target.cloud !== undefined)
    for (const [index, moment] of moments.entries()) {
      const operation =
        index === 0 ? (errand.operation ?? random.pick(target.cloud.operations)) : random.pick(target.cloud.operations);
      place.requests.push({ at: moment, target, connection: act, source, operation });
    }
  return { act, tuple, source, target, opened, closed };
}

/** On an address of several names only a whole ClientHello tells which one was meant. */
function helloTo(place: Place, random: Random, target: Target): TcpAct['hello'] {
  if (target.shared || random.chance(1 - 0.15 * place.size.variety)) return { form: 'whole', name: target.host };
  return { form: random.pick(['split', 'old', 'encrypted'] as const), name: target.host };
}

/** A try that is refused, or never answered; the time at which the next one may come. */
function failOnce(place: Place, random: Random, actor: Actor, address: string, at: Ns): Ns {
  const outcome = random.pick(['refused', 'timeout'] as const);
  const ended = at + (outcome === 'refused' ? stretch(random, 0.3, 90) : stretch(random, 1000, 5000));
  attempt(place, random, actor, address, at, { ended, outcome });
  return ended + stretch(random, 1, 200);
}

/** A connection that is opened and never carries data, as pools and happy eyeballs leave them. */
function connectIdly(place: Place, random: Random, actor: Actor, address: string, at: Ns): Ns {
  const ended = at + stretch(random, 2, 400);
  attempt(place, random, actor, address, at, { ended, outcome: 'up' });
  return ended + stretch(random, 1, 50);
}

/** One send a minute is told of a process and far end: whether it sent nothing shows only where it had not sent before. */
function isSilent({ sent }: Place, { process }: Actor, address: string, at: Ns): boolean {
  const last = sent.get(sentKey(process.pid, address));
  return last === undefined || last + 66n * second < at;
}

/** The sensor compares no more than half of an IPv6 address. */
function sentKey(pid: number, address: string): string {
  return `${pid} ${address.includes(':') ? 'v6' : address}`;
}

function attempt(
  place: Place,
  random: Random,
  actor: Actor,
  address: string,
  at: Ns,
  { ended, outcome }: { ended: Ns; outcome: TcpAct['outcome'] },
): void {
  place.draft.addAct({
    kind: 'tcp',
    process: actor.process.id,
    at,
    tuple: open(place, random, address, 443, at, ended),
    closed: ended,
    outcome,
    // Without waiting, a refusal looks like any other end of a connection that nothing was sent on.
    blocking: random.chance(0.5) || !isSilent(place, actor, address, at),
    sends: [],
    hello: { form: 'none' },
    ...(actor.tid === undefined ? {} : { tid: actor.tid }),
  });
}

/** Something declared as infrastructure: metrics over UDP or a proxy of packages over TCP, without a credential. */
export const report: Step = (place, random, actor, at) => {
  const endpoint = random.maybe(place.infrastructure);
  if (endpoint === undefined) return at;
  const { address, port } = endpoint;
  const closed = at + stretch(random, 20, 300);
  const tuple = open(place, random, address, port, at, closed);
  if (endpoint.protocol === 'udp') {
    const payload = Buffer.from(`agent.steps:${random.int(1, 99)}|c`).toString('base64');
    place.draft.addAct({ kind: 'udp', process: actor.process.id, at, tuple, connected: random.chance(0.5), payload });
  } else {
    place.draft.addAct({
      kind: 'tcp',
      process: actor.process.id,
      at,
      tuple,
      closed,
      outcome: 'up',
      blocking: true,
      sends: [at + 3n * millisecond],
      hello: { form: 'none' },
    });
  }
  return closed;
};

/** A free local port and socket; an IPv4 address may be reached through an IPv6 socket. */
function open(place: Place, random: Random, address: string, port: number, from: Ns, until: Ns): Tuple {
  const node = place.machine.node.name;
  const mapped = !address.includes(':') && random.chance(0.1 * place.size.variety);
  const local = address.includes(':') ? place.machine.address6 : place.address;
  return {
    local: mapped ? `::ffff:${local}` : local,
    localPort: place.draft.port(node),
    remote: mapped ? `::ffff:${address}` : address,
    remotePort: port,
    socket: place.draft.socket(node, from, until + 5n * millisecond),
  };
}

function sourceOf(place: Place, address: string): string {
  return address.includes(':') ? place.machine.egress6 : place.machine.node.egress;
}
