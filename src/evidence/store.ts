import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { TallyError } from '../model/errors.ts';
import { makeFolder } from './atomic-file.ts';
import { gapKeeper } from './gap-keeper.ts';
import { openLiveSealer } from './live-seal.ts';
import { memoryBudget } from './memory-budget.ts';
import { openSlabs } from './record-group.ts';
import type { GapRecord, LogOptions, RecordLog, Records } from './record-log.ts';
import { recordQueue, type QueueStats, type RecordQueue } from './record-queue.ts';
import { refusalCounter, type RefusalCounter } from './refusals.ts';
import { noSealing, sealLine, type SealStats } from './seal-line.ts';
import { toTime } from './seal.ts';
import { logKey, type SealedLogs } from './sealed-logs.ts';
import type { OpenSealer } from './sealer.ts';
import { segmentLedger } from './segment-ledger.ts';
import { lockStore } from './store-lock.ts';
import { cutTornEnd, type Leftovers } from './store-recovery.ts';
import { takeOver } from './store-takeover.ts';
import type { LedgerSigner } from './tiles.ts';
import { walFolder } from './wal-folder.ts';
import type { LogName } from './wal-format.ts';

export interface StoreOptions {
  /** Without one nothing is sealed: what is kept waits for a writer that can sign. */
  readonly signer: LedgerSigner | undefined;
  /** Key of the hashes that stand for masked secrets. */
  readonly maskKey: Buffer;
  /** Bytes of a log, and age in seconds of its oldest record, at which it is sealed. */
  readonly sealBytes: number;
  readonly sealAge: number;
  /** Bytes that may wait in memory for the disk, over all logs. */
  readonly memory: number;
  /** Where the work of sealing is done; by default on this thread. */
  readonly openSealer?: OpenSealer;
  /** Told what goes wrong behind the scenes and is tried again, for the operator to read. */
  readonly onProblem?: (error: Error) => void;
}

export interface StoreStats {
  readonly logs: readonly QueueStats[];
  /** Bytes that wait in memory for the disk. */
  readonly waitingBytes: number;
  /** Gaps that are not on disk yet. */
  readonly pendingGaps: number;
  readonly sealing: SealStats;
}

/** The live store, open for writing by this process alone. */
export interface Store extends Records {
  /**
   * Seals all that was appended before the call; resolves with the number of segments once they are in the ledger and their
   * log files are gone. Rejects when the disk or the sealer fails, which is tried again all the same.
   */
  seal(): Promise<number>;
  /** Resolves once all that was appended before is on disk or refused. */
  flush(): Promise<void>;
  stats(): StoreStats;
  /** Flushes, seals and gives the store free, also when one of the former fails; then it rejects. */
  close(): Promise<void>;
}

const longestName = 8 * 1024;
/** ms */
const longestTelling = 2000;
const gapName: LogName = { stream: 'tally', origin: 'gap' };

/**
 * Opens a store for writing, created where there is none, and takes over what its last writer left, however that ended.
 * Throws `input` when another collector has it, `key` when it was begun with another key, `integrity` when its ledger or
 * records that had been safe on disk are damaged.
 */
