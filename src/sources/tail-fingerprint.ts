import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TallyError } from '../model/errors.ts';
import { openInput } from './open-input.ts';

const digest = z.strictObject({ length: z.number().int().nonnegative(), sha256: z.string() });

export const fingerprintSchema = z.strictObject({
  offset: z.number().int().nonnegative(),
  head: digest,
  tail: digest,
});

/**
 * What a file holds at its beginning and just before `offset`. The head alone does not tell two files apart: an agent
 * can make many lines begin with the same long arguments. The tail holds the time of the last line before the offset.
 */
export type Fingerprint = z.output<typeof fingerprintSchema>;

/** Bytes of head and tail, at most. */
export const fingerprintBytes = 1024;

export async function takeFingerprint(
  offset: number,
  read: (from: number, length: number) => Promise<Buffer>,
): Promise<Fingerprint> {
  const length = Math.min(offset, fingerprintBytes);
  return { offset, head: toDigest(await read(0, length)), tail: toDigest(await read(offset - length, length)) };
}

export function isSamePrint(one: Fingerprint, other: Fingerprint): boolean {
  return one.offset === other.offset && one.head.sha256 === other.head.sha256 && one.tail.sha256 === other.tail.sha256;
}

export function isSameHead(one: Fingerprint, other: Fingerprint): boolean {
  return one.head.sha256 === other.head.sha256;
}

/** Whether a compressed file holds this, decompressed; `whole`: and nothing after it. */
export async function packedFits(path: string, print: Fingerprint, whole: boolean): Promise<boolean> {
  if (print.offset === 0 && !whole) return false; // nothing to know it by
  const { length } = print.head;
  const head: Buffer[] = [];
  const tail: Buffer[] = [];
  let at = 0;
  try {
    for await (const chunk of await openInput(path)) {
      const end = at + chunk.length;
      if (at < length) head.push(chunk.subarray(0, length - at));
      if (end > print.offset - length && at < print.offset)
        tail.push(chunk.subarray(Math.max(0, print.offset - length - at), print.offset - at));
      at = end;
      if (at > print.offset && whole) return false;
      if (at >= print.offset && !whole) break;
    }
  } catch (error) {
    if (!(error instanceof TallyError) || isRefused(error.cause)) throw error;
    if (whole || at < print.offset) return false;
  }
  if (at < print.offset) return false;
  return (
    toDigest(Buffer.concat(head)).sha256 === print.head.sha256 &&
    toDigest(Buffer.concat(tail)).sha256 === print.tail.sha256
  );
}

/** What can't be read at the moment is not another file. */
function isRefused(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && 'code' in cause && cause.code !== 'ENOENT';
}

function toDigest(bytes: Buffer): { length: number; sha256: string } {
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
