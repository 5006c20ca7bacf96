import { createServer } from 'node:net';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMetrics } from '../../src/collect/metrics.ts';
import { openOwnTelemetry } from '../../src/collect/own-telemetry.ts';
import { recordSteps, watchSealer } from '../../src/collect/steps.ts';
import { telemetrySchema } from '../../src/model/collector.ts';
import { toMetricData } from '../../src/telemetry/otlp/metric-data.ts';
import { openGrpcReceiver, openHttpReceiver, type Receiver } from '../telemetry/receiver.ts';
import { until } from './collector-process.ts';

const env = { OTEL_EXPORTER_OTLP_TIMEOUT: '300' };

async function open(given: object) {
  const metrics = openMetrics();
  const said: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void said.push(line) });
  const settings = { ...telemetrySchema.parse({ spans: true, ...given }), interval: 0.05 };
  const telemetry = await openOwnTelemetry({
    settings,
    store: '/var/lib/tally/store',
    version: '1.2.3',
    env,
    metrics,
    log,
  });
  const stop = new AbortController();
  let measured = 0;
  const running = telemetry.way(() => void (measured += 1)).run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
    await telemetry.close();
  });
  const valueOf = async (name: string): Promise<number> =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0;
  return { metrics, telemetry, stop, running, said, valueOf, measured: () => measured };
}

const last = ({ metrics }: Receiver, name: string): Receiver['metrics'][number] | undefined =>
  metrics.findLast((metric) => metric.name === name);

describe.each([
  ['http/protobuf', openHttpReceiver],
  ['grpc', openGrpcReceiver],
] as const)('over %s', (protocol, openReceiver) => {
  test('metrics arrive under the names, kinds and numbers of the page', async () => {
    const receiver = await openReceiver();
    const { metrics, measured } = await open({ otlp: receiver.url, protocol });
    metrics.reports.inc({ verdict: 'violated' }, 3);
    metrics.exportLag.set({ node: 'n1' }, 42);
    await until(() => last(receiver, 'tally_export_lag_bytes') !== undefined);
    expect(measured()).toBeGreaterThan(0);
    expect(last(receiver, 'tally_export_lag_bytes')).toMatchObject({
      kind: 'gauge',
      points: [{ value: 42, attributes: { node: 'n1' } }],
    });
    const reports = last(receiver, 'tally_reports_total');
    expect(reports).toMatchObject({
      kind: 'counter',
      description: expect.stringMatching(/^Tasks judged, by verdict/) as unknown,
    });
    expect(reports?.points).toContainEqual({ value: 3, attributes: { verdict: 'violated' } });
    expect(reports?.resource).toMatchObject({
      'service.name': 'tallystick-collector',
      'service.version': '1.2.3',
      'service.instance.id': expect.stringMatching(/^.+:\/var\/lib\/tally\/store$/) as unknown,
    });
  });

  test('each step is a span, a failed one an error', async () => {
    const receiver = await openReceiver();
    const { telemetry } = await open({ otlp: receiver.url, protocol });
    const { steps } = telemetry;
    const result = await steps.run(
      'judge',
      () => Promise.resolve(7),
      () => ({ attributes: { 'tally.task.id': 't1', 'tally.verdict': 'proven' } }),
    );
    expect(result).toBe(7);
    await expect(steps.run('declare', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await until(() => receiver.spans.length >= 2);
    expect(receiver.spans).toMatchObject([
      { name: 'judge', status: 0, parentSpanId: '', attributes: { 'tally.kind': 'step', 'tally.task.id': 't1' } },
      { name: 'declare', status: 2 },
    ]);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(2);
    expect(receiver.spans[0]?.resource).toMatchObject({ 'service.name': 'tallystick-collector' });
  });
});

test('a histogram has its counts between boundaries, one for each set of labels; what has no value is left out', () => {
  const part = (suffix: string, value: number, labels: Record<string, string | number>) => ({
    metricName: `h${suffix}`,
    value,
    labels,
  });
  const values = [
    ...[1, 3, 3].map((value, index) => part('_bucket', value, { le: [0.1, 1, '+Inf'][index] ?? '', kind: 'a' })),
    part('_sum', 1.5, { kind: 'a' }),
    part('_count', 3, { kind: 'a' }),
    ...[0, 0, 2].map((value, index) => part('_bucket', value, { le: [0.1, 1, '+Inf'][index] ?? '', kind: 'b' })),
    part('_sum', 9, { kind: 'b' }),
    part('_count', 2, { kind: 'b' }),
  ];
  const empty = { name: 'g', help: '', type: 'gauge', values: [{ value: Number.NaN, labels: {} }] };
  const data = toMetricData([{ name: 'h', help: '', type: 'histogram', values }, empty], [1, 0], [2, 0]);
  expect(data.map(({ descriptor: { name } }) => name)).toEqual(['h']);
  expect(data[0]?.dataPoints).toMatchObject([
    { attributes: { kind: 'a' }, value: { buckets: { boundaries: [0.1, 1], counts: [1, 2, 0] }, sum: 1.5, count: 3 } },
    { attributes: { kind: 'b' }, value: { buckets: { boundaries: [0.1, 1], counts: [0, 0, 2] }, sum: 9, count: 2 } },
  ]);
});

test('without spans: steps run as they are, and none is sent', async () => {
  const receiver = await openHttpReceiver();
  const { telemetry } = await open({ otlp: receiver.url, spans: false });
  expect(await telemetry.steps.run('judge', () => Promise.resolve('x'))).toBe('x');
  await until(() => receiver.metrics.length > 0);
  expect(receiver.spans).toEqual([]);
});

test('a backend that refuses is told of once, counted, and does not end it', async () => {
  const receiver = await openHttpReceiver({ status: 400 });
  const { telemetry, said, valueOf } = await open({ otlp: receiver.url });
  await telemetry.steps.run('seal', () => Promise.resolve());
  await until(async () => (await valueOf('tally_telemetry_failures_total')) >= 2);
  expect(await valueOf('tally_telemetry_spans_dropped_total')).toBe(1);
  const told = said.filter((line) => line.includes('was not taken'));
  expect(told).toHaveLength(1);
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    why: `The backend ${receiver.url}/v1/metrics did not take the metrics: it refused it (400); its log may tell why.`,
  });
  expect(told[0]).not.toContain('stack');
  delete receiver.behaviour.status;
  await until(() => receiver.metrics.length > 0);
  await until(() => said.some((line) => line.includes('taken again')));
  expect(last(receiver, 'tally_telemetry_failures_total')?.points[0]?.value).toBeGreaterThanOrEqual(2);
});

