import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GapRecord } from '../../src/evidence/record-log.ts';
import { readStore } from '../../src/evidence/store-read.ts';
import type { Report } from '../../src/model/report.ts';
import { literal, openDatabase } from '../../src/query/database.ts';
import { scenarioFolder } from '../lab/lab.ts';
import { ask, metric, openSite, runTally, type Site, startCollector, until } from './collector-process.ts';
import type { TetragonServer } from './tetragon-server.mjs';
import { makeTlsFiles, numberedFrame, openServer } from './tetragon-server.ts';

const declaration = (task: string): string => `apiVersion: tally/v1
kind: Task
task: { id: ${task}, type: lab }
workload: [ { env: { TASK_ID: ${task} } } ]
`;

const node = (address: string, metrics: string, more = ''): string => `store: ./store
keys: { signing: ./tally.key.pem }
collector: { judge: 3600, log: debug }
sources:
  tetragon:
    - { node: tetlab, address: "${address}", metrics: "${metrics}", canary: false, interval: 3600 ${more} }
`;

/** A stream is only known to be open once something came. */
async function sendOne(server: TetragonServer): Promise<void> {
  await until(() => server.streams === 1);
  await server.make({ count: 1, node: 'tetlab' });
}

/** All records of a stream that a store has sealed, in order. */
async function sealed(site: Site, stream: string): Promise<string[]> {
  const { segments } = await readStore(site.store);
  const database = await openDatabase();
  try {
    const raws: string[] = [];
    for (const { file } of segments.filter((segment) => segment.stream === stream)) {
      const rows = await database.all(`SELECT raw FROM ${literal(join(site.store, file))} ORDER BY seq`);
      raws.push(...rows.map((row) => String(row['raw'])));
    }
    return raws;
  } finally {
    await database.close();
  }
}

