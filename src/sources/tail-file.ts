import { constants, type BigIntStats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { TallyError } from '../model/errors.ts';
import { openInput } from './open-input.ts';
import { fingerprintBytes, type Fingerprint, takeFingerprint } from './tail-fingerprint.ts';

/** A file by device and inode; both are decimal, since they may pass 2^53. An inode is used again once its file is gone. */
export interface FileId {
  readonly dev: string;
  readonly ino: string;
  /** When the inode was created, ns; 0 where the file system does not tell. */
  readonly born: string;
}

export type Reading =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  /** Shorter than it was, or other bytes stand where these were read before. */
  | { readonly kind: 'changed' }
  /** Compressed, and it breaks off. */
  | { readonly kind: 'cut'; readonly detail: string };

/** A file of lines that is open: its inode is not used again meanwhile. Offsets are those of the plain bytes. */
export interface TailFile {
  readonly id: FileId;
  readonly packed: boolean;
  read(offset: number, most: number): Promise<Reading>;
  /** Undefined while it is compressed. */
  size(): Promise<number | undefined>;
  /** What stands before `offset`; undefined when that is no longer sure, or the file is compressed. */
  fingerprint(offset: number): Promise<Fingerprint | undefined>;
  /** The same of all that is in it now, whatever was read before. */
  content(): Promise<Fingerprint | undefined>;
  /** Takes what was changed as it is now; gives where to go on: after what is left of it if it was cut, else at 0. */
  accept(): Promise<number>;
  close(): Promise<void>;
}

export function toFileId(stat: BigIntStats): FileId {
  return { dev: String(stat.dev), ino: String(stat.ino), born: String(stat.birthtimeNs) };
}

export function isSameFile(one: FileId, other: FileId): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

export async function openPlain(path: string): Promise<TailFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe must not hold us up
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) {
    await handle.close();
    throw new TallyError('input', `can't follow ${path}: it is no regular file; name the export file`);
  }
  /** The last bytes that were read, and where they end: as long as they stand there, nothing was rewritten. */
  let seen: Buffer = Buffer.alloc(0);
  let seenEnd = 0;
  let head: Buffer = Buffer.alloc(0);

  async function bytesAt(from: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  /** Asked after each reading: then what was read stood in the file as it was. */
  async function isAsSeen(): Promise<boolean> {
    if ((await handle.stat()).size < seenEnd) return false;
    return (await bytesAt(seenEnd - seen.length, seen.length)).equals(seen);
  }

  async function moveTo(offset: number): Promise<boolean> {
    if (offset === seenEnd) return true;
    const length = Math.min(offset, fingerprintBytes);
    const before = await bytesAt(offset - length, length);
    if (before.length < length || !(await isAsSeen())) return false;
    seen = before;
    seenEnd = offset;
    return true;
  }

  return {
    id: toFileId(stat),
    packed: false,
    async read(offset, most) {
      const { size } = await handle.stat();
      if (size < offset || !(await moveTo(offset))) return { kind: 'changed' };
      const bytes = await bytesAt(offset, Math.min(most, size - offset));
      const begin = head.length < fingerprintBytes ? await bytesAt(0, Math.min(seenEnd, fingerprintBytes)) : head;
      if (!(await isAsSeen())) return { kind: 'changed' };
      head = begin;
      if (bytes.length === 0) return { kind: 'end' };
      seen = Buffer.concat([seen, bytes.subarray(-fingerprintBytes)]).subarray(-fingerprintBytes);
      seenEnd = offset + bytes.length;
      return { kind: 'bytes', bytes };
    },
    size: async () => (await handle.stat()).size,
    async fingerprint(offset) {
      const print = await takeFingerprint(offset, bytesAt);
      return (await isAsSeen()) ? print : undefined;
    },
    content: async () => takeFingerprint((await handle.stat()).size, bytesAt),
    async accept() {
      const { size } = await handle.stat();
      const length = Math.min(size, head.length);
      const isCut = length > 0 && size < seenEnd && (await bytesAt(0, length)).equals(head.subarray(0, length));
      if (!isCut) head = Buffer.alloc(0);
      seen = Buffer.alloc(0);
      seenEnd = 0;
      return isCut ? size : 0;
    },
    close: () => handle.close(),
  };
}

/** Gzip, decompressed as it is read. Reading from before where it was read to begins anew. */
export async function openPacked(path: string): Promise<TailFile> {
  const handle: FileHandle = await open(path);
  const id = toFileId(await handle.stat({ bigint: true }));
  let chunks: AsyncGenerator<Buffer, void, undefined> | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;

  async function isGzip(): Promise<boolean> {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  }

  async function restart(): Promise<void> {
    await chunks?.return();
    chunks = undefined;
    rest = Buffer.alloc(0);
    at = 0;
  }

  return {
    id,
    packed: true,
    async read(offset, most) {
      if (offset < at) await restart();
      // told apart by its first bytes, half a one could pass for plain text
      if (!(await isGzip())) return { kind: 'cut', detail: `${path} is compressed by its name, but not gzip` };
      try {
        chunks ??= await openInput(path);
        while (at + rest.length <= offset) {
          at += rest.length;
          rest = Buffer.alloc(0);
          const next = await chunks.next();
          if (next.done === true) return { kind: 'end' };
          rest = next.value;
        }
      } catch (error) {
        if (!(error instanceof TallyError)) throw error;
        await restart();
        return { kind: 'cut', detail: error.message };
      }
      const bytes = rest.subarray(offset - at, offset - at + most);
      rest = rest.subarray(offset - at + bytes.length);
      at = offset + bytes.length;
      return { kind: 'bytes', bytes };
    },
    size: () => Promise.resolve(undefined),
    fingerprint: () => Promise.resolve(undefined),
    content: () => Promise.resolve(undefined),
    accept: () => Promise.resolve(0),
    async close() {
      await restart();
      await handle.close();
    },
  };
}
