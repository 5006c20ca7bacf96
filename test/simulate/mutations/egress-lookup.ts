import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addAct, addLookup, freshAddress, freshTuple } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredServices, millisecond, nodeOf, pickActor } from './places.ts';

/* Data carried out in questions to the declared resolver, which hands them on to whoever serves the zone. */

function told(...names: string[]): Expected {
  return {
    truth: 'violation',
    codes: ['undeclared-lookup'],
    names,
    unshown: 'A look-up carries data, but no one can say that it was meant to: it is a doubt.',
  };
}

function ask(world: World, random: Random, names: readonly string[], answered = random.chance(0.5)): boolean {
  const actor = pickActor(world, random, BigInt(names.length * 4) * millisecond);
  if (actor === undefined) return false;
  for (const [index, name] of names.entries()) {
    const at = actor.at + BigInt(index * 3) * millisecond;
    addLookup(world, random, actor.process, at, { name, addresses: answered ? [freshAddress(world, random)] : [] });
  }
  return true;
}

function longLabels(world: World, random: Random): Expected | undefined {
  const zone = `${random.hex(6)}.evil.example`;
  const names = Array.from({ length: random.int(1, 4) }, () => `${random.hex(60)}.${random.hex(60)}.${zone}`);
  return ask(world, random, names) ? told(zone) : undefined;
}

/** Below the name of a declared host, which is not declared with its subdomains. */
function belowDeclared(world: World, random: Random): Expected | undefined {
  const { endpoints } = world.tasks[0].declaration;
  const host = random.maybe(declaredServices(world))?.service.host;
  if (host === undefined || endpoints.some((text) => text.startsWith('*'))) return undefined;
  const name = `${random.hex(32)}.${host}`;
  return ask(world, random, [name]) ? told(name) : undefined;
}

/** Below a search domain, where only declared hosts may stand in front. */
function belowSearchDomain(world: World, random: Random): Expected | undefined {
  const domain = random.maybe(world.configuration.searchDomains);
  if (domain === undefined) return undefined;
  const name = `${random.hex(32)}.${domain}`;
  return ask(world, random, [name], false) ? told(name) : undefined;
}

/** A declared host's name with one letter doubled, looked up and not used. */
function almostDeclared(world: World, random: Random): Expected | undefined {
  const host = random.maybe(declaredServices(world))?.service.host;
  if (host === undefined || world.tasks[0].declaration.endpoints.some((text) => text.startsWith('*'))) return undefined;
  const place = random.int(1, host.indexOf('.') - 1);
  const name = host.slice(0, place) + host.slice(place - 1);
  return ask(world, random, [name]) ? told(name) : undefined;
}

