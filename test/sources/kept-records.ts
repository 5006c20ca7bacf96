import type { GapRecord, RecordLog, Records } from '../../src/evidence/record-log.ts';

/** Records that are only kept in memory, to look at. */
export interface KeptRecords extends Records {
  readonly gaps: GapRecord[];
  /** What was appended to a log, in order. */
  of(stream: string, origin: string): { readonly raw: Buffer; readonly at: bigint }[];
  /** Lines of JSON of a log. */
  lines(stream: string, origin: string): Record<string, unknown>[];
  /** From now on every append fails, as with a full disk. */
  fill(): void;
}

export function keepRecords(): KeptRecords {
  const logs = new Map<string, { raw: Buffer; at: bigint }[]>();
  const gaps: GapRecord[] = [];
  let full = false;
  const of = (stream: string, origin: string): { raw: Buffer; at: bigint }[] => {
    const key = JSON.stringify([stream, origin]);
    const records = logs.get(key) ?? [];
    logs.set(key, records);
    return records;
  };
  return {
    gaps,
    of,
    lines: (stream, origin) =>
      of(stream, origin).map(({ raw }) => JSON.parse(raw.toString('utf8')) as Record<string, unknown>),
    fill: () => (full = true),
    log: (stream, origin): Promise<RecordLog> => {
      const records = of(stream, origin);
      return Promise.resolve({
        get nextSeq() {
          return records.length;
        },
        append: (raw, at) => {
          if (full) return Promise.reject(new Error('no space'));
          records.push({ raw, at });
          return Promise.resolve();
        },
      });
    },
    gap: (gap) => {
      gaps.push(gap);
      return Promise.resolve();
    },
  };
}
