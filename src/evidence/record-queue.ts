import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { TallyError } from '../model/errors.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { addRecord, framesOf, groupBytes, hasRoom, startGroup, type RecordGroup, type Slabs } from './record-group.ts';
import type { RecordLog } from './record-log.ts';
import type { RefusalCounter } from './refusals.ts';
import { rawKindOf } from './seal.ts';
import { frameBytes, type LogName } from './wal-format.ts';
import { type SeriesOptions, walSeries } from './wal-series.ts';

export interface QueueContext extends SeriesOptions {
  readonly budget: MemoryBudget;
  readonly slabs: Slabs;
  readonly refusals: RefusalCounter;
  /** A record was refused, or could be kept again after others were refused. */
  readonly refused: () => void;
  /** A text that is no UTF-8 was replaced. */
  readonly replaced: (record: Buffer, receivedAtNs: bigint) => Promise<void>;
}

export interface QueueStats extends LogName {
  readonly nextSeq: number;
  /** Records since the store was opened. */
  readonly kept: number;
  readonly refused: number;
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  /** Why nothing can be written at the moment. */
  readonly broken: string | undefined;
}

export interface RecordQueue extends RecordLog {
  stats(): QueueStats;
  /** Resolves once nothing waits that had been appended before: it is on disk, or was refused. */
  flush(): Promise<void>;
  /** Closes the current file, if it holds anything. Rejects when the disk fails. */
  rotate(): Promise<void>;
  /** Flushes and rotates; what is appended from now on is refused. */
  close(): Promise<void>;
}

/** ms until the fsync of a record begins, at the most, and until a failed write is tried again. */
const longestDelay = 250;
const retryDelay = 1000;
/** Bytes that one fsync is for, if several groups wait. */
const batchBytes = 4 * groupBytes;

/**
 * The records of one log on their way to disk. `append` only copies into memory; writing happens behind it, and a record
 * has a number once it is written, so that a refused one leaves no hole.
 */
