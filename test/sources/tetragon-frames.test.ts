import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BrokenInput,
  decodeFrame,
  type Frame,
  maxFrameLength,
  readFrames,
  splitFrames,
} from '../../src/sources/tetragon-frames.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

// A protobuf encoder of our own, so that the library does not vouch for itself.
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
const int = (field: number, value: bigint | number): Buffer =>
  Buffer.concat([varint(BigInt(field) << 3n), varint(BigInt(value))]);
const len = (field: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint((BigInt(field) << 3n) | 2n), varint(BigInt(body.length)), body]);
};
const text = (field: number, value: string): Buffer => len(field, Buffer.from(value));
const time = (seconds: bigint | number, nanos: number): Buffer => len(1001, int(1, seconds), int(2, nanos));
const event = (...fields: readonly Buffer[]): Buffer => Buffer.concat([...fields, time(1, 0)]);

interface Event {
  readonly process_kprobe?: { readonly process?: unknown; readonly args?: readonly unknown[] };
  readonly time?: string;
}
function decoded(frame: Uint8Array): Event {
  const result = decodeFrame(frame);
  if (result.kind === 'broken') throw new Error(result.why);
  return JSON.parse(result.line) as Event;
}
const processOf = (...fields: readonly Buffer[]): unknown =>
  decoded(event(len(9, len(1, ...fields)))).process_kprobe?.process;
const argumentOf = (...fields: readonly Buffer[]): unknown =>
  decoded(event(len(9, len(4, ...fields)))).process_kprobe?.args?.[0];

