import { crc32 } from 'node:zlib';
import { tampered } from './tampered.ts';

// File: magic (8) ‖ salt (4) ‖ firstSeq (8) ‖ crc32 of these (4), then frames, all big-endian:
// kind (1) ‖ length (4) ‖ value (8) ‖ crc32 of salt, these and the record (4) ‖ record.
// A record frame's value is its time of receipt. A mark has no record; its value says how many bytes of the file were
// on disk when it was written. In a store the first frame is a name: JSON of [stream, origin], value 0.
// The salt is secret until sealing: a hostile record can't hold bytes that pass for a frame.
const magic = Buffer.from('tallywal');
export const saltBytes = 4;
const headerBytes = 24;
export const frameBytes = 17;
const recordKind = 1;
const markKind = 2;
const nameKind = 3;

/** Whose records a log holds. */
export interface LogName {
  readonly stream: string;
  readonly origin: string;
}

export interface WalRecord {
  /** ns since 1970. */
  readonly receivedAt: bigint;
  readonly record: Buffer;
}

export interface WalContent {
  /** Sequence number of the first record; undefined in a file whose creation was cut short. */
  readonly firstSeq: number | undefined;
  readonly salt: Buffer;
  /** Undefined in a log that is known by its path alone. */
  readonly name: LogName | undefined;
  readonly records: readonly WalRecord[];
  /** The end of the file that a crash left unfinished: where it starts and how long it is. */
  readonly torn: { readonly offset: number; readonly bytes: number } | undefined;
}

export function encodeHeader(firstSeq: number, salt: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  salt.copy(header, 8);
  header.writeBigUInt64BE(BigInt(firstSeq), 12);
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20);
  return header;
}

export function encodeRecord(salt: Buffer, record: Buffer, receivedAtNs: bigint): Buffer {
  return encodeFrame(salt, recordKind, receivedAtNs, record);
}

/** Writes a record's frame into `target` and returns where it ends. `saltCrc` is the CRC-32 of the salt. */
export function writeRecord(target: Buffer, at: number, saltCrc: number, record: Buffer, receivedAtNs: bigint): number {
  return writeFrame(target, at, saltCrc, recordKind, receivedAtNs, record);
}

/** The records in frames that this process has written itself. */
export function* readRecords(frames: Buffer): Generator<WalRecord> {
  for (let at = 0; at < frames.length;) {
    const end = at + frameBytes + frames.readUInt32BE(at + 1);
    yield { receivedAt: frames.readBigUInt64BE(at + 5), record: frames.subarray(at + frameBytes, end) };
    at = end;
  }
}

export function encodeName(salt: Buffer, { stream, origin }: LogName): Buffer {
  return encodeFrame(salt, nameKind, 0n, Buffer.from(JSON.stringify([stream, origin])));
}

export function encodeMark(salt: Buffer, durableBytes: number): Buffer {
  return encodeFrame(salt, markKind, BigInt(durableBytes), Buffer.alloc(0));
}

/**
 * The content of a log file. A damaged frame is `torn` when nothing says that it ever was safe on disk; when a later mark
 * says so, its loss is no crash: throws `integrity`, naming `file`.
 */
export function parseWal(bytes: Buffer, file: string): WalContent {
  const content = scanWal(bytes, file);
  const { torn } = content;
  if (torn !== undefined && content.firstSeq !== undefined && wasDurable(bytes, torn.offset, content.salt))
    throw tampered(file, `is damaged at byte ${torn.offset}, which had been safe on disk`);
  return content;
}

/** As `parseWal`, for a file that is being written: what does not read as frames, or not yet, is `torn` in any case. */
export function scanWal(bytes: Buffer, file: string): WalContent {
  const header = bytes.subarray(0, headerBytes);
  const salt = header.subarray(8, 8 + saltBytes);
  const firstSeq = header.length === headerBytes ? Number(header.readBigUInt64BE(12)) : 0;
  if (!header.equals(encodeHeader(firstSeq, salt))) {
    // The header is on disk before the first frame is written.
    if (bytes.length > headerBytes) throw tampered(file, 'has a damaged header');
    const torn = bytes.length === 0 ? undefined : { offset: 0, bytes: bytes.length };
    return { firstSeq: undefined, salt, name: undefined, records: [], torn };
  }
  const records: WalRecord[] = [];
  let name: LogName | undefined;
  let offset = headerBytes;
  for (let frame = frameAt(bytes, offset, salt); frame !== undefined; frame = frameAt(bytes, offset, salt)) {
    if (frame.kind === recordKind) records.push({ receivedAt: frame.value, record: frame.record });
    else if (frame.kind === nameKind) name = parseName(frame.record, file);
    offset = frame.end;
  }
  const torn = offset === bytes.length ? undefined : { offset, bytes: bytes.length - offset };
  return { firstSeq, salt, name, records, torn };
}

function parseName(bytes: Buffer, file: string): LogName {
  try {
    const [stream, origin] = JSON.parse(bytes.toString()) as unknown[];
    if (typeof stream === 'string' && typeof origin === 'string') return { stream, origin };
  } catch {
    // told below
  }
  throw tampered(file, 'does not say whose records it holds');
}

/** Whether a mark behind this offset says that what is at the offset had been written to disk. */
function wasDurable(bytes: Buffer, offset: number, salt: Buffer): boolean {
  for (let at = bytes.indexOf(markKind, offset + 1); at >= 0; at = bytes.indexOf(markKind, at + 1)) {
    const frame = frameAt(bytes, at, salt);
    if (frame?.kind === markKind && frame.value > offset) return true;
  }
  return false;
}

interface Frame {
  readonly kind: number;
  readonly value: bigint;
  readonly record: Buffer;
  /** Offset of what follows. */
  readonly end: number;
}

function frameAt(bytes: Buffer, offset: number, salt: Buffer): Frame | undefined {
  if (offset + frameBytes > bytes.length) return undefined;
  const kind = bytes.readUInt8(offset);
  if (kind !== recordKind && kind !== markKind && kind !== nameKind) return undefined;
  const end = offset + frameBytes + bytes.readUInt32BE(offset + 1);
  if (end > bytes.length || (kind === markKind && end !== offset + frameBytes)) return undefined;
  const record = bytes.subarray(offset + frameBytes, end);
  const crc = frameCrc(salt, bytes.subarray(offset, offset + 13), record);
  if (crc !== bytes.readUInt32BE(offset + 13)) return undefined;
  return { kind, value: bytes.readBigUInt64BE(offset + 5), record, end };
}

function encodeFrame(salt: Buffer, kind: number, value: bigint, record: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(frameBytes + record.length);
  writeFrame(frame, 0, crc32(salt), kind, value, record);
  return frame;
}

function writeFrame(target: Buffer, at: number, saltCrc: number, kind: number, value: bigint, record: Buffer): number {
  target.writeUInt8(kind, at);
  target.writeUInt32BE(record.length, at + 1);
  target.writeBigUInt64BE(value, at + 5);
  target.writeUInt32BE(crc32(record, crc32(target.subarray(at, at + 13), saltCrc)), at + 13);
  record.copy(target, at + frameBytes);
  return at + frameBytes + record.length;
}

function frameCrc(salt: Buffer, start: Buffer, record: Buffer): number {
  return crc32(record, crc32(start, crc32(salt)));
}
