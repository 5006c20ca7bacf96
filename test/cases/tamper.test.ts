import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditArguments, listFiles, openWorkshop, type Ran, runTally } from './shared-case.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
/** The audit that is tampered with, and restored after each test. */
let out: string;
/** An audit of another task, signed with the same key, whose evidence is sound. */
let other: string;

beforeAll(async () => {
  workshop = await openWorkshop();
  out = join(workshop.folder, 'out');
  other = join(workshop.folder, 'other');
  expect(await runTally(auditArguments('c01-benign', out, workshop.key))).toMatchObject({ exitCode: 0 });
  expect(await runTally(auditArguments('c05-fork-without-exec', other, workshop.key))).toMatchObject({ exitCode: 0 });
});
afterAll(() => workshop.close());

async function verify(evidence = join(out, 'evidence'), bundle = join(out, 'report.sigstore.json')): Promise<Ran> {
  return runTally(['verify', bundle, '--key', workshop.pub, '--evidence', evidence]);
}

/** Every file that a signature covers: all of the output but the rendering. */
function signedFiles(): string[] {
  return listFiles(out).filter((file) => file !== 'report.html');
}

/** How an error message names a file: inside the evidence by its path there, since that is what the manifest lists. */
function nameOf(file: string): string {
  return file.startsWith('evidence/') ? file.slice('evidence/'.length) : file;
}

/** Offsets at both ends of a file and some between, the same ones in each run. */
function offsetsIn(size: number, file: string): number[] {
  const seed = Buffer.from(file).reduce((sum, byte) => (sum * 31 + byte) | 0, 7);
  const middle = fc.sample(fc.integer({ min: 0, max: size - 1 }), { seed, numRuns: 2 });
  return [...new Set([0, size - 1, ...middle])];
}

async function expectRefused(file: string): Promise<void> {
  const { exitCode, stdout, stderr } = await verify();
  expect({ exitCode, stdout, named: stderr.includes(nameOf(file)), stderr }).toMatchObject({
    exitCode: 4,
    stdout: '',
    named: true,
  });
}

