import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateKeyPair } from '../../src/attest/keys.ts';
import { openTestStore, putCase } from '../judge/stored-case.ts';
import { run, workFolder } from '../cli/command-line.ts';
import { decodeJson } from './otlp-messages.ts';
import { openGrpcReceiver, openHttpReceiver } from './receiver.ts';
import { judgedReport, spansOf } from './reports.ts';

const quick = { OTEL_EXPORTER_OTLP_TIMEOUT: '500' };

async function reportFile(name = 'c12-foreign-use', path = 'report.json'): Promise<string> {
  return workFolder().write(path, JSON.stringify(await judgedReport(name)));
}

describe('tally trace', () => {
  test('exports a report, and exits with 0 whatever the verdict is', async () => {
    const receiver = await openHttpReceiver();
    const { code, out, err } = await run([
      'trace',
      '--report',
      await reportFile(),
      '--otlp',
      receiver.url,
      '--header',
      'X-Team=blue',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { length } = spansOf(await judgedReport('c12-foreign-use'));
    expect(receiver.spans).toHaveLength(length);
    expect(out).toBe(
      `Task 7b3f (violated): ${String(length)} spans of trace ${receiver.spans[0]?.traceId ?? ''} to ${receiver.url}/v1/traces\n`,
    );
    expect(receiver.requests[0]).toMatchObject({ 'x-team': 'blue', path: '/v1/traces', 'content-encoding': 'gzip' });
  });

  test('judges a task from a store, and exits with 4 where that is not what its ledger says', async () => {
    const { write, path } = workFolder();
    const key = write('key.pem', generateKeyPair().privatePem);
    chmodSync(key, 0o600);
    const store = await openTestStore(key);
    onTestFinished(() => store.close());
    await putCase(store, 'c12-foreign-use');
    const [segment] = await store.seal();
    const file = path('trace.jsonl');
    const argv = ['trace', '7b3f', '--store', store.path, '--file', file];
    expect(await run(argv)).toMatchObject({ code: 0, err: '' });
    const ids = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .flatMap(decodeJson)
      .map(({ spanId }) => spanId);
    expect(ids).toEqual(spansOf(await judgedReport('c12-foreign-use')).map(({ spanId }) => spanId));
    expect(await run(['trace', '7b3e', '--store', store.path, '--file', file])).toMatchObject({ code: 2 });
    rmSync(join(store.path, segment?.file ?? ''));
    expect(await run(argv)).toMatchObject({ code: 4, out: '' });
  });

  test('speaks gRPC when it is told to', async () => {
    const receiver = await openGrpcReceiver();
    const argv = ['trace', '7b3f', '--report', await reportFile(), '--protocol', 'grpc', '--json'];
    const { code, out } = await run(argv, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      task: '7b3f',
      verdict: 'violated',
      rejected: 0,
      leftOut: 0,
      to: receiver.url,
    });
    expect(receiver.spans.length).toBeGreaterThan(10);
  });

  test('writes a file, and leaves out what is too much', async () => {
    const { path } = workFolder();
    const file = path('trace.jsonl');
    const argv = ['trace', '--report', await reportFile(), '--file', file, '--max-spans', '8'];
    const { code, out } = await run(argv);
    expect(code).toBe(0);
    expect(out).toContain('left out');
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').flatMap(decodeJson).length).toBeLessThan(12);
  });

  test('writes over no link, no folder and no device, and through no link beside the file', async () => {
    const folder = workFolder();
    const report = await reportFile();
    mkdirSync(folder.path('out'));
    const path = (name: string): string => join(folder.path('out'), name);
    writeFileSync(path('precious'), 'precious');
    symlinkSync('precious', path('link'));
    symlinkSync('precious', path('trace.jsonl.tmp'));
    mkdirSync(path('folder'));
    for (const file of [path('link'), path('folder'), '/dev/null']) {
      const { code, err } = await run(['trace', '--report', report, '--file', file]);
      expect(code).toBe(2);
      expect(err).toContain('no regular file');
    }
    expect(await run(['trace', '--report', report, '--file', path('trace.jsonl')])).toMatchObject({ code: 0 });
    expect(readFileSync(path('precious'), 'utf8')).toBe('precious');
    expect(readdirSync(folder.path('out')).toSorted()).toEqual(
      ['folder', 'link', 'precious', 'trace.jsonl', 'trace.jsonl.tmp'].toSorted(),
    );
  });

  test('tells what the backend refused, and exits with 2', async () => {
    const receiver = await openHttpReceiver({ rejected: { spans: 2, message: 'too old' } });
    const { code, out, err } = await run(['trace', '--report', await reportFile(), '--otlp', receiver.url, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ rejected: 2 });
    expect(err).toContain('refused 2 of');
    expect(err).toContain('too old');
  });

  test('says what to do when there is no backend, without its password', async () => {
    const argv = ['trace', '--report', await reportFile(), '--otlp', 'http://me:hunter2@127.0.0.1:9/x?key=hunter3'];
    const { code, out, err } = await run(argv, { env: quick });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('http://127.0.0.1:9/x/v1/traces');
    expect(err).toContain('can’t be reached');
    expect(err).not.toMatch(/hunter/);
  });

  test.each([
    [[], /one of --store/],
    [['--report', 'REPORT', '--store', 'x'], /one of --store/],
    [['--store', '/nowhere'], /Which task/],
    [['other', '--report', 'REPORT', '--file', 'x'], /report on task 7b3f/],
    [['--report', 'REPORT'], /--otlp URL/],
    [['--report', 'REPORT', '--otlp', 'localhost:4318'], /http:\/\//],
    [['--report', 'REPORT', '--otlp', 'http://h', '--file', 'x'], /one of --otlp/],
    [['--report', 'REPORT', '--otlp', 'http://h', '--header', 'nothing'], /name=value/],
    [['--report', 'REPORT', '--otlp', 'http://h', '--header', 'a=b\r\nc: d'], /name=value/],
    [['--report', 'REPORT', '--otlp', 'http://h', '--max-spans', '0'], /at least 1/],
    [['--report', 'REPORT', '--otlp', 'http://h', '--protocol', 'udp'], /protocol/],
    [['--report', '/nowhere.json', '--otlp', 'http://h'], /can't be read/],
    [['--report', import.meta.filename, '--otlp', 'http://h'], /no JSON/],
    [['--report', 'EMPTY', '--otlp', 'http://h'], /no report/],
  ])('%j is a mistake', async (argv, message) => {
    const { write } = workFolder();
    const files: Record<string, string> = { REPORT: await reportFile(), EMPTY: write('empty.json', '{}') };
    const { code, out, err } = await run(['trace', ...argv.map((one) => files[one] ?? one)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});
