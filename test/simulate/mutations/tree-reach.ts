import type { Random } from '../random.ts';
import type { Ns, Process, World } from '../world.ts';
import { addAct, addBystander, addConnection, addProcess, freshPid } from './additions.ts';
import { shortLife, undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { declaredServices, millisecond, pickActor, second } from './places.ts';
import { connectOut } from './tree-daemon.ts';

/* The task reaches into other processes and namespaces. */

function delegated(process: Process): Expected {
  return {
    truth: 'violation',
    codes: ['delegated-work'],
    names: [`pid ${process.pid}`],
    unshown: 'What the other process did, it may have done by itself: by section 7 it is a doubt.',
  };
}

/** Makes a process outside the tree connect for it. */
function possess(kind: 'ptrace' | 'vm-write' | 'pidfd-getfd', byChild: boolean) {
  return (world: World, random: Random): Expected | undefined => {
    const actor = pickActor(world, random, 200n * millisecond);
    if (actor === undefined) return undefined;
    const { at } = actor;
    const target = addBystander(world, random, actor.process.node, at - second, at + 2n * second, {
      binary: '/usr/bin/python3',
      arguments: 'worker.py',
    });
    if (target === undefined) return undefined;
    const process = byChild
      ? addProcess(world, random, actor.process, { how: 'fork', forked: at, exited: at + 150n * millisecond })
      : actor.process;
    addAct(world, { kind, process: process.id, at: at + 2n * millisecond, target: target.id });
    connectOut(world, random, target, at + 100n * millisecond);
    return delegated(process);
  };
}

function freshNetns(world: World, random: Random): number {
  const known = new Set([...world.nodes, ...world.processes].map(({ netns }) => netns));
  for (;;) {
    const netns = 4_026_532_000 + random.int(1, 900);
    if (!known.has(netns)) return netns;
  }
}

/** A child with a namespace of its own from the given time on. */
function movedChild(
  world: World,
  random: Random,
  parent: Process,
  at: Ns,
  kind: 'setns' | 'unshare',
  netns: number,
): Process {
  const child = addProcess(world, random, parent, { how: 'fork', forked: at, exited: at + 150n * millisecond });
  addAct(world, { kind, process: child.id, at: at + 2n * millisecond, netns });
  child.netns = netns;
  return child;
}

/** Joins another network namespace and connects there, to an address that means something else there. */
function joined(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  const declared = random.maybe(declaredServices(world));
  const remote = declared?.service.addresses.find((address) => !address.includes(':'));
  if (actor === undefined || declared === undefined || remote === undefined) return undefined;
  const others = [...new Set(world.processes.map(({ netns }) => netns))].filter(
    (netns) => netns !== actor.process.netns,
  );
  const netns = random.maybe(others) ?? freshNetns(world, random);
  const child = movedChild(world, random, actor.process, actor.at, 'setns', netns);
  addConnection(world, random, child, actor.at + 20n * millisecond, {
    remote,
    port: declared.port,
    hello: { form: 'whole', name: declared.service.host },
    lasts: shortLife(random),
  });
  return delegated(child);
}

function connectsElsewhere(kind: 'setns' | 'unshare') {
  return (world: World, random: Random): Expected | undefined => {
    const actor = pickActor(world, random, 200n * millisecond);
    if (actor === undefined) return undefined;
    const child = movedChild(world, random, actor.process, actor.at, kind, freshNetns(world, random));
    return undeclaredEndpoint(connectOut(world, random, child, actor.at + 20n * millisecond));
  };
}

/** The target has the process id that one of the task's had before: it is none of the tree all the same. */
function possessReused(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 400n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const pid = freshPid(world, random, process.node);
  addProcess(world, random, process, { how: 'fork', forked: at, exited: at + 20n * millisecond, pid });
  const target = addBystander(world, random, process.node, at + 60n * millisecond, at + second);
  if (target === undefined) return undefined;
  const reused: Process = { ...target, pid };
  world.processes[world.processes.indexOf(target)] = reused;
  addAct(world, { kind: 'ptrace', process: process.id, at: at + 200n * millisecond, target: reused.id });
  connectOut(world, random, reused, at + 300n * millisecond);
  return delegated(process);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['ptrace-bystander', 'traced a process outside the tree, which then connected', possess('ptrace', false)],
  [
    'vm-write-bystander',
    'wrote into the memory of a process outside the tree, which then connected',
    possess('vm-write', false),
  ],
  [
    'getfd-bystander',
    'took a descriptor of a process outside the tree, which then connected',
    possess('pidfd-getfd', false),
  ],
  ['ptrace-bystander-by-child', 'traced a process outside the tree from a forked copy', possess('ptrace', true)],
  ['ptrace-reused-pid', 'traced a process outside the tree that has the id of an ended one of the tree', possessReused],
  ['namespace-joined', 'joined another network namespace and connected to a declared address there', joined],
  [
    'namespace-joined-undeclared',
    'joined another network namespace and connected to an undeclared host',
    connectsElsewhere('setns'),
  ],
  ['namespace-made', 'made a network namespace and connected to an undeclared host', connectsElsewhere('unshare')],
];

export const treeReachMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'tree',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