describe('decodeFrame', () => {
  it('writes literal bytes as the line of the JSON export, in the order of the field numbers', () => {
    const frame = hex(
      'ca3e 0b 08e0d285d806 10ffd5cc0a' + // time: first on the wire, last in the line
        '4a 22' + // process_kprobe
        '1a 0b 7463705f636f6e6e656374' + // function_name
        '22 0d 4a 0b 50 80a6d29de0a0e2ffff01' + // args: sock_arg with its cookie, past 2^53
        '22 02 1000' + // args: int_arg 0
        '30 01' + // action
        'c23e 02 6e31', // node_name
    );
    expect(decodeFrame(frame)).toEqual({
      kind: 'line',
      line:
        '{"process_kprobe":{"function_name":"tcp_connect","args":[{"sock_arg":{"cookie":"18446613257657815808"}},' +
        '{"int_arg":0}],"action":"KPROBE_ACTION_POST"},"node_name":"n1","time":"2026-11-21T09:50:24.022227711Z"}',
    });
  });

  it.each([
    ['a plain zero or empty text is left out', [text(1, ''), int(13, 0)], {}],
    ['a wrapped zero is kept', [len(2), len(3, int(1, 0)), len(20)], { pid: 0, uid: 0, in_init_tree: false }],
    ['a wrapped maximum is unsigned', [len(9, int(1, 4294967295))], { auid: 4294967295 }],
    ['fields that no table needs are skipped', [len(14, int(1, 1)), len(17, int(1, 1)), len(18), len(19)], {}],
    [
      'of the namespaces only pid and net are kept',
      [len(15, len(1, int(1, 7)), len(4, int(1, 8)), len(6, int(1, 9), int(2, 1)))],
      { ns: { pid: { inum: 8 }, net: { inum: 9, is_host: true } } },
    ],
    ['a message that holds nothing is kept', [len(15)], { ns: {} }],
    [
      'environment variables have upper-case keys',
      [len(21, text(1, 'TASK_ID'), text(2, 'a')), len(21, text(1, 'EMPTY'))],
      { environment_variables: [{ Key: 'TASK_ID', Value: 'a' }, { Key: 'EMPTY' }] },
    ],
    [
      'labels are an object, whatever they are called',
      [
        len(
          10,
          len(5, text(1, 'app'), text(2, 'x')),
          len(5, text(1, '__proto__'), text(2, 'y')),
          len(5, text(1, 'none')),
        ),
      ],
      { pod: { pod_labels: JSON.parse('{"app":"x","__proto__":"y","none":""}') as unknown } },
    ],
    ['a field that comes twice has its last value', [text(5, '/bin/a'), text(5, '/bin/b')], { binary: '/bin/b' }],
    ['bytes that are no UTF-8 become U+FFFD', [len(6, hex('61ff62'))], { arguments: 'a\ufffdb' }],
    [
      'control characters and a lone surrogate cost nothing',
      [len(6, hex('0a00eda080')), text(4, '\u2028"\\')],
      { cwd: '\u2028"\\', arguments: '\n\0\ufffd\ufffd\ufffd' },
    ],
  ])('process: %s', (_, fields, expected) => {
    expect(processOf(...fields)).toEqual(expected);
  });

  it.each([
    ['a zero of a chosen kind is kept', [int(4, 0)], { size_arg: '0' }],
    ['int64 is signed and a string', [int(11, -1)], { long_arg: '-1' }],
    ['the least int64 is exact', [int(11, -(2n ** 63n))], { long_arg: '-9223372036854775808' }],
    ['the greatest uint64 is exact', [int(4, 2n ** 64n - 1n)], { size_arg: '18446744073709551615' }],
    ['int32 is signed and a number', [int(2, -115)], { int_arg: -115 }],
    ['bytes are base64 with padding', [len(5, hex('fbff'))], { bytes_arg: '+/8=' }],
    ['a bytes value may be empty', [len(5)], { bytes_arg: '' }],
    ['what could not be read says so', [len(32, text(1, 'Bad address'))], { error_arg: { Message: 'Bad address' } }],
    ['of two kinds the last one counts', [int(2, 5), int(15, 0)], { uint_arg: 0 }],
    ['a kind that is not listed keeps its place', [len(10, int(1, 1)), text(18, 'cred')], { label: 'cred' }],
    [
      'truncated bytes tell their whole size',
      [len(8, len(1, hex('00')), int(2, 4096))],
      { truncated_bytes_arg: { bytes_arg: 'AA==', orig_size: '4096' } },
    ],
  ])('argument: %s', (_, fields, expected) => {
    expect(argumentOf(...fields)).toEqual(expected);
  });

  it.each([
    [1, 0, '1970-01-01T00:00:01Z'],
    [0, 0, '1970-01-01T00:00:00Z'],
    [-1, 999_999_999, '1969-12-31T23:59:59.999999999Z'],
    [1795254624, 500_000_000, '2026-11-21T09:50:24.500Z'],
    [1795254624, 1_000_000, '2026-11-21T09:50:24.001Z'],
    [1795254624, 20_000, '2026-11-21T09:50:24.000020Z'],
    [1795254624, 1, '2026-11-21T09:50:24.000000001Z'],
    [-62135596800, 0, '0001-01-01T00:00:00Z'],
    [253402300799, 0, '9999-12-31T23:59:59Z'],
  ])('prints the time %d s %d ns as protojson does', (seconds, nanos, expected) => {
    expect(decoded(time(seconds, nanos)).time).toBe(expected);
  });

  it('names actions, and numbers those it does not know', () => {
    const actions = len(9, int(6, 3), int(9, 99));
    expect(decoded(event(actions)).process_kprobe).toEqual({ action: 'KPROBE_ACTION_SIGKILL', return_action: 99 });
  });

  it('keeps node and time of an event that is not listed', () => {
    expect(decoded(event(len(40000, int(1, 1)), text(1000, 'n')))).toEqual({
      node_name: 'n',
      time: '1970-01-01T00:00:01Z',
    });
  });

  it.each([
    ['no bytes', Buffer.alloc(0), 'no time'],
    ['an event without a time', hex('4a00'), 'no time'],
    ['a field that runs past the end', hex('4a7f00'), 'out of range'],
    ['an inner field that runs past its message', hex('4a04 0a7f 0000'), 'out of range'],
    ['a varint without end', hex('ca3e 0d 08ffffffffffffffffffffff01'), 'varint'],
    ['field number 0', hex('0001'), 'tag'],
    ['a group that is not closed', hex('0b'), 'out of range'],
    ['a wire type that is none', hex('0f'), 'wire type'],
    ['a nanosecond too many', time(1, 1_000_000_000), 'time out of range'],
    ['a negative nanosecond', time(1, -1), 'time out of range'],
    ['a second past the year 9999', time(253402300800, 0), 'time out of range'],
    ['a second that no number holds', time(2n ** 63n - 1n, 0), 'time out of range'],
  ])('calls %s broken, and says why', (_, frame, why) => {
    expect(decodeFrame(frame)).toEqual({ kind: 'broken', why: expect.stringContaining(why) as string });
  });

  it('never throws, whatever the bytes', () => {
    const whole = event(len(9, len(1, text(1, 'id'), len(2, int(1, 5))), len(4, len(9, int(10, 2n ** 63n)))));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['line', 'broken']).toContain(decodeFrame(bytes).kind);
        expect(['line', 'broken']).toContain(decodeFrame(Buffer.concat([whole, bytes])).kind);
      }),
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        const result = decodeFrame(damaged);
        if (result.kind === 'line') expect(JSON.parse(result.line)).toHaveProperty('time');
      }),
    );
  });
});