export async function openStore(path: string, options: StoreOptions): Promise<Store> {
  await makeFolder(path, 0o700).catch((cause: unknown) => {
    throw new TallyError('input', `${path}: the store can't be created; see that its folder can be written`, { cause });
  });
  const unlock = await lockStore(path);
  try {
    const { sealed, left } = await takeOver(path, options.signer, wallClock());
    return liveStore(path, options, sealed, left, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function wallClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

interface OpenLog {
  readonly queue: RecordQueue;
  readonly refusals: RefusalCounter;
  options: LogOptions;
}

function liveStore(
  path: string,
  options: StoreOptions,
  sealed: SealedLogs,
  left: Leftovers,
  unlock: () => void,
): Store {
  const { sealBytes, sealAge, signer, maskKey } = options;
  const budget = memoryBudget(options.memory);
  const slabs = openSlabs();
  const logs = new Map<string, OpenLog>();
  const openSealer = options.openSealer ?? openLiveSealer;
  const line =
    signer === undefined
      ? noSealing
      : sealLine(
          () => openSealer({ store: path, maskKey }),
          segmentLedger(path, signer),
          (error) => options.onProblem?.(error),
        );
  let gapTimer: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;

  const gapLog = openLog(gapName, { resends: true });
  const gaps = gapKeeper(gapLog.queue, wallClock);
  const ready = handOver();

  function openLog(name: LogName, given: LogOptions): OpenLog {
    const key = logKey(name);
    const known = logs.get(key);
    if (known !== undefined) {
      known.options = { ...known.options, ...given };
      return known;
    }
    const refusals = refusalCounter((record) => log.options.timeOf?.(record));
    const queue = recordQueue(name, left.nextSeqs.get(key) ?? sealed.nextSeq(name), {
      wal: walFolder(path),
      budget,
      slabs,
      sealBytes,
      sealAge,
      refusals,
      closed: (file) => void ready.then(() => line.add(file)),
      refused: () => {
        if (closing === undefined) gapTimer ??= setTimeout(tellGaps, 1000);
      },
      replaced: (record, receivedAt) => {
        const time = toTime(log.options.timeOf?.(record) ?? receivedAt);
        const detail = 'records are no text in UTF-8: the bytes that are none were replaced';
        return gaps.keep({ ...name, from: time, until: time, why: 'broken-line', detail, count: 1 });
      },
    });
    const log: OpenLog = { queue, refusals, options: given };
    logs.set(key, log);
    return log;
  }

  /** Gives the sealer what was left, once the gaps that are in it are kept. */
  async function handOver(): Promise<void> {
    await Promise.all(left.torn.map(({ gap }) => gaps.keep(gap)));
    for (const end of left.torn) await cutTornEnd(end);
    for (const { path: done, records } of left.done) if (records > 0) await rm(done, { force: true });
    for (const file of left.files) line.add(file);
  }

  function tellGaps(isLast = false): void {
    clearTimeout(gapTimer);
    gapTimer = undefined;
    for (const {
      queue,
      refusals,
      options: { resends = false },
    } of logs.values()) {
      const { stream, origin, broken } = queue.stats();
      if (broken !== undefined && !isLast) continue; // told when it has recovered
      const refused = refusals.take();
      if (refused === undefined || resends) continue;
      const { count, from, until } = refused;
      const detail = `${count} record${count === 1 ? '' : 's'} could not be kept: the disk was full, failed or was too slow`;
      void gaps.keep({ stream, origin, from: toTime(from), until: toTime(until), why: 'stream-gap', detail, count });
    }
    gaps.retry();
  }

  async function flush(): Promise<void> {
    await Promise.all([...logs.values()].map(({ queue }) => queue.flush()));
  }

  /** What was refused so far is on disk as gaps, or that takes too long: it is never sealed before them if it can be. */
  async function gapsTold(): Promise<void> {
    tellGaps();
    for (let wait = 0; gaps.pending > 0 && wait < longestTelling; wait += 50) await sleep(50);
  }

  async function seal(): Promise<number> {
    await flush();
    await gapsTold();
    const rotated = await Promise.allSettled([...logs.values()].map(({ queue }) => queue.rotate()));
    const failed = rotated.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await ready;
    return line.drain();
  }

  async function close(): Promise<void> {
    const all = [...logs.values()].filter((log) => log !== gapLog);
    const errors: unknown[] = [];
    const attempt = async (step: () => Promise<unknown>): Promise<void> => {
      await step().catch((error: unknown) => errors.push(error));
    };
    try {
      await Promise.all(all.map(({ queue }) => queue.close()));
      tellGaps(true);
      clearTimeout(gapTimer);
      const kept = attempt(() => gaps.close());
      await gapLog.queue.flush();
      await kept;
      await gapLog.queue.close();
      if (gaps.pending === 0) await attempt(() => ready.then(() => line.drain()));
      await attempt(() => line.close());
    } finally {
      unlock();
    }
    if (errors.length > 0) throw errors[0];
  }

  return {
    log: (stream, origin, given = {}) => {
      if (stream.length + origin.length > longestName)
        return Promise.reject(
          new TallyError('input', `a stream and its origin have at most ${longestName} characters`),
        );
      return Promise.resolve<RecordLog>(openLog({ stream, origin }, given).queue);
    },
    gap: (gap: GapRecord) => gaps.keep(gap),
    seal,
    flush,
    stats: () => ({
      logs: [...logs.values()].map(({ queue }) => queue.stats()),
      waitingBytes: budget.used,
      pendingGaps: gaps.pending,
      sealing: line.stats(),
    }),
    close: () => (closing ??= close()),
  };
}
