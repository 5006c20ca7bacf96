import ipaddr from 'ipaddr.js';

/*
 * Decoded here and not by a library: what is read decides which host an address stood for, and dns-packet joins labels
 * with dots without looking (one label `evil.example` reads like two), replaces bytes that are no UTF-8 (different names
 * become equal), takes the length of A and AAAA records for granted and ends record data silently where the message ends.
 * The tests compare the two on messages that are well-formed.
 */

export interface DnsQuestion {
  readonly name: string;
  readonly type: string;
  /** `IN`, else `CLASS` with its number (a query of any class is a look-up; only IN records are addresses). */
  readonly class: string;
}

export interface DnsRecord extends DnsQuestion {
  readonly ttl: number;
  /** A, AAAA: the address (IPv4-mapped ones as IPv4); CNAME, DNAME, NS, PTR: a name; else the bytes in hex. */
  readonly data: string;
}

/**
 * One whole DNS message (RFC 1035 4.1). Names are lower-case, without the dot at the end (the root is `.`), with bytes
 * that could make them look like another name as `\DDD` (RFC 1035 5.1).
 */
export interface DnsMessage {
  readonly kind: 'query' | 'answer';
  readonly id: number;
  readonly opcode: string;
  readonly rcode: string;
  /** The TC bit: the server left records out. */
  readonly truncated: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  /** Records of the authority and additional sections; one OPT of the root without options is not counted. A plain query has none. */
  readonly otherRecords: number;
  /** Bytes behind the message: no resolver sends any, a query could carry data in them. */
  readonly trailingBytes: number;
}

export interface BrokenDnsMessage {
  readonly kind: 'broken';
  readonly why: string;
}

/**
 * Reads a DNS message as a datagram carries it. Bytes that end early (the kernel captures only so many) are broken as a
 * whole: nothing of them is believed.
 */
export function parseDnsMessage(bytes: Uint8Array): DnsMessage | BrokenDnsMessage {
  try {
    return readMessage(new Reader(bytes));
  } catch (error) {
    if (error instanceof Broken) return { kind: 'broken', why: error.message };
    throw error;
  }
}

/**
 * The addresses that `answer` gives for `name` (in the form of {@link DnsQuestion}), CNAMEs followed, each with the
 * smallest TTL on its way. Records of owners that are not reached from `name` count for nothing. None from an answer
 * that tells an error, or that is truncated: a client asks again then (RFC 2181 section 9).
 */
export function resolvedAddresses(answer: DnsMessage, name: string): { address: string; ttl: number }[] {
  if (answer.kind !== 'answer' || answer.rcode !== 'NOERROR' || answer.truncated) return [];
  const byOwner = new Map<string, DnsRecord[]>();
  for (const record of answer.answers) {
    if (record.class !== 'IN') continue;
    const records = byOwner.get(record.name);
    if (records === undefined) byOwner.set(record.name, [record]);
    else records.push(record);
  }
  const reached = new Map([[name, Infinity]]); // also what ends loops: every owner is visited once
  const addresses = new Map<string, number>();
  for (const [owner, ttlSoFar] of reached) {
    for (const { type, data, ttl } of byOwner.get(owner) ?? []) {
      const least = Math.min(ttl, ttlSoFar);
      if (type === 'CNAME' && !reached.has(data)) reached.set(data, least);
      if (type === 'A' || type === 'AAAA') addresses.set(data, Math.min(least, addresses.get(data) ?? least));
    }
  }
  return [...addresses].map(([address, ttl]) => ({ address, ttl }));
}

/**
 * Bytes of a host name as text that can't be taken for another: letters in lower case, what is not printable ASCII, the
 * backslash, and what `special` names as `\DDD`.
 */
