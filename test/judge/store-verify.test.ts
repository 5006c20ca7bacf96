import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/model/record.ts';
import { listFiles, openWorkshop, type Ran, runTally } from '../cases/shared-case.ts';
import { openTestStore, putCase, received, type TestStore } from './stored-case.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let store: TestStore;
let out: string;

beforeAll(async () => {
  workshop = await openWorkshop();
  store = await openTestStore(workshop.key);
  out = join(workshop.folder, 'out');
  const { id } = await putCase(store, 'c01-benign');
  await store.seal();
  const reported = await runTally([
    'report',
    id,
    '--store',
    store.path,
    '--out',
    out,
    '--key',
    workshop.key,
    '--quiet',
  ]);
  expect(reported).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  store.put('tetragon', 'tetlab', received('2026-11-21T18:00:00Z', '{}', '{}'));
  store.put('tetragon', 'node-2', received('2026-11-21T18:00:00Z', '{}'));
  await store.seal();
});
afterAll(async () => {
  await store.close();
  await workshop.close();
});

async function verify(evidence = store.path): Promise<Ran> {
  return runTally(['verify', join(out, 'report.sigstore.json'), '--key', workshop.pub, '--evidence', evidence]);
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
}

/** A copy of the store that a test may spoil. */
async function spoilt(spoil: (folder: string) => void): Promise<Ran> {
  const copy = join(workshop.folder, 'copy');
  cpSync(store.path, copy, { recursive: true });
  spoil(copy);
  const ran = await verify(copy);
  rmSync(copy, { recursive: true });
  return ran;
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

describe('a report from a live store', () => {
  it('is verified with the store, though it has grown, and its working files are told as not checked', async () => {
    const ran = await spoilt((folder) => {
      for (const file of ['wal/tetragon/tetlab-0.wal', 'state/x.json', 'writer.lock']) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), 'x');
      }
    });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('the same report to the letter');
    expect(ran.stdout).toContain('working files in the store: ledger.vkey, reports, state, wal, writer.lock');
  });

  it('names what it leans on, and no more', () => {
    const { segments, files, evidence } = manifest();
    expect(evidence).toBe('store');
    expect(files).toEqual(segments.map(({ file, fileSha256 }) => ({ path: file, sha256: fileSha256 })));
    expect(segments.every(({ origin }) => origin !== 'node-2')).toBe(true);
  });

  it('is the same bytes again', async () => {
    const again = join(workshop.folder, 'again');
    const twice = join(workshop.folder, 'twice');
    for (const folder of [again, twice])
      await runTally(['report', '7b3f', '--store', store.path, '--out', folder, '--key', workshop.key, '--quiet']);
    for (const file of ['report.json', 'manifest.json'])
      expect(readFileSync(join(twice, file))).toEqual(readFileSync(join(again, file)));
  });

  it('does not stand once a segment that it leans on is altered or gone, which is named', async () => {
    for (const { file } of manifest().segments) {
      for (const spoil of [flip, rmSync]) {
        const { exitCode, stdout, stderr } = await spoilt((folder) => spoil(join(folder, file)));
        expect({ exitCode, stdout, named: stderr.includes(file) }).toEqual({ exitCode: 4, stdout: '', named: true });
      }
    }
  });

  it('does not stand once a file of the ledger is altered or gone', async () => {
    for (const file of listFiles(join(store.path, 'ledger'))) {
      for (const spoil of [flip, rmSync]) {
        const { exitCode, stderr } = await spoilt((folder) => spoil(join(folder, 'ledger', file)));
        expect({ exitCode, named: stderr.includes('ledger/') }).toEqual({ exitCode: 4, named: true });
      }
    }
  });

  it.each([
    'segments/tetragon/2026-11-21/tetlab-999-1000.parquet',
    'segments/x',
    'ledger/tile/0/001',
    'ledger/note',
    'stray.txt',
    'tables/x.parquet',
  ])('does not stand with %s in the store', async (file) => {
    const { exitCode, stderr } = await spoilt((folder) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), 'x');
    });
    expect({ exitCode, named: stderr.includes(file.split('/')[0] === 'tables' ? 'tables' : file) }).toEqual({
      exitCode: 4,
      named: true,
    });
  });

  it('does not stand with a store that began anew, or was cut back', async () => {
    const fresh = await openTestStore(workshop.key);
    const files = await putCase(fresh, 'c02-undeclared-endpoint');
    expect(files.id).not.toBe('');
    await fresh.seal();
    expect(await verify(fresh.path)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('ledger/checkpoint') as string,
    });
    await fresh.seal();
    const shorter = await openTestStore(workshop.key);
    shorter.put('tally', 'config', received('2026-11-21T10:00:00Z', ''));
    await shorter.seal();
    expect(await verify(shorter.path)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('has 1 entries') as string,
    });
    await fresh.close();
    await shorter.close();
  });

  it('stands whatever is in the folder of reports', async () => {
    const ran = await spoilt((folder) => {
      const [task = ''] = readdirSync(join(folder, 'reports'));
      writeFileSync(join(folder, 'reports', task, 'summary.json'), 'x');
    });
    expect(ran.exitCode).toBe(0);
  });

  it('can not be made from a store whose segments are not what its ledger says', async () => {
    const { file } = manifest().segments.find(({ stream }) => stream === 'sensor') ?? { file: '' };
    const path = join(store.path, file);
    const aside = join(workshop.folder, 'aside');
    renameSync(path, aside);
    const report = [
      'report',
      '7b3f',
      '--store',
      store.path,
      '--out',
      join(workshop.folder, 'none'),
      '--key',
      workshop.key,
    ];
    expect(await runTally(report)).toMatchObject({
      exitCode: 4,
      stdout: '',
      stderr: expect.stringContaining(file) as string,
    });
    renameSync(aside, path);
  });
});
