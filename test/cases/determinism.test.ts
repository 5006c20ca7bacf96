import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/model/record.ts';
import { type Database, literal, openDatabase } from '../../src/query/database.ts';
import {
  auditArguments,
  type CaseInputs,
  casesFolder,
  inputsOf,
  listFiles,
  openWorkshop,
  readLines,
  runTally,
} from './shared-case.ts';

const name = 'c01-benign';
const inputs = inputsOf(name);
/** Each run is a whole audit. Fixed seeds, so that a failure is the same one everywhere. */
const few = { numRuns: 3, endOnFailure: true } as const;

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let compressor: Database;
let wanted: { report: string; segments: unknown };
let made = 0;

beforeAll(async () => {
  workshop = await openWorkshop();
  compressor = await openDatabase();
  wanted = await audit({});
});
afterAll(async () => {
  await compressor.close();
  await workshop.close();
});

/** What is signed of an audit: the report byte for byte, and the segments with their Merkle roots and file hashes. */
async function audit(other: Partial<CaseInputs>): Promise<{ report: string; segments: unknown }> {
  const out = freshPath('out');
  await runTally(auditArguments(name, out, workshop.key, { ...inputs, ...other }));
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
  return { report: readFileSync(join(out, 'report.json'), 'utf8'), segments: manifest.segments };
}

function freshPath(what: string): string {
  made += 1;
  return join(workshop.folder, `${what}-${made}`);
}

const forms = ['plain', 'gz', 'zst'] as const;
type Form = (typeof forms)[number];

/** Writes lines to a file of its own; zstd is DuckDB's, since this Node may have none. */
async function writeLines(lines: readonly string[], form: Form): Promise<string> {
  const path = freshPath('lines');
  const text = lines.map((line) => `${line}\n`).join('');
  writeFileSync(`${path}.jsonl`, text);
  if (form === 'plain') return `${path}.jsonl`;
  if (form === 'gz') {
    writeFileSync(`${path}.jsonl.gz`, gzipSync(text));
    return `${path}.jsonl.gz`;
  }
  const asIs = `(FORMAT csv, HEADER false, DELIMITER '\u0001', QUOTE '', ESCAPE ''`;
  await compressor.run(
    `COPY (SELECT * FROM read_csv(${literal(`${path}.jsonl`)}, columns = {'line': 'VARCHAR'}, auto_detect = false,
       header = false, delim = '\u0001', quote = '', escape = ''))
     TO ${literal(`${path}.jsonl.zst`)} ${asIs}, COMPRESSION zstd)`,
  );
  return `${path}.jsonl.zst`;
}

/** Some order of the lines, some of them twice, dealt to one to three files of any form. */
function dealt(lines: readonly string[]): fc.Arbitrary<{ lines: readonly string[]; form: Form }[]> {
  const order = fc.shuffledSubarray([...lines], { minLength: lines.length, maxLength: lines.length });
  const repeats = fc.subarray([...lines]);
  return fc
    .tuple(order, repeats, fc.array(fc.constantFrom(...forms), { minLength: 1, maxLength: 3 }))
    .map(([all, again, files]) => {
      const every = [...all, ...again];
      const size = Math.ceil(every.length / files.length);
      return files.map((form, index) => ({ lines: every.slice(index * size, (index + 1) * size), form }));
    });
}

async function writeFiles(files: readonly { lines: readonly string[]; form: Form }[]): Promise<string[]> {
  const paths: string[] = [];
  for (const { lines, form } of files) paths.push(await writeLines(lines, form));
  return paths;
}

describe('the same evidence gives the same bytes', () => {
  it('audited twice', async () => {
    expect(await audit({})).toEqual(wanted);
  });

  it('with the lines of the sensor’s export in any order, repeated, in several files of any compression', async () => {
    const lines = readLines(join(casesFolder, name, 'tetragon.jsonl.gz'));
    await fc.assert(
      fc.asyncProperty(dealt(lines), async (files) => {
        expect(await audit({ tetragon: await writeFiles(files) })).toEqual(wanted);
      }),
      { ...few, seed: 20261121 },
    );
  });

  it('with a rotated set in each order of its files', async () => {
    const lines = readLines(join(casesFolder, name, 'tetragon.jsonl.gz'));
    const [a = '', b = '', c = ''] = await writeFiles([
      { lines: lines.slice(0, 150), form: 'plain' },
      { lines: lines.slice(150, 300), form: 'gz' },
      { lines: lines.slice(300), form: 'zst' },
    ]);
    for (const tetragon of [
      [c, b, a],
      [b, a, c],
      [a, b, c, a],
    ]) {
      expect(await audit({ tetragon })).toEqual(wanted);
    }
  });

  it('with every line doubled', async () => {
    const lines = readLines(join(casesFolder, name, 'tetragon.jsonl.gz'));
    const doubled = lines.flatMap((line) => [line, line]);
    expect(await audit({ tetragon: [await writeLines(doubled, 'zst')] })).toEqual(wanted);
  });

  it('with the lines about the sensor in any order, repeated, in several files', async () => {
    const lines = readLines(join(casesFolder, name, 'sensor.jsonl.gz'));
    await fc.assert(
      fc.asyncProperty(dealt(lines), async (files) => {
        expect(await audit({ sensor: await writeFiles(files) })).toEqual(wanted);
      }),
      { ...few, seed: 911 },
    );
  });

  it('with CloudTrail’s files loose, in any order', async () => {
    const loose = freshPath('loose');
    copyLoose(loose);
    const files = readdirSync(loose).map((file) => join(loose, file));
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(files, { minLength: files.length, maxLength: files.length }),
        async (cloudtrail) => {
          expect(await audit({ cloudtrail })).toEqual(wanted);
        },
      ),
      { ...few, numRuns: 2, seed: 42 },
    );
  });

  it('with CloudTrail’s folder given twice over, whole and loose', async () => {
    const loose = freshPath('loose');
    copyLoose(loose);
    expect(await audit({ cloudtrail: [...inputs.cloudtrail, loose] })).toEqual(wanted);
  });
});

describe('evidence that differs gives other bytes', () => {
  it('when one line of the sensor’s export is left out', async () => {
    const lines = readLines(join(casesFolder, name, 'tetragon.jsonl.gz'));
    const other = await audit({ tetragon: [await writeLines(lines.slice(1), 'plain')] });
    expect(other.segments).not.toEqual(wanted.segments);
  });
});

function copyLoose(target: string): void {
  mkdirSync(target);
  const [folder = ''] = inputs.cloudtrail;
  for (const path of listFiles(folder)) {
    copyFileSync(join(folder, path), join(target, path.split('/').at(-1) ?? path));
  }
}
