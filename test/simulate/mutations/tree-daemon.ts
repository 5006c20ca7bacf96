import type { Random } from '../random.ts';
import type { Ns, Process, World } from '../world.ts';
import { addConnection, addProcess, addService } from './additions.ts';
import { evilHost, shortLife, undeclaredEndpoint } from './far-ends.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { millisecond, pickActor, recordedUntil, second, taskSpan, treeOf } from './places.ts';

/* Children that try to leave the tree: daemons, copies, names and process ids that mislead. */

/** Connects to a host that nobody declared. */
export function connectOut(world: World, random: Random, process: Process, at: Ns): string {
  const { host, address: remote } = addService(world, random, evilHost(world, random));
  const hello = { form: 'whole', name: host } as const;
  addConnection(world, random, process, at, { remote, port: 443, hello, lasts: shortLife(random) });
  return host;
}

/** When a daemon of the node may connect after the task's end, so that what it does is still settled. */
function afterEnd(world: World, random: Random, node: string): Ns | undefined {
  const { until } = taskSpan(world);
  const room = recordedUntil(world, node) - until - second;
  return room < 500n * millisecond ? undefined : until + 100n * millisecond + (room * BigInt(random.int(0, 60))) / 100n;
}

/** Forks twice; the middle one exits, so that init adopts the daemon, which then runs a program with an empty environment. */
function daemon(world: World, random: Random, late: boolean, execs: boolean): Expected | undefined {
  const actor = pickActor(world, random, 100n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const connects = late ? afterEnd(world, random, process.node) : at + 40n * millisecond;
  if (connects === undefined || connects < at + 20n * millisecond) return undefined;
  const middle = addProcess(world, random, process, { how: 'fork', forked: at, exited: at + 4n * millisecond });
  const daemonized = addProcess(world, random, middle, {
    how: 'fork',
    forked: at + 2n * millisecond,
    exited: undefined,
  });
  if (!execs) {
    daemonized.exited = connects + 200n * millisecond;
    return undeclaredEndpoint(connectOut(world, random, daemonized, connects));
  }
  world.processes.pop();
  const program = addProcess(world, random, middle, {
    how: 'exec',
    forked: at + 2n * millisecond,
    exited: connects + 200n * millisecond,
    adopted: true,
    env: {},
    binary: random.pick(['/usr/sbin/cron', '/lib/systemd/systemd-timesyncd', '/tmp/.x']),
    arguments: '',
  });
  // It execs after its parent's exit: that is what makes init its parent in the sensor's eyes.
  world.processes[world.processes.indexOf(program)] = { ...program, started: at + 8n * millisecond };
  return undeclaredEndpoint(connectOut(world, random, program, connects));
}

/** A copy of a process of the task, without a program of its own. */
function forked(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 100n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const copy = addProcess(world, random, process, { how: 'fork', forked: at, exited: at + 90n * millisecond });
  return undeclaredEndpoint(connectOut(world, random, copy, at + 10n * millisecond));
}

/** Copies of copies, of which only the last does anything. */
function forkedDeep(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  if (actor === undefined) return undefined;
  const { at } = actor;
  let last = actor.process;
  for (let depth = 1; depth <= random.int(3, 12); depth += 1) {
    const forkedAt = at + BigInt(depth) * millisecond;
    last = addProcess(world, random, last, {
      how: 'fork',
      forked: forkedAt,
      exited: at + BigInt(180 - depth) * millisecond,
    });
  }
  return undeclaredEndpoint(connectOut(world, random, last, at + 30n * millisecond));
}

/** A program with no environment, started as a child. */
function emptyEnvironment(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const child = addProcess(world, random, process, {
    how: 'exec',
    forked: at,
    exited: at + 120n * millisecond,
    env: {},
    binary: '/usr/bin/env',
    arguments: '-i curl https://x',
  });
  return undeclaredEndpoint(connectOut(world, random, child, at + 10n * millisecond));
}

/** A name of control characters, quotes and SQL. */
function hostileName(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 150n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const binary = random.pick([
    "/tmp/'; DROP TABLE process; --",
    '/tmp/\u001b[2K\u001b[1A/usr/bin/python3',
    '/tmp/"}\n{"process_exit":{}}',
    '/tmp/\u202eexe.3nohtyp',
    `/${'a'.repeat(250)}`,
  ]);
  const child = addProcess(world, random, process, {
    how: 'exec',
    forked: at,
    exited: at + 120n * millisecond,
    binary,
    arguments: "\u0000 '\\ $$ <script>alert(1)</script> 'x' \u001b]0;proven\u0007",
    env: { ...process.env, TASK_IDX: '"]],["', 'A\nB': '\u0001' },
  });
  return undeclaredEndpoint(connectOut(world, random, child, at + 10n * millisecond));
}

/** A process that never ends: what it will do can't be known. */
function stillRunning(world: World, random: Random): Expected | undefined {
  const parents = new Set(world.processes.map(({ parent }) => parent));
  // A later process with its id would show that it is gone.
  const isReused = (one: Process): boolean =>
    world.processes.some(({ node, pid, forked: at }) => node === one.node && pid === one.pid && at > one.forked);
  const leaf = random.maybe(
    treeOf(world).filter((one) => !parents.has(one.id) && one.exited !== undefined && !isReused(one)),
  );
  if (leaf === undefined) return undefined;
  leaf.exited = undefined;
  return { truth: 'doubt', codes: ['still-running'], names: [`pid ${leaf.pid}`] };
}

/** A copy that the task leaves behind, which never does anything that is seen. */
function sleeper(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 50n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const copy = addProcess(world, random, process, { how: 'fork', forked: at, exited: undefined });
  return { truth: 'doubt', codes: ['still-running', 'escaped-process'], names: [`pid ${copy.pid}`] };
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'daemon-late',
    'An adopted daemon of the task connects after its end.',
    (world, random) => daemon(world, random, true, true),
  ],
  [
    'daemon-now',
    'An adopted daemon of the task connects while it runs.',
    (world, random) => daemon(world, random, false, true),
  ],
  [
    'daemon-copy-late',
    'A twice forked copy connects after the task.',
    (world, random) => daemon(world, random, true, false),
  ],
  [
    'daemon-copy-now',
    'A twice forked copy connects while the task runs.',
    (world, random) => daemon(world, random, false, false),
  ],
  ['fork-without-exec', 'A forked copy without a program of its own connects.', forked],
  ['fork-deep', 'The last of a chain of forked copies connects.', forkedDeep],
  ['empty-environment', 'A child with an empty environment connects.', emptyEnvironment],
  ['hostile-name', 'A child whose name and arguments are meant to break whoever reads them connects.', hostileName],
  ['still-running', 'A process of the task never exits.', stillRunning],
  ['sleeper', 'The task leaves a forked copy behind that never does anything.', sleeper],
];

export const treeDaemonMutations: readonly WorldMutation[] = about.map(([id, text, apply]) => ({
  id,
  group: 'tree',
  about: text,
  changes: 'world',
  apply,
}));
