import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';
import { judgeEvidence } from '../../src/judge/judge.ts';
import { type OwnRecord, sealOwnRecords } from '../../src/judge/own-records.ts';
import type { Segment } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { type Database, openDatabase } from '../../src/query/database.ts';
import { ingest, type Ingested, type Inputs } from '../../src/sources/ingest.ts';
import { casesFolder, inputsOf, listFiles, readLines } from './shared-case.ts';

/** A case's evidence in memory, to take pieces from: lines of the sensor, and CloudTrail's objects by path. */
export interface Evidence {
  readonly tetragon: readonly string[];
  readonly sensor: readonly string[];
  readonly cloudtrail: ReadonlyMap<string, Buffer>;
}

/** Judges a case with other evidence than it came with; what is not given is the case's own. */
export interface JudgedCase {
  readonly evidence: Evidence;
  judge(changed: Partial<Evidence>): Promise<Report>;
  close(): Promise<void>;
}

const nothing: Inputs = { tetragon: [], sensor: [], cloudtrail: [], resolutions: [] };

/**
 * Opens a case to be judged over and over: ingested, sealed and judged as `tally audit` does, without signing and
 * rendering. Sources that were not changed are sealed once.
 */
export async function openJudgedCase(name: string): Promise<JudgedCase> {
  const folder = join(casesFolder, name);
  const evidence = readEvidence(name);
  const root = mkdtempSync(join(tmpdir(), 'tally-judged-'));
  const database = await openDatabase();
  const own: readonly OwnRecord[] = [
    { origin: 'declaration', raw: readFileSync(join(folder, 'task.yaml'), 'utf8') },
    { origin: 'config', raw: readFileSync(join(folder, 'config.yaml'), 'utf8') },
    { origin: 'policy', raw: readFileSync(join(folder, 'granted.json'), 'utf8') },
  ];
  const sealed = new Map<unknown, Ingested>();
  let made = 0;

  async function seal(source: keyof Evidence, content: Evidence[keyof Evidence]): Promise<Ingested> {
    const known = sealed.get(content);
    if (known !== undefined) return known;
    const part = `${(made += 1)}-${source}`;
    const paths = writeInput(join(root, `${part}-in`), source, content);
    const context = { database, evidence: join(root, part), maskKey: Buffer.alloc(32, 7) };
    const { segments, problems } = await ingest(context, { ...nothing, [source]: paths }, () => undefined);
    const result = { segments: within(part, segments), problems };
    if (content === evidence[source]) sealed.set(content, result);
    return result;
  }

  async function sealOwn(problems: Ingested['problems']): Promise<readonly Segment[]> {
    const known = sealed.get(own);
    if (known !== undefined && problems.length === 0) return known.segments;
    const part = `${(made += 1)}-own`;
    const told = problems.map((one) => ({ origin: 'problem', raw: canonicalJson(one).toString() }) as const);
    const segments = within(part, await sealOwnRecords(database, join(root, part), [...own, ...told]));
    if (problems.length === 0) sealed.set(own, { segments, problems });
    return segments;
  }

  return {
    evidence,
    judge: async (changed) => {
      const all = { ...evidence, ...changed };
      const parts: Ingested[] = [];
      for (const source of ['tetragon', 'sensor', 'cloudtrail'] as const) parts.push(await seal(source, all[source]));
      const segments = [
        ...parts.flatMap((part) => part.segments),
        ...(await sealOwn(parts.flatMap((part) => part.problems))),
      ];
      return undone(database, () => judgeEvidence(database, root, segments, 'test'));
    },
    close: async () => {
      await database.close();
      rmSync(root, { recursive: true });
    },
  };
}

/** One database serves every judgement: what one made is gone before the next. */
async function undone<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.run('BEGIN TRANSACTION');
  try {
    return await work();
  } finally {
    await database.run('ROLLBACK');
  }
}

function within(part: string, segments: readonly Segment[]): Segment[] {
  return segments.map((segment) => ({ ...segment, file: join(part, segment.file) }));
}

function readEvidence(name: string): Evidence {
  const { tetragon, sensor, cloudtrail } = inputsOf(name);
  const objects = cloudtrail.flatMap((folder) =>
    listFiles(folder).map((path) => [path, readFileSync(join(folder, path))] as const),
  );
  return {
    tetragon: tetragon.flatMap(readLines),
    sensor: sensor.flatMap(readLines),
    cloudtrail: new Map(objects),
  };
}

function writeInput(folder: string, source: keyof Evidence, content: Evidence[keyof Evidence]): string[] {
  mkdirSync(folder, { recursive: true });
  if (content instanceof Map) {
    for (const [path, bytes] of content as ReadonlyMap<string, Buffer>) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    return [folder];
  }
  const path = join(folder, `${source}.jsonl`);
  writeFileSync(path, [...(content as readonly string[])].map((line) => `${line}\n`).join(''));
  return [path];
}
