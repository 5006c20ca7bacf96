import { once } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { TallyError } from '../model/errors.ts';

/**
 * Opens a file for reading as a stream of decompressed chunks: plain, gzip (also several members in a row) or zstd, told
 * apart by their first bytes, since names lie (a download may already be decompressed). At most one chunk and what it
 * decompresses to is in memory.
 *
 * Throws TallyError `input` when the file can't be opened. Iterating throws TallyError `input` where the data is cut off
 * or damaged, after all that could be decompressed before. The file is closed when the iteration ends, so begin one.
 */
export async function openInput(path: string): Promise<AsyncGenerator<Buffer, void, undefined>> {
  const file = await openFile(path);
  return readChunks(file, path);
}

async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'there is no such file; check the path' : `${reason(cause)}; check that it may be read`;
    throw new TallyError('input', `can't open ${path}: ${what}`, { cause });
  }
  if ((await file.stat()).isDirectory()) {
    await file.close();
    throw new TallyError('input', `can't read ${path}: it is a folder; name the files in it`);
  }
  return file;
}

async function* readChunks(file: FileHandle, path: string): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  try {
    const raw = file.createReadStream() as AsyncIterable<Buffer>;
    for await (const chunk of decompress(raw, path)) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw new TallyError(
      'input',
      `${path} is cut off or damaged after ${bytes} decompressed bytes (${reason(cause)}); copy it again from where it was written`,
      { cause },
    );
  }
}

async function* decompress(raw: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer, void, undefined> {
  let decoder: Decoder | undefined;
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of raw) {
      if (decoder === undefined) {
        head = Buffer.concat([head, chunk]);
        if (head.length < 4) continue; // a pipe may deliver single bytes
        decoder = openDecoder(head);
        yield* decoder.push(head);
      } else yield* decoder.push(chunk);
    }
    if (decoder !== undefined) yield* decoder.end();
    else if (head.length > 0) yield head;
    else if (/\.(gz|zst)$/.test(path)) throw new Error('compressed by its name, but empty');
  } finally {
    decoder?.close();
  }
}

/** Takes compressed chunks and gives what they decompress to. Throws at damage, after what could be decompressed. */
interface Decoder {
  push(chunk: Buffer): AsyncIterable<Buffer> | Iterable<Buffer>;
  end(): AsyncIterable<Buffer> | Iterable<Buffer>;
  close(): void;
}

function openDecoder(head: Buffer): Decoder {
  if (head[0] === 0x1f && head[1] === 0x8b) return openGunzip(); // RFC 1952, 2.3.1
  const magic = head.readUInt32LE();
  // RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable frame, with which some writers begin
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return openUnzstd();
  return { push: (chunk) => [chunk], end: () => [], close: () => undefined };
}

/**
 * Driven by hand rather than piped: a stream that fails drops the output it still holds, which for a file that was cut
 * off is every event since the last pause.
 */
function openGunzip(): Decoder {
  const gunzip = createGunzip();
  const out: Buffer[] = [];
  let given = 0;
  let over = false;
  gunzip.on('data', (chunk: Buffer) => out.push(chunk)); // never paused, so that a write ends when all its output is here
  const ended = once(gunzip, 'end').then(() => void (over = true));
  ended.catch(() => undefined); // seen by whoever waits for it below
  async function* run(step: () => Promise<void>): AsyncGenerator<Buffer, void, undefined> {
    try {
      await Promise.race([ended, step()]); // at bytes that follow the data, it ends and the write never returns
    } finally {
      yield* out.splice(0);
    }
    if (over && gunzip.bytesWritten < given) throw new Error('other bytes follow the gzip data');
  }
  return {
    push(chunk) {
      given += chunk.length;
      return run(() => new Promise((resolve) => gunzip.write(chunk, () => resolve())));
    },
    end: () => run(() => (gunzip.end(), ended)),
    close: () => gunzip.destroy(),
  };
}

/** fzstd, since Node 20 has no zstd of its own. It does not check the content checksum. */
function openUnzstd(): Decoder {
  const out: Buffer[] = [];
  const unzstd = new Decompress((data) => {
    if (data.length > 0) out.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  });
  function* run(step: () => void): Generator<Buffer, void, undefined> {
    try {
      step();
    } finally {
      yield* out.splice(0);
    }
  }
  return {
    push: (chunk) => run(() => void unzstd.push(chunk)),
    end: () => run(() => void unzstd.push(new Uint8Array(0), true)),
    close: () => undefined,
  };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
