// Exports tasks and the collector's own telemetry to an OpenTelemetry Collector and to Jaeger, built from their Go modules, and
// reads back what they stored. `node test/interop/otel/run.mjs [dist]`, after `npm run build`; needs Go; loopback only.
/* global URL */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { buildCollector, buildJaeger, freePorts, start, startCollector, startJaeger, until } from './backends.mjs';
import { readMetrics, readSpans } from './otlp-json.mjs';
import { writeStore } from './recorded-store.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
const tally = join(dist, 'cli/main.js');
const shared = process.env.TALLY_SHARED ?? join(root, '../shared');
const caseFolder = (name) => join(shared, 'cases', name);
const folder = mkdtempSync(join(tmpdir(), 'tally-otel-'));
const path = (name) => join(folder, name);
const started = [];

/** Runs our command; its result where it prints JSON. */
function run(...args) {
  return new Promise((done) => {
    execFile(process.execPath, [tally, ...args], { maxBuffer: 64 << 20 }, (error, out, err) =>
      done({ code: error === null ? 0 : error.code, out, err }),
    );
  });
}

async function audit(name) {
  const from = (file) => join(caseFolder(name), file);
  const out = path(`audit-${name}`);
  const inputs = ['tetragon.jsonl.gz', 'sensor.jsonl.gz', 'cloudtrail'].flatMap((file) => [
    `--${file.split('.')[0]}`,
    from(file),
  ]);
  const { code, err } = await run(
    'audit',
    '--task',
    from('task.yaml'),
    '--config',
    from('config.yaml'),
    ...inputs,
    '--out',
    out,
  );
  assert.ok([0, 1, 3].includes(code), err);
  return join(out, 'report.json');
}

const traces = () => readSpans(path('traces.jsonl'));

/** What `tally trace` says, and the spans that the collector wrote of it. */
async function exportTrace(...args) {
  const before = traces().length;
  const { code, out, err } = await run('trace', ...args, '--json');
  assert.equal(code, 0, err);
  const said = JSON.parse(out);
  assert.equal(said.rejected, 0);
  const stored = await until('the collector wrote the spans', () => {
    const spans = traces().slice(before);
    return spans.length >= said.spans && spans;
  });
  return { said, stored };
}

/** Every span once, one root, and every parent and link there. `above`: the span that the task hangs under. */
function checkTrace({ said, stored }, above = '') {
  assert.equal(stored.length, said.spans);
  const ids = new Set(stored.map(({ spanId }) => spanId));
  assert.equal(ids.size, said.spans, 'every span is there once');
  assert.deepEqual([...new Set(stored.map(({ traceId }) => traceId))], [said.traceId]);
  const roots = stored.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  assert.deepEqual(
    roots.map(({ parentSpanId }) => parentSpanId),
    [above],
  );
  assert.equal(roots[0].attributes['tally.kind'], 'task');
  for (const { links } of stored)
    for (const { traceId, spanId } of links) assert.ok(traceId === said.traceId && ids.has(spanId), 'link target');
  assert.ok(
    stored.every(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano)),
  );
  assert.ok(stored.every(({ schemaUrl }) => schemaUrl.startsWith('https://opentelemetry.io/schemas/')));
  return roots[0];
}

/** Spans, parents and links against the report they were made from. */
function checkAgainst(report, stored) {
  const by = (kind, key) =>
    new Map(
      stored.filter(({ attributes }) => attributes['tally.kind'] === kind).map((span) => [span.attributes[key], span]),
    );
  const processes = by('process', 'tally.process.exec_id');
  const connections = by('connection', 'tally.connection.id');
  const uses = by('use', 'tally.use.id');
  const sessions = by('session', 'tally.session.key');
  const task = stored.find(({ attributes }) => attributes['tally.kind'] === 'task');
  assert.deepEqual(
    [processes.size, connections.size, uses.size, sessions.size],
    [report.processes.length, report.connections.length, report.uses.length, report.sessions.length],
  );
  for (const { execId, parentExecId } of report.processes)
    assert.equal(processes.get(execId).parentSpanId, (processes.get(parentExecId) ?? task).spanId);
  for (const { id, execId } of report.connections)
    assert.equal(connections.get(id).parentSpanId, processes.get(execId).spanId);
  for (const { id, connection, key } of report.uses) {
    const span = uses.get(id);
    const through = connections.get(connection);
    assert.equal(span.parentSpanId, through?.parentSpanId ?? task.spanId);
    const targets = [through, sessions.get(key)].filter((target) => target !== undefined);
    assert.deepEqual(
      span.links.map(({ spanId }) => spanId),
      targets.map(({ spanId }) => spanId),
    );
  }
  const findings = report.claims.flatMap((claim) => claim.findings).length;
  assert.equal(
    stored.flatMap(({ events = [] }) => events.filter(({ name }) => name === 'tally.finding')).length,
    findings,
  );
}

