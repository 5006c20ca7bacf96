import type { Ns, Trail, TrailSnapshot, World } from '../world.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { ownTrails, placesOf } from './own-trails.ts';
import { firstIssue, lastExpiry, lifeOf, second } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };
const off = ['class-off', 'trail-changed'];

/** How the trail may have been set, and how late it may have delivered. */
export const trailMutations: readonly WorldMutation[] = [
  between('logging-off-for-a-time', 'Logging was off when a snapshot was taken.', { logging: false }),
  between('validation-off-for-a-time', 'Validation was off when a snapshot was taken.', { validated: false }),
  between('selectors-narrowed-for-a-time', 'Only writes were logged when a snapshot was taken.', {
    management: 'write',
  }),
  between('management-off-for-a-time', 'No management events were logged when a snapshot was taken.', {
    management: 'none',
  }),
  throughout('logging-off', 'Logging was off, says every snapshot.', { logging: false }),
  throughout('management-read-only', 'Only reads were logged.', { management: 'read' }),
  throughout('management-write-only', 'Only writes were logged.', { management: 'write' }),
  {
    id: 'granted-source-excluded',
    group: 'audit',
    about: "The trail leaves out management events of a service that the task's credential may use.",
    changes: 'world',
    apply(world, random) {
      const granted = world.tasks[0].declaration.granted.map((action) => action.split(':')[0] ?? '');
      const calls = world.calls.filter(({ action }) => granted.includes(action.split(':')[0] ?? ''));
      const call = random.maybe(calls);
      if (call === undefined) return undefined;
      for (const { snapshots } of ownTrails(world)) {
        for (const snapshot of snapshots) snapshot.excluded = [call.service];
      }
      return { truth: 'doubt', codes: off, names: [call.action.split(':')[0] ?? ''] };
    },
  },
  {
    id: 'other-source-excluded',
    group: 'harmless',
    about: "The trail leaves out management events of a service that the task's credential may not use.",
    changes: 'world',
    apply(world) {
      const { granted } = world.tasks[0].declaration;
      if (granted.length === 0 || granted.some((action) => /^(\*|rds|kms)/.test(action))) return undefined;
      for (const { snapshots } of world.trails) {
        for (const snapshot of snapshots) snapshot.excluded = ['rdsdata.amazonaws.com'];
      }
      return harmless;
    },
  },
  {
    id: 'data-events-off',
    group: 'audit',
    about: 'Data events of a service that the task used are not logged.',
    changes: 'world',
    apply(world) {
      const { calls } = lifeOf(world);
      const used = calls.filter(({ data, logged }) => data && logged);
      if (used.length === 0 || world.tasks[0].declaration.granted.length === 0) return undefined;
      for (const trail of world.trails) for (const snapshot of trail.snapshots) snapshot.data = [];
      return { truth: 'doubt', codes: ['class-off'], names: used.map(({ service }) => service.split('.')[0] ?? '') };
    },
  },
  {
    id: 'second-trail',
    group: 'harmless',
    about: 'A second trail delivers the same records, with a chain of its own.',
    changes: 'world',
    apply(world, random) {
      addTrail(world, `second-${random.hex(3)}`);
      return harmless;
    },
  },
  {
    id: 'second-trail-broken',
    group: 'harmless',
    about: 'A second trail was stopped for a time; the first one carries the whole proof.',
    changes: 'world',
    apply(world, random) {
      const added = addTrail(world, `second-${random.hex(3)}`);
      for (const trail of added) for (const snapshot of trail.snapshots) snapshot.logging = false;
      return harmless;
    },
  },
  {
    id: 'snapshot-after-missing',
    group: 'audit',
    about: 'No snapshot from after the last expiry tells how the trail was set.',
    changes: 'world',
    apply: (world) => keepSnapshots(world, 'wait', ['tail-open', 'class-off'], (at, _, until) => at < until),
  },
  {
    id: 'snapshot-before-missing',
    group: 'audit',
    about: 'No snapshot from before the first issuance tells how the trail was set.',
    changes: 'world',
    apply: (world) => keepSnapshots(world, 'doubt', ['class-off'], (at, from) => at > from),
  },
  {
    id: 'tail-open',
    group: 'audit',
    about: 'The second digest after the last expiry has not come yet.',
    changes: 'world',
    apply(world, random) {
      const until = lastExpiry(lifeOf(world));
      const keep = random.int(0, 1);
      const own = ownTrails(world);
      if (own.length === 0) return undefined;
      for (const trail of own) {
        const past = trail.digests.filter((end) => end > until).slice(0, keep);
        replaceTrail(world, trail, { digests: [...trail.digests.filter((end) => end <= until), ...past] });
      }
      return { truth: 'wait', codes: ['tail-open', 'digest-missing', 'log-file-unlisted'], names: placesOf(own) };
    },
  },
  {
    id: 'chain-begins-late',
    group: 'audit',
    about: 'The digest chain begins only after the first issuance.',
    changes: 'world',
    apply(world) {
      const from = firstIssue(lifeOf(world));
      const own = ownTrails(world);
      for (const trail of own) {
        replaceTrail(world, trail, { digests: trail.digests.filter((end) => end - 3600n * second > from) });
      }
      return own.length === 0 ? undefined : { truth: 'doubt', codes: ['digest-missing'], names: placesOf(own) };
    },
  },
  {
    id: 'region-unwatched',
    group: 'audit',
    about: 'In one of the regions where the task used its credential no trail was.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const used = life.calls.filter(({ logged }) => logged);
      const own = ownTrails(world).filter(({ region }) => used.some((call) => call.region === region));
      const gone = random.maybe(own.filter(({ region }) => region !== 'us-east-1'));
      const lost = used.filter(({ region, host }) => region === gone?.region && host.includes(region));
      if (gone === undefined || lost.length === 0) return undefined;
      world.trails.splice(0, world.trails.length, ...world.trails.filter((trail) => trail !== gone));
      const codes = ['digest-missing', 'unexplained-connection', 'class-off', 'unknown-issuance'];
      return { truth: 'doubt', codes, names: [gone.region] };
    },
  },
];

