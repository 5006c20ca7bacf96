import { toVisibleName } from './dns-message.ts';

/**
 * What the first bytes of a TLS connection say. `partial`: they begin like a ClientHello, but end before it does or are
 * none that a server would take; `serverName` is then the name that was wholly there, if any. Names are lower-case,
 * hostile bytes as `\DDD`. `encrypted` (ECH): the name that counts may be another than `serverName`.
 */
export type ClientHello =
  | {
      readonly kind: 'hello';
      readonly serverName?: string;
      readonly encrypted: boolean;
      readonly alpn: readonly string[];
      readonly complete: true;
    }
  | { readonly kind: 'partial'; readonly why: string; readonly serverName?: string; readonly encrypted: boolean }
  | { readonly kind: 'not-hello' };

/** Reads the ClientHello (RFC 8446 4.1.2) that `bytes` begin with, in one record or split over several. */
export function parseClientHello(bytes: Uint8Array): ClientHello {
  const { handshake, problem } = joinRecords(bytes);
  if (handshake.length === 0 && problem !== undefined) return { kind: 'not-hello' };
  if (handshake.length > 0 && handshake[0] !== clientHello) return { kind: 'not-hello' };
  const found: Found = { encrypted: false, alpn: [] };
  try {
    readHello(new Cursor(handshake), found);
  } catch (error) {
    if (!(error instanceof Doubt)) throw error;
    // A record that can't be read is why a hello ends early, not the other way round.
    const why = error.cutShort ? (problem ?? error.message) : error.message;
    return { kind: 'partial', why, ...nameOf(found), encrypted: found.encrypted };
  }
  return { kind: 'hello', ...nameOf(found), encrypted: found.encrypted, alpn: found.alpn, complete: true };
}

const clientHello = 1;
/** RFC 6066 3, RFC 7301 3.1, RFC 9849 5, and the drafts' encrypted_server_name before it. */
const extensionTypes = { serverName: 0, alpn: 16, encryptedHello: 0xfe0d, encryptedServerName: 0xffce };

interface Found {
  serverName?: string;
  encrypted: boolean;
  alpn: string[];
}

function nameOf({ serverName }: Found): { serverName?: string } {
  return serverName === undefined ? {} : { serverName };
}

/** The payload of the handshake records that the bytes begin with (RFC 8446 5.1), until their first message is whole. */
function joinRecords(bytes: Uint8Array): { handshake: Buffer; problem?: string } {
  const fragments: Uint8Array[] = [];
  let size = 0;
  let wanted = Infinity;
  for (let at = 0; at < bytes.length && size < wanted;) {
    const [type = 22, major = 3, minor = 1, high = 0, low = 1] = bytes.subarray(at, at + 5);
    const length = high * 256 + low;
    if (type !== 22 || major !== 3 || minor > 4 || length === 0 || length > 2 ** 14) {
      return { handshake: Buffer.concat(fragments), problem: 'something else than a handshake record' };
    }
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    fragments.push(fragment);
    size += fragment.length;
    at += 5 + length;
    if (wanted === Infinity && size >= 4) wanted = 4 + Buffer.concat(fragments).readUIntBE(1, 3);
  }
  return { handshake: Buffer.concat(fragments) };
}

class Doubt extends Error {
  readonly cutShort: boolean;

  constructor(why: string, cutShort = false) {
    super(why);
    this.cutShort = cutShort;
  }
}

/** Reads a stretch whose announced end may lie behind the captured bytes: cut short there, contradictory behind `end`. */
class Cursor {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = Infinity) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at === this.end;
  }

  take(count: number): Buffer {
    if (this.at + count > this.end) throw new Doubt('lengths that contradict each other');
    if (this.at + count > this.bytes.length) throw new Doubt('cut short', true);
    return this.bytes.subarray(this.at, (this.at += count));
  }

  uint(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** A vector with its length before it in `size` bytes (RFC 8446 3.4); what it holds need not be captured. */
  vector(size: number, least: number, most = Infinity): Cursor {
    const length = this.uint(size);
    const from = this.at;
    if (from + length > this.end || length < least || length > most)
      throw new Doubt('lengths that contradict each other');
    this.at += length;
    return new Cursor(this.bytes, from, this.at);
  }

  rest(): Buffer {
    return this.take(this.end - this.at);
  }
}

function readHello(handshake: Cursor, found: Found): void {
  handshake.take(1);
  const body = handshake.vector(3, 0);
  if (body.uint(1) !== 3) throw new Doubt('a version that is not TLS');
  body.take(1 + 32); // minor version, random
  body.vector(1, 0, 32); // session id
  const suites = body.vector(2, 2);
  if ((suites.end - suites.at) % 2 !== 0) throw new Doubt('half a cipher suite');
  body.vector(1, 1); // compression methods
  // TLS 1.2 clients may leave out the extensions altogether.
  if (!body.done) readExtensions(body.vector(2, 0), found);
  if (!body.done || handshake.at < handshake.bytes.length) throw new Doubt('bytes behind the ClientHello');
  if (handshake.at > handshake.bytes.length) throw new Doubt('cut short', true);
}

function readExtensions(extensions: Cursor, found: Found): void {
  const seen = new Set<number>();
  while (!extensions.done) {
    const type = extensions.uint(2);
    const data = extensions.vector(2, 0);
    if (seen.has(type)) {
      // Servers differ in which of two they take.
      delete found.serverName;
      throw new Doubt(`extension ${type} twice`);
    }
    seen.add(type);
    if (type === extensionTypes.serverName) found.serverName = readServerName(data);
    if (type === extensionTypes.alpn) found.alpn = readProtocols(data);
    if (type === extensionTypes.encryptedHello || type === extensionTypes.encryptedServerName) found.encrypted = true;
  }
}

/** RFC 6066 3: a list with at most one name of each type, of which only host_name (0) exists. */
function readServerName(data: Cursor): string {
  const list = data.vector(2, 1);
  const type = list.uint(1);
  const name = list.vector(2, 1, 255).rest();
  if (type !== 0) throw new Doubt('server name of an unknown type');
  if (!list.done) throw new Doubt('several server names');
  if (!data.done) throw new Doubt('lengths that contradict each other');
  // Some clients send the dot of a fully qualified name along, which the clause forbids; it names the same host.
  return toVisibleName(name).replace(/(?<=[^.])\.$/, '');
}

function readProtocols(data: Cursor): string[] {
  const list = data.vector(2, 2);
  const protocols: string[] = [];
  while (!list.done) protocols.push(toVisibleName(list.vector(1, 1).rest()));
  return protocols;
}
