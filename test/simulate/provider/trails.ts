import { groupBy } from '../../../src/sources/order.ts';
import type { CloudFile } from '../evidence.ts';
import { toSeconds } from './text.ts';
import type { Ns, Trail, TrailSnapshot, World } from '../world.ts';

/** Resource types that the older kind of selectors can name, with the prefix that stands for all of them. */
const basicTypes: Readonly<Record<string, string | undefined>> = {
  'AWS::S3::Object': 'arn:aws:s3',
  'AWS::Lambda::Function': 'arn:aws:lambda',
  'AWS::DynamoDB::Table': 'arn:aws:dynamodb',
};

interface Taken {
  readonly trail: Trail;
  readonly snapshot: TrailSnapshot;
}

/** trails.json: what DescribeTrails, GetTrailStatus and GetEventSelectors said, one entry for each time and place. */
export function renderTrails(world: World): CloudFile {
  const taken = world.trails.flatMap((trail) => trail.snapshots.map((snapshot): Taken => ({ trail, snapshot })));
  const places = groupBy(taken, ({ trail, snapshot }) =>
    [toSeconds(snapshot.at), trail.account, trail.region].join(' '),
  );
  const entries = [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => renderEntry(world, group as [Taken, ...Taken[]]));
  const at = taken.reduce((newest, { snapshot }) => (snapshot.at > newest ? snapshot.at : newest), 0n);
  const text = JSON.stringify(entries, undefined, 1);
  return { path: 'trails.json', kind: 'trails', text, metadata: undefined, at };
}

/** A multi-region trail has its home in us-east-1 where it has a chain there, else where its first chain is. */
export function homeRegion(world: World, trail: Trail): string {
  if (!trail.multiRegion) return trail.region;
  const own = world.trails.filter(({ name, account }) => name === trail.name && account === trail.account);
  return own.some(({ region }) => region === 'us-east-1') ? 'us-east-1' : (own[0]?.region ?? trail.region);
}

function renderEntry(world: World, taken: readonly [Taken, ...Taken[]]): object {
  const [{ trail, snapshot }] = taken;
  const byName = (pick: (one: Taken) => object): object =>
    Object.fromEntries(taken.map((one) => [one.trail.name, pick(one)]));
  return {
    time: toSeconds(snapshot.at),
    account: trail.account,
    region: trail.region,
    trails: taken.map((one) => describeTrail(world, one)),
    status: byName(({ trail, snapshot }) => ({
      IsLogging: snapshot.logging,
      ...latestDigest(trail.digests, snapshot.at),
    })),
    eventSelectors: byName(({ snapshot }) => renderSelectors(snapshot)),
  };
}

function describeTrail(world: World, { trail, snapshot }: Taken): object {
  const home = homeRegion(world, trail);
  return {
    Name: trail.name,
    S3BucketName: trail.bucket,
    IncludeGlobalServiceEvents: trail.multiRegion || trail.region === 'us-east-1',
    IsMultiRegionTrail: trail.multiRegion,
    HomeRegion: home,
    TrailARN: `arn:aws:cloudtrail:${home}:${trail.account}:trail/${trail.name}`,
    LogFileValidationEnabled: snapshot.validated,
    HasCustomEventSelectors: snapshot.management !== 'all' || snapshot.data.length > 0 || snapshot.excluded.length > 0,
    IsOrganizationTrail: false,
  };
}

function latestDigest(ends: readonly Ns[], at: Ns): object {
  const newest = ends.filter((end) => end <= at).at(-1);
  return newest === undefined ? {} : { LatestDigestDeliveryTime: toSeconds(newest) };
}

/** Selectors of one trail are all of the older kind, or all advanced. */
function renderSelectors({ management, data, excluded }: TrailSnapshot): object {
  const values = data.map((type) => basicTypes[type]);
  const isBasic = data.length === 0 || (management === 'all' && !values.includes(undefined));
  if (!isBasic) return { AdvancedEventSelectors: advancedSelectors({ management, data, excluded }) };
  return {
    EventSelectors: [
      {
        ReadWriteType: { all: 'All', read: 'ReadOnly', write: 'WriteOnly', none: 'All' }[management],
        IncludeManagementEvents: management !== 'none',
        DataResources: data.map((Type, index) => ({ Type, Values: [values[index]] })),
        ExcludeManagementEventSources: excluded,
      },
    ],
  };
}

function advancedSelectors(selected: Pick<TrailSnapshot, 'management' | 'data' | 'excluded'>): object[] {
  const { management, data, excluded } = selected;
  const readOnly = management === 'all' ? [] : [{ Field: 'readOnly', Equals: [String(management === 'read')] }];
  const left = excluded.length === 0 ? [] : [{ Field: 'eventSource', NotEquals: excluded }];
  const managed = {
    Name: 'Management events selector',
    FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }, ...readOnly, ...left],
  };
  return [
    ...(management === 'none' ? [] : [managed]),
    ...data.map((type) => ({
      Name: `${type} data events`,
      FieldSelectors: [
        { Field: 'eventCategory', Equals: ['Data'] },
        { Field: 'resources.type', Equals: [type] },
      ],
    })),
  ];
}