const comparable = (spans) =>
  spans
    .map((span) => JSON.stringify([span.spanId, span.parentSpanId, span.name, span.startTimeUnixNano, span.links]))
    .sort();

/** Spans as Jaeger shows them, once it shows so many. */
const inJaeger = (traceId, count) =>
  until(`Jaeger shows ${count} spans`, async () => {
    const spans = await jaeger.trace(traceId);
    return spans.length >= count && spans;
  });

const tests = [];
const test = (name, work) => tests.push({ name, work });
let programs;
let jaeger;
let ports;
let report;
let first;

const overBoth = (name) =>
  test(`${name} over HTTP and over gRPC: every span once, parents and links as in its report`, async () => {
    const file = await audit(name);
    for (const protocol of ['http/protobuf', 'grpc']) {
      const target = `http://127.0.0.1:${protocol === 'grpc' ? ports.grpc : ports.http}`;
      const exported = await exportTrace('--report', file, '--otlp', target, '--protocol', protocol);
      const top = checkTrace(exported);
      checkAgainst(JSON.parse(readFileSync(file, 'utf8')), exported.stored);
      assert.equal(top.status?.code ?? 0, { proven: 1, violated: 2, unproven: 0, pending: 0 }[exported.said.verdict]);
      report ??= file;
      first ??= exported;
    }
  });

overBoth('c01-benign');

test('twice exported: the same spans, and once stored where the backend merges by id', async () => {
  const again = await exportTrace('--report', report, '--otlp', `http://127.0.0.1:${ports.http}`);
  assert.deepEqual(comparable(again.stored), comparable(first.stored));
  const shown = await inJaeger(first.said.traceId, first.said.spans);
  assert.equal(shown.length, first.said.spans);
  assert.equal(new Set(shown.map(({ spanID }) => spanID)).size, first.said.spans);
});

// these are recordings of the task with the same id: in Jaeger they are one trace
overBoth('c12-foreign-use');
overBoth('c19-sensor-loss');

test('a task in a store under the agent’s own span is one trace', async () => {
  const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${ports.http}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'the-agent' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const span = provider.getTracer('agent').startSpan('plan');
  const { traceId, spanId, traceFlags } = span.spanContext();
  const traceparent = `00-${traceId}-${spanId}-0${traceFlags}`;
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  await until('the agent’s span is written', () => traces().some((one) => one.spanId === spanId));

  const declaration = readFileSync(join(caseFolder('c01-benign'), 'task.yaml'), 'utf8').replace(
    'trigger: {',
    `trigger: { traceparent: "${traceparent}",`,
  );
  assert.ok(declaration.includes(traceparent));
  const privateKey = createPrivateKey(readFileSync(path('keys/tally.key.pem')));
  const store = path('store-of-task');
  const task = await writeStore({ dist, path: store, privateKey, folder: caseFolder('c01-benign'), declaration });
  const exported = await exportTrace(
    task,
    '--store',
    store,
    '--no-seal',
    '--otlp',
    `http://127.0.0.1:${ports.grpc}`,
    '--protocol',
    'grpc',
  );
  const top = checkTrace(exported, spanId);
  assert.equal(exported.said.traceId, traceId);
  assert.equal(top.attributes['tally.parent_from'], 'declaration');

  const shown = await inJaeger(traceId, exported.said.spans + 1);
  assert.equal(shown.length, exported.said.spans + 1);
  assert.equal(shown.find(({ spanID }) => spanID === top.spanId).references[0].spanID, spanId);
  assert.equal(shown.find(({ spanID }) => spanID === spanId).operationName, 'plan');
  const known = new Set(shown.map(({ spanID }) => spanID));
  for (const { references } of shown) for (const { spanID } of references) assert.ok(known.has(spanID));
});

test('a file is taken by the collector as it is', async () => {
  const { spans } = JSON.parse((await run('trace', '--report', report, '--file', path('trace.jsonl'), '--json')).out);
  const reading = await startCollector(programs.collector, join(here, 'lines.yaml'), { FOLDER: folder });
  started.push(reading);
  try {
    const stored = await until('the file is read', () => {
      const read = readSpans(path('lines.jsonl'));
      return read.length >= spans && read;
    });
    assert.deepEqual(comparable(stored), comparable(first.stored));
  } finally {
    await reading.stop();
  }
});

test('with certificates on both sides; without ours it says what is wrong', async () => {
  const target = [
    '--report',
    report,
    '--otlp',
    `https://127.0.0.1:${ports.tls}`,
    '--protocol',
    'grpc',
    '--ca',
    path('ca.pem'),
  ];
  checkTrace(await exportTrace(...target, '--cert', path('cert.pem'), '--cert-key', path('key.pem')));
  const refused = await run('trace', ...target);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /did not take the trace/);
});

