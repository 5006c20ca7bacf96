import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toTime } from '../../src/evidence/seal.ts';
import { judgeStored } from '../../src/judge/judge-stored.ts';
import type { Report } from '../../src/model/report.ts';
import { toNs } from '../../src/sources/time-ns.ts';
import { inputsOf, openCodes, openWorkshop } from '../cases/shared-case.ts';
import { toFrame } from './line-frame.ts';
import {
  declare,
  inSealedOrder,
  openTestStore,
  putCloudTrail,
  putLines,
  readCase,
  received,
  type Timed,
} from './stored-case.ts';

const name = 'c01-benign';
const recorded = readCase(name);
const node = 'tetlab';
const second = 1_000_000_000n;
const recordedLines = inSealedOrder(recorded.tetragon);
const minuteLater = (recordedLines.at(-1)?.time ?? 0n) + 60n * second;
/** The recording ends ten seconds after the task; what the ways tell of each other needs half a minute. */
const lines = [...recordedLines, ...recordedLines.slice(-1).map((one) => laterBy(one, minuteLater))];
const files = {
  ...recorded,
  sensor: recorded.sensor.map((one) => (one.raw.includes('"disconnected"') ? laterBy(one, minuteLater + second) : one)),
};

function laterBy({ raw }: Timed, time: bigint): Timed {
  return { node, time, raw: JSON.stringify({ ...(JSON.parse(raw) as object), time: toTime(time) }) };
}

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let reference: Report;
/** A stretch within the task, and ends of it. */
let from: bigint;
let until: bigint;

beforeAll(async () => {
  workshop = await openWorkshop();
  reference = await judge({ frames: lines, sensor: files.sensor });
  from = toNs(reference.window.start) + second / 10n;
  until = toNs(reference.window.end) + second / 10n;
});
afterAll(() => workshop.close());

interface Evidence {
  readonly frames?: readonly Timed[];
  readonly exported?: readonly Timed[];
  readonly sensor: readonly Timed[];
  readonly gaps?: readonly object[];
}

async function judge({ frames = [], exported = [], sensor, gaps = [] }: Evidence): Promise<Report> {
  const store = await openTestStore(workshop.key);
  try {
    store.put('tally', 'config', received(files.declared, files.config));
    declare(store, files.declared, files.task, files.policies);
    for (const { time, raw } of frames) store.put('tetragon-grpc', node, [{ receivedAt: time, raw: toFrame(raw) }]);
    putLines(store, 'tetragon', exported);
    putLines(store, 'sensor', sensor);
    for (const gap of gaps) store.put('tally', 'gap', received(toTime(until), gap));
    await putCloudTrail(store, inputsOf(name).cloudtrail);
    await store.seal();
    return (await judgeStored({ store: store.path, task: files.id, version: 'test' })).report;
  } finally {
    await store.close();
  }
}

function line(time: bigint, rest: object): Timed {
  return { node, time, raw: JSON.stringify({ node, time: toTime(time), ...rest }) };
}
const stream = (time: bigint, state: string, rest: object = {}): Timed =>
  line(time, { kind: 'stream', state, ...rest });

/** The case's lines, with the export's own: connected from before until after, and what its lists are. */
function twoWays(
  lists: object | null | undefined = { allowList: '', denyList: '', rateLimit: null },
  own: readonly Timed[] = wholeExport(),
): Timed[] {
  const told = files.sensor.map((one) => {
    const value = JSON.parse(one.raw) as { kind: string };
    return value.kind === 'health' && lists !== null
      ? { ...one, raw: JSON.stringify({ ...value, export: lists }) }
      : one;
  });
  return [...told, ...own];
}

function wholeExport(): Timed[] {
  const ends = [lines[0]?.time ?? 0n, lines.at(-1)?.time ?? 0n] as const;
  const since = toTime(ends[0] - second);
  return [
    stream(ends[0], 'connected', { way: 'export', since, resumed: false }),
    stream(ends[1], 'connected', { way: 'export', since, resumed: true }),
  ];
}

