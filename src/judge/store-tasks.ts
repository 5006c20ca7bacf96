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

/** One record of a declaration, its text not read yet. */
export interface DeclaredRow {
  readonly record: DeclaredRecord;
  /** When it was recorded, RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Id of its record. */
  readonly evidence: string;
}

/** A task as it was declared to a live store. Of several declarations of one task the first is the one that counts. */
export interface DeclaredTask extends DeclaredRow {
  readonly declaration: Declaration;
  /** Later declarations of the same task that differ from it. */
  readonly again: readonly { readonly time: string; readonly evidence: string }[];
}

/** The configuration that a store was last written under; every default where it holds none. */
export interface StoredConfig {
  readonly text: string | undefined;
  readonly config: Config;
  readonly evidence: string;
}

/** Every record of a declaration by task, in the order in which they were recorded. What is no record of ours is left out. */
export async function readDeclaredRows(
  database: Database,
  store: string,
  segments: readonly Segment[],
  condition = 'true',
): Promise<Map<string, DeclaredRow[]>> {
  const byTask = new Map<string, DeclaredRow[]>();
  for (const row of await readOwn(database, store, segments, 'declared', condition)) {
    const opened = openRow(row);
    if (opened === undefined) continue;
    const rows = byTask.get(opened.record.task);
    if (rows === undefined) byTask.set(opened.record.task, [opened]);
    else rows.push(opened);
  }
  return byTask;
}

/** One declared task. Throws TallyError `usage` with the nearest ids where there is no such task. */
export async function findTask(
  database: Database,
  store: string,
  segments: readonly Segment[],
  id: string,
): Promise<DeclaredTask> {
  const holdsId = `contains(raw, ${literal(JSON.stringify(id))})`;
  const found = toTask((await readDeclaredRows(database, store, segments, holdsId)).get(id) ?? []);
  if (found !== undefined) return found;
  const all = await readDeclaredRows(database, store, segments);
  const isDeclared = (rows: readonly DeclaredRow[]): boolean =>
    rows.some(({ record }) => openDeclaration(record) !== undefined);
  const known = [...all].filter(([, rows]) => isDeclared(rows)).map(([task]) => task);
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
function openRow(row: Row): DeclaredRow | undefined {
  const record = openRecord(String(row['raw']));
  if (record === undefined) return undefined;
  const time = toTime(BigInt(String(row['received_at'])));
  return { record, time, evidence: recordId(ownStream, 'declared', Number(row['seq'])) };
}

function openRecord(raw: string): DeclaredRecord | undefined {
  try {
    return parseDeclaredRecord(raw);
  } catch {
    return undefined;
  }
}

/** The task that rows of one id declare: the first whose declaration is of that very task. */
function toTask(rows: readonly DeclaredRow[]): DeclaredTask | undefined {
  const read = rows.flatMap((row) => {
    const declaration = openDeclaration(row.record);
    return declaration === undefined ? [] : [{ ...row, declaration }];
  });
  const [first, ...later] = read;
  if (first === undefined) return undefined;
  const again = later.filter(({ record }) => !isSame(record, first.record));
  return { ...first, again: again.map(({ time, evidence }) => ({ time, evidence })) };
}

/** Undefined for one that can't be read or is of another task: it declares nothing. */
export function openDeclaration(record: DeclaredRecord): Declaration | undefined {
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
