import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TallyError } from '../../src/model/errors.ts';
import { exportTrace, type Exported } from '../../src/telemetry/otlp/export-trace.ts';
import { openTarget, type TargetOptions } from '../../src/telemetry/otlp/target.ts';
import { writeTrace } from '../../src/telemetry/otlp/write-trace.ts';
import { toTaskTrace } from '../../src/telemetry/task-trace.ts';
import { workFolder } from '../cli/command-line.ts';
import { decodeJson, type ReceivedSpan } from './otlp-messages.ts';
import { type Behaviour, grpcStatus, makeCertificates, openGrpcReceiver, openHttpReceiver } from './receiver.ts';
import { bigReport, judgedReport, spansOf } from './reports.ts';

const name = 'c12-foreign-use';
const options = { maxSpans: 100_000, trustedParent: 'process' } as const;

async function send(asked: TargetOptions, env: Record<string, string> = {}): Promise<Exported> {
  const trace = toTaskTrace(await judgedReport(name), options);
  const target = await openTarget(asked, { OTEL_EXPORTER_OTLP_TIMEOUT: '1500', ...env });
  if (target === undefined) throw new Error('a target was expected');
  return exportTrace(trace, target, '1.2.3');
}

async function failure(asked: TargetOptions, env: Record<string, string> = {}): Promise<TallyError> {
  const error = await send(asked, env).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof TallyError) return error;
  throw new Error(`a TallyError was expected, not ${String(error)}`);
}

async function expectWhole(received: readonly ReceivedSpan[]): Promise<void> {
  const spans = spansOf(await judgedReport(name), options);
  const form = (span: ReceivedSpan): unknown[] => [span.spanId, span.parentSpanId, span.name, span.start, span.end];
  expect(received.map(form)).toEqual(
    spans.map((span) => [span.spanId, span.parent?.spanId ?? '', span.name, span.start, span.end]),
  );
  for (const [index, span] of spans.entries()) {
    const got = received[index];
    expect(got?.traceId).toBe(span.traceId);
    expect(got?.attributes).toEqual(span.attributes);
    expect(got?.events.map(({ attributes }) => attributes)).toEqual(span.events.map(({ attributes }) => attributes));
    expect(got?.links).toEqual(span.links.map(({ spanId }) => spanId));
    expect(got?.kind).toBe({ internal: 1, client: 3 }[span.kind]);
    expect(got?.status).toBe({ unset: 0, ok: 1, error: 2 }[span.status.code]);
    expect(got?.resource).toEqual({ 'service.name': 'tallystick', 'service.version': '1.2.3' });
    expect(got?.schemaUrl).toMatch(/^https:\/\/opentelemetry\.io\/schemas\/1\.\d+\.0$/);
  }
}

