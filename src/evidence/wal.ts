import { randomBytes } from 'node:crypto';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { makeFolder, syncFolder } from './atomic-file.ts';
import { isMissing } from './missing-file.ts';
import { encodeHeader, encodeMark, encodeRecord, parseWal, saltBytes, type WalContent } from './wal-format.ts';

export type { WalContent, WalRecord } from './wal-format.ts';

export interface WalOptions {
  /** Sequence number of the first record of a new file; an existing file keeps its own. */
  readonly firstSeq?: number;
  /** Longest time that a record waits for its fsync to begin. */
  readonly maxDelayMs?: number;
  /** Bytes at which the fsync begins at once. */
  readonly maxBytes?: number;
}

/** The log of one (stream, origin) that is not sealed yet. One writer at a time. */
export interface Wal {
  /** What was in the file when it was opened. */
  readonly recovered: WalContent;
  readonly firstSeq: number;
  /**
   * Resolves once the record is on disk; records keep the order of the calls. Rejects with a retryable `input` when it
   * could not be written. The file then holds what was acknowledged and takes no more until it is opened again.
   */
  append(record: Buffer, receivedAtNs: bigint): Promise<void>;
  /** Writes what is waiting and closes the file. */
  close(): Promise<void>;
}

/**
 * Reads a log back after whatever ended its writer, and cuts off a torn end, which the caller records as a gap. Every record
 * that was acknowledged is there once. Throws `integrity` when one of those is damaged.
 */
export async function recoverWal(path: string): Promise<WalContent> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    if (isMissing(cause)) return Buffer.alloc(0);
    throw new TallyError('input', `${path}: can't be read`, { cause });
  });
  const content = parseWal(bytes, path);
  if (content.torn === undefined) return content;
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(content.torn.offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return content;
}

/** Opens a log for appending, created with mode 600 where there is none. */
export async function openWal(path: string, options: WalOptions = {}): Promise<Wal> {
  await makeFolder(dirname(path), 0o700);
  const recovered = await recoverWal(path);
  const firstSeq = recovered.firstSeq ?? options.firstSeq ?? 0;
  const salt = recovered.firstSeq === undefined ? randomBytes(saltBytes) : recovered.salt;
  const handle = await open(path, 'a', 0o600);
  await handle.chmod(0o600);
  if (recovered.firstSeq === undefined) {
    await handle.appendFile(encodeHeader(firstSeq, salt));
    await handle.sync();
    await syncFolder(dirname(path));
  }
  const { size } = await handle.stat();
  return { recovered, firstSeq, ...groupCommit(path, handle, salt, size, options) };
}

interface Waiting {
  readonly frame: Buffer;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function groupCommit(
  path: string,
  handle: FileHandle,
  salt: Buffer,
  openedSize: number,
  { maxDelayMs = 250, maxBytes = 1 << 20 }: WalOptions,
): Pick<Wal, 'append' | 'close'> {
  let queue: Waiting[] = [];
  let queuedBytes = 0;
  let durableBytes = openedSize;
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;
  let ended: TallyError | undefined;

  function schedule(): void {
    const [first] = queue;
    if (flushing !== undefined || first === undefined) return;
    if (queuedBytes >= maxBytes) startFlush();
    else timer ??= setTimeout(startFlush, Math.max(0, first.since + maxDelayMs - performance.now()));
  }

  function startFlush(): void {
    clearTimeout(timer);
    timer = undefined;
    flushing = flush().finally(() => {
      flushing = undefined;
      schedule();
    });
  }

  async function flush(): Promise<void> {
    const group = queue;
    queue = [];
    queuedBytes = 0;
    try {
      const bytes = Buffer.concat(group.map(({ frame }) => frame));
      await handle.appendFile(bytes);
      await handle.datasync();
      durableBytes += bytes.length;
      for (const { resolve } of group) resolve();
      group.length = 0;
      const mark = encodeMark(salt, durableBytes);
      await handle.appendFile(mark);
      durableBytes += mark.length; // the next sync comes before the next mark
    } catch (cause) {
      await fail([...group, ...queue], cause);
    }
  }

  async function fail(unwritten: readonly Waiting[], cause: unknown): Promise<void> {
    ended = new TallyError('input', `${path}: can't be written; make room for it, then open it again`, {
      cause,
      retryable: true,
    });
    queue = [];
    // A record that is rejected will be sent again, so it may not stay. Recovery cuts what can't be cut now.
    await handle.truncate(durableBytes).catch(() => undefined);
    for (const { reject } of unwritten) reject(ended);
  }

  return {
    append(record, receivedAtNs) {
      if (ended !== undefined) return Promise.reject(ended);
      const frame = encodeRecord(salt, record, receivedAtNs);
      return new Promise((resolve, reject) => {
        queue.push({ frame, since: performance.now(), resolve, reject });
        queuedBytes += frame.length;
        schedule();
      });
    },
    async close() {
      ended ??= new TallyError('input', `${path}: is closed`);
      while (queue.length > 0 || flushing !== undefined) {
        if (flushing === undefined) startFlush();
        await flushing;
      }
      await handle.datasync();
      await handle.close();
    },
  };
}
