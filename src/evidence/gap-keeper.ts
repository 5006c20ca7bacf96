import { TallyError } from '../model/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { GapRecord, RecordLog } from './record-log.ts';

/** Keeps gaps until they are on disk: a gap that is lost could make a proof wrong. */
export interface GapKeeper {
  /** Resolves once the gap is on disk, however long that takes. */
  keep(gap: GapRecord): Promise<void>;
  /** Tries now what could not be written before. */
  retry(): void;
  /** Gaps that are not on disk. */
  readonly pending: number;
  /** Tries once more; rejects when gaps could not be kept. */
  close(): Promise<void>;
}

interface PendingGap {
  gap: GapRecord;
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

const retryDelay = 1000;
/** Gaps that are written one by one at a time; beyond, those of the same log and kind become one. */
const manyGaps = 32;

export function gapKeeper(log: RecordLog, now: () => bigint): GapKeeper {
  const waiting = new Set<PendingGap>();
  const writing = new Map<PendingGap, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function keep(gap: GapRecord): Promise<void> {
    const similar =
      waiting.size + writing.size < manyGaps ? undefined : [...waiting].find((each) => isSimilar(each.gap, gap));
    if (similar !== undefined) {
      similar.gap = merge(similar.gap, gap);
      return similar.done;
    }
    let resolve: () => void = () => undefined;
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    waiting.add({ gap, done, resolve });
    if (timer === undefined) writeWaiting();
    return done;
  }

  function writeWaiting(): void {
    for (const each of waiting) {
      if (writing.size >= manyGaps) return;
      waiting.delete(each);
      writing.set(each, write(each));
    }
  }

  async function write(each: PendingGap): Promise<void> {
    try {
      await log.append(canonicalJson(each.gap), now());
      writing.delete(each);
      each.resolve();
      if (timer === undefined) writeWaiting();
    } catch {
      writing.delete(each);
      waiting.add(each);
      if (!isClosed) timer ??= setTimeout(retry, retryDelay);
    }
  }

  function retry(): void {
    clearTimeout(timer);
    timer = undefined;
    writeWaiting();
  }

  return {
    keep,
    retry,
    get pending() {
      return waiting.size + writing.size;
    },
    async close() {
      isClosed = true;
      for (let before = Infinity; waiting.size + writing.size < before;) {
        before = waiting.size + writing.size;
        retry();
        await Promise.all(writing.values());
      }
      const left = waiting.size;
      if (left === 0) return;
      throw new TallyError('input', `${left} gaps could not be written down: the disk is full or fails`, {
        retryable: true,
      });
    },
  };
}

function isSimilar(one: GapRecord, other: GapRecord): boolean {
  return one.stream === other.stream && one.origin === other.origin && one.why === other.why;
}

/** One gap over both; what is unknown of one is unknown of both. */
export function merge(one: GapRecord, other: GapRecord): GapRecord {
  const bound = (a: string | null, b: string | null, pick: (order: boolean) => boolean): string | null =>
    a === null || b === null ? null : pick(a < b) ? a : b;
  return {
    ...one,
    from: bound(one.from, other.from, (isFirst) => isFirst),
    until: bound(one.until, other.until, (isFirst) => !isFirst),
    count: one.count === null || other.count === null ? null : one.count + other.count,
  };
}