const brokenGrpc = (): Timed[] => [stream(from, 'disconnected', { why: 'reset' }), stream(until, 'connected')];
const without = (all: readonly Timed[]): Timed[] => all.filter(({ time }) => time < from || time > until);

/** All but record ids and what is told of the sources. */
function content(report: Report): unknown {
  const text = JSON.stringify({
    ...report,
    coverage: [],
    gaps: [],
    claims: report.claims.map(({ id, result }) => ({ id, result })),
  });
  return JSON.parse(text.replaceAll(/tetragon(-grpc)?\/tetlab\/\d+/g, 'record')) as unknown;
}

const continuity = (report: Report) => report.claims.find(({ id }) => id === 'sensor-continuity');

describe('events by gRPC and by the export', () => {
  it('frames alone and lines alone give the same', async () => {
    expect(reference.verdict).toBe('proven');
    expect(content(await judge({ exported: lines, sensor: files.sensor }))).toEqual(content(reference));
  });

  it('both at once do not double anything', async () => {
    const report = await judge({ frames: lines, exported: lines, sensor: twoWays() });
    expect(content(report)).toEqual(content(reference));
    expect(report.gaps).toEqual([]);
  });

  it('what gRPC lost the export fills, and that is told', async () => {
    const report = await judge({ frames: without(lines), exported: lines, sensor: [...twoWays(), ...brokenGrpc()] });
    expect(content(report)).toEqual(content(reference));
    expect(continuity(report)?.findings).toMatchObject([
      { kind: 'note', code: 'stream-gap', detail: expect.stringContaining('gRPC was not whole (reset)') as string },
    ]);
  });

  it('what the export lost gRPC fills', async () => {
    const own = [...wholeExport().slice(0, 1), stream(from, 'disconnected', { way: 'export', why: 'truncated' })];
    const again = stream(until, 'connected', { way: 'export', since: toTime(until), resumed: false });
    const report = await judge({
      frames: lines,
      exported: without(lines),
      sensor: twoWays(undefined, [...own, again]),
    });
    expect(content(report)).toEqual(content(reference));
  });

  it('what both lost at once is a gap', async () => {
    const own = [
      ...wholeExport().slice(0, 1),
      stream(from + second / 20n, 'disconnected', { way: 'export', why: 'truncated' }),
      stream(until, 'connected', { way: 'export', since: toTime(until - second / 20n), resumed: false }),
    ];
    const sensor = [...twoWays({ allowList: '', denyList: '' }, own), ...brokenGrpc()];
    const report = await judge({ frames: without(lines), exported: without(lines), sensor });
    expect(openCodes(report)).toContain('stream-gap');
    expect(report.verdict).toBe('unproven');
    const gap = report.gaps.find(({ why }) => why.includes('export: truncated; grpc: reset'));
    expect(gap).toMatchObject({ until: expect.stringContaining(toTime(until - second / 20n).slice(0, 21)) as string });
  });

  it.each([
    ['a list leaves events out of it', { allowList: '', denyList: '{"namespace":[""]}' }],
    ['nothing tells whether a list does', null],
  ])('the export fills nothing where %s', async (_what, lists) => {
    const report = await judge({
      frames: without(lines),
      exported: lines,
      sensor: [...twoWays(lists), ...brokenGrpc()],
    });
    expect(report.verdict).toBe('unproven');
    expect(openCodes(report)).toContain('stream-gap');
  });

  it('the export fills nothing beyond 30 s before its newest event', async () => {
    const exported = lines.filter(({ time }) => time < until);
    const report = await judge({ frames: without(lines), exported, sensor: [...twoWays(), ...brokenGrpc()] });
    expect(report.verdict).toBe('unproven');
    expect(openCodes(report)).toContain('stream-gap');
  });

  it('lines of the export that leave events out are a doubt where nothing else came', async () => {
    const lists = { allowList: '', denyList: '{"namespace":[""]}' };
    const grpcless = twoWays(lists).filter(({ raw }) => !raw.includes('"stream"') || raw.includes('"export"'));
    const report = await judge({ exported: lines, sensor: grpcless });
    expect(openCodes(report)).toContain('hook-narrowed');
  });

  it('a restart that read on from the very byte is no gap of the export', async () => {
    const own = [
      ...wholeExport().slice(0, 1),
      stream(from, 'disconnected', { way: 'export', why: 'stopped' }),
      stream(until, 'connected', { way: 'export', since: toTime(lines[0]?.time ?? 0n), resumed: true }),
    ];
    const grpcless = twoWays(undefined, own).filter(({ raw }) => !raw.includes('"stream"') || raw.includes('"export"'));
    const report = await judge({ exported: lines, sensor: grpcless });
    expect(openCodes(report)).toEqual([]);
    const lost = grpcless.map((one) => ({ ...one, raw: one.raw.replace('"resumed":true', '"resumed":false') }));
    expect(openCodes(await judge({ exported: lines, sensor: lost }))).toEqual(['stream-gap']);
  });
});

