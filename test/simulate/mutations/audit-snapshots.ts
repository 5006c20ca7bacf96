import type { CloudFile, Evidence } from '../evidence.ts';
import type { World } from '../world.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { lifeOf } from './task-life.ts';
import type { Fields } from './trail-files.ts';

interface Snapshot extends Fields {
  account: string;
  trails: Fields[];
  status: Record<string, Fields>;
  eventSelectors: Record<
    string,
    { EventSelectors?: Fields[]; AdvancedEventSelectors?: { FieldSelectors: Fields[] }[] }
  >;
}

/** What snapshots of the task's account may say, or leave unsaid. */
export const snapshotMutations: readonly EvidenceMutation[] = [
  {
    id: 'selectors-not-told',
    group: 'audit',
    about: "No snapshot tells the trail's selectors.",
    changes: 'evidence',
    apply: (evidence, world) =>
      changeSnapshots(evidence, world, (snapshot) => {
        snapshot.eventSelectors = {};
      }),
  },
  {
    id: 'status-not-told',
    group: 'audit',
    about: 'No snapshot tells whether the trail was logging.',
    changes: 'evidence',
    apply: (evidence, world) =>
      changeSnapshots(evidence, world, (snapshot) => {
        snapshot.status = {};
      }),
  },
  {
    id: 'data-events-of-some-resources',
    group: 'audit',
    about: 'Data events that the task could cause are logged for some resources only.',
    changes: 'evidence',
    apply(evidence, world) {
      const { calls } = lifeOf(world);
      const data = calls.filter((call) => call.data && call.logged);
      if (data.length === 0 || world.tasks[0].declaration.granted.length === 0) return undefined;
      const told = changeSnapshots(evidence, world, ({ eventSelectors }) => {
        for (const { EventSelectors, AdvancedEventSelectors } of Object.values(eventSelectors)) {
          for (const one of EventSelectors ?? []) {
            const resources = one['DataResources'] as { Type: string; Values: string[] }[];
            for (const resource of resources) resource.Values = ['arn:aws:s3:::some-other-bucket/'];
          }
          for (const { FieldSelectors } of AdvancedEventSelectors ?? []) {
            if (FieldSelectors.some(({ Field }) => Field === 'resources.type')) {
              FieldSelectors.push({ Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::some-other-bucket/'] });
            }
          }
        }
      });
      return told && { ...told, names: data.map(({ service }) => service.split('.')[0] ?? '') };
    },
  },
  {
    id: 'global-events-left-out',
    group: 'audit',
    about: 'The trail leaves out events of global services, which the task used.',
    changes: 'evidence',
    apply(evidence, world) {
      const { granted } = world.tasks[0].declaration;
      if (!granted.some((action) => /^(route53|iam|cloudfront|organizations):/.test(action))) return undefined;
      return changeSnapshots(evidence, world, ({ trails }) => {
        for (const trail of trails) trail['IncludeGlobalServiceEvents'] = false;
      });
    },
  },
];

function changeSnapshots(evidence: Evidence, world: World, change: (snapshot: Snapshot) => void): Expected | undefined {
  const account = lifeOf(world).sessions[0]?.account;
  const file: CloudFile | undefined = evidence.cloudtrail.find(({ kind }) => kind === 'trails');
  if (file === undefined || account === undefined) return undefined;
  const snapshots = JSON.parse(file.text) as Snapshot[];
  const own = snapshots.filter((snapshot) => snapshot.account === account);
  if (own.length === 0) return undefined;
  for (const snapshot of own) change(snapshot);
  file.text = JSON.stringify(snapshots);
  return { truth: 'doubt', codes: ['class-off', 'digest-missing'], names: [account] };
}
