import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TallyError } from '../../src/model/errors.ts';
import { toTime } from '../../src/evidence/seal.ts';
import { hasEgress } from '../../src/judge/has-egress.ts';
import { judgeStored, type StoredJudgement } from '../../src/judge/judge-stored.ts';
import { holesOf } from '../../src/judge/store-segments.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import type { Segment } from '../../src/model/record.ts';
import { toNs } from '../../src/sources/time-ns.ts';
import { inputsOf, openCodes, openWorkshop } from '../cases/shared-case.ts';
import {
  declare,
  inSealedOrder,
  openTestStore,
  putCase,
  putCloudTrail,
  putLines,
  readCase,
  received,
  type TestStore,
  type Timed,
} from './stored-case.ts';

const name = 'c01-benign';
const files = readCase(name);
const node = 'tetlab';
const hour = 3_600_000_000_000n;

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let store: TestStore;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());
beforeEach(async () => {
  store = await openTestStore(workshop.key);
});
afterEach(() => store.close());

async function judge(task = files.id): Promise<StoredJudgement> {
  return judgeStored({ store: store.path, task, version: 'test' });
}

function earlier({ raw }: Timed, by: bigint): Timed {
  const value = JSON.parse(raw) as { time: string };
  const time = toNs(value.time) - by;
  return { node, time, raw: JSON.stringify({ ...value, time: toTime(time) }) };
}

