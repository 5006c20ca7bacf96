import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readTlsClientHello } from 'read-tls-client-hello';
import { describe, expect, test } from 'vitest';
import { parseClientHello } from '../../src/sources/tls-client-hello.ts';

function number(size: number, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

/** A vector: its length in `size` bytes, then the parts (texts as latin1). */
function vector(size: number, ...parts: (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  return Buffer.concat([number(size, content.length), content]);
}

function extension(type: number, ...parts: (Uint8Array | string)[]): Buffer {
  return Buffer.concat([number(2, type), vector(2, ...parts)]);
}

function hostName(name: string, type = 0): Buffer {
  return Buffer.concat([number(1, type), vector(2, name)]);
}

function serverName(...names: Buffer[]): Buffer {
  return extension(0, vector(2, ...names));
}

/** The handshake message of a ClientHello with these extensions (undefined: the field itself is missing). */
function hello(extensions: readonly Buffer[] | undefined): Buffer {
  const body = [
    number(2, 0x0303),
    Buffer.alloc(32, 0xab),
    vector(1, Buffer.alloc(32)),
    vector(2, number(2, 0x1301)),
    vector(1, number(1, 0)),
  ];
  return Buffer.concat([
    number(1, 1),
    vector(3, ...body, ...(extensions === undefined ? [] : [vector(2, ...extensions)])),
  ]);
}

function tlsRecord(fragment: Uint8Array, version = 0x0301): Buffer {
  return Buffer.concat([number(1, 22), number(2, version), vector(2, fragment)]);
}

const alpn = extension(16, vector(2, vector(1, 'h2'), vector(1, 'http/1.1')));
const versions = extension(43, vector(1, number(2, 0x0304)));
const plain = hello([serverName(hostName('Route53.AmazonAWS.com')), alpn, versions]);

test('a whole hello', () => {
  expect(parseClientHello(tlsRecord(plain))).toEqual({
    kind: 'hello',
    serverName: 'route53.amazonaws.com',
    encrypted: false,
    alpn: ['h2', 'http/1.1'],
    complete: true,
  });
});

test.each([0x0300, 0x0301, 0x0302, 0x0303, 0x0304])('record version %i', (version) => {
  expect(parseClientHello(tlsRecord(plain, version)).kind).toBe('hello');
});

test.each([
  ['no extensions field', hello(undefined)],
  ['no extensions', hello([])],
  ['no server name', hello([alpn])],
])('%s: no name', (_, message) => {
  const result = parseClientHello(tlsRecord(message));
  expect(result).toMatchObject({ kind: 'hello', complete: true });
  expect(result).not.toHaveProperty('serverName');
});

test('an encrypted hello is told, whichever name stands outside', () => {
  for (const type of [0xfe0d, 0xffce]) {
    const message = hello([serverName(hostName('outer.example')), extension(type, Buffer.alloc(20))]);
    expect(parseClientHello(tlsRecord(message))).toMatchObject({
      kind: 'hello',
      serverName: 'outer.example',
      encrypted: true,
    });
  }
});

describe('server names', () => {
  test.each([
    ['EVIL.example', 'evil.example'],
    ['evil.example.', 'evil.example'],
    ['evil.example..', 'evil.example..'],
    ['.', '.'],
    ['good.example\0.evil.example', 'good.example\\000.evil.example'],
    ['a b\n', 'a\\032b\\010'],
    ['a\\032b', 'a\\092032b'],
    ['\xe9.example', '\\233.example'],
  ])('%j reads %s', (name, text) => {
    expect(parseClientHello(tlsRecord(hello([serverName(hostName(name))])))).toMatchObject({
      kind: 'hello',
      serverName: text,
    });
  });

  test.each([
    ['two names', [serverName(hostName('a.example'), hostName('b.example'))], 'several server names'],
    ['a name and one of another type', [serverName(hostName('a.example'), hostName('x', 1))], 'several server names'],
    ['another type', [serverName(hostName('a.example', 1))], 'server name of an unknown type'],
    [
      'the extension twice',
      [serverName(hostName('a.example')), serverName(hostName('b.example'))],
      'extension 0 twice',
    ],
    ['an empty name', [serverName(hostName(''))], 'lengths that contradict each other'],
    ['an empty list', [serverName()], 'lengths that contradict each other'],
    ['a name of 256 bytes', [serverName(hostName('x'.repeat(256)))], 'lengths that contradict each other'],
    [
      'bytes behind the list',
      [extension(0, vector(2, hostName('a.example')), 'x')],
      'lengths that contradict each other',
    ],
    [
      'a list longer than its extension',
      [extension(0, number(2, 99), hostName('a.example'))],
      'lengths that contradict each other',
    ],
  ])('%s: none is believed', (_, extensions, why) => {
    const result = parseClientHello(tlsRecord(hello(extensions)));
    expect(result).toEqual({ kind: 'partial', why, encrypted: false });
  });

  test('another extension twice leaves no name either', () => {
    const result = parseClientHello(tlsRecord(hello([serverName(hostName('a.example')), alpn, alpn])));
    expect(result).toEqual({ kind: 'partial', why: 'extension 16 twice', encrypted: false });
  });
});

describe('records', () => {
  test('a hello split over records, at every place', () => {
    for (let at = 1; at < plain.length; at += 1) {
      const split = Buffer.concat([tlsRecord(plain.subarray(0, at)), tlsRecord(plain.subarray(at), 0x0303)]);
      expect(parseClientHello(split)).toEqual(parseClientHello(tlsRecord(plain)));
    }
    const bytewise = Buffer.concat([...plain].map((byte) => tlsRecord(Buffer.from([byte]))));
    expect(parseClientHello(bytewise)).toEqual(parseClientHello(tlsRecord(plain)));
  });

  test('other records may follow: early data, change of cipher', () => {
    const more = Buffer.concat([tlsRecord(plain), Buffer.from([20, 3, 3, 0, 1, 1]), Buffer.from([23, 3, 3])]);
    expect(parseClientHello(more).kind).toBe('hello');
  });

  test('other records may not come in between', () => {
    const between = Buffer.concat([
      tlsRecord(plain.subarray(0, 90)),
      Buffer.from([23, 3, 3, 0, 1, 1]),
      tlsRecord(plain.subarray(90)),
    ]);
    expect(parseClientHello(between)).toMatchObject({ kind: 'partial', why: 'something else than a handshake record' });
    const empty = Buffer.concat([
      tlsRecord(plain.subarray(0, 90)),
      tlsRecord(Buffer.alloc(0)),
      tlsRecord(plain.subarray(90)),
    ]);
    expect(parseClientHello(empty)).toMatchObject({ kind: 'partial', why: 'something else than a handshake record' });
  });

  test('bytes behind the hello', () => {
    expect(parseClientHello(tlsRecord(Buffer.concat([plain, number(1, 1)])))).toMatchObject({
      kind: 'partial',
      why: 'bytes behind the ClientHello',
      serverName: 'route53.amazonaws.com',
    });
  });
});

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['SSH', Buffer.from('SSH-2.0-x')],
  ['a ServerHello', tlsRecord(Buffer.concat([number(1, 2), plain.subarray(1)]))],
  ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
  ['another major version', tlsRecord(plain, 0x0201)],
  ['another minor version', tlsRecord(plain, 0x0305)],
  ['a record too long', Buffer.concat([Buffer.from([22, 3, 1, 0x40, 1]), plain])],
  ['an empty record', tlsRecord(Buffer.alloc(0))],
])('%s is no hello', (_, bytes) => {
  expect(parseClientHello(bytes)).toEqual({ kind: 'not-hello' });
});