export function toVisibleName(bytes: Uint8Array, special = ''): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const plain = byte > 0x20 && byte < 0x7f && character !== '\\' && !special.includes(character);
    text += plain ? character.toLowerCase() : `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

/** IANA's names; what is not here is written as RFC 3597 section 5 has it. */
const typeNames: Readonly<Record<number, string>> = {
  ...{ 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 13: 'HINFO', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV' },
  ...{ 35: 'NAPTR', 39: 'DNAME', 41: 'OPT', 43: 'DS', 44: 'SSHFP', 46: 'RRSIG', 47: 'NSEC', 48: 'DNSKEY', 50: 'NSEC3' },
  ...{ 52: 'TLSA', 64: 'SVCB', 65: 'HTTPS', 99: 'SPF', 250: 'TSIG', 251: 'IXFR', 252: 'AXFR', 255: 'ANY', 257: 'CAA' },
};
const opcodeNames: Readonly<Record<number, string>> = {
  0: 'QUERY',
  1: 'IQUERY',
  2: 'STATUS',
  4: 'NOTIFY',
  5: 'UPDATE',
};
const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

class Broken extends Error {}

/** A place in the bytes; every read moves it and breaks off where the bytes end. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;
  /** Where reading has to stop: the end of the message, or of one record's data. */
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.end) throw new Broken(`cut short at byte ${this.end}`);
    return this.bytes.subarray(this.at, (this.at += count));
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  u32(): number {
    return this.u16() * 65536 + this.u16();
  }
}

function readMessage(reader: Reader): DnsMessage {
  const id = reader.u16();
  const flags = reader.u16();
  const counts = { questions: reader.u16(), answers: reader.u16(), authority: reader.u16(), additional: reader.u16() };
  // The smallest question has 5 bytes, the smallest record 11: counts that can't be met are told before any is read.
  const least = counts.questions * 5 + (counts.answers + counts.authority + counts.additional) * 11;
  if (reader.at + least > reader.end) throw new Broken('too short for the records it announces');
  const questions = Array.from({ length: counts.questions }, () => readQuestion(reader));
  const answers = Array.from({ length: counts.answers }, () => readRecord(reader));
  const others = Array.from({ length: counts.authority + counts.additional }, () => readRecord(reader));
  return {
    kind: flags & 0x8000 ? 'answer' : 'query',
    id,
    opcode: opcodeNames[(flags >> 11) & 0xf] ?? `OPCODE${(flags >> 11) & 0xf}`,
    rcode: rcodeNames[flags & 0xf] ?? `RCODE${flags & 0xf}`,
    truncated: (flags & 0x0200) !== 0,
    questions,
    answers,
    otherRecords: others.filter((record, at) => !isPlainOpt(record) || others.findIndex(isPlainOpt) < at).length,
    trailingBytes: reader.end - reader.at,
  };
}

/** RFC 6891 6.1.2: of the root, with no option but a cookie (RFC 7873 4: 8 to 40 bytes), which no resolver passes on. */
function isPlainOpt({ name, type, data }: DnsRecord): boolean {
  if (type !== 'OPT' || name !== '.') return false;
  const bytes = Buffer.from(data, 'hex');
  if (bytes.length === 0) return true;
  if (bytes.length < 12 || bytes.length > 44) return false;
  return bytes.readUInt16BE(0) === 10 && bytes.readUInt16BE(2) === bytes.length - 4;
}

function readQuestion(reader: Reader): DnsQuestion {
  const name = readName(reader);
  const type = reader.u16();
  const number = reader.u16();
  return { name, type: typeNames[type] ?? `TYPE${type}`, class: number === 1 ? 'IN' : `CLASS${number}` };
}

function readRecord(reader: Reader): DnsRecord {
  const head = readQuestion(reader);
  const ttl = reader.u32();
  const length = reader.u16();
  const from = reader.at;
  reader.take(length);
  const data = new Reader(reader.bytes, from, reader.at);
  // RFC 2181 section 8: a TTL with its highest bit set is zero.
  return { ...head, ttl: ttl > 0x7fffffff ? 0 : ttl, data: readData(data, head) };
}

function readData(reader: Reader, { type, class: recordClass }: DnsQuestion): string {
  const length = reader.end - reader.at;
  if (recordClass === 'IN') {
    switch (type) {
      case 'A':
      case 'AAAA':
        if (length !== (type === 'A' ? 4 : 16)) throw new Broken(`${type} record of ${length} bytes`);
        return ipaddr.process(ipaddr.fromByteArray([...reader.take(length)]).toString()).toString();
      case 'CNAME':
      case 'DNAME':
      case 'NS':
      case 'PTR': {
        const name = readName(reader);
        if (reader.at !== reader.end) throw new Broken(`${type} record with bytes behind its name`);
        return name;
      }
    }
  }
  return Buffer.from(reader.take(length)).toString('hex');
}

/** RFC 1035 3.1 and 4.1.4. A pointer goes back to before the labels it was met in: that alone ends every loop. */
function readName(reader: Reader): string {
  const labels: string[] = [];
  let place = reader;
  let start = reader.at;
  let length = 1;
  for (;;) {
    const head = place.u8();
    if (head === 0) return labels.join('.') || '.';
    if (head < 0x40) {
      length += 1 + head;
      if (length > 255) throw new Broken('name of more than 255 bytes');
      labels.push(toVisibleName(place.take(head), '.'));
    } else if (head >= 0xc0) {
      const target = (head & 0x3f) * 256 + place.u8();
      if (target < 12) throw new Broken('compression pointer into the header');
      if (target >= start) throw new Broken('compression pointer that does not go back');
      start = target;
      place = new Reader(reader.bytes, target);
    } else {
      throw new Broken('label of an unknown kind');
    }
  }
}
