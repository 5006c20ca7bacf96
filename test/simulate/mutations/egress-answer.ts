import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addAct, addBystander, addConnection, addLookup, freshAddress, freshSocket } from './additions.ts';
import { untied } from './egress-name.ts';
import { shortLife, toPayload } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredServices, millisecond, nodeOf, pickActor, second } from './places.ts';

/* Answers about names that the declared resolver never gave. */

/** Answers that give an address of the task's choice for a declared name, from a server that is not the declared resolver. */
function forgedAnswer(world: World, random: Random, server: 'loopback' | 'remote'): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  const declared = random.maybe(declaredServices(world));
  if (actor === undefined || declared === undefined) return undefined;
  const { process, at } = actor;
  const from = server === 'loopback' ? `127.0.0.${random.int(2, 250)}` : freshAddress(world, random);
  if (world.nodes.some(({ resolver }) => resolver === from) || world.configuration.resolvers.includes(from))
    return undefined;
  const remote = freshAddress(world, random);
  const { host } = declared.service;
  addLookup(world, random, process, at, { name: host, addresses: [remote], server: from });
  const hello = { form: 'whole', name: host } as const;
  const { port } = declared;
  addConnection(world, random, process, at + 30n * millisecond, { remote, port, hello, lasts: shortLife(random) });
  const expected = untied(remote);
  return server === 'loopback'
    ? expected
    : { ...expected, codes: ['undeclared-endpoint', 'unattributed-address'], names: [from, remote] };
}

/** The task answers its own question from a socket that has the resolver's address and port. */
function forgedFromResolver(connected: boolean) {
  return (world: World, random: Random): Expected | undefined => {
    const actor = pickActor(world, random, 150n * millisecond);
    const declared = random.maybe(declaredServices(world));
    if (actor === undefined || declared === undefined) return undefined;
    const { process, at } = actor;
    const { resolver, address } = nodeOf(world, process.node);
    const remote = freshAddress(world, random);
    const { host } = declared.service;
    const asked = addLookup(world, random, process, at, { name: host, addresses: [remote] });
    if (asked.kind !== 'lookup') return undefined;
    const local = resolver.startsWith('127.') ? '127.0.0.1' : address;
    addAct(world, {
      kind: 'udp',
      process: process.id,
      at: at + 500_000n,
      connected,
      payload: toPayload(random),
      tuple: {
        local: resolver,
        localPort: 53,
        remote: local,
        remotePort: asked.localPort,
        socket: freshSocket(world, random),
      },
    });
    const hello = { form: 'whole', name: host } as const;
    const { port } = declared;
    addConnection(world, random, process, at + 30n * millisecond, { remote, port, hello, lasts: shortLife(random) });
    return {
      ...untied(remote),
      codes: ['unattributed-address', 'undeclared-endpoint', 'local-relay'],
      names: [remote, local],
    };
  };
}

/** The right resolver answered someone else, with an address of that one's choice; the task uses it. */
function answerOfBystander(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  const declared = random.maybe(declaredServices(world));
  if (actor === undefined || declared === undefined) return undefined;
  const { process, at } = actor;
  const other = addBystander(world, random, process.node, at - 50n * millisecond, at + second);
  if (other === undefined) return undefined;
  const remote = freshAddress(world, random);
  const { host } = declared.service;
  addLookup(world, random, other, at - 20n * millisecond, {
    name: host,
    addresses: [remote],
    server: `127.9.9.${random.int(1, 99)}`,
  });
  const hello = { form: 'whole', name: host } as const;
  const { port } = declared;
  addConnection(world, random, process, at + 10n * millisecond, { remote, port, hello, lasts: shortLife(random) });
  return untied(remote);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'forged-answer-loopback',
    'believed an answer of a server of its own on loopback',
    (world, random) => forgedAnswer(world, random, 'loopback'),
  ],
  [
    'forged-answer-remote',
    'believed an answer of an undeclared server',
    (world, random) => forgedAnswer(world, random, 'remote'),
  ],
  [
    'forged-answer-resolver-sendto',
    "forged an answer from a socket at the resolver's address",
    forgedFromResolver(false),
  ],
  [
    'forged-answer-resolver-connected',
    "forged an answer from a connected socket at the resolver's address",
    forgedFromResolver(true),
  ],
  ['answer-of-bystander', 'used an address that a bystander had been told by a server of its own', answerOfBystander],
];

export const egressAnswerMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
