import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, syncFolder } from './atomic-file.ts';
import { encodeHeader, encodeMark, encodeName, type LogName } from './wal-format.ts';

/** A log file that is being written. One call at a time. */
export interface WalFile {
  readonly path: string;
  readonly firstSeq: number;
  /** Records and bytes on disk. */
  readonly records: number;
  readonly bytes: number;
  /** Adds frames; they are on disk when it resolves. After a failure `rollBack` comes before anything else. */
  write(frames: readonly Buffer[], records: number): Promise<void>;
  /** Notes in the file what is on disk; the note itself need not be. */
  mark(): Promise<void>;
  /** Cuts off whatever failed writes have left. */
  rollBack(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a log file. A file of that name has a whole header, whenever its writer was ended. */
export async function createWalFile(path: string, name: LogName, firstSeq: number, salt: Buffer): Promise<WalFile> {
  await makeFolder(dirname(path), 0o700);
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    const start = Buffer.concat([encodeHeader(firstSeq, salt), encodeName(salt, name)]);
    await writeAll(handle, [start], 0);
    await handle.datasync();
    await rename(`${path}.tmp`, path);
    await syncFolder(dirname(path));
    return walFile(handle, path, firstSeq, salt, start.length);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function walFile(handle: FileHandle, path: string, firstSeq: number, salt: Buffer, start: number): WalFile {
  let records = 0;
  let bytes = start;
  return {
    path,
    firstSeq,
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
    async write(frames, count) {
      const written = await writeAll(handle, frames, bytes);
      await handle.datasync();
      bytes += written;
      records += count;
    },
    async mark() {
      bytes += await writeAll(handle, [encodeMark(salt, bytes)], bytes);
    },
    async rollBack() {
      await handle.truncate(bytes);
      await handle.sync();
    },
    async close() {
      try {
        await handle.datasync();
      } finally {
        await handle.close();
      }
    },
  };
}

/** The kernel may take only a part, for one when the disk is full; then the next call tells why. */
async function writeAll(handle: FileHandle, buffers: readonly Buffer[], position: number): Promise<number> {
  let rest = [...buffers];
  let at = position;
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    while (rest[0] !== undefined && bytesWritten >= rest[0].length) {
      bytesWritten -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] !== undefined) rest = [rest[0].subarray(bytesWritten), ...rest.slice(1)];
  }
  return at - position;
}
