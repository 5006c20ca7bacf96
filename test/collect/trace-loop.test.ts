import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Ended } from '../../src/collect/child-command.ts';
import { stateFile, traceLoop, type TraceLoopOptions, type TraceState } from '../../src/collect/trace-loop.ts';
import { summaryFolder } from '../../src/judge/task-summary.ts';
import { telemetrySchema, tracesSchema } from '../../src/model/collector.ts';
import { run, workFolder } from '../cli/command-line.ts';
import { type Behaviour, openHttpReceiver, type Receiver } from '../telemetry/receiver.ts';
import { judgedReport } from '../telemetry/reports.ts';

interface Site {
  readonly store: string;
  readonly receiver: Receiver;
  /** Files a report on a task, as the judging process does. */
  file(task: string, state?: 'final' | 'ended', findings?: number): Promise<void>;
  /** Runs a loop, as a collector that was just started, until something is true; then stops it as SIGTERM does. */
  until(isTrue: () => boolean, options?: Partial<TraceLoopOptions>): Promise<Ran>;
}

interface Ran {
  readonly exported: Map<string, TraceState>;
  readonly failed: string[];
}

async function openSite(behaviour: Behaviour = {}): Promise<Site> {
  const store = workFolder().path('store');
  const receiver = await openHttpReceiver(behaviour);
  const tasks = new Set<string>();
  const report = await judgedReport('c12-foreign-use');
  return {
    store,
    receiver,
    file: (task, state = 'final', findings = 1) => {
      const folder = summaryFolder(store, task);
      mkdirSync(folder, { recursive: true });
      const counts = { processes: 1, egress: 1, uses: 1, findings };
      const about = { schema: 'tallystick/summary/v1', task, state, verdict: 'violated', window: {}, counts };
      const summary = { ...about, judgedUntil: null, size: 1, final: state === 'final', pendingUntil: null };
      const assumptions = [{ name: 'findings', detail: String(findings) }];
      const made = { ...report, assumptions, task: { ...report.task, id: task } };
      writeFileSync(join(folder, 'report.json'), JSON.stringify(made));
      writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary));
      tasks.add(task);
      return Promise.resolve();
    },
    until: async (isTrue, options) => {
      const ran: Ran = { exported: new Map(), failed: [] };
      const loop = traceLoop({
        store,
        traces: tracesSchema.parse({ otlp: receiver.url, headers: { 'x-zone': 'blue, and =green' } }),
        env: { OTEL_EXPORTER_OTLP_TIMEOUT: '300' },
        tasks: () => tasks,
        exported: (task, state) => void ran.exported.set(task, state),
        failed: (task, why) => void ran.failed.push(`${task}: ${why}`),
        waiting: () => undefined,
        pause: 20,
        run: inThisProcess,
        ...options,
      });
      const stop = new AbortController();
      const running = loop.run(stop.signal);
      for (const began = Date.now(); !isTrue() && Date.now() - began < 60_000;)
        await new Promise((resolve) => setTimeout(resolve, 10));
      stop.abort();
      await running;
      return ran;
    },
  };
}

/** The same command, without a process of its own. */
async function inThisProcess(args: readonly string[], env: TraceLoopOptions['env']): Promise<Ended> {
  const { code, out, err } = await run(args, { env });
  return { code, stdout: out, stderr: err };
}

const traceIds = ({ spans }: Receiver): Set<string> => new Set(spans.map(({ traceId }) => traceId));

