import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import type { RecordLog } from '../evidence/record-log.ts';
import { TallyError } from '../model/errors.ts';
import { type Line, splitLines } from './line-splitter.ts';
import type { TailFile } from './tail-file.ts';
import { startFlight } from './tail-flight.ts';
import type { Loss } from './tail-gap.ts';

export interface ReaderOptions {
  readonly path: string;
  readonly log: RecordLog;
  readonly timeOf: (line: Buffer) => bigint | undefined;
  readonly now: () => bigint;
  /** Keeps a gap. */
  readonly lost: (loss: Loss) => Promise<void>;
  /**
   * Writes the position down, with what stands before `end` to know the file by, before its first record is handed over.
   * Resolves to false when other bytes stand there by now.
   */
  readonly meet: (end: number) => Promise<boolean>;
  readonly longestLine: number;
  /** Bytes that may be handed over and not acknowledged yet. */
  readonly inFlight: number;
  readonly signal: AbortSignal;
}

export interface ReaderStart {
  readonly offset: number;
  /** So many records after `offset` are kept already … */
  readonly skip: number;
  /** … besides the lines that begin at these. */
  readonly ahead: readonly number[];
  readonly lastTime: bigint | undefined;
  /** The position on disk tells the file from others. */
  readonly isKnown: boolean;
}

/** What a step met; `cut`: where the file breaks off. */
export type StepResult = 'bytes' | 'end' | 'changed' | { readonly cut: string };

/** Hands the lines of one file over to the log, each once, and knows up to where they are kept. */
export interface TailReader {
  readonly file: TailFile;
  /** All before it is kept, or told as a gap; `seq`, `ahead`, `lastTime` belong to it (see TailPosition). */
  readonly offset: number;
  readonly seq: number;
  readonly ahead: readonly number[];
  readonly lastTime: bigint | undefined;
  /** Up to where it was read. */
  readonly readTo: number;
  /** A line has begun that is not complete. */
  readonly isInLine: boolean;
  /** Records that are kept, but were not met in the file yet. */
  readonly skip: number;
  /** Something was refused: nothing is read before `goBack`. */
  isRefused(): boolean;
  /** Records handed over and kept. */
  readonly records: number;
  /** Reads on and hands over. Throws when the log fails for good. */
  step(): Promise<StepResult>;
  /** The file gets no more: the line without an end is a record if it is JSON, else a gap. */
  finish(): Promise<void>;
  /** Resolves to whether all that was handed over is kept. */
  settled(signal?: AbortSignal): Promise<boolean>;
  /**
   * After a refusal: goes back to the last acknowledged byte. Resolves to whether records behind the refused one were
   * kept: then the position must be on disk before anything more is handed over.
   */
  goBack(signal: AbortSignal): Promise<boolean>;
  /** The lines to skip will not come any more. */
  forgiveSkip(): void;
}

const chunkBytes = 256 * 1024;
/** Places of broken lines that are told. */
const mostPlaces = 20;

