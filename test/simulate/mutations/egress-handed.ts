import type { Random } from '../random.ts';
import type { Act, Ns, Process, World } from '../world.ts';
import { addAct, addBystander, addConnection, addService } from './additions.ts';
import { evilHost } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredServices, lifeOf, millisecond, pickActor, recordedFrom, second, treeOf } from './places.ts';

/* Connections that somebody else opened, and that a process of the task came to hold. */

function doubt(code: string, ...names: string[]): Expected {
  return {
    truth: 'violation',
    codes: [code],
    names,
    unshown: 'Who opened it, and what for, is not the task: by section 7 it is a doubt.',
  };
}

/** A far end: one nobody declared, or a declared host that the opener has no business with. */
function farEnd(world: World, random: Random): { remote: string; host: string } {
  const declared = random.maybe(declaredServices(world))?.service;
  const remote = declared?.addresses.find((address) => !address.includes(':'));
  if (declared !== undefined && remote !== undefined && random.chance(0.4)) return { remote, host: declared.host };
  const { host, address } = addService(world, random, evilHost(world, random));
  return { remote: address, host };
}

function openedBy(
  world: World,
  random: Random,
  process: Process,
  at: Ns,
  lasts: Ns,
): Extract<Act, { kind: 'tcp' }> | undefined {
  const { remote, host } = farEnd(world, random);
  const act = addConnection(world, random, process, at, {
    remote,
    port: 443,
    hello: { form: 'whole', name: host },
    lasts,
  });
  return act.kind === 'tcp' ? act : undefined;
}

/** Opened by the root's own parent before the task began, and kept through fork and exec. */
function inherited(world: World, random: Random): Expected | undefined {
  const root = world.processes.find(({ id }) => id === world.tasks[0].root);
  const parent = world.processes.find(({ id }) => id === root?.parent);
  if (root === undefined || parent === undefined) return undefined;
  const opened = root.forked - BigInt(random.int(50, 900)) * millisecond;
  if (lifeOf(world, parent).from > opened || opened < recordedFrom(world, root.node)) return undefined;
  const actor = pickActor(
    world,
    random,
    50n * millisecond,
    treeOf(world).filter(({ node }) => node === root.node),
  );
  if (actor === undefined) return undefined;
  const act = openedBy(world, random, parent, opened, actor.at - opened + 40n * millisecond);
  if (act === undefined) return undefined;
  const sends = [actor.at, actor.at + 20n * millisecond];
  addAct(world, { kind: 'inherited', process: actor.process.id, at: actor.at, tuple: act.tuple, sends });
  return doubt('inherited-socket', act.tuple.remote, `pid ${actor.process.pid}`);
}

/** Open since before the recording: no event tells who opened it. */
function inheritedUnseen(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 50n * millisecond);
  if (actor === undefined) return undefined;
  const { remote } = farEnd(world, random);
  const { process, at } = actor;
  const made = addConnection(world, random, process, at, {
    remote,
    port: 443,
    hello: { form: 'none' },
    lasts: millisecond,
  });
  if (made.kind !== 'tcp') return undefined;
  world.acts.splice(world.acts.indexOf(made), 1);
  addAct(world, { kind: 'inherited', process: process.id, at, tuple: made.tuple, sends: [at, at + 30n * millisecond] });
  return doubt('inherited-socket', remote, `pid ${process.pid}`);
}

function received(by: 'scm' | 'pidfd', sends: boolean) {
  return (world: World, random: Random): Expected | undefined => {
    const actor = pickActor(world, random, 120n * millisecond);
    if (actor === undefined) return undefined;
    const { process, at } = actor;
    const giver = addBystander(world, random, process.node, at - second, at + 2n * second);
    if (giver === undefined) return undefined;
    const act = openedBy(world, random, giver, at - 500n * millisecond, second);
    if (act === undefined) return undefined;
    const later = sends ? [at + 10n * millisecond, at + 60n * millisecond] : [];
    if (by === 'pidfd') addAct(world, { kind: 'pidfd-getfd', process: process.id, at, target: giver.id });
    addAct(world, {
      kind: 'receive',
      process: process.id,
      at: at + 100_000n,
      tuple: act.tuple,
      from: giver.id,
      by,
      sends: later,
    });
    return doubt('received-socket', act.tuple.remote, `pid ${process.pid}`);
  };
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['inherited-socket', 'wrote on a connection that was opened before it began', inherited],
  ['inherited-socket-unseen', 'wrote on a connection of which no event tells who opened it', inheritedUnseen],
  ['received-socket', 'was sent an open connection and wrote on it', received('scm', true)],
  ['received-socket-unused', 'was sent an open connection', received('scm', false)],
  ['taken-socket', 'took an open connection out of another process', received('pidfd', true)],
];

export const egressHandedMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