describe('the collector’s traces', () => {
  test('each final task is exported once, others not', async () => {
    const site = await openSite();
    for (const task of ['a', 'b/../c']) await site.file(task);
    await site.file('running', 'ended');
    const { exported, failed } = await site.until(() => traceIds(site.receiver).size === 2);
    expect(failed).toEqual([]);
    expect([...exported.keys()].toSorted()).toEqual(['a', 'b/../c']);
    expect(site.receiver.requests).toHaveLength(2);
    expect(site.receiver.requests[0]).toMatchObject({ 'x-zone': 'blue, and =green' });
    expect(JSON.parse(readFileSync(stateFile(site.store, 'a'), 'utf8'))).toMatchObject({ rejected: 0, leftOut: 0 });
  });

  test('a restart sends nothing again, but what says something else meanwhile', async () => {
    const site = await openSite();
    await site.file('a');
    await site.file('b');
    await site.until(() => site.receiver.requests.length === 2);
    await site.file('b', 'final', 7);
    await site.file('c');
    const { exported } = await site.until(() => site.receiver.requests.length === 4);
    expect([...exported.keys()].toSorted()).toEqual(['b', 'c']);
  });

  test('what is sent decides: another report is sent though its summary is the same, one only written again is not', async () => {
    const site = await openSite();
    for (const task of ['a', 'b']) await site.file(task);
    await site.until(() => site.receiver.requests.length === 2);
    const [a, b] = ['a', 'b'].map((task) => join(summaryFolder(site.store, task), 'report.json'));
    writeFileSync(a ?? '', readFileSync(a ?? '', 'utf8').replace('"detail":"1"', '"detail":"2"'));
    utimesSync(b ?? '', 1, 1);
    await site.file('c');
    const { exported, failed } = await site.until(() => site.receiver.requests.length === 4);
    expect([[...exported.keys()].toSorted(), failed]).toEqual([['a', 'c'], []]);
  });

  test('a report whose summary is of another judgement waits for the right one', async () => {
    const site = await openSite();
    await site.file('a');
    await site.file('b');
    const path = join(summaryFolder(site.store, 'a'), 'report.json');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.replace('"verdict":"violated"', '"verdict":"proven"'));
    const { exported, failed } = await site.until(() => site.receiver.requests.length === 1);
    expect([...exported.keys()]).toEqual(['b']);
    expect(failed[0]).toBe('a: its report says proven, its summary violated: one of them is old');
    const told: string[] = [];
    const later = site.until(() => traceIds(site.receiver).size === 2, {
      failed: (_, why) => {
        told.push(why);
        writeFileSync(path, whole);
      },
    });
    expect((await later).exported.has('a')).toBe(true);
    expect(told).toHaveLength(1);
  });

  test('a task of which nothing can be read does not hold up the others, and is tried again', async () => {
    const site = await openSite();
    for (const task of ['a', 'b', 'c']) await site.file(task);
    mkdirSync(stateFile(site.store, 'a'));
    let waiting = 0;
    const failures: string[] = [];
    const { exported } = await site.until(() => traceIds(site.receiver).size === 3, {
      waiting: (count) => void (waiting = Math.max(waiting, count)),
      failed: (task, why) => {
        failures.push(`${task}: ${why}`);
        if (failures.length === 2) rmSync(stateFile(site.store, 'a'), { recursive: true });
      },
    });
    expect([...exported.keys()].toSorted()).toEqual(['a', 'b', 'c']);
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatch(/^a: .*EISDIR/);
    expect(waiting).toBe(3);
  });

  test('nothing is lost while the backend is down, also over a restart', async () => {
    const behaviour: Behaviour = { status: 503 };
    const site = await openSite(behaviour);
    for (const task of ['a', 'b', 'c']) await site.file(task);
    const failures: string[] = [];
    const first = await site.until(() => failures.length >= 3, { failed: (_, why) => void failures.push(why) });
    expect(first.exported.size).toBe(0);
    expect(failures[0]).toContain('too much to do');
    delete behaviour.status;
    const second = await site.until(() => traceIds(site.receiver).size === 3);
    expect(second.exported.size).toBe(3);
  });

  test('a task that can’t be exported does not hold up the others, and is tried again', async () => {
    const site = await openSite();
    await site.file('broken');
    const path = join(summaryFolder(site.store, 'broken'), 'report.json');
    const whole = readFileSync(path);
    writeFileSync(path, 'no report');
    for (const task of ['x', 'y']) await site.file(task);
    const { exported, failed } = await site.until(() => traceIds(site.receiver).size === 2);
    expect([...exported.keys()].toSorted()).toEqual(['x', 'y']);
    expect(failed[0]).toContain('broken: ');
    writeFileSync(path, whole);
    expect((await site.until(() => traceIds(site.receiver).size === 3)).exported.has('broken')).toBe(true);
  });

  test('spans that the backend refused for good are not sent again', async () => {
    const site = await openSite({ rejected: { spans: 2, message: 'too old' } });
    await site.file('a');
    const { exported } = await site.until(() => site.receiver.requests.length > 0);
    expect(exported.get('a')).toMatchObject({ rejected: 2 });
    await site.file('b');
    await site.until(() => traceIds(site.receiver).size === 2);
    expect(site.receiver.requests).toHaveLength(2);
  });

  test('more tasks than are remembered at once are all exported', { timeout: 240_000 }, async () => {
    const site = await openSite();
    const tasks = Array.from({ length: 1300 }, (_, n) => `task-${String(n)}`);
    for (const task of tasks) await site.file(task);
    let most = 0;
    const done = new Set<string>();
    await site.until(() => done.size === tasks.length, {
      run: (args) => {
        done.add(args[1] ?? '');
        return Promise.resolve({ code: 0, stdout: '{"traceId":"t","spans":1,"leftOut":0,"rejected":0}', stderr: '' });
      },
      waiting: (count) => void (most = Math.max(most, count)),
    });
    expect(done.size).toBe(tasks.length);
    expect(most).toBe(1000);
  });

  test('whatever goes wrong does not end the collector', async () => {
    const site = await openSite();
    await site.file('a');
    const failures: string[] = [];
    onTestFinished(() => rmSync(site.store, { recursive: true, force: true }));
    await site.until(() => failures.length > 1, {
      run: () => Promise.reject(new Error('out of memory')),
      failed: (_, why) => void failures.push(why),
    });
    expect(failures[0]).toContain('out of memory');
  });
});

