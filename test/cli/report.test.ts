import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWalFile } from '../../src/evidence/wal-file.ts';
import { encodeRecord } from '../../src/evidence/wal-format.ts';
import { inputsOf, openWorkshop, readReport, runTally } from '../cases/shared-case.ts';
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
} from '../judge/stored-case.ts';

const name = 'c01-benign';
const files = readCase(name);

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let store: TestStore;
beforeAll(async () => {
  workshop = await openWorkshop();
  store = await openTestStore(workshop.key);
  await putCase(store, name);
  await store.seal();
});
afterAll(async () => {
  await store.close();
  await workshop.close();
});

const out = (what: string): string => join(workshop.folder, what);
const report = (task: string, to: string, ...more: string[]): string[] => [
  ...['report', task, '--store', store.path, '--out', out(to), '--key', workshop.key],
  ...more,
];

describe('tally report', () => {
  it('prints the report, exits by its verdict, and leaves a summary in the store', async () => {
    const ran = await runTally(report(files.id, 'text'));
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('PROVEN');
    expect(readReport(out('text')).verdict).toBe('proven');
    expect(readFileSync(out('text/report.html'), 'utf8')).toContain('<dt>Leaf hash</dt>');
    const summary = JSON.parse(readFileSync(join(store.path, 'reports', files.id, 'summary.json'), 'utf8')) as unknown;
    expect(summary).toMatchObject({
      task: files.id,
      state: 'final',
      final: true,
      verdict: 'proven',
      pendingUntil: null,
    });
  });

  it('prints another form of it', async () => {
    const ran = await runTally(report(files.id, 'junit', '--format', 'junit'));
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('<testsuites name="tallystick" tests="16" failures="0" errors="0" skipped="0">');
    const two = await runTally(report(files.id, 'two', '--json', '--format', 'junit'));
    expect(two).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('refuses an unknown task and a folder that is no store', async () => {
    expect(await runTally(report('7b3', 'none'))).toMatchObject({ exitCode: 2, stdout: '' });
    const ran = await runTally(['report', files.id, '--store', workshop.folder, '--out', out('none')]);
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is no store') as string });
  });

  it('says that records wait to be sealed while no collector runs', async () => {
    const salt = Buffer.from('salt');
    const wal = await createWalFile(
      join(store.path, 'wal/tetragon/tetlab-100000.wal'),
      { stream: 'tetragon', origin: 'tetlab' },
      100_000,
      salt,
    );
    await wal.write([encodeRecord(salt, Buffer.from('{}'), 1n)], 1);
    await wal.close();
    const ran = await runTally(report(files.id, 'unsealed'));
    expect(ran.stderr).toContain('One record is not sealed yet');
  });

  it('asks the collector to seal first', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.end('{"segments":0}');
    });
    await new Promise<void>((resolve) => server.listen(join(store.path, 'control.sock'), resolve));
    const ran = await runTally(report(files.id, 'asked'));
    await new Promise((resolve) => server.close(resolve));
    expect(asked).toEqual(['POST /v1/seal']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('--watch tells each change and ends once the report is final', async () => {
    const live = await openTestStore(workshop.key);
    live.put('tally', 'config', received(files.declared, files.config));
    declare(live, files.declared, files.task, files.policies);
    await live.seal();
    const watching = runTally([
      ...['report', files.id, '--store', live.path, '--out', out('watch'), '--key', workshop.key, '--watch'],
    ]);
    const verdict = (): string => (existsSync(out('watch/report.html')) ? readReport(out('watch')).verdict : '');
    while (verdict() !== 'unproven') await new Promise((resolve) => setTimeout(resolve, 100));
    putLines(live, 'tetragon', inSealedOrder(files.tetragon));
    putLines(live, 'sensor', inSealedOrder(files.sensor));
    await putCloudTrail(live, inputsOf(name).cloudtrail);
    await live.seal();
    const ran = await watching;
    await live.close();
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr.split('\n')).toEqual(['declared: unproven', 'final: proven', '']);
  });
});

describe('tally tasks', () => {
  it('lists what was declared, with what was said of it', async () => {
    declare(store, '2026-11-21T09:00:00Z', files.task.replace(`id: ${files.id}`, 'id: early').replace('dns-', 'zone-'));
    await store.seal();
    const ran = await runTally(['tasks', '--store', store.path]);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const [head = '', early = '', judged = ''] = ran.stdout.split('\n');
    expect(head).toMatch(/^task +type +declared +state +verdict +seen$/);
    expect(early).toMatch(/^early +zone-validation +2026-11-21 09:00:00 +declared +- +-$/);
    expect(judged).toMatch(/^7b3f +dns-validation +2026-11-21 10:32:53\.031 +final +proven +2026-11-21 10:33:43/);
    expect(ran.stdout).toContain('process');
  });

  it.each([
    [['--state', 'final'], ['7b3f']],
    [['--verdict', '-'], ['early']],
    [['--type', 'zone-validation'], ['early']],
    [['--type', 'none'], []],
  ])('%j', async (flags, ids) => {
    const ran = await runTally(['tasks', '--store', store.path, '--json', ...flags]);
    expect((JSON.parse(ran.stdout) as { id: string }[]).map(({ id }) => id)).toEqual(ids);
  });

  it('shows hostile text without acting on it', async () => {
    const hostile = await openTestStore(workshop.key);
    declare(hostile, files.declared, files.task.replace('type: dns-validation', String.raw`type: "\e[2J\u202Etask"`));
    await hostile.seal();
    const ran = await runTally(['tasks', '--store', hostile.path]);
    await hostile.close();
    expect(ran.stdout).toContain(String.raw`\u{1b}[2J\u{202e}task`);
    expect(ran.stdout).not.toMatch(/[\u001b\u202e]/);
  });

  it('says so when nothing was declared or nothing fits', async () => {
    const empty = await openTestStore(workshop.key);
    empty.put('tally', 'config', received(files.declared, files.config));
    await empty.seal();
    expect(await runTally(['tasks', '--store', empty.path])).toEqual({
      exitCode: 0,
      stdout: 'No task was declared to this store yet.\n',
      stderr: '',
    });
    await empty.close();
    expect((await runTally(['tasks', '--store', store.path, '--type', 'none'])).stdout).toBe('None of 2 tasks fits.\n');
  });
});
