import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addConnection, addLookup, addProcess, addService, freshPid } from './additions.ts';
import { evilHost, shortLife, undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import {
  bystandersOf,
  least,
  lifeOf,
  millisecond,
  nodeOf,
  pickActor,
  recordedUntil,
  second,
  treeOf,
} from './places.ts';
import { connectOut } from './tree-daemon.ts';

/* Process ids that two processes had, one after the other. */

/** A bystander gets a process id that one of the task had before, and does what it likes: none of the task's business. */
function pidAfterTask(world: World, random: Random): Expected | undefined {
  const gone = random.maybe(
    treeOf(world).filter(
      ({ id, exited, node }) =>
        exited !== undefined &&
        exited + 3n * second < recordedUntil(world, node) &&
        !nodeOf(world, node).sensor.blind.some(({ processes }) => processes?.includes(id)),
    ),
  );
  if (gone?.exited === undefined) return undefined;
  const forkedAt = gone.exited + BigInt(random.int(30, 900)) * millisecond;
  const exited = least([forkedAt + second, recordedUntil(world, gone.node)]);
  const used = world.processes.some(
    (other) => other.node === gone.node && other.pid === gone.pid && lifeOf(world, other).until > (gone.exited ?? 0n),
  );
  const parent = random.maybe(
    bystandersOf(world).filter((one) => {
      const life = lifeOf(world, one);
      return one.node === gone.node && one.container === undefined && life.from < forkedAt && life.until > exited;
    }),
  );
  if (parent === undefined || used) return undefined;
  const other = addProcess(world, random, parent, {
    how: 'exec',
    forked: forkedAt,
    exited,
    pid: gone.pid,
    binary: '/usr/bin/curl',
    arguments: 'https://mirror.example',
  });
  const { host, address } = addService(world, random, evilHost(world, random));
  addLookup(world, random, other, forkedAt + 150n * millisecond, { name: host, addresses: [address] });
  const hello = { form: 'whole', name: host } as const;
  const at = forkedAt + 200n * millisecond;
  addConnection(world, random, other, at, { remote: address, port: 443, hello, lasts: shortLife(random) });
  return { truth: 'harmless', codes: [], names: [] };
}

/** The task's process has the id of a bystander that is gone. */
function pidOfBystander(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const parent = random.maybe(
    bystandersOf(world).filter((one) => {
      const life = lifeOf(world, one);
      return (
        one.node === process.node && one.container === undefined && life.from < at - 2n * second && life.until > at
      );
    }),
  );
  if (parent === undefined) return undefined;
  const pid = freshPid(world, random, process.node);
  const program = { binary: '/usr/bin/true', arguments: '', pid };
  addProcess(world, random, parent, {
    how: 'exec',
    forked: at - 900n * millisecond,
    exited: at - 300n * millisecond,
    ...program,
  });
  const child = addProcess(world, random, process, {
    how: random.pick(['fork', 'exec'] as const),
    forked: at,
    exited: at + 120n * millisecond,
    pid,
  });
  return undeclaredEndpoint(connectOut(world, random, child, at + 20n * millisecond));
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['pid-reused-after', 'A bystander with the process id of an ended process of the task connects.', pidAfterTask],
  ['pid-reused-before', 'A process of the task with the process id of an ended bystander connects.', pidOfBystander],
];

export const treePidMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'tree',
  about: what,
  changes: 'world',
  apply,
}));