test.each([
  [{ otlp: 'ftp://h' }, /http/],
  [{ otlp: 'no URL' }, /http/],
  [{ otlp: 'http://u:p@h' }, /password.*OTEL_EXPORTER_OTLP_HEADERS/],
  [{ otlp: 'http://u@h' }, /user name/],
  [{ otlp: 'http://h/?api_key=x' }, /query/],
  [{ otlp: 'http://h', headers: { 'x-honeycomb-team': 'x' } }, /is secret/],
  [{ otlp: 'http://h', headers: { signoz_api_key: 'x' } }, /is secret/],
  [{ otlp: 'http://h', headers: { 'uptrace-dsn': 'x' } }, /is secret/],
  [{ otlp: 'http://h', headers: { Authorization: 'x' } }, /OTEL_EXPORTER_OTLP_HEADERS/],
  [{ otlp: 'http://h', headers: { 'x-a': 'b\nc' } }, /printable/],
  [{ otlp: 'http://h', cert: 'c.pem' }, /go together/],
  [{ otlp: 'http://h', maxSpans: 0 }, />0/],
  [{ otlp: 'http://h', maxSpans: 1e9 }, /999999999/],
])('the configuration %j is a mistake', (traces, message) => {
  expect(tracesSchema.safeParse(traces).error?.message).toMatch(message);
});

test.each(['500ms', '25d', 0])('the interval %j of own telemetry is a mistake', (interval) => {
  expect(telemetrySchema.safeParse({ otlp: 'http://h', interval }).success).toBe(false);
  expect(telemetrySchema.safeParse({ otlp: 'http://h', interval: '24d' }).success).toBe(true);
});

test('headers go to the export by its environment, behind those that are there', async () => {
  const site = await openSite();
  await site.file('a');
  const runs: [readonly string[], TraceLoopOptions['env']][] = [];
  await site.until(() => runs.length > 0, {
    env: { OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=x' },
    run: (args, env) => {
      runs.push([args, env]);
      return Promise.resolve({ code: 2, stdout: '', stderr: '' });
    },
  });
  expect(runs[0]?.[0].join(' ')).not.toContain('zone');
  expect(runs[0]?.[1]).toEqual({
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=x,x-zone=blue%2C%20and%20%3Dgreen',
  });
});
