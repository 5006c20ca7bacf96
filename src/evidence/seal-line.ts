import { TallyError } from '../model/errors.ts';
import type { SegmentLedger } from './segment-ledger.ts';
import type { ClosedWal, Sealer } from './sealer.ts';

export interface SealStats {
  /** Files and their bytes that wait to be sealed. */
  readonly waitingFiles: number;
  readonly waitingBytes: number;
  readonly segments: number;
  /** Seconds that sealing has taken, all together and the last time. */
  readonly seconds: number;
  readonly lastSeconds: number;
  readonly failures: number;
  /** Why the last attempt failed; undefined when it did not. */
  readonly lastError: string | undefined;
}

/** Closed log files on their way to the sealer, in order; a failure is tried again. */
export interface SealLine {
  add(file: ClosedWal): void;
  /** Resolves with the number of segments once all that was added before is sealed; rejects when an attempt fails. */
  drain(): Promise<number>;
  stats(): SealStats;
  close(): Promise<void>;
}

/** Files that get into the ledger in one step, at the most. */
const batchFiles = 64;
const firstRetry = 1000;
const longestRetry = 30_000;

interface Drain {
  /** Files of which all have to be sealed. */
  readonly files: Set<ClosedWal>;
  segments: number;
  readonly resolve: (segments: number) => void;
  readonly reject: (error: unknown) => void;
}

export function sealLine(
  open: () => Promise<Sealer>,
  ledger: SegmentLedger,
  onProblem: (error: Error) => void,
): SealLine {
  const waiting: ClosedWal[] = [];
  let drains: Drain[] = [];
  let sealer: Promise<Sealer> | undefined;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delay = firstRetry;
  let isClosed = false;
  const stats = { segments: 0, seconds: 0, lastSeconds: 0, failures: 0, lastError: undefined as string | undefined };

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    running ??= run().finally(() => {
      running = undefined;
      if (waiting.length > 0 && timer === undefined && !isClosed) start();
    });
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchFiles);
      const began = performance.now();
      try {
        const { files, segments } = await ledger.seal(batch, await (sealer ??= open()));
        stats.segments += segments;
        stats.lastError = undefined;
        delay = firstRetry;
        settle(waiting.splice(0, files), segments);
      } catch (error) {
        await failed(error);
        return;
      } finally {
        stats.lastSeconds = (performance.now() - began) / 1000;
        stats.seconds += stats.lastSeconds;
      }
    }
  }

  /** The next attempt has a sealer of its own: this one may be dead. */
  async function failed(cause: unknown): Promise<void> {
    const broken = sealer;
    sealer = undefined;
    await broken?.then((each) => each.close()).catch(() => undefined);
    const error = cause instanceof Error ? cause : new Error(String(cause));
    stats.failures += 1;
    stats.lastError = error.message;
    const failing = drains;
    drains = [];
    for (const { reject } of failing) reject(sealingFailed(error));
    if (!isClosed) timer = setTimeout(start, delay);
    delay = Math.min(2 * delay, longestRetry);
    onProblem(error);
  }

  function settle(batch: readonly ClosedWal[], segments: number): void {
    const open: Drain[] = [];
    for (const drain of drains) {
      for (const file of batch) drain.files.delete(file);
      drain.segments += segments;
      if (drain.files.size === 0) drain.resolve(drain.segments);
      else open.push(drain);
    }
    drains = open;
  }

  return {
    add(file) {
      waiting.push(file);
      if (timer === undefined) start();
    },
    drain() {
      if (waiting.length === 0) return Promise.resolve(0);
      return new Promise((resolve, reject) => {
        drains.push({ files: new Set(waiting), segments: 0, resolve, reject });
        start();
      });
    },
    stats: () => ({
      ...stats,
      waitingFiles: waiting.length,
      waitingBytes: waiting.reduce((total, { bytes }) => total + bytes, 0),
    }),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      await (await sealer)?.close();
    },
  };
}

function sealingFailed(cause: Error): Error {
  if (cause instanceof TallyError) return cause;
  return new TallyError('input', `sealing failed: ${cause.message}; it is tried again`, { cause, retryable: true });
}

/** Leaves every file where it is. */
export const noSealing: SealLine = {
  add: () => undefined,
  drain: () => Promise.resolve(0),
  close: () => Promise.resolve(),
  stats: () => ({
    waitingFiles: 0,
    waitingBytes: 0,
    segments: 0,
    seconds: 0,
    lastSeconds: 0,
    failures: 0,
    lastError: undefined,
  }),
};