const framed = (frame: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return Buffer.concat([length, frame]);
};

/** RFC 8878: one zstd frame of one raw block; the decompressed size has one byte. */
function rawZstd(data: Buffer): Buffer {
  const blockHeader = Buffer.alloc(3);
  blockHeader.writeUIntLE((data.length << 3) | 1, 0, 3);
  return Buffer.concat([hex('28b52ffd 20'), Buffer.from([data.length]), blockHeader, data]);
}

async function collect(items: AsyncIterable<Frame | BrokenInput>): Promise<(Frame | BrokenInput)[]> {
  const all: (Frame | BrokenInput)[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('readFrames', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'tally-frames-'))));
  afterAll(() => rm(folder, { recursive: true }));
  async function read(content: Buffer, name = 'events.binpb'): Promise<(Frame | BrokenInput)[]> {
    const path = join(folder, name);
    await writeFile(path, content);
    return collect(readFrames(path));
  }

  const first = event(text(1000, 'one'));
  const other = event(text(1000, 'two'));
  const recording = Buffer.concat([framed(first), framed(other)]);
  const whole = [
    { kind: 'frame', frame: first, offset: 0 },
    { kind: 'frame', frame: other, offset: 4 + first.length },
  ];

  it.each([
    ['plain', recording],
    ['gzip', gzipSync(recording)],
    ['gzip of two members', Buffer.concat([gzipSync(framed(first)), gzipSync(framed(other))])],
    ['zstd', rawZstd(recording)],
    ['zstd of two frames', Buffer.concat([rawZstd(framed(first)), rawZstd(framed(other))])],
    ['zstd behind a skippable frame', Buffer.concat([hex('502a4d18 02000000 0000'), rawZstd(recording)])],
  ])('reads %s whatever the file is called', async (_, content) => {
    expect(await read(content)).toEqual(whole);
    expect(await read(content, 'events.binpb.gz')).toEqual(whole);
  });

  it('finds nothing in an empty file, but damage in an empty one that should be compressed', async () => {
    expect(await read(Buffer.alloc(0))).toEqual([]);
    expect(await read(Buffer.alloc(0), 'events.binpb.zst')).toMatchObject([{ kind: 'broken', offset: 0 }]);
  });

  it.each([
    ['plain', recording],
    ['gzip', gzipSync(recording)],
    ['zstd', rawZstd(recording)],
  ])('ends a %s recording that is cut off anywhere with one broken item and its place', async (_, content) => {
    for (let size = 1; size < content.length; size++) {
      const items = await read(content.subarray(0, size));
      const frames = items.filter((item) => item.kind === 'frame');
      expect(frames).toEqual(whole.slice(0, frames.length));
      if (content === recording && size === framed(first).length) expect(items).toEqual(frames);
      else {
        const end = frames.reduce((sum, { frame }) => sum + 4 + frame.length, 0);
        expect(items.slice(frames.length), `cut to ${size} bytes`).toMatchObject([{ kind: 'broken', offset: end }]);
      }
    }
  });

  it('yields what a gzip file held before it was cut off', async () => {
    const long = Buffer.concat(
      Array.from({ length: 20_000 }, (_, n) => framed(event(int(40001, n), text(1000, `${n}`)))),
    );
    const items = await read(gzipSync(long).subarray(0, -9));
    expect(items.filter(({ kind }) => kind === 'frame').length).toBeGreaterThan(19_900);
    expect(items.at(-1)?.kind).toBe('broken');
  });

  it.each([
    ['a length past the limit', Buffer.concat([recording, hex('04000001')])],
    ['a length of zero', Buffer.concat([recording, Buffer.alloc(16)])],
    ['zeros behind gzip', Buffer.concat([gzipSync(recording), Buffer.alloc(16)])],
    ['other bytes behind zstd', Buffer.concat([rawZstd(recording), Buffer.alloc(32)])],
  ])('stops at %s', async (_, content) => {
    const broken = { kind: 'broken', offset: recording.length };
    expect(await read(content)).toMatchObject([...whole, broken]);
  });

  it('says what is wrong with a gzip file whose checksum fails', async () => {
    const content = gzipSync(recording);
    content[content.length - 5] = (content[content.length - 5] ?? 0) ^ 1;
    expect((await read(content)).at(-1)).toMatchObject({
      kind: 'broken',
      why: expect.stringContaining('damaged') as string,
    });
  });

  it('refuses a file that is not there, or is a folder, with a sentence that says what to do', async () => {
    await expect(collect(readFrames(join(folder, 'absent')))).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/absent.*check the path/) as string,
    });
    await expect(collect(readFrames(folder))).rejects.toMatchObject({ code: 'input' });
  });

  it('finds the same frames however the stream is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        async (frames, sizes) => {
          const bytes = Buffer.concat(frames.map(framed));
          // eslint-disable-next-line @typescript-eslint/require-await -- only the type of a stream is wanted
          async function* chunks(): AsyncGenerator<Buffer> {
            for (let at = 0, n = 0; at < bytes.length; n++) {
              const size = sizes[n % sizes.length] ?? 1;
              yield bytes.subarray(at, (at += size));
            }
          }
          const items = await collect(splitFrames(chunks()));
          expect(items.map((item) => (item.kind === 'frame' ? Buffer.from(item.frame) : item))).toEqual(
            frames.map((frame) => Buffer.from(frame)),
          );
        },
      ),
    );
  });

  it('takes a frame as long as the limit', async () => {
    const frame = Buffer.alloc(maxFrameLength);
    // eslint-disable-next-line @typescript-eslint/require-await -- only the type of a stream is wanted
    async function* chunks(): AsyncGenerator<Buffer> {
      const bytes = framed(frame);
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    }
    expect(await collect(splitFrames(chunks()))).toMatchObject([{ kind: 'frame', offset: 0 }]);
  });
});

