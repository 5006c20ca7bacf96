import { basename } from 'node:path';
import { followerDefaults, type FollowerOptions, type LineFollower } from './follower-options.ts';
import { splitLines } from './line-splitter.ts';
import { pause } from './pause.ts';
import { listRotated } from './rotated-files.ts';
import { isPassing, openLink, tailChain } from './tail-chain.ts';
import type { TailFile } from './tail-file.ts';
import { gapTeller, type Loss } from './tail-gap.ts';
import { tailKeeper } from './tail-keeper.ts';
import { locate } from './tail-locate.ts';
import { readPosition, type TailPosition } from './tail-position.ts';
import { type ReaderStart, type TailReader, tailReader } from './tail-reader.ts';
import { wayState } from './tail-way.ts';

/**
 * Follows a file of lines: each is handed over once, in order, across rotation, compression and restarts. It reads no faster
 * than the log acknowledges, so that nothing is lost while the log can't keep anything. What is lost is told as a gap.
 */
export function lineFollower(options: FollowerOptions): LineFollower {
  const settings = { ...followerDefaults, ...options };
  const { path, log, now, pollMs, retryMs, patienceMs } = settings;
  const name = basename(path);
  const chain = tailChain(path);
  const gaps = gapTeller(settings);
  const way = wayState(settings.told, BigInt(Math.round(settings.reportMs * 1_000_000)));
  const keeper = tailKeeper({ ...settings, chain, way });
  let signal: AbortSignal = new AbortController().signal;
  let reader: TailReader | undefined;
  let isStarted = false;
  /** Told as soon as the first line after it is there, for its end. */
  let loss: Loss | undefined;
  let lastTime: bigint | undefined;
  let lookedAt: bigint | undefined;
  let lookedTick = -Infinity;
  let quietSince: number | undefined;
  let records = 0;
  /** Where something was refused, until it was kept. */
  let stuckAt: number | undefined;
  let trouble: string | undefined;

  async function start(): Promise<boolean> {
    const position = await readPosition(settings.statePath);
    if (position === 'none' && log.nextSeq === 0) {
      for (const { key } of await listRotated(path)) if (key !== undefined) chain.done.add(key);
      return true;
    }
    if (position === 'none' || position === 'damaged' || !isBelievable(position, log.nextSeq)) {
      lastTime = options.keptUntil;
      lose('stream-gap', `how far ${name} had been read is not known any more`);
      return true;
    }
    const located = await locate(path, position);
    if (located === 'waiting') return false;
    for (const key of position.done) chain.done.add(key);
    lastTime = position.lastTime === null ? undefined : BigInt(position.lastTime);
    keeper.resume(position);
    if (located === 'unread') return true;
    if (located === 'lost') {
      lose('stream-gap', `${name}, as it was read before, is not there any more, nor under another name`);
      return true;
    }
    const { link, fit } = located;
    chain.add(link);
    if (fit === 'cut') lose('truncated-file', `${name} is shorter than what had been read of it`);
    else if (link.file !== undefined) {
      const { offset, seq, ahead, print } = position;
      read(link.file, { offset, skip: log.nextSeq - seq, ahead, lastTime, isKnown: print?.offset !== 0 });
      // the next position must not say less: what was handed over since the last one could not be told any more
      keeper.setKnown(print?.offset ?? 0);
    }
    return true;
  }

  function lose(why: string, detail: string): void {
    loss ??= { why, detail, after: lastTime, before: undefined, count: null };
  }

  function read(file: TailFile, from: ReaderStart): void {
    quietSince = undefined;
    keeper.turn();
    reader = tailReader(file, from, { ...settings, lost: (lines) => gaps.tell(lines), meet, signal });
  }

  async function pass(): Promise<boolean> {
    if (!isStarted) isStarted = await start();
    if (!isStarted) return false;
    await look();
    if (reader?.isRefused() === true) return goBack(reader);
    if (reader === undefined) return begin();
    const result = await reader.step();
    if (reader.isRefused()) return true;
    if (result === 'bytes') quietSince = undefined;
    else if (result === 'changed') await takeAsIs(reader);
    else return atEnd(reader, result === 'end' ? undefined : result.cut);
    return true;
  }

  /** Also while nothing can be kept: what is known to be there can be missed when it is gone. */
  async function look(): Promise<void> {
    if (performance.now() - lookedTick < pollMs) return;
    const at = now(); // what is written from here on may be in a file that is not seen yet
    if (await chain.refresh()) lookedAt = at;
    lookedTick = performance.now();
  }

  async function goBack(from: TailReader): Promise<boolean> {
    note('records can not be kept at the moment');
    stuckAt = from.offset;
    const mustSave = await from.goBack(signal);
    await pause(retryMs / 1000, signal);
    if (mustSave) await saveSurely();
    return true;
  }

  /** Opens the next file. Nothing of it is handed over before its position is on disk: see TailPosition. */
  async function begin(): Promise<boolean> {
    const [link] = chain.links;
    if (link === undefined) return false;
    const file = await openLink(link);
    if (file === undefined) {
      lose('stream-gap', `a file that ${name} was rotated to was gone before it was read`);
      await chain.drop(false);
      return true;
    }
    link.file = file;
    if (link.broken) lose('stream-gap', `${name} was rotated, and files between may be gone`);
    const first = await firstTime(file, link.from);
    if (loss !== undefined) await tellLoss({ ...loss, before: first });
    else if (keeper.since === undefined) keeper.setSince(gaps.upTo(first));
    read(file, { offset: link.from, skip: 0, ahead: [], lastTime, isKnown: link.from > 0 });
    await saveSurely();
    loss = undefined;
    return true;
  }

  async function tellLoss(told: Loss): Promise<void> {
    way.broken(told.detail, keeper.until ?? now(), true);
    await insist(() => gaps.tell(told));
    keeper.setSince(gaps.upTo(told.before));
  }

  async function firstTime(file: TailFile, from: number): Promise<bigint | undefined> {
    const reading = await file.read(from, 1 << 20);
    if (reading.kind !== 'bytes') return undefined;
    const [line] = splitLines(from, settings.longestLine).push(reading.bytes);
    return line?.bytes === undefined ? undefined : settings.timeOf(line.bytes);
  }

  /** Nothing is handed over of a file that could not be told from another one after a restart. */
  async function meet(end: number): Promise<boolean> {
    keeper.setKnown(end);
    return saveSurely();
  }

  /** Rewritten in place, or cut. */
  async function takeAsIs(from: TailReader): Promise<void> {
    await from.finish();
    await from.settled();
    throwIfStopped();
    putAway(from);
    const [link] = chain.links;
    if (link !== undefined) link.from = await from.file.accept();
    lose('truncated-file', `${name} was emptied or rewritten while it was followed`);
  }

  async function atEnd(from: TailReader, cut: string | undefined): Promise<boolean> {
    const [, next] = chain.links;
    if (next === undefined || (chain.links.length === 2 && next.size === 0)) {
      if (!chain.isThere || cut !== undefined) return false;
      if (from.skip > 0 && next === undefined) await endIsLost(from);
      if (!from.isInLine && lookedAt !== undefined) keeper.mark(from.readTo, lookedAt);
      return false;
    }
    // its writer may still be at it
    quietSince ??= performance.now();
    const wait = cut !== undefined ? patienceMs : from.file.packed ? 0 : 2 * pollMs;
    if (performance.now() - quietSince < wait) return false;
    await from.finish();
    if (!(await from.settled())) return true;
    putAway(from);
    if (cut !== undefined) lose('truncated-file', cut);
    if (from.skip > 0) lose('truncated-file', lostEnd(from));
    await chain.drop(true);
    return true;
  }

  function putAway(from: TailReader): void {
    lastTime = from.lastTime;
    records += from.records;
    reader = undefined;
  }

  /** As after a power failure: what the log had made sure of was not yet sure in the file. */
  async function endIsLost(from: TailReader): Promise<void> {
    const detail = lostEnd(from);
    await tellLoss({ why: 'truncated-file', detail, after: from.lastTime, before: undefined, count: null });
    from.forgiveSkip();
    await saveSurely();
  }

  function lostEnd({ skip }: TailReader): string {
    return `the end of ${name} is gone: it held ${skip} lines more that are kept, and perhaps others`;
  }

  async function saveSurely(): Promise<boolean> {
    let isSaved = false;
    await insist(async () => {
      if (reader !== undefined) isSaved = await keeper.save(reader);
    });
    return isSaved;
  }

  /** Until it works, or all is to end. */
  async function insist(step: () => Promise<void>): Promise<void> {
    for (;;) {
      throwIfStopped();
      try {
        await step();
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        note(messageOf(error));
      }
      await pause(retryMs / 1000, signal);
      await look().catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
    }
  }

  function throwIfStopped(): void {
    if (signal.aborted) throw new Stopped();
  }

  function note(message: string | undefined): void {
    if (message === trouble) return;
    trouble = message;
    settings.trouble(message);
  }

  async function attempt(): Promise<boolean> {
    try {
      const isMoved = await pass();
      if (reader?.isRefused() !== true) {
        if (reader !== undefined) await keeper.keep(reader);
        if (reader?.offset !== stuckAt) stuckAt = undefined;
        if (stuckAt === undefined) note(isMissing() ? 'there is no such file' : undefined);
      }
      return isMoved;
    } catch (error) {
      if (!isPassing(error)) throw error;
      note(messageOf(error));
      await pause(retryMs / 1000, signal);
      return true;
    } finally {
      tellDelay();
    }
  }

  function isMissing(): boolean {
    return lookedTick > -Infinity && !chain.isThere;
  }

  function tellDelay(): void {
    if (way.isConnected && keeper.isLate())
      way.broken(trouble ?? 'what is written can not be read or kept in time', keeper.until ?? now(), false);
  }

  async function stop(): Promise<void> {
    if (reader !== undefined) await end(reader).catch((error: unknown) => note(messageOf(error)));
    way.broken('collector stopped', keeper.until ?? now(), false);
    await chain.close();
  }

  async function end(from: TailReader): Promise<void> {
    const patience = AbortSignal.timeout(patienceMs);
    await from.settled(patience);
    if (from.isRefused()) await from.goBack(patience);
    if (!from.isRefused()) await keeper.save(from);
  }

  return {
    async run(ending) {
      signal = ending;
      try {
        while (!ending.aborted) if (!(await attempt())) await pause(pollMs / 1000, ending);
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
      } finally {
        await stop();
      }
    },
    status() {
      const there = chain.links.reduce((sum, { size }) => sum + size, 0);
      return {
        path,
        isConnected: way.isConnected,
        lagBytes: Math.max(0, there - (reader?.offset ?? 0)),
        records: records + (reader?.records ?? 0),
        gaps: gaps.count,
        lastTime: reader?.lastTime ?? lastTime,
        wholeUntil: keeper.until,
        trouble,
      };
    },
  };
}

/** What was kept after the position was written came from a file that it tells from others, and nothing kept is gone. */
function isBelievable({ seq, print }: TailPosition, nextSeq: number): boolean {
  return nextSeq === seq || (nextSeq > seq && print?.offset !== 0);
}

class Stopped extends Error {
  override readonly name = 'Stopped';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
