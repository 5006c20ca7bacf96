import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

type ParseEvent = (frame: Uint8Array) => Readonly<Record<string, unknown>>;

/**
 * The parser that reads one GetEventsResponse (protobuf) into the JSON value that Go's protojson makes of it with
 * UseProtoNames, which is what Tetragon's export file holds (facts/tetragon.md, "JSON"): snake_case names, 64-bit
 * integers as strings, enums by name, bytes in base64, fields that are not set left out. Only the fields in `proto/` are
 * kept. It throws when the bytes are no such message.
 *
 * `proto/` is loaded at the first call: most commands never meet a frame.
 */
export const openEventParser = once((): ParseEvent => {
  const root = new protobuf.Root();
  // protobufjs brings google/protobuf/* itself; all else lies in proto/, equally far from src/sources and dist/sources.
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/') ? target : fileURLToPath(new URL(`../../proto/${target}`, import.meta.url));
  root.loadSync('tetragon/events.proto', { keepCase: true });
  root.resolveAll();
  for (const [name, toJson] of Object.entries(wellKnown)) {
    // Generated code asks each type for its form, so this one holds wherever the type is used, in this root alone.
    // setup() first: it would put the generated form back.
    Object.assign(root.lookupType(`google.protobuf.${name}`).setup(), { toObject: toJson });
  }
  const type = root.lookupType('tetragon.GetEventsResponse');
  return (frame) => type.toObject(type.decode(frame), { longs: String, enums: String, bytes: String });
});

/** Messages that protojson writes as a plain value; an unset wrapper is left out, a wrapped zero is kept. */
const wellKnown = {
  UInt32Value: (message: { readonly value: number }) => message.value,
  BoolValue: (message: { readonly value: boolean }) => message.value,
  Timestamp: ({ seconds, nanos }: { readonly seconds: Int64; readonly nanos: number }) =>
    toRfc3339(seconds.high * 2 ** 32 + (seconds.low >>> 0), nanos), // exact up to 2^53, far past every valid time
};

/** How protobufjs holds 64 bits: two signed 32-bit halves. */
interface Int64 {
  readonly low: number;
  readonly high: number;
}

const firstSecond = -62135596800; // 0001-01-01T00:00:00Z
const lastSecond = 253402300799; // 9999-12-31T23:59:59Z

/** Prints 0, 3, 6 or 9 digits of the second, the fewest that lose nothing. Throws for a time without RFC 3339 form. */
function toRfc3339(seconds: number, nanos: number): string {
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) {
    throw new RangeError(`time out of range: ${seconds} s ${nanos} ns`);
  }
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  const digits = String(nanos).padStart(9, '0');
  if (nanos % 1_000_000 === 0) return `${whole}.${digits.slice(0, 3)}Z`;
  if (nanos % 1000 === 0) return `${whole}.${digits.slice(0, 6)}Z`;
  return `${whole}.${digits}Z`;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
