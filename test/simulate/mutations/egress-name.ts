import type { Random } from '../random.ts';
import type { Ns, Process, World } from '../world.ts';
import { addBystander, addConnection, addLookup, addService, freshAddress } from './additions.ts';
import { evilHost, shortLife, undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredServices, millisecond, pickActor, second } from './places.ts';

/* Names that lie: a second one behind a declared address, a declared one for another address, and forged answers. */

interface Front {
  readonly process: Process;
  readonly at: Ns;
  readonly host: string;
  readonly remote: string;
  readonly port: number;
  /** The undeclared name that the same address serves. */
  readonly evil: string;
}

/** A declared service behind whose address an undeclared name lives too. */
function front(world: World, random: Random): Front | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  const declared = random.maybe(declaredServices(world));
  const remote = declared?.service.addresses.find((address) => !address.includes(':'));
  if (actor === undefined || declared === undefined || remote === undefined) return undefined;
  const evil = evilHost(world, random);
  world.services.push({ host: evil, addresses: [remote] });
  return { ...actor, host: declared.service.host, remote, port: declared.port, evil };
}

function secondName(world: World, random: Random): Expected | undefined {
  const one = front(world, random);
  if (one === undefined) return undefined;
  const asked = random.pick(['both', 'declared', 'none']);
  if (asked !== 'none') addLookup(world, random, one.process, one.at, { name: one.host, addresses: [one.remote] });
  if (asked === 'both')
    addLookup(world, random, one.process, one.at + 10n * millisecond, { name: one.evil, addresses: [one.remote] });
  addConnection(world, random, one.process, one.at + 30n * millisecond, {
    remote: one.remote,
    port: one.port,
    hello: { form: 'whole', name: one.evil },
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(one.evil);
}

const helloForms = ['none', 'split', 'old', 'encrypted'] as const;

/** Both names were looked up, and no ClientHello tells which one was meant. */
function secondNameHidden(form: (typeof helloForms)[number]) {
  return (world: World, random: Random): Expected | undefined => {
    const one = front(world, random);
    if (one === undefined) return undefined;
    addLookup(world, random, one.process, one.at, { name: one.evil, addresses: [one.remote] });
    addLookup(world, random, one.process, one.at + 10n * millisecond, { name: one.host, addresses: [one.remote] });
    addConnection(world, random, one.process, one.at + 30n * millisecond, {
      remote: one.remote,
      port: one.port,
      hello: { form, name: form === 'encrypted' ? one.host : one.evil },
      lasts: shortLife(random),
    });
    return {
      truth: 'violation',
      codes: ['ambiguous-address'],
      names: [one.remote],
      unshown: 'Both names stand for the address, and nothing tells which one was asked for.',
    };
  };
}

/** Somebody else looked the second name up: the node has seen that the address has two. */
function secondNameOfBystander(world: World, random: Random): Expected | undefined {
  const one = front(world, random);
  if (one === undefined) return undefined;
  const other = addBystander(world, random, one.process.node, one.at - 50n * millisecond, one.at + second);
  if (other === undefined) return undefined;
  addLookup(world, random, other, one.at - 20n * millisecond, { name: one.evil, addresses: [one.remote] });
  addLookup(world, random, one.process, one.at, { name: one.host, addresses: [one.remote] });
  const hello = { form: random.pick(helloForms), name: one.host };
  const { remote, port } = one;
  addConnection(world, random, one.process, one.at + 30n * millisecond, {
    remote,
    port,
    hello,
    lasts: shortLife(random),
  });
  return {
    truth: 'violation',
    codes: ['ambiguous-address'],
    names: [one.remote],
    unshown: 'Both names stand for the address, and nothing tells which one was asked for.',
  };
}

/** Where only the undeclared name was looked up, the address is its own. */
function secondNameOnly(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  if (actor === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [remote] });
  const hello = { form: random.pick(helloForms), name: host };
  addConnection(world, random, actor.process, actor.at + 30n * millisecond, {
    remote,
    port: 443,
    hello,
    lasts: shortLife(random),
  });
  return undeclaredEndpoint(host);
}

/** A declared name in the ClientHello of a connection to an address that is not its own. */
function borrowedName(
  world: World,
  random: Random,
  remote: (world: World, random: Random, host: string) => string | undefined,
) {
  const actor = pickActor(world, random, 100n * millisecond);
  const declared = random.maybe(declaredServices(world));
  const far = declared && remote(world, random, declared.service.host);
  if (actor === undefined || declared === undefined || far === undefined) return undefined;
  addConnection(world, random, actor.process, actor.at + 2n * millisecond, {
    remote: far,
    port: declared.port,
    hello: { form: 'whole', name: declared.service.host },
    lasts: shortLife(random),
  });
  return untied(far);
}

export function untied(address: string): Expected {
  return {
    truth: 'violation',
    codes: ['unattributed-address'],
    names: [address],
    unshown: 'The process says a declared name, and no evidence says that the address is not its.',
  };
}

/** The address was looked up under an undeclared name; the ClientHello says a declared one. */
function borrowedNameAfterLookup(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  const declared = random.maybe(declaredServices(world));
  if (actor === undefined || declared === undefined) return undefined;
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  addLookup(world, random, actor.process, actor.at, { name: host, addresses: [remote] });
  const hello = { form: 'whole', name: declared.service.host } as const;
  const { port } = declared;
  addConnection(world, random, actor.process, actor.at + 30n * millisecond, {
    remote,
    port,
    hello,
    lasts: shortLife(random),
  });
  return untied(remote);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['second-name', "asked the address of a declared host for another host's name", secondName],
  ...helloForms.map((form): [string, string, WorldMutation['apply']] => [
    `second-name-hello-${form}`,
    `connected to an address with two names, with a ClientHello of the form ${form}`,
    secondNameHidden(form),
  ]),
  [
    'second-name-of-bystander',
    'connected to an address whose second name a bystander had looked up',
    secondNameOfBystander,
  ],
  ['undeclared-name-hidden-hello', 'connected to an undeclared host with an unreadable ClientHello', secondNameOnly],
  [
    'declared-name-untied-address',
    'said a declared name to an address that nothing ties to it',
    (world, random) => borrowedName(world, random, () => freshAddress(world, random)),
  ],
  [
    'declared-name-after-lookup',
    'looked an undeclared name up and said a declared one to its address',
    borrowedNameAfterLookup,
  ],
];

export const egressNameMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