// --- The recordings of a real Tetragon: what came over gRPC against what the same agent wrote to its export file. ---

const scenarios = join(
  env['TALLY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url)),
  'lab/scenarios',
);

/**
 * Events that both ways in hold, that only gRPC, and that only the export holds. Each export begins before the client
 * subscribes and ends after it left; s14 and s15 lost events on either side, s23 limits the rate of the export.
 */
const expected: Readonly<Record<string, readonly [both: number, framesOnly: number, jsonOnly: number]>> = {
  's01-benign': [304, 0, 19],
  's02-undeclared': [244, 0, 19],
  's03-udp': [82, 0, 19],
  's04-daemon': [81, 0, 19],
  's05-unix-relay': [74, 0, 19],
  's06-loopback-relay': [66, 0, 19],
  's07-inherited-socket': [42, 0, 16],
  's09-fork-threads': [170, 0, 16],
  's10-ipv6': [184, 0, 18],
  's11-io-uring': [64, 0, 18],
  's12-raw-packet': [56, 0, 17],
  's13-refused-timeout': [121, 0, 19],
  's14-burst': [12201, 24079, 1327],
  's14b-burst-lean-lossless': [20017, 0, 0],
  's15a-restart-sigterm': [3957, 8, 41],
  's15b-restart-sigkill': [2427, 1, 27],
  's16-concurrent': [441, 0, 19],
  's18-pid-reuse': [6942, 0, 19],
  's19-tfo-mptcp': [102, 0, 19],
  's21a-policy-disable': [1347, 0, 16],
  's22b-lsm': [249, 0, 0],
  's23-rate-limits': [185, 1658, 22],
};

/** The lean fields, from design 5 and facts/tetragon.md: what is not named here is dropped. */
type Shape = true | { readonly [field: string]: Shape };
const shape = ((): Shape => {
  const fields = (names: string): Record<string, true> =>
    Object.fromEntries(names.split(' ').map((name) => [name, true]));
  const namespace = fields('inum is_host');
  const process = {
    ...fields(
      'exec_id pid uid cwd binary arguments flags start_time auid docker parent_exec_id refcnt tid in_init_tree',
    ),
    pod: {
      ...fields('namespace name uid pod_labels workload workload_kind pod_annotations'),
      container: { ...fields('id name start_time pid'), image: fields('id name') },
    },
    ns: { net: namespace, pid: namespace },
    environment_variables: fields('Key Value'),
  };
  const file = fields('mount path flags permission');
  const argument = {
    ...fields('string_arg int_arg size_arg bytes_arg long_arg uint_arg label'),
    skb_arg: fields('hash len priority mark saddr daddr sport dport proto sec_path_len sec_path_olen protocol family'),
    sock_arg: fields('family type protocol mark priority saddr daddr sport dport cookie state'),
    path_arg: file,
    file_arg: file,
    truncated_bytes_arg: fields('bytes_arg orig_size'),
    sockaddr_arg: fields('family addr port'),
    sockaddrun_arg: fields('family path'),
    syscall_id: fields('id abi'),
    error_arg: fields('Message'),
  };
  const tree = { process, parent: process };
  const hook = { ...tree, args: argument, ...fields('action policy_name message tags') };
  return {
    ...fields('node_name time'),
    process_exec: tree,
    process_exit: { ...tree, ...fields('signal status time') },
    process_kprobe: { ...hook, ...fields('function_name return_action'), return: argument },
    process_tracepoint: { ...hook, ...fields('subsys event') },
    process_uprobe: { ...hook, ...fields('path symbol') },
    process_usdt: { ...hook, ...fields('path provider name') },
    process_lsm: { ...hook, ...fields('function_name') },
    process_loader: { ...tree, ...fields('path buildid') },
    process_throttle: fields('type cgroup'),
    rate_limit_info: fields('number_of_dropped_process_events'),
  };
})();

function project(value: unknown, to: Shape): unknown {
  if (to === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => project(item, to));
  const kept = Object.entries(value).filter(([key]) => key in to);
  return Object.fromEntries(kept.map(([key, item]) => [key, project(item, to[key] ?? true)]));
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}

/** Lean events by (time, kind, exec_id, function): what tells that two ways in speak of the same event. */
type Events = Map<string, string[]>;
function add(events: Events, line: Record<string, unknown>): void {
  const kind = Object.keys(line).find((key) => key !== 'node_name' && key !== 'time') ?? '';
  const body = line[kind] as { process?: { exec_id?: string }; function_name?: string };
  const key = [line['time'], kind, body.process?.exec_id, body.function_name].join(' ');
  events.set(key, [...(events.get(key) ?? []), JSON.stringify(sortKeys(line))].sort());
}

async function eventsOfFrames(path: string): Promise<Events> {
  const events: Events = new Map();
  for await (const item of readFrames(path)) {
    if (item.kind === 'broken') throw new Error(`broken at ${item.offset}: ${item.why}`);
    const result = decodeFrame(item.frame);
    if (result.kind === 'broken') throw new Error(`broken frame at ${item.offset}: ${result.why}`);
    add(events, JSON.parse(result.line) as Record<string, unknown>);
  }
  return events;
}

async function eventsOfExport(path: string): Promise<Events> {
  const events: Events = new Map();
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()), crlfDelay: Infinity });
  for await (const line of lines) add(events, project(JSON.parse(line), shape) as Record<string, unknown>);
  return events;
}

describe('the recordings of a real Tetragon', () => {
  it('are there, each with its expected counts', () => {
    expect(existsSync(scenarios), `${scenarios} is missing: set TALLY_SHARED to the folder that holds lab/`).toBe(true);
    expect(readdirSync(scenarios).sort()).toEqual(Object.keys(expected));
  });

  it.each(Object.keys(expected))('%s: frames and export lines say the same', async (scenario) => {
    const frames = await eventsOfFrames(join(scenarios, scenario, 'events.binpb.gz'));
    const lines = await eventsOfExport(join(scenarios, scenario, 'events.jsonl.gz'));
    const counts = { both: 0, framesOnly: 0, jsonOnly: 0 };
    for (const [key, events] of frames) {
      const same = lines.get(key);
      if (same === undefined) counts.framesOnly += events.length;
      else {
        if (JSON.stringify(events) !== JSON.stringify(same)) expect(events, key).toEqual(same); // toEqual alone is slow
        counts.both += events.length;
      }
    }
    for (const [key, events] of lines) if (!frames.has(key)) counts.jsonOnly += events.length;
    expect(Object.values(counts)).toEqual(expected[scenario]);
  });
});
