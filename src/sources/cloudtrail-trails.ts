import { z } from 'zod';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { timeSchema } from '../model/schema.ts';
import { selectorsSchema, toCoverage } from './cloudtrail-selectors.ts';

/** One row of queries/tables/audit_snapshot.sql, keys in its column order; times are RFC 3339 in UTC. */
export interface AuditSnapshot {
  readonly provider: 'aws';
  readonly account: string;
  readonly region: string;
  readonly trail: string;
  readonly time: string;
  readonly logging: boolean;
  readonly validated: boolean;
  readonly multi_region: boolean;
  readonly global_events: boolean;
  readonly home_region: string | null;
  readonly management: 'all' | 'read' | 'write' | 'none';
  readonly excluded: string;
  readonly data: string;
  readonly selectors: string;
  readonly latest_digest: string | null;
  readonly evidence: string;
}

/** The rows of a file of snapshots, and what in it could not be read (each becomes a gap). */
export interface Snapshots {
  readonly rows: readonly AuditSnapshot[];
  readonly problems: readonly string[];
}

const trailSchema = z.object({
  Name: z.string(),
  TrailARN: z.string().optional(),
  HomeRegion: z.string().optional(),
  IsMultiRegionTrail: z.boolean().default(false),
  IncludeGlobalServiceEvents: z.boolean().default(false),
  LogFileValidationEnabled: z.boolean().default(false),
});
const statusSchema = z.object({ IsLogging: z.boolean(), LatestDigestDeliveryTime: timeSchema.nullish() });
/** The form of `trails.json`; a raw output of one API call, with the time it was made, is a part of one. */
const snapshotSchema = z
  .object({
    time: timeSchema,
    account: z.string().optional(),
    region: z.string().optional(),
    trails: z.array(trailSchema).optional(),
    trailList: z.array(trailSchema).optional(),
    status: z.record(z.string(), statusSchema).default({}),
    eventSelectors: z.record(z.string(), selectorsSchema).default({}),
    /** Name or ARN: which trail a raw GetTrailStatus or GetEventSelectors is of. */
    trail: z.string().optional(),
    TrailARN: z.string().optional(),
    IsLogging: z.boolean().optional(),
    LatestDigestDeliveryTime: timeSchema.nullish(),
  })
  .extend(selectorsSchema.shape);
type Snapshot = z.output<typeof snapshotSchema>;

/** Reads snapshots of trail configuration: a list of them or a single one. Parts of the same time are put together. */
export function parseSnapshots(text: string, evidence: string): Snapshots {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { rows: [], problems: ['it is not JSON'] };
  }
  const parsed = (Array.isArray(json) ? json : [json]).map((value) => snapshotSchema.safeParse(value));
  const whole = mergeParts(parsed.flatMap(({ data }) => data ?? []));
  const results = whole.flatMap((snapshot) => toRows(snapshot, evidence));
  return {
    rows: results.filter((result) => typeof result !== 'string'),
    problems: [
      ...parsed.flatMap(({ error }, index) => (error === undefined ? [] : [`entry ${index}: ${describe(error)}`])),
      ...results.filter((result) => typeof result === 'string'),
    ],
  };
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('; ');
}

function mergeParts(parts: readonly Snapshot[]): Snapshot[] {
  const merged = new Map<string, Snapshot>();
  for (const part of parts) {
    const own = part.trail ?? part.TrailARN;
    const { IsLogging, LatestDigestDeliveryTime, EventSelectors, AdvancedEventSelectors } = part;
    const status =
      own === undefined || IsLogging === undefined ? {} : { [own]: { IsLogging, LatestDigestDeliveryTime } };
    const hasSelectors = EventSelectors !== undefined || AdvancedEventSelectors !== undefined;
    const selectors = own === undefined || !hasSelectors ? {} : { [own]: { EventSelectors, AdvancedEventSelectors } };
    const key = [part.time, part.account, part.region].join(' ');
    const before = merged.get(key);
    merged.set(key, {
      ...part,
      trails: [...(before?.trails ?? []), ...(part.trails ?? []), ...(part.trailList ?? [])],
      status: { ...before?.status, ...part.status, ...status },
      eventSelectors: { ...before?.eventSelectors, ...part.eventSelectors, ...selectors },
    });
  }
  return [...merged.values()];
}

/** A row for each trail; a string says why a trail gives none. What is not told counts as off. */
function toRows(snapshot: Snapshot, evidence: string): (AuditSnapshot | string)[] {
  return (snapshot.trails ?? []).map((trail) => {
    const [, , , arnRegion, arnAccount] = trail.TrailARN?.split(':') ?? [];
    const account = snapshot.account ?? arnAccount;
    const region = snapshot.region ?? trail.HomeRegion ?? arnRegion;
    if (account === undefined || region === undefined) return `trail ${trail.Name}: neither account nor region is told`;
    const find = <T>(map: Readonly<Record<string, T>>): T | undefined => map[trail.Name] ?? map[trail.TrailARN ?? ''];
    const status = find(snapshot.status);
    const selectors = find(snapshot.eventSelectors);
    const coverage = toCoverage(selectors);
    return {
      provider: 'aws',
      account,
      region,
      trail: trail.Name,
      time: snapshot.time,
      logging: status?.IsLogging ?? false,
      validated: trail.LogFileValidationEnabled,
      multi_region: trail.IsMultiRegionTrail,
      global_events: trail.IncludeGlobalServiceEvents,
      home_region: trail.HomeRegion ?? null,
      management: coverage.management,
      excluded: canonicalJson(coverage.excluded).toString(),
      data: canonicalJson(coverage.data).toString(),
      selectors: canonicalJson(selectors ?? null).toString(),
      latest_digest: status?.LatestDigestDeliveryTime ?? null,
      evidence,
    };
  });
}
