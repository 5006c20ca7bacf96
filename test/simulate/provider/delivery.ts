import { groupBy } from '../../../src/sources/order.ts';
import type { CloudFile } from '../evidence.ts';
import type { AuditRecord } from './record.ts';
import { toCompact, toDay, toFileMark, toSeconds } from './text.ts';
import type { Ns, Trail } from '../world.ts';

/** A log file with the times that a digest tells of it. */
export interface LogFile {
  readonly file: CloudFile;
  readonly oldest: string;
  readonly newest: string;
  /** Of its text, where that is not kept. */
  readonly sha256?: string;
}

const fiveMinutes: Ns = 300n * 1_000_000_000n;

/**
 * The files in which a trail delivered the records of its account and region: each holds what came within five minutes, and
 * is delivered with the last of it. None straddles the end of a digest.
 */
export function deliver(trail: Trail, records: readonly AuditRecord[]): LogFile[] {
  const own = records.filter(({ account, region }) => account === trail.account && region === trail.region);
  const files = groupBy(own, ({ delivered }) => {
    const digest = trail.digests.filter((end) => end <= delivered).length;
    return `${delivered / fiveMinutes} ${digest}`;
  });
  return [...files.values()]
    .map((group) => toFile(trail, [...group].sort(byDelivery)))
    .sort((a, b) => (a.file.at < b.file.at ? -1 : 1));
}

function byDelivery(a: AuditRecord, b: AuditRecord): number {
  if (a.delivered !== b.delivered) return a.delivered < b.delivered ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function toFile({ account, region, name, bucket }: Trail, records: readonly AuditRecord[]): LogFile {
  const at = records.at(-1)?.delivered ?? 0n;
  const minute = `${toCompact(at).slice(0, 13)}Z`;
  const mark = toFileMark([bucket, name, ...records.map(({ id }) => id)].join(' '));
  const object = `${account}_CloudTrail_${region}_${minute}_${mark}.json.gz`;
  const times = records.map((record) => record.at).sort((a, b) => (a < b ? -1 : 1));
  return {
    file: {
      path: `AWSLogs/${account}/CloudTrail/${region}/${toDay(at)}/${object}`,
      kind: 'log',
      text: JSON.stringify({ Records: records.map(({ content }) => content) }),
      metadata: undefined,
      at,
    },
    oldest: toSeconds(times[0] ?? at),
    newest: toSeconds(times.at(-1) ?? at),
  };
}
