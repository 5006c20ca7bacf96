import type { Segment } from '../model/record.ts';
import { tampered } from './tampered.ts';
import type { LogName } from './wal-format.ts';

/** How far each log is sealed. */
export interface SealedLogs {
  /** Sequence number of the first record that is not in a segment. */
  nextSeq(name: LogName): number;
  add(segment: Segment): void;
}

/** Throws `integrity` unless the segments of each log, in the order of the ledger, are one run from 0 on. */
export function sealedLogs(segments: readonly Segment[]): SealedLogs {
  const next = new Map<string, number>();
  const nextSeq = (name: LogName): number => next.get(logKey(name)) ?? 0;
  const add = (segment: Segment): void => {
    const expected = nextSeq(segment);
    if (segment.firstSeq !== expected)
      throw tampered(segment.file, `begins with record ${segment.firstSeq} of its log where ${expected} has to follow`);
    next.set(logKey(segment), segment.lastSeq + 1);
  };
  segments.forEach(add);
  return { nextSeq, add };
}

export function logKey({ stream, origin }: LogName): string {
  return JSON.stringify([stream, origin]);
}