test('a backend that never answers holds up nothing', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as { port: number };
  const { telemetry, stop, running, measured } = await open({ otlp: `http://127.0.0.1:${String(port)}` });
  await until(() => measured() > 0);
  const began = performance.now();
  expect(await telemetry.steps.run('seal', () => Promise.resolve(1))).toBe(1);
  stop.abort();
  await running;
  expect(performance.now() - began).toBeLessThan(250); // less than its timeout
  await telemetry.close();
  expect(performance.now() - began).toBeLessThan(4000);
});

test('settings that can’t be used are counted and tried again, and stop nothing', async () => {
  const { said, valueOf } = await open({ otlp: 'https://127.0.0.1:1', ca: '/nowhere/ca.pem' });
  await until(async () => (await valueOf('tally_telemetry_failures_total')) >= 2);
  expect(said.join()).toContain('/nowhere/ca.pem');
});

test('steps beyond the limit are counted, and no more is kept', async () => {
  const steps = recordSteps(2);
  for (let n = 0; n < 5; n += 1) await steps.run(`s${String(n)}`, () => Promise.resolve());
  const { spans, dropped } = steps.take();
  expect([spans.map(({ name }) => name), dropped]).toEqual([['s0', 's1'], 3]);
  expect(steps.take()).toEqual({ spans: [], dropped: 0 });
});

test('sealing of a log file is a step that names it', async () => {
  const steps = recordSteps();
  const draft = { segment: {}, path: 'p' } as never;
  const open = watchSealer(
    () => Promise.resolve({ draft: () => Promise.resolve(draft), close: () => Promise.resolve() }),
    steps,
  );
  const sealer = await open({ store: '/s', maskKey: Buffer.alloc(32) });
  const wal = { path: '/w', stream: 'tetragon', origin: 'n1', firstSeq: 0, records: 7, bytes: 99 };
  expect(await sealer.draft(wal, 0)).toBe(draft);
  expect(steps.take().spans).toMatchObject([
    {
      name: 'seal',
      attributes: {
        'tally.step.stream': 'tetragon',
        'tally.step.origin': 'n1',
        'tally.step.records': 7,
        'tally.step.bytes': 99,
      },
    },
  ]);
});