export function recordQueue(name: LogName, firstSeq: number, context: QueueContext): RecordQueue {
  const { budget, slabs, refusals } = context;
  const isText = rawKindOf(name.stream) === 'text';
  const series = walSeries(name, firstSeq, context, () => void rotate().catch(() => undefined));
  const saltCrc = crc32(series.salt);
  const waiting: RecordGroup[] = [];
  /** The group of `waiting` that still takes records, and the last one that is to be written without delay. */
  let open: RecordGroup | undefined;
  let hurried: RecordGroup | undefined;
  let lastUsed = 0;
  let waitingBytes = 0;
  let waitingRecords = 0;
  let broken: TallyError | undefined;
  /** Why nothing is taken, as the promise that everyone gets who tries. */
  let rejected: Promise<void> | undefined;
  let full: Promise<void> | undefined;
  let isClosing = false;
  let isRotationDue = false;
  let isWriting = false;
  let timer: NodeJS.Timeout | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let chain: Promise<unknown> = Promise.resolve();

  /** One operation on the files at a time. */
  function exclusive<T>(operation: () => Promise<T>): Promise<T> {
    const result = chain.then(operation);
    chain = result.catch(() => undefined);
    return result;
  }

  function append(record: Buffer, receivedAtNs: bigint): Promise<void> {
    if (isText && !isUtf8(record)) return appendReplaced(record, receivedAtNs);
    const size = frameBytes + record.length;
    if (rejected !== undefined) return refuse(record, receivedAtNs, rejected);
    if (!budget.take(size)) return refuse(record, receivedAtNs, (full ??= rejection(tooMuch())));
    if (open === undefined || !hasRoom(open, record)) {
      open = startGroup(slabs, size, lastUsed);
      waiting.push(open);
    }
    addRecord(open, saltCrc, record, receivedAtNs);
    lastUsed = open.used;
    waitingBytes += size;
    waitingRecords += 1;
    if (timer === undefined || waitingBytes >= groupBytes) schedule();
    return open.done;
  }

  function appendReplaced(record: Buffer, receivedAtNs: bigint): Promise<void> {
    const parts = [append(Buffer.from(record.toString()), receivedAtNs), context.replaced(record, receivedAtNs)];
    const both = Promise.all(parts).then(() => undefined);
    both.catch(() => undefined);
    return both;
  }

  function refuse(record: Buffer, receivedAtNs: bigint, why: Promise<void>): Promise<void> {
    refusals.add(record, receivedAtNs);
    context.refused();
    return why;
  }

  function schedule(): void {
    const [first] = waiting;
    if (isWriting || first === undefined) return;
    const wait = first.since + longestDelay - performance.now();
    if (hurried !== undefined || waitingBytes >= groupBytes || wait <= 0) startWriting();
    else timer ??= setTimeout(startWriting, wait);
  }

  function startWriting(): void {
    clearTimeout(timer);
    timer = undefined;
    isWriting = true;
    void exclusive(writeBatch).finally(() => {
      isWriting = false;
      schedule();
    });
  }

  function takeBatch(): RecordGroup[] {
    const room = Math.min(batchBytes, series.room);
    const batch: RecordGroup[] = [];
    let bytes = 0;
    for (
      let [next] = waiting;
      next !== undefined && (batch.length === 0 || bytes + next.used <= room);
      [next] = waiting
    ) {
      batch.push(next);
      bytes += next.used;
      waiting.shift();
      if (next === open) open = undefined;
      if (next === hurried) hurried = undefined;
    }
    return batch;
  }

  async function writeBatch(): Promise<void> {
    const batch = takeBatch();
    if (batch.length === 0) return;
    try {
      await series.write(
        batch.map(framesOf),
        batch.reduce((sum, { records }) => sum + records, 0),
      );
    } catch (cause) {
      fail([...batch, ...waiting.splice(0)], cause);
      return;
    }
    for (const group of batch) {
      release(group);
      group.resolve();
    }
    try {
      await series.settle();
      if (isRotationDue) await rotateNow();
    } catch (cause) {
      fail(waiting.splice(0), cause);
    }
  }

  function release(group: RecordGroup): void {
    budget.give(group.used);
    waitingBytes -= group.used;
    waitingRecords -= group.records;
    slabs.give(group.slab);
  }

  function fail(groups: readonly RecordGroup[], cause: unknown): void {
    broken = new TallyError('input', `${context.wal}: can't be written; make room for it or see to the disk`, {
      cause,
      retryable: true,
    });
    rejected = rejection(broken);
    open = undefined;
    hurried = undefined;
    clearTimeout(timer);
    timer = undefined;
    for (const group of groups) {
      refusals.addFrames(framesOf(group));
      group.reject(broken);
      release(group);
    }
    if (groups.length > 0) context.refused();
    retryLater();
  }

  function retryLater(): void {
    if (!isClosing) retryTimer = setTimeout(() => void exclusive(recover), retryDelay);
  }

  /** A record that was refused may be sent again: nothing of it may stay when the log goes on. */
  async function recover(): Promise<void> {
    try {
      await series.recover();
      broken = undefined;
      rejected = isClosing ? rejection(closed()) : undefined;
      context.refused();
      if (isRotationDue) await rotateNow();
    } catch {
      retryLater();
    }
  }

  function rotateNow(): Promise<void> {
    isRotationDue = false;
    return series.rotate();
  }

  function rotate(): Promise<void> {
    isRotationDue = true;
    return exclusive(async () => {
      if (broken !== undefined) throw broken;
      if (isRotationDue) await rotateNow();
    });
  }

  async function flush(): Promise<void> {
    hurried = waiting.at(-1);
    const last = hurried?.done;
    schedule();
    await last?.catch(() => undefined);
    await exclusive(() => Promise.resolve());
  }

  return {
    get nextSeq() {
      return series.nextSeq + waitingRecords;
    },
    append,
    stats: () => ({
      ...name,
      nextSeq: series.nextSeq + waitingRecords,
      kept: series.nextSeq - firstSeq,
      refused: refusals.total,
      waitingRecords,
      waitingBytes,
      broken: broken?.message,
    }),
    flush,
    rotate,
    async close() {
      isClosing = true;
      rejected ??= rejection(closed());
      await flush();
      clearTimeout(retryTimer);
      await exclusive(() => series.close());
    },
  };
}

function rejection(error: TallyError): Promise<void> {
  const promise = Promise.reject(error);
  promise.catch(() => undefined);
  return promise;
}

function tooMuch(): TallyError {
  return new TallyError('input', 'too much waits for the disk: it is slower than what comes in', { retryable: true });
}

function closed(): TallyError {
  return new TallyError('input', 'the store is closed', { retryable: true });
}