/** Without it, what is measured would be the garbage of others. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const ways = [
  { protocol: 'http/protobuf', open: openHttpReceiver, unavailable: 503, overloaded: 429, denied: 401, unknown: 404 },
  {
    protocol: 'grpc',
    open: openGrpcReceiver,
    unavailable: grpcStatus.UNAVAILABLE,
    overloaded: grpcStatus.RESOURCE_EXHAUSTED,
    denied: grpcStatus.UNAUTHENTICATED,
    unknown: grpcStatus.UNIMPLEMENTED,
  },
];

describe.each(ways)('over $protocol', ({ protocol, open, unavailable, overloaded, denied, unknown }) => {
  const answering = async (behaviour: Behaviour): Promise<TallyError> =>
    failure({ protocol, url: (await open(behaviour)).url });

  test('every span arrives as it was made, with headers', async () => {
    const receiver = await open();
    const result = await send({ protocol, url: receiver.url, headers: { 'x-team': 'blue' } });
    await expectWhole(receiver.spans);
    expect(result).toEqual({ spans: receiver.spans.length, rejected: 0, told: [] });
    expect(receiver.requests[0]).toMatchObject({ 'x-team': 'blue' });
  });

  test('twice exported gives the same ids', async () => {
    const receiver = await open();
    await send({ protocol, url: receiver.url });
    const once = receiver.spans.length;
    await send({ protocol, url: receiver.url });
    expect(receiver.spans.slice(once)).toEqual(receiver.spans.slice(0, once));
  });

  test('uses TLS with an authority and a client certificate of its own, and nothing else', async () => {
    const tls = makeCertificates();
    const receiver = await open({}, tls);
    await send({ protocol, url: receiver.url, ca: tls.ca, cert: tls.cert, certKey: tls.key });
    await expectWhole(receiver.spans);
    const unknownAuthority = await failure({ protocol, url: receiver.url, cert: tls.cert, certKey: tls.key });
    expect(unknownAuthority.message).toMatch(/certificate/);
    expect(unknownAuthority.retryable).toBe(false);
    await failure({ protocol, url: receiver.url, ca: tls.ca });
    expect(receiver.spans).toHaveLength(spansOf(await judgedReport(name)).length);
  });

  test('takes what the SDK’s environment variables say', async () => {
    const tls = makeCertificates();
    const receiver = await open({}, tls);
    await send(
      {},
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_CERTIFICATE: tls.ca,
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: tls.cert,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: tls.key,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-team=red',
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-team=green',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      },
    );
    await expectWhole(receiver.spans);
    expect(receiver.requests[0]).toMatchObject({ authorization: 'Bearer abc', 'x-team': 'green' });
    expect(receiver.requests[0]).not.toHaveProperty('content-encoding');
  });

  test('a backend that is down is told as such, after trying again', async () => {
    const error = await failure({ protocol, url: `http://127.0.0.1:${String(await freePort())}` });
    expect(error).toMatchObject({ code: 'input', exitCode: 2, retryable: true });
    expect(error.message).toContain('can’t be reached');
  });

  test('a backend that never answers is left after the time that was given', async () => {
    const began = Date.now();
    const error = await answering({ silent: true });
    expect(error).toMatchObject({ exitCode: 2, retryable: true });
    expect(error.message).toContain('did not answer in time');
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test('a backend with too much to do is tried again, and takes the trace once', async () => {
    const receiver = await open({ status: unavailable, times: 1 });
    await send({ protocol, url: receiver.url }, { OTEL_EXPORTER_OTLP_TIMEOUT: '8000' });
    await expectWhole(receiver.spans);
    expect(receiver.requests.length).toBe(2);
  });

  test.each([
    ['has too much to do', { status: unavailable }, true, /too much to do|reached/],
    ['limits the rate', { status: overloaded }, true, /too much to do/],
    ['wants other credentials', { status: denied }, false, /--header/],
    ['knows no traces', { status: unknown }, false, /--protocol/],
  ])('a backend that %s is told as such', async (_, behaviour, retryable, message) => {
    const error = await answering({ ...behaviour });
    expect(error).toMatchObject({ code: 'input', exitCode: 2, retryable });
    expect(error.message).toMatch(message);
  });

  test('what a backend refuses of a trace is told', async () => {
    const receiver = await open({ rejected: { spans: 3, message: 'too old\u001b[2J' } });
    const result = await send({ protocol, url: receiver.url });
    expect(result).toMatchObject({ rejected: 3, told: ['too old\\u{1b}[2J'] });
  });

  test('20,000 connections take bounded memory', { timeout: 240_000 }, async () => {
    const report = bigReport(await judgedReport(name), 20_000);
    const behaviour: Behaviour = {};
    const receiver = await open(behaviour);
    const trace = toTaskTrace(report, options);
    const target = await openTarget({ protocol, url: receiver.url }, { OTEL_EXPORTER_OTLP_TIMEOUT: '60000' });
    if (target === undefined) throw new Error('a target was expected');
    let count = 0;
    const ids = new Set<string>();
    receiver.spans.push = (...spans) => {
      for (const { spanId } of spans) ids.add(spanId);
      return (count += spans.length);
    };
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed)), 5);
    onTestFinished(() => clearInterval(watch));
    await exportTrace(trace, target, '1');
    expect(count).toBe(trace.total);
    expect(ids.size).toBe(trace.total);
    expect((most - before) / 2 ** 20, 'MiB').toBeLessThan(80); // all spans at once are more
  });
});

describe('where to send', () => {
  const urlOf = async (asked: TargetOptions, env: Record<string, string> = {}): Promise<string[]> => {
    const target = await openTarget(asked, env);
    return target === undefined ? [] : [target.protocol, target.url];
  };

  test.each([
    ['http://h:4318', ['http/protobuf', 'http://h:4318/v1/traces']],
    ['http://h:4318/', ['http/protobuf', 'http://h:4318/v1/traces']],
    ['https://h/otlp', ['http/protobuf', 'https://h/otlp/v1/traces']],
    ['https://h/otlp/v1/traces', ['http/protobuf', 'https://h/otlp/v1/traces']],
    ['http://h:4317', ['grpc', 'http://h:4317/']],
  ])('%s', async (url, expected) => {
    expect(await urlOf({ url })).toEqual(expected);
  });

  test('the variable for traces is taken as it stands, the flag before both', async () => {
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://g' };
    expect(await urlOf({}, env)).toEqual(['http/protobuf', 'http://t/x']);
    expect(await urlOf({ url: 'http://f' }, env)).toEqual(['http/protobuf', 'http://f/v1/traces']);
    expect(await urlOf({}, {})).toEqual([]);
  });

  test.each([
    [{ url: 'localhost:4318' }, {}],
    [{ url: 'file:///x' }, {}],
    [{ url: 'http://h', protocol: 'http/json' }, {}],
    [{ url: 'http://h', cert: 'only.pem' }, {}],
    [{ url: 'http://h', ca: '/nowhere.pem' }, {}],
    [{ url: 'http://h' }, { OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' }],
    [{ url: 'http://h' }, { OTEL_EXPORTER_OTLP_COMPRESSION: 'zip' }],
  ])('%j with %j is a mistake', async (asked, env) => {
    await expect(openTarget(asked, env)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('a file', () => {
  test('holds the same spans as OTLP JSON, a request on each line', async () => {
    const path = workFolder().path('trace.jsonl');
    await writeTrace(toTaskTrace(await judgedReport(name), options), path, '1.2.3');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    await expectWhole(lines.flatMap(decodeJson));
  });

  test('is the same byte for byte when written again, also over an old one', async () => {
    const path = workFolder().path('trace.jsonl');
    const trace = toTaskTrace(bigReport(await judgedReport(name), 2000), options);
    await writeTrace(trace, path, '1');
    const first = readFileSync(path);
    writeFileSync(path, 'old');
    await writeTrace(trace, path, '1');
    expect(readFileSync(path).equals(first)).toBe(true);
    expect(first.toString().split('\n').length).toBeGreaterThan(3);
  });

  test('that can’t be written is told', async () => {
    const trace = toTaskTrace(await judgedReport(name), options);
    await expect(writeTrace(trace, '/nowhere/at/all', '1')).rejects.toMatchObject({ code: 'input', exitCode: 2 });
  });
});
