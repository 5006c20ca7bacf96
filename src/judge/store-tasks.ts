import { join } from 'node:path';
import { toTime } from '../evidence/seal.ts';
import { parseConfig, type Config } from '../model/config.ts';
import { type Declaration, parseDeclaration } from '../model/declaration.ts';
import { type DeclaredRecord, parseDeclaredRecord } from '../model/declared-record.ts';
import { TallyError } from '../model/errors.ts';
import type { Segment } from '../model/record.ts';
import { type Database, literal, type Row } from '../query/database.ts';
import { ownStream } from './own-records.ts';
import { recordId } from './records.ts';

/** A task as it was declared to a live store. Of several declarations of one task the first is the one that counts. */
export interface DeclaredTask {
  readonly record: DeclaredRecord;
  readonly declaration: Declaration;
  /** When it was recorded, RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Id of its record. */
  readonly evidence: string;
  /** Later declarations of the same task that differ from it. */
  readonly again: readonly { readonly time: string; readonly evidence: string }[];
}

/** The configuration that a store was last written under; every default where it holds none. */
export interface StoredConfig {
  readonly text: string | undefined;
  readonly config: Config;
  readonly evidence: string;
}

/** Every declared task, by time and then by id. Declarations that can't be read declare nothing. */
export async function readTasks(
  database: Database,
  store: string,
  segments: readonly Segment[],
): Promise<DeclaredTask[]> {
  const rows = await readOwn(database, store, segments, 'declared', 'true');
  const byTask = new Map<string, Row[]>();
  for (const row of rows) {
    const task = openRecord(String(row['raw']))?.task;
    if (task !== undefined) byTask.set(task, [...(byTask.get(task) ?? []), row]);
  }
  const tasks = [...byTask.values()].flatMap((declared) => toTask(declared) ?? []);
  return tasks.sort((a, b) => compare(a.time, b.time) || compare(a.record.task, b.record.task));
}

/** One declared task. Throws TallyError `usage` with the nearest ids where there is no such task. */
export async function findTask(
  database: Database,
  store: string,
  segments: readonly Segment[],
  id: string,
): Promise<DeclaredTask> {
  const rows = await readOwn(database, store, segments, 'declared', `contains(raw, ${literal(JSON.stringify(id))})`);
  const found = toTask(rows.filter((row) => openRecord(String(row['raw']))?.task === id));
  if (found !== undefined) return found;
  const known = (await readTasks(database, store, segments)).map(({ record }) => record.task);
  throw new TallyError('usage', unknownTask(id, known));
}

function unknownTask(id: string, known: readonly string[]): string {
  const start = `No task ${JSON.stringify(id)} was declared to this store`;
  if (known.length === 0) return `${start}, nor any other: declare it with tally declare.`;
  const near = known
    .map((other) => ({ other, distance: distanceOf(id, other) }))
    .sort((a, b) => a.distance - b.distance || compare(a.other, b.other))
    .slice(0, 3)
    .map(({ other }) => other);
  return `${start}. Nearest: ${near.join(', ')}; tally tasks lists all.`;
}

/** Edits that make one text of the other (Levenshtein); ids are short. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, left] of Array.from(a.slice(0, 128)).entries()) {
    const next = [i + 1];
    for (const [j, right] of Array.from(b.slice(0, 128)).entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The newest configuration. */
export async function readConfig(
  database: Database,
  store: string,
  segments: readonly Segment[],
): Promise<StoredConfig> {
  const row = (await readOwn(database, store, segments, 'config', 'true')).at(-1);
  const text = row === undefined ? undefined : String(row['raw']);
  const config = parseConfig(text ?? '', 'in the store');
  return { text, config, evidence: recordId(ownStream, 'config', Number(row?.['seq'] ?? 0)) };
}

async function readOwn(
  database: Database,
  store: string,
  segments: readonly Segment[],
  origin: string,
  condition: string,
): Promise<Row[]> {
  const files = segments
    .filter((segment) => segment.stream === ownStream && segment.origin === origin)
    .map(({ file }) => literal(join(store, file)));
  if (files.length === 0) return [];
  return database.all(
    `SELECT seq, CAST(received_at AS VARCHAR) AS received_at, raw FROM read_parquet([${files.join(',')}])
     WHERE ${condition} ORDER BY seq`,
  );
}

/** Undefined for what is no declaration of ours. */
function openRecord(raw: string): DeclaredRecord | undefined {
  try {
    return parseDeclaredRecord(raw);
  } catch {
    return undefined;
  }
}

/** The task that rows of one id declare: the first whose declaration is of that very task. */
function toTask(rows: readonly Row[]): DeclaredTask | undefined {
  const read = rows.flatMap((row) => {
    const record = openRecord(String(row['raw']));
    const declaration = record === undefined ? undefined : openDeclaration(record);
    if (record === undefined || declaration === undefined) return [];
    const time = toTime(BigInt(String(row['received_at'])));
    return [{ record, declaration, time, evidence: recordId(ownStream, 'declared', Number(row['seq'])) }];
  });
  const [first, ...later] = read;
  if (first === undefined) return undefined;
  const again = later.filter(({ record }) => !isSame(record, first.record));
  return { ...first, again: again.map(({ time, evidence }) => ({ time, evidence })) };
}

function openDeclaration(record: DeclaredRecord): Declaration | undefined {
  try {
    const declaration = parseDeclaration(record.declaration, `of task ${record.task}`);
    return declaration.task.id === record.task ? declaration : undefined;
  } catch (error) {
    if (error instanceof TallyError) return undefined;
    throw error;
  }
}

function isSame(a: DeclaredRecord, b: DeclaredRecord): boolean {
  return a.declaration === b.declaration && JSON.stringify(a.policies) === JSON.stringify(b.policies);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
