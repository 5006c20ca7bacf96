import { frameBytes, writeRecord } from './wal-format.ts';

/** Where full groups take their memory from: it is used again, which costs less than to have it made and collected. */
export interface Slabs {
  take(bytes: number): Buffer;
  give(slab: Buffer): void;
}

/** Bytes of frames that are written in one go, if there are that many. */
export const groupBytes = 1 << 20;
const smallest = 1 << 14;
const spare = 8;

export function openSlabs(): Slabs {
  const free: Buffer[] = [];
  return {
    take(bytes) {
      if (bytes !== groupBytes) return Buffer.allocUnsafeSlow(bytes);
      return free.pop() ?? Buffer.allocUnsafeSlow(groupBytes);
    },
    give(slab) {
      if (slab.length === groupBytes && free.length < spare) free.push(slab);
    },
  };
}

/** Frames that become durable together, and the one promise for all of them. */
export interface RecordGroup {
  readonly slab: Buffer;
  used: number;
  records: number;
  /** When it was begun, on the clock of `performance`. */
  readonly since: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A group with room for a frame of that size; the more the one before it held, the larger. */
export function startGroup(slabs: Slabs, frame: number, before: number): RecordGroup {
  const size = Math.max(Math.min(groupBytes, Math.max(smallest, 2 * before)), frame);
  let settle: Pick<RecordGroup, 'resolve' | 'reject'> | undefined;
  const done = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  done.catch(() => undefined); // who does not care for the outcome need not say so
  if (settle === undefined) throw new Error('a promise calls its executor at once');
  return { slab: slabs.take(size), used: 0, records: 0, since: performance.now(), done, ...settle };
}

export function hasRoom(group: RecordGroup, record: Buffer): boolean {
  return group.used + frameBytes + record.length <= group.slab.length;
}

export function addRecord(group: RecordGroup, saltCrc: number, record: Buffer, receivedAtNs: bigint): void {
  group.used = writeRecord(group.slab, group.used, saltCrc, record, receivedAtNs);
  group.records += 1;
}

export function framesOf(group: RecordGroup): Buffer {
  return group.slab.subarray(0, group.used);
}