describe('what is looked at', () => {
  /** The stream was connected two days before, and all of that is in segments of its own; so is the end of the stream. */
  async function putLongRun(config = `${files.config}\ncollector: { lookback: 1h }\n`): Promise<void> {
    const lines = inSealedOrder(files.tetragon);
    const sensor = inSealedOrder(files.sensor);
    store.put('tally', 'config', received(files.declared, config));
    putLines(
      store,
      'sensor',
      [...sensor.slice(0, 1), ...sensor.slice(3, 4)].map((one) => earlier(one, 48n * hour)),
    );
    putLines(
      store,
      'tetragon',
      lines.slice(0, 50).map((one) => earlier(one, 48n * hour)),
    );
    await store.seal();
    putLines(
      store,
      'sensor',
      sensor.slice(3, 5).map((one) => earlier(one, 24n * hour)),
    );
    await store.seal();
    declare(store, files.declared, files.task, files.policies);
    putLines(store, 'tetragon', lines);
    putLines(store, 'sensor', sensor.slice(1));
    await putCloudTrail(store, inputsOf(name).cloudtrail);
    await store.seal();
  }

  it('is what was received an hour before the declaration and later, and the last line of the stream', async () => {
    await putLongRun();
    const { report, segments } = await judge();
    expect(report.verdict).toBe('proven');
    const sensor = segments.filter(({ stream }) => stream === 'sensor').map(({ firstSeq }) => firstSeq);
    expect(sensor).toEqual([0, 4]);
    expect(segments.filter(({ stream }) => stream === 'tetragon').map(({ firstSeq }) => firstSeq)).toEqual([50]);
    expect(report.gaps.map(({ stream, from, count }) => [stream, from === undefined, count])).toEqual([
      ['tetragon', false, 2],
      ['tetragon', true, 50],
    ]);
  });

  it('leaves older lines of the stream out where a later one says since when it was connected', async () => {
    const sensor = inSealedOrder(files.sensor);
    const source = 'sources: { tetragon: [{ node: tetlab, address: "unix:///run/t.sock" }] }';
    const [connected, ...rest] = sensor;
    store.put('tally', 'config', received(files.declared, `${files.config}\n${source}\ncollector: { lookback: 1h }\n`));
    putLines(store, 'sensor', connected === undefined ? [] : [earlier(connected, 48n * hour)]);
    await store.seal();
    declare(store, files.declared, files.task, files.policies);
    const again = { ...(JSON.parse(connected?.raw ?? '') as object), resumed: true, since: '2026-11-19T10:00:00Z' };
    putLines(store, 'tetragon', inSealedOrder(files.tetragon));
    store.put('sensor', node, [{ receivedAt: connected?.time ?? 0n, raw: JSON.stringify(again) }]);
    putLines(store, 'sensor', rest);
    await putCloudTrail(store, inputsOf(name).cloudtrail);
    await store.seal();
    const { report, segments } = await judge();
    expect(segments.filter(({ stream }) => stream === 'sensor').map(({ firstSeq }) => firstSeq)).toEqual([1]);
    expect(report.gaps.map(({ from, count }) => [from, count])).toEqual([[undefined, 1]]);
  });

  it('is everything where the configuration sets no bound, also a step of the task from long before', async () => {
    await putLongRun(files.config);
    const { report, segments } = await judge();
    expect(segments.filter(({ stream }) => stream === 'sensor').length).toBe(3);
    expect(report.verdict).toBe('proven');
    putLines(
      store,
      'tetragon',
      inSealedOrder(files.tetragon).map((one) => earlier(one, 30n * hour)),
    );
    await store.seal();
    const { report: again } = await judge();
    expect(again.claims.find(({ id }) => id === 'declared-first')?.result).toBe('violated');
  });

  it('goes back as far as the configuration says', async () => {
    await putLongRun(`${files.config}\ncollector: { lookback: 7d }\n`);
    const { report, segments } = await judge();
    expect(segments.filter(({ stream }) => stream === 'sensor').length).toBe(3);
    expect(report.verdict).toBe('proven');
  });

  it('goes back to where a declared window begins, and what is missing there counts', async () => {
    await putLongRun();
    const start = toTime(toNs(files.declared) - 30n * hour);
    declare(
      store,
      files.declared,
      `${files.task.replace(files.id, 'wide')}\nwindow: { start: ${start} }\n`,
      files.policies,
    );
    await store.seal();
    const { report, segments } = await judge('wide');
    expect(segments.filter(({ stream }) => stream === 'sensor').length).toBe(3);
    expect(openCodes(report)).toContain('no-health-evidence');
  });

  it('leaves a gap where a process of the task was there before', async () => {
    await putLongRun();
    const old = inSealedOrder(files.tetragon).find(
      ({ raw }) => raw.includes('"TASK_ID"') && raw.includes('process_exit'),
    );
    const value = JSON.parse(old?.raw ?? '{}') as {
      process_exit: { process: { start_time: string; exec_id: string } };
    };
    value.process_exit.process.start_time = '2026-11-19T00:00:00Z';
    value.process_exit.process.exec_id = 'b2xk';
    store.put('tetragon', node, [{ receivedAt: old?.time ?? 0n, raw: JSON.stringify(value) }]);
    await store.seal();
    const { report } = await judge();
    expect(report.verdict).toBe('unproven');
    expect(openCodes(report)).toContain('stream-gap');
  });

  it('tells from the segments alone where records are left out', () => {
    const segment = (stream: string, firstSeq: number, lastSeq: number, at: number): Segment => ({
      ...{ stream, origin: node, firstSeq, lastSeq, count: lastSeq - firstSeq + 1, root: '', file: '', fileSha256: '' },
      firstTime: `2026-11-21T${at}:00:00.000000000Z`,
      lastTime: `2026-11-21T${at}:30:00.000000000Z`,
    });
    const holes = holesOf([
      segment('tetragon', 20, 29, 12),
      segment('tetragon', 5, 9, 11),
      segment('tetragon', 10, 19, 11),
      segment('cloudtrail', 0, 4, 10),
      segment('cloudtrail', 6, 8, 12),
      segment('sensor', 0, 4, 10),
      segment('sensor', 8, 9, 14),
    ]);
    expect(holes.map(([stream, , from, until, why, , count]) => [stream, from, until, why, count])).toEqual([
      ['cloudtrail', null, '2026-11-21T12:00:00.000000000Z', 'stream-gap', 1],
      ['sensor', '2026-11-21T10:30:00.000000000Z', '2026-11-21T14:00:00.000000000Z', 'stream-gap', 3],
      ['tetragon', null, '2026-11-21T11:00:00.000000000Z', 'stream-gap', 5],
    ]);
  });
});