test('the collector’s own metrics and steps arrive, with the numbers of its page', async () => {
  writeFileSync(path('names.jsonl'), '');
  writeFileSync(
    path('tally.yaml'),
    `store: ./own-store
keys: { signing: ./keys/tally.key.pem }
sources: { resolutions: [./names.jsonl] }
telemetry: { otlp: 'http://127.0.0.1:${ports.http}', interval: 1s, spans: true }
`,
  );
  writeFileSync(
    path('task.yaml'),
    'apiVersion: tally/v1\nkind: Task\ntask: { id: t1, type: test }\nworkload: [ { env: { TASK_ID: t1 } } ]\n',
  );
  const collecting = start(process.execPath, [tally, 'collect', '--config', path('tally.yaml')]);
  started.push(collecting);
  await until('it collects', () => {
    if (collecting.child.exitCode !== null) throw new Error(`it ended: ${collecting.said.slice(-2000)}`);
    return collecting.said.includes('"msg":"collecting"');
  });
  assert.equal((await run('declare', path('task.yaml'), '--store', path('own-store'))).code, 0);
  assert.equal((await run('seal', '--store', path('own-store'))).code, 0);
  const page = await metricsPage(path('own-store'));
  const named = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  const withValues = named.filter(([, name]) => page.match(new RegExp(`^${name}(_count)?[{ ]`, 'm')));
  const segments = Number(/^tally_segments (\d+)$/m.exec(page)[1]);
  assert.ok(segments > 0);
  const metrics = await until('the numbers arrive', () => {
    const all = readMetrics(path('metrics.jsonl'));
    return all.some(({ name, points }) => name === 'tally_segments' && points[0].asDouble >= segments) && all;
  });
  const kinds = { gauge: 'gauge', counter: 'sum', histogram: 'histogram' };
  for (const [, name, kind] of withValues) {
    const last = metrics.findLast((metric) => metric.name === name);
    assert.equal(last?.kind, kinds[kind], name);
    assert.equal(last.resource['service.name'], 'tallystick-collector');
  }
  const records = metrics.findLast(({ name }) => name === 'tally_records');
  assert.ok(records.points.some(({ attributes }) => attributes.stream === 'tally' && attributes.origin === 'declared'));
  assert.equal(await collecting.stop(), 0);
  const steps = await until('the steps arrive', () => {
    const own = traces().filter(({ service }) => service === 'tallystick-collector');
    return ['declare', 'seal'].every((name) => own.some((span) => span.name === name)) && own;
  });
  assert.equal(steps.find(({ name }) => name === 'declare').attributes['tally.task.id'], 't1');
});

test('the configuration in deploy/observability is one that a collector accepts', () => {
  const file = join(root, 'deploy/observability/otel-collector.yaml');
  const { status, stderr } = spawnSync(programs.collector, ['validate', '--config', file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

function metricsPage(store) {
  return new Promise((done, fail) => {
    request({ socketPath: join(store, 'control.sock'), path: '/metrics' }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => done(text));
    })
      .on('error', fail)
      .end();
  });
}

function makeCertificates() {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test ca', '-days', '2');
  openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=localhost');
  writeFileSync(path('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'request.pem', ...sign, '-out', 'cert.pem', '-days', '2');
}

async function setUp() {
  programs = { collector: buildCollector(), jaeger: buildJaeger() };
  makeCertificates();
  assert.equal((await run('keygen', '--out', path('keys'))).code, 0);
  jaeger = await startJaeger(programs.jaeger);
  started.push(jaeger);
  const [grpc, http, tls] = await freePorts(3);
  ports = { grpc, http, tls };
  const environment = { GRPC_PORT: grpc, HTTP_PORT: http, TLS_PORT: tls, FOLDER: folder, JAEGER: jaeger.otlp };
  started.push(await startCollector(programs.collector, join(here, 'collector.yaml'), environment));
}

let failed = 0;
try {
  await setUp();
  for (const { name, work } of tests) {
    const error = await Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (thrown) => thrown,
      );
    if (error !== undefined) failed += 1;
    process.stdout.write(error === undefined ? `ok - ${name}\n` : `not ok - ${name}\n${error.stack}\n`);
  }
} catch (error) {
  failed = tests.length;
  process.stdout.write(`not ok - setting up\n${error.stack}\n`);
} finally {
  await Promise.all(started.map((one) => one.stop()));
}
if (failed === 0) rmSync(folder, { recursive: true });
else process.stdout.write(`kept for a look: ${folder}\n`);
process.stdout.write(`${tests.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