function replaceTrail(world: World, old: Trail, change: Partial<Trail>): void {
  world.trails[world.trails.indexOf(old)] = { ...old, ...change };
}

function between(id: string, about: string, change: Partial<TrailSnapshot>): WorldMutation {
  return {
    id,
    group: 'audit',
    about,
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const [from, until] = [firstIssue(life), lastExpiry(life)];
      const at = from + ((until - from) * BigInt(random.int(5, 95))) / 100n;
      const own = ownTrails(world);
      for (const { snapshots } of own) {
        const before = snapshots.filter((one) => one.at < at).at(-1) ?? snapshots[0];
        if (before === undefined) return undefined;
        snapshots.push({ ...before, data: [...before.data], excluded: [...before.excluded], ...change, at });
        snapshots.sort((a, b) => (a.at < b.at ? -1 : 1));
      }
      return own.length === 0 ? undefined : { truth: 'doubt', codes: off, names: own.map(({ name }) => name) };
    },
  };
}

function throughout(id: string, about: string, change: Partial<TrailSnapshot>): WorldMutation {
  return {
    id,
    group: 'audit',
    about,
    changes: 'world',
    apply(world) {
      const own = ownTrails(world);
      for (const { snapshots } of own) for (const snapshot of snapshots) Object.assign(snapshot, change);
      return own.length === 0 ? undefined : { truth: 'doubt', codes: off, names: own.map(({ name }) => name) };
    },
  };
}

function addTrail(world: World, name: string): Trail[] {
  const added = world.trails.map((trail): Trail => ({
    ...trail,
    name: trail.multiRegion ? name : `${name}-${trail.region}`,
    bucket: `${name}-${trail.account}`,
    snapshots: trail.snapshots.map((one) => ({ ...one, data: [...one.data], excluded: [...one.excluded] })),
  }));
  world.trails.push(...added);
  return added;
}

function keepSnapshots(
  world: World,
  truth: 'wait' | 'doubt',
  codes: readonly string[],
  keeps: (at: Ns, from: Ns, until: Ns) => boolean,
): Expected | undefined {
  const life = lifeOf(world);
  const [from, until] = [firstIssue(life), lastExpiry(life)];
  const own = ownTrails(world);
  const before = own.flatMap(({ snapshots }) => snapshots).length;
  for (const trail of own) trail.snapshots = trail.snapshots.filter(({ at }) => keeps(at, from, until));
  const after = own.flatMap(({ snapshots }) => snapshots).length;
  return after === before || after === 0 ? undefined : { truth, codes, names: placesOf(own) };
}
