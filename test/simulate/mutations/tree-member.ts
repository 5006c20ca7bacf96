import type { Random } from '../random.ts';
import type { Process, World } from '../world.ts';
import { addBystander, addProcess } from './additions.ts';
import { undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { bystandersOf, lifeOf, millisecond, pickActor, second, treeOf } from './places.ts';
import { connectOut } from './tree-daemon.ts';

/* Who belongs to the task: outsiders that join it, two tasks that claim one process, strangers in its container. */

/** The variable that marks the judged task's processes, if one does. */
function mark(world: World): Record<string, string> | undefined {
  return world.tasks[0].declaration.workload.flatMap((selector) => ('env' in selector ? [selector.env] : []))[0];
}

function outsider(
  world: World,
  random: Random,
  env: Record<string, string>,
): { process: Process; host: string } | undefined {
  const actor = pickActor(world, random, 300n * millisecond);
  if (actor === undefined) return undefined;
  const { node } = actor.process;
  const parent = random.maybe(
    bystandersOf(world).filter((one) => {
      const life = lifeOf(world, one);
      return (
        one.node === node &&
        one.container === undefined &&
        life.from < actor.at - second &&
        life.until > actor.at + second
      );
    }),
  );
  if (parent === undefined) return undefined;
  const process = addProcess(world, random, parent, {
    how: 'exec',
    forked: actor.at,
    exited: actor.at + 200n * millisecond,
    binary: '/usr/bin/wget',
    arguments: '-q https://x',
    env: { ...parent.env, ...env },
  });
  return { process, host: connectOut(world, random, process, actor.at + 20n * millisecond) };
}

/** It bears the task's mark, so what it does is the task's. */
function outsiderWithMark(world: World, random: Random): Expected | undefined {
  const env = mark(world);
  const one = env && outsider(world, random, env);
  return one && undeclaredEndpoint(one.host);
}

/** A process of another task takes the judged one's mark. */
function otherTaskWithMark(world: World, random: Random): Expected | undefined {
  const env = mark(world);
  const other = world.tasks.slice(1).flatMap((task) => treeOf(world, task));
  const actor = env && pickActor(world, random, 300n * millisecond, other);
  if (env === undefined || actor === undefined) return undefined;
  const { process, at } = actor;
  const child = addProcess(world, random, process, {
    how: 'exec',
    forked: at,
    exited: at + 200n * millisecond,
    env: { ...process.env, ...env },
  });
  return undeclaredEndpoint(connectOut(world, random, child, at + 20n * millisecond));
}

/** A process of the judged task takes another one's mark, so that its ways out count as that one's. */
function memberWithOtherMark(world: World, random: Random, connects: boolean): Expected | undefined {
  const env = mark(world);
  const [name] = Object.keys(env ?? {});
  const actor = pickActor(world, random, 300n * millisecond);
  if (name === undefined || actor === undefined) return undefined;
  const { process, at } = actor;
  const child = addProcess(world, random, process, {
    how: 'exec',
    forked: at,
    exited: at + 200n * millisecond,
    env: { ...process.env, [name]: world.tasks[1]?.id ?? random.hex(4) },
  });
  if (connects) return undeclaredEndpoint(connectOut(world, random, child, at + 20n * millisecond));
  return { truth: 'doubt', codes: ['contested-process'], names: [`pid ${child.pid}`] };
}

function contained(world: World): Process[] {
  return treeOf(world).filter(({ container }) => container !== undefined && !container.injected);
}

/** Put into the task's container from outside, as `docker exec` does, by a process of no task. */
function injected(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 300n * millisecond, contained(world));
  const container = actor?.process.container;
  if (actor === undefined || container === undefined) return undefined;
  const { node } = actor.process;
  const process = addBystander(world, random, node, actor.at, actor.at + 250n * millisecond, {
    binary: '/bin/sh',
    arguments: '-c id',
  });
  if (process === undefined) return undefined;
  const moved: Process = { ...process, container: { ...container, injected: true }, netns: actor.process.netns };
  world.processes[world.processes.indexOf(process)] = moved;
  const host = connectOut(world, random, moved, actor.at + 100n * millisecond);
  return selectsContainer(world, moved)
    ? {
        ...undeclaredEndpoint(host),
        codes: ['undeclared-endpoint', 'injected-process'],
        names: [host, `pid ${moved.pid}`],
      }
    : { truth: 'doubt', codes: ['injected-process'], names: [`pid ${moved.pid}`] };
}

/** In the task's container from its start, and no descendant of the root. */
function sibling(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 300n * millisecond, contained(world));
  const container = actor?.process.container;
  if (actor === undefined || container === undefined) return undefined;
  const { node } = actor.process;
  const process = addBystander(world, random, node, actor.at, actor.at + 250n * millisecond, {
    binary: '/pause',
    arguments: '',
  });
  if (process === undefined) return undefined;
  const moved: Process = { ...process, container, netns: actor.process.netns };
  world.processes[world.processes.indexOf(process)] = moved;
  const host = connectOut(world, random, moved, actor.at + 100n * millisecond);
  if (selectsContainer(world, moved)) return undeclaredEndpoint(host);
  return { truth: 'doubt', codes: ['injected-process'], names: [`pid ${moved.pid}`] };
}

function selectsContainer(world: World, { container }: Process): boolean {
  return world.tasks[0].declaration.workload.some(
    (selector) =>
      ('container' in selector && container?.id.startsWith(selector.container)) ||
      ('pod' in selector && container?.namespace === selector.pod.namespace && container.pod === selector.pod.name),
  );
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'outsider-with-mark',
    "A process from outside bears the task's mark and connects to an undeclared host.",
    outsiderWithMark,
  ],
  [
    'other-task-with-mark',
    "A process of another task takes the task's mark and connects to an undeclared host.",
    otherTaskWithMark,
  ],
  [
    'other-mark-connects',
    "A child takes another task's mark and connects.",
    (world, random) => memberWithOtherMark(world, random, true),
  ],
  ['other-mark', "A child takes another task's mark.", (world, random) => memberWithOtherMark(world, random, false)],
  ['injected-process', "A process was put into the task's container from outside and connects.", injected],
  [
    'sibling-in-container',
    "A process that is no descendant of the root runs in the task's container and connects.",
    sibling,
  ],
];

export const treeMemberMutations: readonly WorldMutation[] = about.map(([id, text, apply]) => ({
  id,
  group: 'tree',
  about: text,
  changes: 'world',
  apply,
}));
