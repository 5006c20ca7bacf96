import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DnsMessage, parseDnsMessage, resolvedAddresses, toVisibleName } from '../../src/sources/dns-message.ts';

/** Bytes from parts: numbers are bytes, texts ASCII; `#0004` style parts are two-byte numbers in hex. */
function bytes(...parts: (number | string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
    ),
  );
}

function u16(...numbers: number[]): Buffer {
  return Buffer.concat(numbers.map((number) => Buffer.from([number >> 8, number & 0xff])));
}

/** A name of the given labels, not compressed. */
function name(...labels: string[]): Buffer {
  return bytes(...labels.flatMap((label) => [label.length, label]), 0);
}

const [A, CNAME, AAAA, IN] = [1, 5, 28, 1];

/** A query for one name. */
function query(encodedName: Uint8Array, type = A): Buffer {
  return bytes(u16(0x1234, 0x0100, 1, 0, 0, 0), encodedName, u16(type, IN));
}

/** An answer of the records, to the question at offset 12. */
function answer(question: Uint8Array, records: readonly Buffer[], flags = 0x8180): Buffer {
  return bytes(u16(0x1234, flags, 1, records.length, 0, 0), question, u16(A, IN), ...records);
}

function record(owner: Uint8Array, type: number, ttl: number, data: Uint8Array, recordClass = IN): Buffer {
  return bytes(owner, u16(type, recordClass, Math.floor(ttl / 65536), ttl % 65536, data.length), data);
}

function parsed(message: Uint8Array): DnsMessage {
  const result = parseDnsMessage(message);
  if (result.kind === 'broken') throw new Error(result.why);
  return result;
}

function broken(message: Uint8Array): string {
  const result = parseDnsMessage(message);
  return result.kind === 'broken' ? result.why : `believed: ${JSON.stringify(result)}`;
}

const route53 = name('route53', 'amazonaws', 'com');
const toQuestion = u16(0xc00c);

test('a recorded query and its answer', () => {
  expect(parsed(Buffer.from('tlABAAABAAAAAAAAB3JvdXRlNTMJYW1hem9uYXdzA2NvbQAAAQAB', 'base64'))).toEqual({
    kind: 'query',
    id: 0xb650,
    opcode: 'QUERY',
    rcode: 'NOERROR',
    truncated: false,
    questions: [{ name: 'route53.amazonaws.com', type: 'A', class: 'IN' }],
    answers: [],
    otherRecords: 0,
    trailingBytes: 0,
  });
  const reply = parsed(
    Buffer.from('tlCFgAABAAEAAAAAB3JvdXRlNTMJYW1hem9uYXdzA2NvbQAAAQABwAwAAQABAAAABQAEwAACCg==', 'base64'),
  );
  expect(reply).toMatchObject({
    kind: 'answer',
    answers: [{ name: 'route53.amazonaws.com', type: 'A', class: 'IN', ttl: 5, data: '192.0.2.10' }],
  });
  expect(resolvedAddresses(reply, 'route53.amazonaws.com')).toEqual([{ address: '192.0.2.10', ttl: 5 }]);
});