describe('gaps that the collector recorded', () => {
  const refused = (streamName: string) => [
    {
      stream: streamName,
      origin: node,
      from: toTime(from),
      until: toTime(until),
      why: 'stream-gap',
      detail: 'The disk was full.',
      count: 3,
    },
  ];

  it('of frames are filled by the export alone', async () => {
    const gaps = refused('tetragon-grpc');
    expect((await judge({ frames: without(lines), exported: lines, sensor: twoWays(), gaps })).verdict).toBe('proven');
    const alone = await judge({ frames: lines, sensor: files.sensor, gaps });
    expect(alone.verdict).toBe('unproven');
    expect(alone.gaps).toContainEqual({
      stream: 'tetragon-grpc',
      origin: node,
      from: expect.any(String) as string,
      until: expect.any(String) as string,
      why: 'stream-gap: The disk was full.',
      count: 3,
    });
  });

  it.each([
    ['of lines about the sensor', 'sensor', 'sensor-continuity'],
    ['of a provider’s log', 'cloudtrail', 'audit-complete'],
  ])('%s are doubts', async (_what, streamName, claim) => {
    const report = await judge({ frames: lines, sensor: files.sensor, gaps: refused(streamName) });
    expect(report.claims.find(({ id }) => id === claim)?.result).toBe('unproven');
  });

  it('of another node, before the task, or of what proves nothing, do not matter', async () => {
    const early = { ...refused('tetragon-grpc')[0], from: '2026-11-21T10:00:00Z', until: '2026-11-21T10:00:01Z' };
    const other = { ...refused('tetragon-grpc')[0], origin: 'node-2' };
    const gaps = [early, other, ...refused('cloudtrail-lookup'), ...refused('resolution')];
    expect((await judge({ frames: lines, sensor: files.sensor, gaps })).verdict).toBe('proven');
  });

  it('that can not be read may be any', async () => {
    const store = await judge({ frames: lines, sensor: files.sensor, gaps: [{ nothing: 'known' }] });
    expect(store.verdict).toBe('unproven');
  });
});

describe('records that are not what they should be', () => {
  it('are gaps bounded by the time at which they came, and never end the run', async () => {
    const [first] = lines;
    const garbage = (time: bigint): Timed => ({ node, time, raw: 'not JSON {' });
    const before = [...lines.slice(0, 1), garbage((first?.time ?? 0n) + 1n), ...lines.slice(1)];
    const early = await judge({ exported: before, sensor: [...files.sensor, { ...garbage(from), raw: 'neither' }] });
    expect(early.gaps.filter(({ why }) => why.startsWith('broken-line')).length).toBe(2);
    expect(early.verdict).toBe('proven');
    const within = inSealedOrder([...lines, garbage(from + 1n)]);
    expect((await judge({ exported: within, sensor: files.sensor })).verdict).toBe('unproven');
  });
});