describe('several tasks in one store', () => {
  it('are judged each by its own declaration', async () => {
    await putCase(store, name);
    declare(store, files.declared, files.task.replace(`id: ${files.id}`, 'id: other').replaceAll(files.id, 'none'));
    await store.seal();
    expect((await judge()).report.verdict).toBe('proven');
    const other = await judge('other');
    expect(other).toMatchObject({ state: 'declared', report: { verdict: 'unproven', processes: [] } });
    expect(openCodes(other.report)).toContain('unknown-parent');
  });

  it('an unknown one is an error that names the nearest', async () => {
    await putCase(store, name);
    declare(store, files.declared, files.task.replace(`id: ${files.id}`, 'id: far-from-it'));
    await store.seal();
    const error = await judge('7b3g').catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TallyError);
    expect(error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('Nearest: 7b3f, far-from-it') as string,
    });
  });
});

describe('a task that is declared again', () => {
  const wider = files.task.replace('endpoints:', 'endpoints:\n  - "evil.example:443"');
  const narrower = files.task.replace('  - "sts.amazonaws.com:443"\n', '');

  it('with the same declaration, is declared since the first', async () => {
    await putCase(store, name);
    declare(store, '2026-11-21T12:00:00Z', files.task, files.policies);
    await store.seal();
    const { report, task } = await judge();
    expect(task).toMatchObject({ again: [], time: expect.stringContaining('10:32:53') as string });
    expect(report.claims.find(({ id }) => id === 'declared-first')).toMatchObject({ result: 'holds', findings: [] });
  });

  it('otherwise, is judged by the first, and that is told', async () => {
    store.put('tally', 'config', received(files.declared, files.config));
    declare(store, files.declared, narrower, files.policies);
    declare(store, '2026-11-21T10:33:00Z', wider, files.policies);
    putLines(store, 'tetragon', inSealedOrder(files.tetragon));
    await store.seal();
    const { report, task } = await judge();
    expect(task.record.declaration).toBe(narrower);
    expect(report.claims.find(({ id }) => id === 'declared-first')?.findings).toMatchObject([
      { code: 'late-declaration', kind: 'note', from: expect.stringContaining('10:33:00') as string },
    ]);
  });

  it('and what is no declaration of that task declares nothing', async () => {
    await putCase(store, name);
    const other = files.task.replace(`id: ${files.id}`, 'id: other');
    const records = [
      'not JSON',
      { task: 'x1' },
      { task: 'x2', declaration: 'a: [', policies: [], late: false },
      { task: 'x3', declaration: other, policies: [], late: false },
    ];
    store.put('tally', 'declared', received('2026-11-21T09:00:00Z', ...records));
    await store.seal();
    for (const id of ['x1', 'x2', 'x3', 'other']) await expect(judge(id)).rejects.toThrow('No task');
    expect((await judge()).report.verdict).toBe('proven');
  });
});

describe('hasEgress', () => {
  it('tells the first egress of a task, as far back as is asked', async () => {
    await putCase(store, name);
    await store.seal();
    const declaration = parseDeclaration(files.task, 'of the case');
    const { report } = await judge();
    const first = report.connections.map(({ opened }) => opened).sort()[0];
    expect(await hasEgress(store.path, declaration, '2026-11-21T09:00:00.000000000Z')).toBe(first);
    expect(await hasEgress(store.path, declaration, '2026-11-22T00:00:00.000000000Z')).toBeUndefined();
    const other = parseDeclaration(files.task.replaceAll(files.id, 'none'), 'of another');
    expect(await hasEgress(store.path, other, '2026-11-21T09:00:00.000000000Z')).toBeUndefined();
  });
});