describe('names', () => {
  test.each([
    [name('EVIL', 'Example'), 'evil.example'],
    [name(), '.'],
    [name('evil.example'), 'evil\\046example'],
    [name('route53.amazonaws.com'), 'route53\\046amazonaws\\046com'],
    [name('a\\046b'), 'a\\092046b'],
    [name('a b'), 'a\\032b'],
    [name('a\x00b\x7f\xff\n'), 'a\\000b\\127\\255\\010'],
    [name('\xe9', 'com'), '\\233.com'],
    [name('com\xad'), 'com\\173'],
    [name('_x-1', 'a*b'), '_x-1.a*b'],
  ])('%o reads %s', (encoded, text) => {
    expect(parsed(query(encoded)).questions[0]?.name).toBe(text);
  });

  test('two names are never the same text, but for upper and lower case', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((part) => Buffer.from(part).toString('latin1'));
    const labels = fc.array(fc.oneof(label, fc.constantFrom('a', 'a.b', 'A', '\\046', '.')), { maxLength: 4 });
    const folded = (list: string[]) => list.map((one) => one.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
    fc.assert(
      fc.property(labels, labels, (left, right) => {
        const same = JSON.stringify(folded(left)) === JSON.stringify(folded(right));
        const [a, b] = [left, right].map((list) => parsed(query(name(...list))).questions[0]?.name);
        expect(a === b).toBe(same);
        expect(a).toMatch(/^[!-~]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('255 bytes are allowed, 256 are not', () => {
    const label = 'x'.repeat(62);
    const long = [label, label, label, label]; // 4 * 63 + 1 = 253
    expect(parsed(query(name(...long, 'y'))).questions[0]?.name).toHaveLength(253);
    expect(broken(query(name(...long, 'yy')))).toBe('name of more than 255 bytes');
  });

  test('pointers only go back', () => {
    expect(broken(query(u16(0xc00c)))).toBe('compression pointer that does not go back');
    expect(broken(query(u16(0xc00e)))).toBe('compression pointer that does not go back');
    expect(broken(query(u16(0xffff)))).toBe('compression pointer that does not go back');
    expect(broken(query(bytes(1, 'a', u16(0xc00c))))).toBe('compression pointer that does not go back');
    expect(broken(query(u16(0xc000)))).toBe('compression pointer into the header');
    // Two that point at each other.
    expect(broken(answer(bytes(1, 'a', u16(0xc014)), [record(u16(0xc00c), A, 1, Buffer.alloc(4))]))).toMatch(/pointer/);
    expect(broken(query(bytes(0x41, 'a')))).toBe('label of an unknown kind');
    expect(broken(query(bytes(0x80, 'a', 0)))).toBe('label of an unknown kind');
  });

  test('a name stretched by pointers is bounded as well', () => {
    const label = bytes(60, 'x'.repeat(60));
    const records = [record(bytes(label, u16(0xc00c)), 16, 1, Buffer.alloc(0))];
    expect(parsed(answer(name('x'.repeat(60)), records)).answers[0]?.name).toHaveLength(121);
    const steps = bytes(label, label, label, label, 0);
    expect(broken(answer(steps, [record(bytes(label, u16(0xc00c)), 16, 1, Buffer.alloc(0))]))).toBe(
      'name of more than 255 bytes',
    );
  });

  test('bytes of a server name', () => {
    expect(toVisibleName(Buffer.from('A.b c'))).toBe('a.b\\032c');
  });
});

describe('messages that are not whole', () => {
  test('counts that the bytes can not meet', () => {
    expect(broken(u16(1, 0x8180, 0xffff, 0xffff, 0xffff, 0xffff))).toBe('too short for the records it announces');
    expect(broken(bytes(u16(1, 0x0100, 2, 0, 0, 0), route53, u16(A, IN)))).toMatch(/cut short/);
    expect(broken(Buffer.alloc(0))).toBe('cut short at byte 0');
    expect(broken(Buffer.alloc(11))).toBe('cut short at byte 11');
  });

  test('trailing bytes and other records are told', () => {
    expect(parsed(bytes(query(route53), 'exfil')).trailingBytes).toBe(5);
    const opt = bytes(0, u16(41, 4096, 0, 0, 0));
    const hidden = record(name('hidden'), 16, 0, bytes(3, 'abc'));
    const more = bytes(u16(1, 0x0100, 1, 0, 0, 2), route53, u16(A, IN), opt, hidden);
    expect(parsed(more)).toMatchObject({ otherRecords: 1, trailingBytes: 0 });
    const options = bytes(0, u16(41, 4096, 0, 0, 4), 'data');
    const cookie = bytes(0, u16(41, 4096, 0, 0, 12, 10, 8), '01234567');
    const named = bytes(name('hidden'), u16(41, 4096, 0, 0, 0));
    for (const [additional, count] of [
      [[opt], 0],
      [[options], 1],
      [[cookie], 0],
      [[named], 1],
      [[opt, opt], 1],
    ] as const) {
      const whole = bytes(u16(1, 0x0100, 1, 0, 0, additional.length), route53, u16(A, IN), ...additional);
      expect(parsed(whole)).toMatchObject({ otherRecords: count, trailingBytes: 0 });
    }
  });

  test.each([
    ['A', A, Buffer.alloc(5), 'A record of 5 bytes'],
    ['AAAA', AAAA, Buffer.alloc(4), 'AAAA record of 4 bytes'],
    ['CNAME', CNAME, bytes(name('a'), 1), 'CNAME record with bytes behind its name'],
    ['CNAME', CNAME, Buffer.alloc(0), /^cut short/],
    ['CNAME', CNAME, bytes(3, 'ab'), /^cut short/],
  ])('%s data of a wrong length', (_, type, data, why) => {
    expect(
      broken(answer(route53, [record(toQuestion, type, 1, data), record(toQuestion, A, 1, Buffer.alloc(4))])),
    ).toMatch(why);
  });

  test('other types keep their data, other classes are no addresses', () => {
    const chaos = record(toQuestion, A, 1, Buffer.from([192, 0, 2, 1]), 3);
    const svcb = record(toQuestion, 65, 1, Buffer.from([0, 1]));
    const message = parsed(answer(route53, [chaos, svcb, record(toQuestion, 999, 0x80000000, Buffer.alloc(0))]));
    expect(message.answers).toEqual([
      { name: 'route53.amazonaws.com', type: 'A', class: 'CLASS3', ttl: 1, data: 'c0000201' },
      { name: 'route53.amazonaws.com', type: 'HTTPS', class: 'IN', ttl: 1, data: '0001' },
      { name: 'route53.amazonaws.com', type: 'TYPE999', class: 'IN', ttl: 0, data: '' },
    ]);
    expect(resolvedAddresses(message, 'route53.amazonaws.com')).toEqual([]);
  });
});

describe('resolved addresses', () => {
  const four = (last: number) => Buffer.from([192, 0, 2, last]);

  test('follow CNAMEs with the smallest TTL, in any order of records', () => {
    const records = [
      record(name('c'), A, 300, four(1)),
      record(name('c'), AAAA, 20, Buffer.from('20010db8000000000000000000000001', 'hex')),
      record(name('B'), CNAME, 60, name('C')),
      record(toQuestion, CNAME, 100, name('b')),
    ];
    expect(resolvedAddresses(parsed(answer(route53, records)), 'route53.amazonaws.com')).toEqual([
      { address: '192.0.2.1', ttl: 60 },
      { address: '2001:db8::1', ttl: 20 },
    ]);
  });

  test('of other owners are ignored', () => {
    const records = [record(name('evil', 'example'), A, 300, four(66)), record(toQuestion, A, 300, four(1))];
    const message = parsed(answer(route53, records));
    expect(resolvedAddresses(message, 'route53.amazonaws.com')).toEqual([{ address: '192.0.2.1', ttl: 300 }]);
    expect(resolvedAddresses(message, 'evil.example')).toEqual([{ address: '192.0.2.66', ttl: 300 }]);
    expect(resolvedAddresses(message, 'example')).toEqual([]);
  });

  test('a label with a dot inside is another owner', () => {
    const records = [record(name('route53.amazonaws.com'), A, 300, four(66))];
    expect(resolvedAddresses(parsed(answer(route53, records)), 'route53.amazonaws.com')).toEqual([]);
  });

  test('loops of CNAMEs end', () => {
    const records = [
      record(toQuestion, CNAME, 5, name('b')),
      record(name('b'), CNAME, 5, toQuestion),
      record(name('b'), CNAME, 5, name('b')),
      record(name('b'), A, 9, four(1)),
    ];
    expect(resolvedAddresses(parsed(answer(route53, records)), 'route53.amazonaws.com')).toEqual([
      { address: '192.0.2.1', ttl: 5 },
    ]);
  });

  test('IPv4-mapped ones are IPv4, one address is told once', () => {
    const mapped = Buffer.from('00000000000000000000ffffc0000201', 'hex');
    const records = [record(toQuestion, AAAA, 9, mapped), record(toQuestion, A, 7, four(1))];
    expect(resolvedAddresses(parsed(answer(route53, records)), 'route53.amazonaws.com')).toEqual([
      { address: '192.0.2.1', ttl: 7 },
    ]);
  });

  test('not from queries, errors or truncated answers', () => {
    for (const flags of [0x0100, 0x8183, 0x8380]) {
      const message = parsed(answer(route53, [record(toQuestion, A, 300, four(1))], flags));
      expect(resolvedAddresses(message, 'route53.amazonaws.com')).toEqual([]);
    }
    expect(parsed(answer(route53, [], 0x8380)).truncated).toBe(true);
    expect(parsed(answer(route53, [], 0x8183)).rcode).toBe('NXDOMAIN');
  });
});

describe('whatever the bytes are', () => {
  test('nothing is thrown, and what is believed re-encodes to the same questions', () => {
    const soup = fc.uint8Array({ maxLength: 80 });
    const headed = fc.tuple(fc.nat(3), fc.nat(2), soup).map(([q, a, rest]) => bytes(u16(7, 0x8180, q, a, 0, 0), rest));
    fc.assert(
      fc.property(fc.oneof(soup, headed), (message) => {
        const result = parseDnsMessage(message);
        if (result.kind === 'broken') return;
        for (const { name: text } of [...result.questions, ...result.answers]) {
          expect(text).toMatch(/^[!-~]+$/);
          expect(text.length).toBeLessThanOrEqual(4 * 255);
        }
        resolvedAddresses(result, result.questions[0]?.name ?? '.');
      }),
      { numRuns: 20_000 },
    );
  });

  test('well-formed messages read as another library reads them', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const reply = fc.record({
      id: fc.nat(0xffff),
      host,
      answers: fc.array(
        fc.oneof(
          fc.record({ type: fc.constant('A' as const), name: host, ttl: fc.nat(0x7fffffff), data: fc.ipV4() }),
          fc.record({ type: fc.constant('CNAME' as const), name: host, ttl: fc.nat(100), data: host }),
        ),
        { maxLength: 5 },
      ),
    });
    fc.assert(
      fc.property(reply, ({ id, host: asked, answers }) => {
        const encoded = dnsPacket.encode({ type: 'response', id, questions: [{ type: 'A', name: asked }], answers });
        const message = parsed(encoded);
        expect(message).toMatchObject({
          kind: 'answer',
          id,
          questions: [{ name: asked, type: 'A' }],
          trailingBytes: 0,
        });
        expect(message.answers).toEqual(answers.map((one) => ({ ...one, class: 'IN' })));
        for (let length = 0; length < encoded.length; length += 1) {
          expect(parseDnsMessage(encoded.subarray(0, length)).kind).toBe('broken');
        }
      }),
      { numRuns: 200 },
    );
  });
});

// --- Recordings ---

const cases = join(env['TALLY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url)), 'cases');

interface Kprobe {
  function_name: string;
  args?: { bytes_arg?: string }[];
}

function recordedPayloads(): Buffer[] {
  if (!existsSync(cases)) throw new Error(`${cases} is missing: set TALLY_SHARED to the folder that holds cases/.`);
  return readdirSync(cases).flatMap((folder) => {
    const file = join(cases, folder, 'tetragon.jsonl.gz');
    if (!existsSync(file)) return [];
    const lines = gunzipSync(readFileSync(file)).toString().split('\n');
    return lines.flatMap((line) => {
      if (!line.includes('"dns-audit"')) return [];
      const event = (JSON.parse(line) as { process_kprobe?: Kprobe }).process_kprobe;
      return (event?.args ?? []).flatMap(({ bytes_arg }) =>
        bytes_arg === undefined ? [] : [Buffer.from(bytes_arg, 'base64')],
      );
    });
  });
}

test('recorded payloads read as another library reads them, and not at all when cut', () => {
  const payloads = recordedPayloads();
  expect(payloads.length).toBeGreaterThan(100);
  for (const payload of payloads) {
    const theirs = dnsPacket.decode(payload);
    const ours = parsed(payload);
    expect(ours.trailingBytes).toBe(0);
    expect(ours.questions.map((one) => one.name)).toEqual(theirs.questions?.map((one) => one.name.toLowerCase()));
    expect(ours.answers.map((one) => one.name)).toEqual(theirs.answers?.map((one) => one.name.toLowerCase()));
    const addresses = theirs.answers?.flatMap((one) => (one.type === 'A' ? [one.data] : []));
    expect(ours.answers.flatMap((one) => (one.type === 'A' ? [one.data] : []))).toEqual(addresses);
    for (let length = 0; length < payload.length; length += 1)
      expect(parseDnsMessage(payload.subarray(0, length)).kind).toBe('broken');
  }
});