export function tailReader(file: TailFile, start: ReaderStart, options: ReaderOptions): TailReader {
  const { log, signal, timeOf, now } = options;
  const name = basename(options.path);
  let { skip, lastTime, isKnown } = start;
  let records = 0;
  let base = log.nextSeq;
  const ahead = new Set(start.ahead);
  let failure: { readonly cause: unknown } | undefined;
  let flight = takeOff(start.offset, false);
  let splitter = splitLines(start.offset, options.longestLine);
  let readTo = start.offset;
  let timeBefore = lastTime;

  function takeOff(offset: number, careful: boolean): ReturnType<typeof startFlight> {
    return startFlight(offset, {
      limit: options.inFlight,
      careful,
      refused: (cause) => {
        if (!(cause instanceof TallyError && cause.retryable)) failure ??= { cause };
      },
    });
  }

  async function step(): Promise<StepResult> {
    const reading = await file.read(readTo, chunkBytes);
    if (reading.kind === 'cut') return { cut: reading.detail };
    if (reading.kind !== 'bytes') return reading.kind;
    const broken = brokenLines();
    let isWhole = true;
    for (const line of splitter.push(reading.bytes)) {
      isWhole = await take(line, broken);
      if (!isWhole) break;
    }
    broken.tell(isWhole);
    if (isWhole) {
      readTo += reading.bytes.length;
      flight.pass(splitter.lineStart);
    } else if (!isKnown) {
      readFrom(start.offset);
      return 'changed';
    }
    for (const at of ahead) if (at < flight.offset) ahead.delete(at);
    check();
    return 'bytes';
  }

  async function take(line: Line, broken: ReturnType<typeof brokenLines>): Promise<boolean> {
    if (line.bytes === undefined || !isUtf8(line.bytes)) {
      broken.add(line);
      return true;
    }
    const time = timeOf(line.bytes);
    broken.timeAfter(time);
    timeBefore = time ?? timeBefore;
    return handOver(line, line.bytes, time);
  }

  async function handOver(line: Line, bytes: Buffer, time: bigint | undefined): Promise<boolean> {
    if (ahead.has(line.start) || skip > 0) {
      if (!ahead.has(line.start)) {
        skip -= 1;
        ahead.add(line.start); // should a refusal lead back before it
      }
      flight.pass(line.end, time);
      return true;
    }
    isKnown ||= await options.meet(line.end);
    if (!isKnown) return false;
    // Also lets the log tell that it refused the one before: what comes after it must wait then.
    await flight.room(bytes.length, signal);
    if (flight.refused || signal.aborted) return false;
    flight.add(line, bytes.length, log.append(bytes, now()), true, time);
    return true;
  }

  /** What of a chunk is no text, or too long, is one gap. Until it is kept, it holds the place of the first such line. */
  function brokenLines(): {
    add: (line: Line) => void;
    timeAfter: (time: bigint | undefined) => void;
    tell: (isWhole: boolean) => void;
  } {
    const places: number[] = [];
    let count = 0;
    let after: bigint | undefined;
    let before: bigint | undefined;
    let settle: { resolve: (done: Promise<void> | undefined) => void; reject: (error: Error) => void } | undefined;
    return {
      add(line) {
        count += 1;
        before = undefined;
        if (places.length < mostPlaces) places.push(line.start);
        if (settle !== undefined) return;
        after = timeBefore;
        const done = new Promise<void>((resolve, reject) => void (settle = { resolve, reject }));
        flight.add(line, 0, done, false);
      },
      timeAfter(time) {
        if (count > 0) before ??= time;
      },
      tell(isWhole) {
        if (!isWhole) settle?.reject(new TallyError('input', 'read again', { retryable: true }));
        else if (count > 0) settle?.resolve(options.lost({ ...notText(places, count), after, before }));
      },
    };
  }

  function notText(places: readonly number[], count: number): Pick<Loss, 'why' | 'detail' | 'count'> {
    const where = places.join(', ') + (count > places.length ? ', …' : '');
    const lines = `${count} line${count === 1 ? '' : 's'}`;
    const detail = `${lines} of ${name} could not be read (not UTF-8, or longer than ${options.longestLine} bytes): at byte ${where}`;
    return { why: 'broken-line', detail, count };
  }

  async function finish(): Promise<void> {
    const line = splitter.rest();
    if (line === undefined) return;
    if (line.bytes !== undefined && isUtf8(line.bytes) && isJson(line.bytes)) {
      await handOver(line, line.bytes, timeOf(line.bytes));
      return;
    }
    const detail = `${name} ended in the middle of a line, at byte ${line.start}`;
    const loss = { why: 'truncated-file', detail, after: timeBefore, before: undefined, count: 1 };
    flight.add(line, 0, options.lost(loss), false);
  }

  async function settled(until = signal): Promise<boolean> {
    await flight.settled(until);
    check();
    return !flight.refused && !until.aborted;
  }

  async function goBack(until: AbortSignal): Promise<boolean> {
    await flight.settled(until);
    if (until.aborted) return false;
    const { offset, kept } = flight;
    const kin = flight.ahead();
    for (const at of kin) ahead.add(at);
    records += kept + kin.length;
    lastTime = flight.lastTime ?? lastTime;
    timeBefore = lastTime;
    base = log.nextSeq;
    flight = takeOff(offset, true);
    readFrom(offset);
    return kin.length > 0;
  }

  function readFrom(offset: number): void {
    splitter = splitLines(offset, options.longestLine);
    readTo = offset;
  }

  function check(): void {
    if (failure !== undefined && !signal.aborted) throw failure.cause;
  }

  return {
    file,
    get offset() {
      return flight.offset;
    },
    get seq() {
      return base + flight.kept - skip;
    },
    get ahead() {
      return [...ahead].filter((at) => at >= flight.offset);
    },
    get lastTime() {
      return flight.lastTime ?? lastTime;
    },
    get readTo() {
      return readTo;
    },
    get isInLine() {
      return splitter.lineStart !== readTo;
    },
    get skip() {
      return skip;
    },
    isRefused: () => flight.refused,
    get records() {
      return records + flight.kept;
    },
    step,
    finish,
    settled,
    goBack,
    forgiveSkip: () => void (skip = 0),
  };
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
