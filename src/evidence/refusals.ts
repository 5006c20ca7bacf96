import { readRecords } from './wal-format.ts';

/** Records that were not kept: how many, and from when to when. */
export interface Refusals {
  readonly count: number;
  /** ns since 1970, both. */
  readonly from: bigint;
  readonly until: bigint;
}

/** Counts what one log could not keep. */
export interface RefusalCounter {
  /** Since the store was opened. */
  readonly total: number;
  add(record: Buffer, receivedAtNs: bigint): void;
  addFrames(frames: Buffer): void;
  /** What was counted since the last call. */
  take(): Refusals | undefined;
}

export function refusalCounter(timeOf: (record: Buffer) => bigint | undefined): RefusalCounter {
  let total = 0;
  let open: { count: number; from: bigint; until: bigint } | undefined;

  function timeFor(record: Buffer, receivedAtNs: bigint): bigint {
    try {
      return timeOf(record) ?? receivedAtNs;
    } catch {
      return receivedAtNs; // hostile bytes are no reason to lose count
    }
  }

  function add(record: Buffer, receivedAtNs: bigint): void {
    const time = timeFor(record, receivedAtNs);
    total += 1;
    if (open === undefined) open = { count: 1, from: time, until: time };
    else {
      open.count += 1;
      if (time < open.from) open.from = time;
      if (time > open.until) open.until = time;
    }
  }

  return {
    get total() {
      return total;
    },
    add,
    addFrames(frames) {
      for (const { record, receivedAt } of readRecords(frames)) add(record, receivedAt);
    },
    take() {
      const taken = open;
      open = undefined;
      return taken;
    },
  };
}
