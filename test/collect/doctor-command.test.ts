import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, onTestFinished, test, vi } from 'vitest';
import { generateKeyPair } from '../../src/attest/keys.ts';
import { doctorCommand } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/collect/doctor-finding.ts';
import { realProbes } from '../../src/collect/doctor-io.ts';
import type { Probes } from '../../src/collect/doctor-probes.ts';
import { openServer } from './tetragon-server.ts';
import { config, goodWorld, grants, taskText } from './doctor-probes.ts';

const { privatePem } = generateKeyPair();

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tally-doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return folder;
}

async function run(argv: readonly string[], probes?: Probes, colour = false) {
  const ran = { code: -1, out: '' };
  const io = {
    stdout: (text: string) => void (ran.out += text),
    stderr: () => undefined,
    env: { TALLY_KEY: privatePem },
    terminal: false,
    colour,
  };
  const command = doctorCommand(io, (code) => (ran.code = code), probes);
  const program = new Command('tally').exitOverride();
  program.addCommand(command.option('--json').option('--quiet').option('--no-color'));
  await program.parseAsync(['doctor', ...argv], { from: 'user' });
  return ran;
}

/** A server on loopback that goes when the test ends. */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))));
  return (server.address() as AddressInfo).port;
}

test('0 when all is well, 3 when something would keep a report unproven', async () => {
  const folder = folderOf({ 'tally.yaml': config, 'task.yaml': taskText, 'granted.json': grants('route53:List*') });
  const flags = ['--config', join(folder, 'tally.yaml'), '--task', join(folder, 'task.yaml')];
  const well = await run(flags, goodWorld().probes);
  expect(well.out).toContain('Nothing would keep a report from being proven.');
  expect(well.code).toBe(0);
  writeFileSync(join(folder, 'granted.json'), grants('s3:GetObject'));
  const off = await run(flags, goodWorld().probes);
  expect(off.out).toContain('fail events of s3');
  expect(off.code).toBe(3);
});

test('--json prints the list, the worst first; --quiet prints nothing; colour only where it is wanted', async () => {
  const folder = folderOf({ 'tally.yaml': config.replace(/^nodes.*$/m, '') });
  const flags = ['--config', join(folder, 'tally.yaml')];
  const { probes } = goodWorld();
  const findings = JSON.parse((await run([...flags, '--json'], probes)).out) as Finding[];
  expect(findings[0]).toMatchObject({ level: 'fail', subject: 'configuration', check: 'egress addresses' });
  expect(findings[0]?.fix).toContain('egress');
  expect(await run([...flags, '--quiet'], probes)).toMatchObject({ out: '', code: 3 });
  expect((await run(flags, probes, true)).out).toContain('\u001b[31mfail');
  expect((await run([...flags, '--no-color'], probes, true)).out).not.toContain('\u001b');
});

test('tasks that lie in the watched folder are asked for their variables too', async () => {
  const declared = folderOf({ 'a.yaml': taskText.replace('TASK_ID: 7b3f', 'OTHER_ID: x'), 'broken.yaml': '{' });
  const folder = folderOf({ 'tally.yaml': `${config}collector: { declarations: ${declared} }\n` });
  const { out, code } = await run(['--config', join(folder, 'tally.yaml')], goodWorld().probes);
  expect(out).toContain('tasks are selected by OTHER_ID');
  expect(code).toBe(3);
});

test('a configuration that is missing or has mistakes is told as such', async () => {
  const folder = folderOf({ 'broken.yaml': 'nodes: 7\n', 'empty.yaml': '' });
  await expect(run([])).rejects.toMatchObject({ code: 'usage', exitCode: 2 });
  await expect(run(['--config', join(folder, 'none.yaml')])).rejects.toMatchObject({ code: 'input', exitCode: 2 });
  await expect(run(['--config', join(folder, 'broken.yaml')])).rejects.toMatchObject({ code: 'schema', exitCode: 2 });
  await expect(run(['--config', join(folder, 'empty.yaml')])).rejects.toMatchObject({ code: 'schema', exitCode: 2 });
});

