import protobuf from 'protobufjs';

const timeField = 1001;
const nodeField = 1000;
const lengthDelimited = 2;
const lastSecond = 253402300799n; // 9999-12-31T23:59:59Z
const firstSecond = -62135596800n; // 0001-01-01T00:00:00Z

/**
 * When the event of a frame (GetEventsResponse) happened: ns since the epoch. Only the frame's outermost fields are walked.
 * Undefined when it bears no time or can't be walked.
 */
export function frameTime(frame: Uint8Array): bigint | undefined {
  const field = lastField(frame, timeField);
  if (field === undefined) return undefined;
  let [seconds, nanos] = [0n, 0];
  try {
    const reader = protobuf.Reader.create(field);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 8) seconds = toBigInt(reader.int64());
      else if (tag === 16) nanos = reader.int32();
      else reader.skipType(tag & 7);
    }
  } catch {
    return undefined; // protobufjs refuses these foreign bytes
  }
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) return undefined;
  return seconds * 1_000_000_000n + BigInt(nanos);
}

/** The name of the node that a frame bears; '' when it bears none, undefined when it can't be walked. */
export function frameNode(frame: Uint8Array): string | undefined {
  const field = lastField(frame, nodeField, new Uint8Array());
  return field === undefined ? undefined : Buffer.from(field).toString('utf8');
}

/** The last field of that number (the one that counts), or `absent`. */
function lastField(frame: Uint8Array, number: number, absent?: Uint8Array): Uint8Array | undefined {
  let found = absent;
  try {
    const reader = protobuf.Reader.create(frame);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === number && (tag & 7) === lengthDelimited) found = reader.bytes();
      else reader.skipType(tag & 7);
    }
  } catch {
    return undefined; // protobufjs refuses these foreign bytes
  }
  return found;
}

/** protobufjs gives 64 bits as a Long, or as a number where that library is missing. */
function toBigInt(value: { readonly low: number; readonly high: number } | number): bigint {
  return typeof value === 'number' ? BigInt(value) : (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}