/** What a report says, but for the ids of the evidence, which name the way in, and for who vouches for the declaration's time. */
function content({ claims, egress, sessions, processes, connections, verdict, window, gaps }: Report): unknown {
  const plain = JSON.stringify(
    { claims, egress, sessions, processes, connections, verdict, window, gaps },
    (key, value: unknown) =>
      key === 'evidence' || value === 'self-reported' || value === 'collector' ? undefined : value,
  );
  return JSON.parse(
    plain.replaceAll(/tetragon-grpc\/|tetragon\//g, 'way/').replaceAll(/way\/tetlab\/\d+/g, 'way/tetlab/N'),
  ) as unknown;
}

function readReport(path: string): Report {
  return JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')) as Report;
}

test.each([
  ['s01-benign', 'a unix socket'],
  ['s09-fork-threads', 'mutual TLS'],
] as const)(
  'the report from the live store is that from the files of the same scenario: %s over %s',
  async (scenario, transport) => {
    const site = await openSite();
    const tls = transport === 'mutual TLS' ? await makeTlsFiles(site.folder) : undefined;
    const folder = join(scenarioFolder, scenario);
    const task = `task-${scenario.slice(0, 3)}`;
    const server = await openServer({
      ...(tls === undefined
        ? { address: `unix://${site.path('tetragon.sock')}` }
        : { tls: { ...tls.server, clientCa: tls.ca } }),
      recordings: [join(folder, 'events.binpb.gz')],
      rpc: join(folder, 'rpc-before.json'),
      metrics: join(folder, 'metrics-before.txt'),
    });
    const secured =
      tls === undefined
        ? ''
        : `, tls: { ca: ca.pem, cert: "${tls.client.cert}", key: "${tls.client.key}", serverName: a.tetragon-grpc.cilium.io }`;
    const collector = await startCollector(site, node(server.address, server.metrics, secured));
    await collector.said('stream connected');
    await site.write('task.yaml', declaration(task));
    const late = await runTally('declare', site.path('task.yaml'), '--store', site.store, '--late', '--json');
    expect([late.code, late.err]).toEqual([0, '']);
    const frames = `tally_records{stream="tetragon-grpc",origin="tetlab"}`;
    await until(async () => (await metric(site, frames)) === server.recorded.length);
    const out = site.path('live');
    const live = await runTally('report', task, '--store', site.store, '--out', out, '--key', site.key, '--json');
    const lines = await sealed(site, 'sensor'); // as they are when the report is made: more come at the stop
    expect(await collector.stop()).toBe(0);
    expect(await sealed(site, 'tetragon-grpc')).toHaveLength(server.recorded.length);
    await site.write('sensor.jsonl', `${lines.join('\n')}\n`);
    const { declared } = JSON.parse(late.out) as { declared: string };
    await site.write('task-files.yaml', `${declaration(task)}declared: ${declared}\n`);
    const files = await runTally(
      ...['audit', '--task', site.path('task-files.yaml'), '--config', site.path('tally.yaml'), '--key', site.key],
      ...['--tetragon', join(folder, 'events.binpb.gz'), '--sensor', site.path('sensor.jsonl')],
      ...['--out', site.path('audit'), '--json'],
    );
    expect([live.err, files.err]).toEqual(['', '']);
    expect(live.code).toBe(files.code);
    expect(content(readReport(out))).toEqual(content(readReport(site.path('audit'))));
    expect(readReport(out).processes.length).toBeGreaterThan(3);

    const verified = await runTally(
      'verify',
      join(out, 'report.sigstore.json'),
      '--key',
      await publicKey(site),
      '--evidence',
      site.store,
    );
    expect([verified.code, verified.err]).toEqual([live.code, '']);
  },
);

async function publicKey(site: Site): Promise<string> {
  const { createPublicKey } = await import('node:crypto');
  const pem = createPublicKey(readFileSync(site.key)).export({ type: 'spki', format: 'pem' });
  return site.write('tally.pub.pem', String(pem));
}

test('a second collector on the store is refused; reports are made meanwhile, two at once', async () => {
  const site = await openSite();
  const server = await openServer({ address: `unix://${site.path('tetragon.sock')}` });
  const collector = await startCollector(site, node(server.address, server.metrics));
  await sendOne(server);
  await collector.said('stream connected');
  const second = await runTally('collect', '--config', site.path('tally.yaml'));
  expect(second.code).toBe(2);
  expect(second.err).toContain(`in use by another collector (pid ${collector.child.pid ?? 0})`);
  expect((await ask(site, 'POST', '/v1/declarations', declaration('a1'))).status).toBe(201);
  expect((await ask(site, 'POST', '/v1/declarations', declaration('b2'))).status).toBe(201);
  await server.make({ count: 50_000, node: 'tetlab' });
  const reports = await Promise.all(
    ['a1', 'b2'].map((task) =>
      runTally('report', task, '--store', site.store, '--out', site.path(task), '--key', site.key),
    ),
  );
  expect(reports.map(({ code }) => code)).toEqual([3, 3]);
  for (const { err } of reports) expect(err).toMatch(/^Provisional: /);
  const tasks = await runTally('tasks', '--store', site.store, '--json');
  expect(JSON.parse(tasks.out)).toMatchObject([{ id: 'a1' }, { id: 'b2' }]);
  expect(await collector.stop()).toBe(0);
});

test('what a killed collector had not told is told at the next start', async () => {
  const site = await openSite();
  const server = await openServer({ address: `unix://${site.path('tetragon.sock')}` });
  const config = node(server.address, server.metrics);
  const first = await startCollector(site, config);
  await sendOne(server);
  await first.said('stream connected');
  const frames = `tally_records{stream="tetragon-grpc",origin="tetlab"}`;
  await until(async () => (await metric(site, frames)) === 1);
  const before = Date.now();
  await first.kill();
  await until(() => server.streams === 0);
  const second = await startCollector(site, config);
  await sendOne(server);
  await second.said('stream connected');
  expect(await second.stop()).toBe(0);
  await until(() => server.streams === 0);
  const third = await startCollector(site, config);
  await sendOne(server);
  await third.said('stream connected');
  expect(await third.stop()).toBe(0);
  const lines = (await sealed(site, 'sensor')).map((raw) => JSON.parse(raw) as Record<string, string>);
  const stream = lines.filter(({ kind }) => kind === 'stream');
  expect(stream.map(({ state, why }) => [state, why ?? ''])).toEqual([
    ['connected', ''],
    ['disconnected', 'the collector was ended without notice'],
    ['connected', ''],
    ['disconnected', 'collector stopped'],
    ['connected', ''],
    ['disconnected', 'collector stopped'],
  ]);
  expect(Date.parse(stream[1]?.['time'] ?? '')).toBeLessThanOrEqual(before);
  expect(await sealed(site, 'tetragon-grpc')).toHaveLength(3);
});

test('declarations come over HTTP with a token and from a folder; a conflict is 409', async () => {
  const site = await openSite();
  const server = await openServer({ address: `unix://${site.path('tetragon.sock')}` });
  await site.write('token', 'a-token-of-some-length\n');
  const { chmod, mkdir } = await import('node:fs/promises');
  await chmod(site.path('token'), 0o600);
  await mkdir(site.path('tasks'));
  const config = node(server.address, server.metrics).replace(
    'judge: 3600',
    'judge: 3600, listen: "127.0.0.1:0", token: token, declarations: tasks',
  );
  const collector = await startCollector(site, config);
  const { address } = collector.log.filter(({ msg }) => msg === 'listening').at(-1) ?? {};
  const post = (body: string, token = 'a-token-of-some-length'): Promise<Response> =>
    fetch(`http://${String(address)}/v1/declarations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
    });
  expect((await post(declaration('a1'), 'another')).status).toBe(401);
  expect((await post(declaration('a1'))).status).toBe(201);
  expect((await post(declaration('a1'))).status).toBe(200);
  expect((await post(`${declaration('a1')}endpoints: ["x.example:443"]\n`)).status).toBe(409);
  expect((await post('task: nothing\n')).status).toBe(400);
  await site.write('tasks/b2.yaml', declaration('b2'));
  await collector.said('declared');
  await until(async () => (await ask(site, 'GET', '/v1/tasks')).body.includes('"b2"'));
  expect((await fetch(`http://${String(address)}/healthz`)).status).toBe(200);
  expect((await fetch(`http://${String(address)}/readyz`)).status).toBe(503);
  await sendOne(server);
  await until(async () => (await fetch(`http://${String(address)}/readyz`)).status === 200);
  expect(await collector.stop()).toBe(0);
  expect(await sealed(site, 'tally')).toHaveLength(3); // configuration, two declarations
});

test('without a collector, declare and seal do it themselves; what is not declared can not be reported', async () => {
  const site = await openSite();
  await site.write('task.yaml', declaration('a1'));
  const declared = await runTally('declare', site.path('task.yaml'), '--store', site.store);
  expect([declared.code, declared.err]).toEqual([0, '']);
  const server = await openServer({ address: `unix://${site.path('tetragon.sock')}` });
  const collector = await startCollector(site, node(server.address, server.metrics));
  expect((await ask(site, 'GET', '/v1/tasks')).body).toContain('"a1"');
  expect(await collector.stop()).toBe(0);
  const again = await runTally('declare', site.path('task.yaml'), '--store', site.store);
  expect(again.out).toContain('recorded before');
  const sealing = await runTally('seal', '--store', site.store, '--key', site.key, '--json');
  expect(JSON.parse(sealing.out)).toMatchObject({ segments: 0 });
  const unknown = await runTally('report', 'a2', '--store', site.store, '--out', site.path('out'), '--key', site.key);
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain('a1');
});

test('what comes faster than it can be stored is counted into gaps to the last frame, and memory stays bounded', async () => {
  const site = await openSite();
  const server = await openServer({ address: `unix://${site.path('tetragon.sock')}`, front: false });
  const config = node(server.address, server.metrics).replace(
    'store: ./store',
    'store: { path: ./store, memory: 2MiB }',
  );
  const collector = await startCollector(site, config);
  await sendOne(server);
  await collector.said('stream connected');
  const frame = { node: 'tetlab', size: 500_000 };
  await server.send(Array.from({ length: 300 }, (_, index) => numberedFrame(index, frame)));
  const frames = (name: string): Promise<number | undefined> =>
    metric(site, `${name}{stream="tetragon-grpc",origin="tetlab"}`);
  await until(
    async () => Number(await frames('tally_records')) + Number(await frames('tally_records_refused')) === 301,
  );
  const refused = Number(await frames('tally_records_refused'));
  expect(refused).toBeGreaterThan(0);
  expect(await collector.stop()).toBe(0);
  expect(await sealed(site, 'tetragon-grpc')).toHaveLength(301 - refused);
  const own = (await sealed(site, 'tally')).filter((raw) => raw.startsWith('{'));
  const told = own.map((raw) => JSON.parse(raw) as GapRecord);
  expect(told.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(refused);
  for (const gap of told) expect(gap).toMatchObject({ stream: 'tetragon-grpc', origin: 'tetlab', why: 'stream-gap' });
});
