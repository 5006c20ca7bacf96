import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf } from './file-name.ts';
import type { ClosedWal } from './sealer.ts';
import { createWalFile, type WalFile } from './wal-file.ts';
import { type LogName, saltBytes } from './wal-format.ts';

export interface SeriesOptions {
  /** Folder of the log files. */
  readonly wal: string;
  /** Bytes, and seconds since its first record, after which a file is closed. */
  readonly sealBytes: number;
  readonly sealAge: number;
  /** A file takes no more records; told in order. */
  readonly closed: (file: ClosedWal) => void;
}

/** The files of one log, one after the other. One call at a time. */
export interface WalSeries {
  readonly salt: Buffer;
  /** Number of the next record to be written. */
  readonly nextSeq: number;
  /** Bytes that the current file has room for. */
  readonly room: number;
  /** Frames that are on disk when it resolves. After a failure comes `recover`. */
  write(frames: readonly Buffer[], records: number): Promise<void>;
  /** Notes in the file how much of it is on disk, and closes it when it is due. */
  settle(): Promise<void>;
  /** Cuts off what failed writes have left, and shows that it can write. */
  recover(): Promise<void>;
  /** Closes the current file, if it has records. */
  rotate(): Promise<void>;
  /** Closes the current file for good; one without records goes. */
  close(): Promise<void>;
}

const longestTimer = 2 ** 31 - 1;

export function walSeries(name: LogName, firstSeq: number, options: SeriesOptions, onDue: () => void): WalSeries {
  const salt = randomBytes(saltBytes);
  let nextSeq = firstSeq;
  let file: WalFile | undefined;
  let timer: NodeJS.Timeout | undefined;

  function start(): Promise<WalFile> {
    const path = join(options.wal, fileNameOf(name.stream), `${fileNameOf(name.origin)}-${nextSeq}.wal`);
    return createWalFile(path, name, nextSeq, salt);
  }

  async function rotate(): Promise<void> {
    if (file === undefined || file.records === 0) return;
    clearTimeout(timer);
    timer = undefined;
    const done = file;
    file = undefined;
    await done.close().catch(() => undefined); // all but its last mark has been on disk before
    options.closed({ ...name, path: done.path, firstSeq: done.firstSeq, records: done.records, bytes: done.bytes });
  }

  return {
    salt,
    get nextSeq() {
      return nextSeq;
    },
    get room() {
      return options.sealBytes - (file?.bytes ?? 0);
    },
    async write(frames, records) {
      file ??= await start();
      await file.write(frames, records);
      nextSeq += records;
      timer ??= setTimeout(onDue, Math.min(options.sealAge * 1000, longestTimer));
    },
    async settle() {
      await file?.mark();
      if (file !== undefined && file.bytes >= options.sealBytes) await rotate();
    },
    async recover() {
      file ??= await start();
      await file.rollBack();
      await file.mark();
    },
    rotate,
    async close() {
      await file?.rollBack().catch(() => undefined); // recovery takes what can't be cut now for torn
      await rotate();
      if (file === undefined) return;
      await file.close().catch(() => undefined);
      await rm(file.path, { force: true }).catch(() => undefined);
    },
  };
}