describe('tally verify refuses evidence that is not as signed', () => {
  it('but takes what was not touched', async () => {
    expect(await verify()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await verify(join(other, 'evidence'), join(other, 'report.sigstore.json'))).toMatchObject({ exitCode: 0 });
  });

  it('one flipped bit anywhere in any file is found, and the file is named', async () => {
    const files = signedFiles();
    expect(files.length).toBeGreaterThan(25);
    for (const file of files) {
      const path = join(out, file);
      const bytes = readFileSync(path);
      for (const offset of offsetsIn(bytes.length, file)) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(offset) ^ (1 << (offset % 8)), offset);
        writeFileSync(path, changed);
        await expectRefused(file);
      }
      writeFileSync(path, bytes);
    }
    expect(await verify()).toMatchObject({ exitCode: 0 });
  });

  it('a file that is cut short or has a byte more is found', async () => {
    for (const file of signedFiles()) {
      const path = join(out, file);
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes, Buffer.from('\n')]));
      await expectRefused(file);
      writeFileSync(path, bytes.subarray(0, -1));
      await expectRefused(file);
      writeFileSync(path, bytes);
    }
  });

  it('a missing file is found, and named', async () => {
    for (const file of signedFiles().filter((one) => one.startsWith('evidence/') || one === 'manifest.json')) {
      const aside = join(workshop.folder, 'aside');
      renameSync(join(out, file), aside);
      await expectRefused(file);
      renameSync(aside, join(out, file));
    }
  });

  it.each(['report.json', 'runtime-trace.sigstore.json', 'svr.sigstore.json'])(
    'a missing %s is told: the bundle holds the report itself',
    async (file) => {
      const aside = join(workshop.folder, 'aside');
      renameSync(join(out, file), aside);
      const { exitCode, stdout } = await verify();
      renameSync(aside, join(out, file));
      expect(exitCode).toBe(0);
      expect(stdout.slice(stdout.indexOf('not checked'))).toContain(file);
    },
  );

  it('a form of another report, signed by the same key, is found', async () => {
    const [path, aside] = [join(out, 'svr.sigstore.json'), join(workshop.folder, 'aside')];
    renameSync(path, aside);
    cpSync(join(other, 'svr.sigstore.json'), path);
    await expectRefused('svr.sigstore.json');
    renameSync(aside, path);
  });

  it('a missing bundle is an error of input', async () => {
    expect(await verify(undefined, join(out, 'none.json'))).toMatchObject({ exitCode: 2 });
  });

  it.each([
    'stray.txt',
    'segments/tetragon/2026-11-21/tetlab-399-400.parquet',
    'ledger/tile/0/001',
    'wal/x',
    '.hidden',
  ])('an added file %s is found, and named', async (file) => {
    const path = join(out, 'evidence', file);
    cpSync(join(out, 'manifest.json'), path);
    await expectRefused(file);
    rmSync(path);
    if (file.startsWith('wal/')) rmSync(join(out, 'evidence/wal'), { recursive: true });
  });

  it('a segment of another task’s evidence in place of its own is found', async () => {
    const tetragon = (folder: string): string =>
      listFiles(join(folder, 'evidence')).find((file) => file.startsWith('segments/tetragon/')) ?? '';
    const path = join(out, 'evidence', tetragon(out));
    const bytes = readFileSync(path);
    writeFileSync(path, readFileSync(join(other, 'evidence', tetragon(other))));
    await expectRefused(tetragon(out));
    writeFileSync(path, bytes);
  });

  it('segments of two streams that are swapped are found', async () => {
    const inside = listFiles(join(out, 'evidence')).filter((file) => file.startsWith('segments/'));
    const [first = '', second = ''] = inside;
    const paths = [first, second].map((file) => join(out, 'evidence', file)) as [string, string];
    const bytes = paths.map((path) => readFileSync(path)) as [Buffer, Buffer];
    writeFileSync(paths[0], bytes[1]);
    writeFileSync(paths[1], bytes[0]);
    await expectRefused(first);
    writeFileSync(paths[0], bytes[0]);
    writeFileSync(paths[1], bytes[1]);
  });

  it('the sound evidence of another run, with its own ledger, is found', async () => {
    expect(await verify(join(other, 'evidence'))).toMatchObject({ exitCode: 4, stdout: '' });
  });

  it('the manifest of another run, with or without its evidence, is found', async () => {
    const path = join(out, 'manifest.json');
    const bytes = readFileSync(path);
    writeFileSync(path, readFileSync(join(other, 'manifest.json')));
    await expectRefused('manifest.json');
    expect(await verify(join(other, 'evidence'))).toMatchObject({ exitCode: 4 });
    writeFileSync(path, bytes);
  });

  it('the bundle of another run beside this evidence is found', async () => {
    const path = join(out, 'report.sigstore.json');
    const bytes = readFileSync(path);
    writeFileSync(path, readFileSync(join(other, 'report.sigstore.json')));
    expect(await verify()).toMatchObject({ exitCode: 4, stdout: '' });
    writeFileSync(path, bytes);
  });

  it('a link in place of a file is found, even one to the same bytes', async () => {
    const file = 'ledger/checkpoint';
    const path = join(out, 'evidence', file);
    const aside = join(workshop.folder, 'aside');
    renameSync(path, aside);
    symlinkSync(aside, path);
    await expectRefused(file);
    rmSync(path);
    renameSync(aside, path);
  });

  it('a link that was added is found', async () => {
    const path = join(out, 'evidence/segments/more');
    symlinkSync(join(other, 'evidence/segments'), path);
    await expectRefused('segments/more');
    rmSync(path);
  });

  it('another key than the one that signed is refused', async () => {
    const stranger = join(workshop.folder, 'stranger');
    await runTally(['keygen', '--out', stranger, '--quiet']);
    const { exitCode, stderr } = await runTally([
      'verify',
      join(out, 'report.sigstore.json'),
      '--key',
      join(stranger, 'tally.pub.pem'),
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 4 });
    expect(stderr).toContain('report.sigstore.json');
  });

  it('a bundle alone is verified, and what could not be checked is told', async () => {
    const alone = join(workshop.folder, 'alone.json');
    cpSync(join(out, 'report.sigstore.json'), alone);
    const folder = join(workshop.folder, 'elsewhere', 'report.sigstore.json');
    cpSync(alone, folder);
    const { exitCode, stdout } = await runTally(['verify', folder, '--key', workshop.pub]);
    expect(exitCode).toBe(0);
    expect(stdout.slice(stdout.indexOf('not checked'))).toContain('manifest.json');
  });
});
