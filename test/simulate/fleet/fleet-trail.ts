import { deliver } from '../provider/delivery.ts';
import { type Previous, renderDigest } from '../provider/digests.ts';
import { renderPublicKeys } from '../provider/key.ts';
import type { AuditRecord } from '../provider/record.ts';
import { sha256 } from '../provider/text.ts';
import { renderTrails } from '../provider/trails.ts';
import { hour, minute, second } from '../good/time.ts';
import { writeObjects } from '../write-evidence.ts';
import type { LogFile } from '../provider/delivery.ts';
import type { Ns, Trail, World } from '../world.ts';

/** The bucket of a trail, written while time goes on: log files as they are delivered, a digest each hour. */
export interface TrailWriter {
  readonly records: number;
  add(records: readonly AuditRecord[]): void;
  /** Nothing will be added any more that happened before. */
  reach(time: Ns): Promise<void>;
  /** Ends the chain behind the last expiry, and writes what snapshots say. */
  close(lastExpiry: Ns): Promise<void>;
}

export function openTrailWriter(folder: string, trail: Trail, start: Ns): TrailWriter {
  const ends = [((start - hour / 2n) / second) * second];
  let waiting: AuditRecord[] = [];
  let listed: LogFile[] = [];
  let previous: Previous | undefined;
  let records = 0;
  const lastEnd = (): Ns => ends.at(-1) ?? start;

  const link = async (from: Ns, end: Ns): Promise<void> => {
    const own = listed.filter(({ file }) => file.at >= from && file.at < end);
    listed = listed.filter(({ file }) => file.at >= end);
    const next = renderDigest(trail, trail.region, { start: from, end, listed: own, previous });
    previous = next.previous;
    await writeObjects([next.file], folder);
  };
  /** Log files whose five minutes are over, and the digest where an hour is. */
  const settle = async (until: Ns): Promise<void> => {
    const whole = (until / (5n * minute)) * 5n * minute;
    for (;;) {
      const end = lastEnd() + hour;
      const upTo = end < whole ? end : whole;
      const ready = waiting.filter(({ delivered }) => delivered < upTo);
      if (ready.length > 0) {
        waiting = waiting.filter(({ delivered }) => delivered >= upTo);
        const files = deliver({ ...trail, digests: [...ends, end] }, ready);
        await writeObjects(
          files.map(({ file }) => file),
          folder,
        );
        // Only what the digest has to say of them is kept.
        listed.push(
          ...files.map((log) => ({ ...log, sha256: sha256(log.file.text), file: { ...log.file, text: '' } })),
        );
      }
      if (end >= whole) return;
      await link(lastEnd(), end);
      ends.push(end);
    }
  };

  return {
    get records() {
      return records;
    },
    add: (added) => {
      records += added.length;
      for (const record of added) waiting.push(record);
    },
    // What happened by then is delivered a minute later at the earliest.
    reach: settle,
    close: async (lastExpiry) => {
      await settle(lastExpiry + 3n * hour + 30n * minute);
      const [first = start] = ends;
      const snapshots = [first - hour, lastExpiry + 2n * hour].map((at) => ({
        at,
        logging: true,
        validated: true,
        management: 'all' as const,
        data: ['AWS::DynamoDB::Table', 'AWS::S3::Object'],
        excluded: [],
      }));
      const world = { trails: [{ ...trail, digests: ends, snapshots }] } as unknown as World;
      await writeObjects([renderPublicKeys(world), renderTrails(world)], folder);
    },
  };
}
