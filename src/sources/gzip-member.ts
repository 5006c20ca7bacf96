import { crc32, inflateRawSync } from 'node:zlib';

/** Flag bits of the header (RFC 1952 section 2.3.1). */
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

export function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of the first gzip member, and whether anything follows it: a digest's signature covers the content
 * alone, so what follows is unsigned. (`gunzipSync` reads further members as if they were the same file, and fails on
 * anything else behind.) Throws when the member is cut short, damaged or larger than `limit`.
 */
export function gunzipFirstMember(bytes: Buffer, limit: number): { content: Buffer; trailing: boolean } {
  const start = skipHeader(bytes);
  // With `info` the result also tells how much input was used; the typings know only the plain form.
  const inflated = inflateRawSync(bytes.subarray(start), { info: true, maxOutputLength: limit }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  const end = start + inflated.engine.bytesWritten;
  if (end + 8 > bytes.length) throw new Error('the gzip stream is cut short');
  if (bytes.readUInt32LE(end) !== crc32(inflated.buffer)) throw new Error('the gzip checksum does not match');
  if (bytes.readUInt32LE(end + 4) !== inflated.buffer.length % 2 ** 32)
    throw new Error('the gzip length does not match');
  return { content: inflated.buffer, trailing: end + 8 < bytes.length };
}

function skipHeader(bytes: Buffer): number {
  if (bytes.length < 18 || bytes[2] !== 8) throw new Error('the gzip header is cut short or of an unknown method');
  const flag = bytes[3] ?? 0;
  if (flag & flags.reserved) throw new Error('the gzip header has flags that no version knows');
  let at = 10;
  if (flag & flags.extra) at += 2 + bytes.readUInt16LE(at);
  if (flag & flags.name) at = afterZero(bytes, at);
  if (flag & flags.comment) at = afterZero(bytes, at);
  if (flag & flags.headerCrc) at += 2;
  return at;
}

function afterZero(bytes: Buffer, from: number): number {
  const zero = bytes.indexOf(0, from);
  if (zero < 0) throw new Error('the gzip header is cut short');
  return zero + 1;
}
