import { existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type FollowedFile, followExport, followLines, type FollowTuning } from '../../src/sources/file-tail.ts';
import { type Disk, openFake } from './file-tail-disk.ts';

/** Followers of one file, one after the other. */
export interface Runs {
  readonly disk: Disk;
  /** Records of the file. */
  lines(): string[];
  /** Lines about the way in. */
  told(): Record<string, unknown>[];
  start(): Promise<FollowedFile>;
  stop(): Promise<void>;
  /** As SIGKILL: nothing of it reaches records or state any more. */
  kill(survivors?: number): Promise<void>;
  /** Until all that is in the files is kept, or told as lost. */
  caughtUp(): Promise<void>;
  readonly troubles: string[];
  readonly statePath: string;
}

const quick: FollowTuning = { pollMs: 2, retryMs: 3, saveMs: 10, reportMs: 40, patienceMs: 5000 };

/** `exact`: as other files of lines are followed, whose gaps are no wider than the lines around them. */
export function runsOf(path: string, disk: Disk, folder: string, tuning: FollowTuning = {}, exact = false): Runs {
  let at = 0;
  let statePath = `${folder}/state-0.json`;
  let current: { file: FollowedFile; end: AbortController; done: Promise<void>; records: ReturnType<typeof openFake> };
  let isRunning = false;
  const troubles: string[] = [];
  onTestFinished(() => (isRunning ? stop() : undefined));

  async function start(): Promise<FollowedFile> {
    const records = openFake(disk);
    const end = new AbortController();
    const log = (message: string): void => void troubles.push(message);
    const options = { path, records, statePath, log, ...quick, ...tuning };
    const file = exact
      ? await followLines({ stream: 'tetragon', origin: 'n', ...options })
      : await followExport({ node: 'n', ...options });
    current = { file, end, done: file.run(end.signal), records };
    current.done.catch(() => undefined);
    isRunning = true;
    return file;
  }

  async function stop(): Promise<void> {
    isRunning = false;
    current.end.abort();
    await current.done;
  }

  return {
    disk,
    troubles,
    get statePath() {
      return statePath;
    },
    lines: () => disk.kept.get('tetragon/n') ?? [],
    told: () => (disk.kept.get('sensor/n') ?? []).map((line) => JSON.parse(line) as Record<string, unknown>),
    start,
    stop,
    async kill(survivors = 0) {
      // Position and records are taken at one moment; what the old one still writes goes where nobody looks.
      isRunning = false;
      const old = statePath;
      at += 1;
      statePath = `${folder}/state-${at}.json`;
      current.records.kill(survivors);
      if (existsSync(old)) await copyFile(old, statePath);
      current.end.abort();
      current.records.bury();
      await current.done;
      await rm(old, { force: true });
    },
    async caughtUp() {
      const { file } = current;
      const from = BigInt(Date.now()) * 1_000_000n;
      for (;;) {
        const { wholeUntil, lagBytes, isConnected } = file.status();
        if (isConnected && wholeUntil !== undefined && wholeUntil > from && lagBytes === 0) return;
        await Promise.race([sleep(2), current.done]);
        if (!isRunning) return;
      }
    },
  };
}