function reverse(world: World, random: Random): Expected | undefined {
  const address = freshAddress(world, random);
  const name = `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  return ask(world, random, [name], false) ? told(name) : undefined;
}

/** A datagram to the resolver's port that no look-up of the world is. */
function datagram(
  world: World,
  random: Random,
  connected: boolean,
  payload: (name: string) => Buffer,
): string | undefined {
  const actor = pickActor(world, random, 10n * millisecond);
  const declared = random.maybe(declaredServices(world));
  if (actor === undefined || declared === undefined) return undefined;
  const { resolver } = nodeOf(world, actor.process.node);
  addAct(world, {
    kind: 'udp',
    process: actor.process.id,
    at: actor.at,
    tuple: freshTuple(world, random, actor.process, resolver, 53),
    connected,
    payload: payload(declared.service.host).toString('base64'),
  });
  return resolver;
}

function unreadable(world: World, random: Random): Expected | undefined {
  const resolver = datagram(world, random, true, () => Buffer.from(random.hex(120), 'hex'));
  return resolver === undefined ? undefined : told(resolver);
}

function unseen(world: World, random: Random): Expected | undefined {
  const resolver = datagram(world, random, false, () => Buffer.from(random.hex(90), 'hex'));
  return resolver === undefined ? undefined : told(resolver);
}

function toLabels(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

/** A query for a name with further content behind its question. */
function query(
  random: Random,
  name: string,
  rest: Buffer,
  counts: { questions?: number; additional?: number },
  flags = 0x0100,
): Buffer {
  const head = Buffer.alloc(12);
  for (const [index, value] of [
    random.int(1, 65_535),
    flags,
    counts.questions ?? 1,
    0,
    0,
    counts.additional ?? 0,
  ].entries())
    head.writeUInt16BE(value, index * 2);
  return Buffer.concat([head, toLabels(name), Buffer.from([0, 1, 0, 1]), rest]);
}

/** The first question is a declared host's; the second carries data. */
function secondQuestion(world: World, random: Random): Expected | undefined {
  const carried = `${random.hex(50)}.evil.example`;
  const rest = Buffer.concat([toLabels(carried), Buffer.from([0, 16, 0, 1])]);
  const resolver = datagram(world, random, true, (host) => query(random, host, rest, { questions: 2 }));
  return resolver === undefined ? undefined : told(carried, resolver);
}

function trailingBytes(world: World, random: Random): Expected | undefined {
  const resolver = datagram(world, random, true, (host) =>
    query(random, host, Buffer.from(random.hex(200), 'hex'), {}),
  );
  return resolver === undefined ? undefined : told(resolver);
}

/** A record behind the question that no query has, full of data. */
function additionalRecord(world: World, random: Random): Expected | undefined {
  const data = Buffer.from(random.hex(160), 'hex');
  const record = Buffer.concat([Buffer.from([0, 0, 16, 0, 1, 0, 0, 0, 0, 0, data.length]), data]);
  const resolver = datagram(world, random, true, (host) => query(random, host, record, { additional: 1 }));
  return resolver === undefined ? undefined : told(resolver);
}

/** The same as an option of EDNS, which some forwarders hand on as it is. */
function ednsOption(world: World, random: Random): Expected | undefined {
  const data = Buffer.from(random.hex(400), 'hex');
  const option = Buffer.concat([Buffer.from([0xfd, 0xe9, 0, data.length]), data]);
  const record = Buffer.concat([Buffer.from([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, option.length]), option]);
  const resolver = datagram(world, random, true, (host) => query(random, host, record, { additional: 1 }));
  return resolver === undefined ? undefined : told(resolver);
}

/** A message that says to be an answer, sent to the resolver as a question would be. */
function answerAsQuestion(world: World, random: Random): Expected | undefined {
  const resolver = datagram(world, random, true, () =>
    query(random, `${random.hex(40)}.evil.example`, Buffer.alloc(0), {}, 0x8180),
  );
  return resolver === undefined ? undefined : told(resolver);
}

/** To port 53 of a server that is no resolver. */
function otherServer(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 10n * millisecond);
  const host = random.maybe(declaredServices(world))?.service.host;
  if (actor === undefined || host === undefined) return undefined;
  const server = freshAddress(world, random);
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [], server });
  return { truth: 'violation', codes: ['undeclared-endpoint'], names: [server] };
}

/** Over TCP, where questions are not read. */
function overTcp(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 60n * millisecond);
  if (actor === undefined) return undefined;
  const { resolver } = nodeOf(world, actor.process.node);
  const tuple = freshTuple(world, random, actor.process, resolver, 53);
  const { at } = actor;
  addAct(world, {
    kind: 'tcp',
    process: actor.process.id,
    at,
    tuple,
    closed: at + 20n * millisecond,
    outcome: 'up',
    blocking: true,
    sends: [at + 2n * millisecond],
    hello: { form: 'none' },
  });
  return { ...told(resolver), codes: ['undeclared-lookup', 'undeclared-endpoint', 'unattributed-address'] };
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['lookup-long-labels', 'put data into labels under an undeclared zone', longLabels],
  ['lookup-below-declared', 'put data into a label below a declared host', belowDeclared],
  ['lookup-below-search-domain', 'put data into a label below a search domain', belowSearchDomain],
  ['lookup-almost-declared', "looked up a name that is almost a declared host's", almostDeclared],
  ['lookup-reverse-foreign', 'looked up the name of an address that is nowhere in the evidence', reverse],
  ['lookup-unreadable', 'sent the resolver a datagram that is no question', unreadable],
  ['lookup-unseen', 'sent the resolver a datagram whose content the kernel did not show', unseen],
  ['lookup-second-question', 'put a second question behind a declared one', secondQuestion],
  ['lookup-trailing-bytes', 'put data behind a declared question', trailingBytes],
  ['lookup-additional-record', 'put a record with data behind a declared question', additionalRecord],
  ['lookup-edns-option', 'put data into an option of a declared question', ednsOption],
  ['lookup-answer-as-question', 'sent the resolver data in the form of an answer', answerAsQuestion],
  ['lookup-other-server', 'asked a server that is no resolver for a declared host', otherServer],
  ['lookup-over-tcp', 'asked the resolver over TCP', overTcp],
];

export const egressLookupMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