test('a hello cut anywhere is partial, with the name or without, never with another', () => {
  const whole = tlsRecord(plain);
  const nameEnd = whole.indexOf('AmazonAWS.com') + 'AmazonAWS.com'.length;
  for (let length = 0; length < whole.length; length += 1) {
    expect(parseClientHello(whole.subarray(0, length))).toEqual({
      kind: 'partial',
      why: 'cut short',
      encrypted: false,
      ...(length >= nameEnd ? { serverName: 'route53.amazonaws.com' } : {}),
    });
  }
});

test('whatever the bytes are, nothing is thrown', () => {
  const soup = fc.uint8Array({ maxLength: 300 });
  const changed = fc
    .tuple(fc.array(fc.tuple(fc.nat(tlsRecord(plain).length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(400))
    .map(([changes, length]) => {
      const copy = tlsRecord(plain);
      for (const [at, byte] of changes) copy[at] = byte;
      return copy.subarray(0, length);
    });
  const wrapped = soup.map((bytes) => tlsRecord(Buffer.concat([number(1, 1), vector(3, bytes)])));
  fc.assert(
    fc.property(fc.oneof(soup, changed, wrapped), (bytes) => {
      const result = parseClientHello(bytes);
      if (result.kind !== 'not-hello' && result.serverName !== undefined) expect(result.serverName).toMatch(/^[!-~]+$/);
    }),
    { numRuns: 20_000 },
  );
});

// --- Recordings ---

const cases = join(env['TALLY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url)), 'cases');

interface Kprobe {
  function_name: string;
  args?: { bytes_arg?: string }[];
}

/** What processes sent first: the fourth argument of the hook holds the whole first write. */
function recordedHellos(): Buffer[] {
  if (!existsSync(cases)) throw new Error(`${cases} is missing: set TALLY_SHARED to the folder that holds cases/.`);
  return readdirSync(cases).flatMap((folder) => {
    const file = join(cases, folder, 'tetragon.jsonl.gz');
    if (!existsSync(file)) return [];
    const lines = gunzipSync(readFileSync(file)).toString().split('\n');
    return lines.flatMap((line) => {
      if (!line.includes('"tcp_sendmsg"')) return [];
      const event = (JSON.parse(line) as { process_kprobe?: Kprobe }).process_kprobe;
      const payload = event?.function_name === 'tcp_sendmsg' ? event.args?.[3]?.bytes_arg : undefined;
      return payload === undefined ? [] : [Buffer.from(payload, 'base64')];
    });
  });
}

test('recorded hellos read as another library reads them', async () => {
  const hellos = recordedHellos();
  expect(hellos.length).toBeGreaterThan(100);
  const names = new Set<string | undefined>();
  for (const bytes of hellos) {
    const theirs = await readTlsClientHello(Readable.from([bytes], { objectMode: false }));
    const ours = parseClientHello(bytes);
    expect(ours).toMatchObject({ kind: 'hello', encrypted: false, alpn: theirs.alpnProtocols ?? [], complete: true });
    const name = ours.kind === 'hello' ? ours.serverName : 'none';
    expect(name).toBe(theirs.serverName?.toLowerCase());
    names.add(name);
  }
  expect(names).toContain('route53.amazonaws.com');
});

test('recorded hellos cut anywhere are partial and never name another host', () => {
  for (const bytes of recordedHellos().slice(0, 10)) {
    const whole = parseClientHello(bytes);
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = parseClientHello(bytes.subarray(0, length));
      expect(cut.kind).toBe('partial');
      if (cut.kind === 'partial' && cut.serverName !== undefined)
        expect(whole).toMatchObject({ serverName: cut.serverName });
    }
  }
});
