import type { Random } from '../random.ts';
import type { Process, World } from '../world.ts';
import { addConnection, freshAddress, freshId, freshUuid } from './additions.ts';
import type { Expected, Mutation, WorldMutation } from './mutation.ts';
import { lineMutations } from './harmless-lines.ts';
import { harmlessNodeMutations } from './harmless-node.ts';
import { bystandersOf, pickActor } from './places.ts';
import { lastExpiry, lifeOf, second, usualSpacing } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };

const ofWorlds: readonly WorldMutation[] = [
  {
    id: 'bystander-goes-elsewhere',
    group: 'harmless',
    about: 'A process of nobody reached an address that no one declared.',
    changes: 'world',
    apply(world, random) {
      const actor = pickActor(world, random, second / 2n, bystandersOf(world));
      if (actor === undefined) return undefined;
      goElsewhere(world, random, actor.process, actor.at);
      return harmless;
    },
  },
  {
    id: 'bystander-more',
    group: 'harmless',
    about: 'Further processes ran beside the task, and reached addresses that no one declared.',
    changes: 'world',
    apply(world, random) {
      for (let count = random.int(1, 5); count > 0; count -= 1) {
        const child = addBystander(world, random);
        // What there is no place for now has none from the first on.
        if (child?.exited === undefined) return undefined;
        goElsewhere(world, random, child, child.started + (child.exited - child.started) / 4n);
      }
      return harmless;
    },
  },
  {
    id: 'session-of-others',
    group: 'harmless',
    about: 'Sessions that have nothing to do with the task were issued, used and denied elsewhere.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const like = random.maybe(life.sessions.filter(({ issuer }) => issuer.kind !== 'session'));
      if (like === undefined) return undefined;
      const eventId = freshUuid(random);
      const session = {
        ...like,
        id: `s-${eventId}`,
        eventId,
        requestId: freshUuid(random),
        key: `ASIA${random.base32(16)}`,
        name: `payroll-${random.hex(8)}`,
        role: `arn:aws:iam::${like.account}:role/payroll`,
        roleId: `AROA${random.base32(17)}`,
        task: undefined,
      };
      delete (session as { sourceIdentity?: string }).sourceIdentity;
      world.sessions.push(session);
      const source = `198.51.100.${random.int(1, 250)}`;
      for (const call of life.calls
        .filter(({ logged, connection }) => logged && connection !== undefined)
        .slice(0, 4)) {
        if (world.sessions.some(({ id }) => id === call.id)) continue;
        world.calls.push({
          ...call,
          id: freshId(world, 'c'),
          key: session.key,
          source,
          outcome: random.chance(0.5) ? 'denied' : 'ok',
          connection: undefined,
          eventId: freshUuid(random),
          requestId: freshUuid(random),
        });
      }
      return harmless;
    },
  },
  {
    id: 'recorded-longer',
    group: 'harmless',
    about: 'The node was watched for long before and after the task.',
    changes: 'world',
    apply(world, random) {
      if (world.nodes.some(({ sensor }) => sensor.canaries.length === 0 || sensor.streams.length !== 1))
        return undefined;
      for (const { sensor } of world.nodes) {
        const last = sensor.canaries.at(-1);
        if (last === undefined) continue;
        const every = usualSpacing(sensor.canaries.map(({ at }) => at)) || 10n * second;
        const often = usualSpacing(sensor.health) || 10n * second;
        const count = random.int(2, 12);
        for (let k = 1; k <= count; k += 1) {
          sensor.canaries.push({ ...last, n: last.n + k, at: last.at + BigInt(k) * every });
        }
        const until = last.at + BigInt(count) * every + 3n * second;
        for (let at = sensor.health.at(-1) ?? last.at; at < until;) sensor.health.push((at += often));
      }
      return harmless;
    },
  },
  {
    id: 'health-lines-more',
    group: 'harmless',
    about: 'Health lines were taken more often than usual.',
    changes: 'world',
    apply(world, random) {
      for (const { sensor } of world.nodes) {
        const lines = [...sensor.health];
        const more = lines.flatMap((at, place) => {
          const next = lines[place + 1];
          return next === undefined || random.chance(0.5) ? [] : [at + (next - at) / 2n];
        });
        sensor.health = [...lines, ...more].sort((a, b) => (a < b ? -1 : 1));
      }
      return harmless;
    },
  },
  {
    id: 'trail-of-others',
    group: 'harmless',
    about: 'A trail of an account with which the task has nothing to do is there too, whole.',
    changes: 'world',
    apply(world, random) {
      const trail = world.trails.find(({ region }) => region === 'us-east-1');
      if (trail === undefined) return undefined;
      const snapshots = trail.snapshots.map((one) => ({ ...one, data: [...one.data], excluded: [...one.excluded] }));
      const bucket = `others-${random.hex(4)}`;
      world.trails.push({ ...trail, account: `9${random.int(10_000_000_000, 99_999_999_999)}`, bucket, snapshots });
      return harmless;
    },
  },
  {
    id: 'later-snapshots',
    group: 'harmless',
    about: 'The trail was asked again and again long after the last expiry; it was stopped by then.',
    changes: 'world',
    apply(world) {
      const until = lastExpiry(lifeOf(world));
      for (const { snapshots, digests } of world.trails) {
        const last = snapshots.at(-1);
        if (last === undefined || last.at < until) return undefined;
        const at = [last.at, digests.at(-1) ?? 0n].reduce((a, b) => (a > b ? a : b)) + 7200n * second;
        snapshots.push({ ...last, data: [...last.data], excluded: [...last.excluded], at, logging: false });
      }
      return harmless;
    },
  },
];

/** What changes nothing: what was proven stays so. */
export const harmlessMutations: readonly Mutation[] = [...ofWorlds, ...lineMutations, ...harmlessNodeMutations];

function goElsewhere(world: World, random: Random, process: Process, at: bigint): void {
  addConnection(world, random, process, at, {
    remote: freshAddress(world, random),
    // On a port that a declared host has, an address without a name might be that host.
    port: random.pick([79, 4444, 6667]),
    hello: { form: 'none' },
    lasts: second / 5n,
  });
}

/** A child of a process of nobody that lived while the task did. */
function addBystander(world: World, random: Random): Process | undefined {
  const life = lifeOf(world);
  const parents = bystandersOf(world).filter(
    ({ started, exited, node, container }) =>
      node === life.nodes[0].name &&
      container === undefined &&
      started < life.from &&
      (exited === undefined || exited > life.until),
  );
  const parent = random.maybe(parents);
  const lasts = life.until - life.from;
  if (parent === undefined || lasts < second) return undefined;
  const forked = life.from + (lasts * BigInt(random.int(1, 40))) / 100n;
  const pids = new Set(world.processes.map(({ pid }) => pid));
  let pid = random.int(40_000, 90_000);
  while (pids.has(pid)) pid += 1;
  const process: Process = {
    id: freshId(world, 'p'),
    node: parent.node,
    pid,
    parent: parent.id,
    how: 'exec',
    forked,
    started: forked + 1_000_000n,
    exited: forked + lasts / 2n,
    binary: '/usr/bin/curl',
    arguments: '-s https://exfil.example.org',
    cwd: '/',
    uid: 1000,
    env: {},
    netns: parent.netns,
    adopted: false,
  };
  world.processes.push(process);
  return process;
}