test('the real world: no sensor, foreign metrics, no credentials, a disk', async () => {
  const port = await serve((request, response) => response.end(request.url === '/metrics' ? 'up 1\n' : ''));
  vi.stubEnv('AWS_ACCESS_KEY_ID', '');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
  vi.stubEnv('AWS_PROFILE', 'nobody');
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = folderOf({});
  const text = config
    .replace('unix:///run/tetragon.sock', `unix://${folder}/tetragon.sock`)
    .replace('localhost:2112', `127.0.0.1:${port}`)
    .replace('store: /var/lib/tally', `store: ${folder}/store`)
    .replace('region: us-east-1\n', `region: us-east-1\n      endpoint: http://127.0.0.1:${port}\n`);
  writeFileSync(join(folder, 'tally.yaml'), text);
  const { out, code } = await run(['--config', join(folder, 'tally.yaml'), '--json']);
  const findings = JSON.parse(out) as Finding[];
  const level = (subject: string, check: string) =>
    findings.find((each) => each.subject === subject && each.check === check)?.level;
  expect(level('sensor worker-1', 'agent')).toBe('fail');
  expect(level('sensor worker-1', 'metrics')).toBe('fail');
  expect(level('sensor worker-1', 'clock')).toBe('ok');
  expect(level('CloudTrail trails', 'trail settings')).toBe('fail');
  expect(findings.find(({ check }) => check === 'trail settings')?.fix).toContain('credentials');
  expect(level('store', 'folder')).toBe('ok');
  expect(findings.some(({ check }) => check === 'disk')).toBe(true);
  expect(code).toBe(3);
});

test('a recorded agent over real gRPC: what its settings, policies and counters were', async () => {
  const shared = process.env['TALLY_SHARED'] ?? new URL('../../../shared', import.meta.url).pathname;
  const { address, metrics } = await openServer({
    rpc: `${shared}/lab/rpc-full.json`,
    metrics: `${shared}/lab/scenarios/s01-benign/metrics-before.txt`,
  });
  const text = config.replace('unix:///run/tetragon.sock', address).replace('http://localhost:2112/metrics', metrics);
  const folder = folderOf({ 'tally.yaml': text });
  const { files, audit, net } = goodWorld().probes;
  const { sensor } = realProbes(new AbortController().signal);
  const probes = { ...goodWorld().probes, files, audit, net, sensor };
  const { out } = await run(['--config', join(folder, 'tally.yaml'), '--json'], probes);
  const own = (JSON.parse(out) as Finding[]).filter(({ subject }) => subject === 'sensor worker-1');
  const found = (check: string) => own.filter((each) => each.check === check).map(({ level }) => level);
  expect(own.find(({ check }) => check === 'agent')?.detail).toContain('snapshot-4fbfe2d74ecb');
  // the agent of that day had no policy for ClientHellos yet
  expect(own.filter(({ check, level }) => check === 'hooks' && level === 'fail')).toMatchObject([
    { fix: expect.stringContaining('deploy/tetragon/policies/tally-tls.yaml') as string },
  ]);
  expect(found('metrics')).toEqual(['ok']);
  expect(found('queues')).toEqual(['warn']);
  expect(found('export rotation')).toEqual(['ok']);
  expect(found('size of events')).toEqual(['warn']);
  expect(found('export deny list')).toEqual([]);
});

test('the newest digest is found in the bucket, by the trail that is expected', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const today = new Date().toISOString();
  const day = today.slice(0, 10);
  const folder = `AWSLogs/111122223333/CloudTrail-Digest/us-east-1/${day.replaceAll('-', '/')}/`;
  const stamp = (time: string) => `${day.replaceAll('-', '')}T${time}Z`;
  const keys = [
    `111122223333_CloudTrail-Digest_us-east-1_org_us-east-1_${stamp('000100')}.json.gz`,
    `111122223333_CloudTrail-Digest_us-east-1_org_us-east-1_${stamp('000200')}.json.gz`,
    `111122223333_CloudTrail-Digest_us-east-1_org_us-east-1_${stamp('000500')}_backfill.json.gz`,
    `111122223333_CloudTrail-Digest_us-east-1_other_us-east-1_${stamp('000400')}.json.gz`,
  ];
  const port = await serve((request, response) => {
    const prefix = new URL(request.url ?? '/', 'http://s3').searchParams.get('prefix') ?? '';
    const contents = keys
      .filter(() => prefix === folder)
      .map((key) => `<Contents><Key>${folder}${key}</Key><ETag>"e"</ETag><Size>1</Size></Contents>`);
    response.setHeader('content-type', 'application/xml');
    response.end(
      `<?xml version="1.0"?><ListBucketResult><Name>trails</Name><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
    );
  });
  const { audit } = realProbes(new AbortController().signal);
  const source = {
    bucket: 'trails',
    prefix: '',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    chains: [],
    interval: 60,
    lookback: 3600,
    lookup: false,
  };
  const chain = { account: '111122223333', region: 'us-east-1', name: 'org' };
  expect(await audit.newestDigest(source, chain)).toEqual(new Date(`${day}T00:02:00Z`));
  expect(await audit.newestDigest(source, { ...chain, account: '999922223333' })).toBeUndefined();
});

test('what listens on a port is seen, and who writes a store', async () => {
  const { net } = realProbes(new AbortController().signal);
  expect(await net.listens(await serve(() => undefined))).toBe(true);
  expect(await net.writer(folderOf({}))).toBe('nobody');
});
