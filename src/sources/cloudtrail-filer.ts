import type { Records } from '../evidence/record-log.ts';
import type { CloudTrailItem, CloudTrailProblem } from './cloudtrail-object.ts';
import { toRecord } from './cloudtrail-record.ts';

/** What of an object in a bucket is kept beside the rest of its inventory. */
export interface Located {
  readonly key: string;
  readonly etag: string;
}

/** Puts CloudTrail's objects into the store as an audit does. */
export interface Filer {
  /**
   * Resolves once the record and then its inventory are on disk: the inventory tells what was taken, so it never comes
   * first. Rejects with a retryable `input` when the store has no room.
   */
  file(item: CloudTrailItem & { kind: 'object' }, located?: Located): Promise<void>;
  /** Tells of an object that gave no record. */
  refuse(problem: CloudTrailProblem, origin: string): Promise<void>;
}

export function openFiler(records: Records, maskKey: Buffer, now: () => number): Filer {
  const append = async (stream: string, origin: string, raw: Buffer): Promise<void> => {
    const log = await records.log(stream, origin);
    await log.append(raw, BigInt(now()) * 1_000_000n);
  };
  return {
    file: async (item, located) => {
      const { stream, origin, raw, inventory } = toRecord(item, maskKey);
      await append(stream, origin, raw);
      await append('cloudtrail-object', origin, Buffer.from(JSON.stringify({ ...inventory, ...located })));
    },
    refuse: async ({ object, code, why }, origin) => {
      await records.gap({
        stream: 'cloudtrail',
        origin,
        // A log file may hold events of any time before its delivery.
        from: null,
        until: deliveredBefore(object),
        why: code,
        detail: `${object}: ${why}`,
        count: 1,
      });
    },
  };
}

/** The end of the minute or second that a file's name tells; null where it tells none. */
function deliveredBefore(object: string): string | null {
  const [, year, month, day, hour, minute] = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(?:\d\d)?Z/.exec(object) ?? [];
  const time = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:00Z`);
  return Number.isNaN(time) ? null : new Date(time + 60_000).toISOString();
}
