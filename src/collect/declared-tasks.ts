import { join } from 'node:path';
import { readStore, readUnsealed, readVkey } from '../evidence/store-read.ts';
import { readWalFile } from '../evidence/wal-folder.ts';
import { scanWal } from '../evidence/wal-format.ts';
import { parseDeclaredRecord } from '../model/declared-record.ts';
import { literal, openDatabase } from '../query/database.ts';
import { type KnownTask, toTime } from './declarations.ts';

interface Kept {
  readonly seq: number;
  readonly receivedAt: bigint;
  readonly raw: string;
}

/** Every task that was declared in a store, sealed or not, with its first declaration. */
export async function readDeclared(store: string): Promise<Map<string, KnownTask>> {
  const unsealed = await readUnsealedDeclared(store); // first: what is sealed meanwhile is then read there
  const sealed = (await readVkey(store)) === undefined ? [] : await readSealedDeclared(store);
  return toKnown([...sealed, ...unsealed]);
}

/** Those that are declared in log files of a store, though some may have been sealed meanwhile. */
export async function readWaiting(store: string): Promise<Map<string, KnownTask>> {
  return toKnown(await readUnsealedDeclared(store));
}

function toKnown(kept: readonly Kept[]): Map<string, KnownTask> {
  const tasks = new Map<string, KnownTask>();
  for (const { receivedAt, raw } of kept.toSorted((a, b) => a.seq - b.seq)) {
    const record = parseDeclaredRecord(raw);
    if (!tasks.has(record.task)) tasks.set(record.task, { record, declared: toTime(receivedAt) });
  }
  return tasks;
}

async function readUnsealedDeclared(store: string): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const { path, stream, origin } of await readUnsealed(store)) {
    if (stream !== 'tally' || origin !== 'declared') continue;
    const bytes = await readWalFile(path);
    if (bytes === undefined) continue;
    const { firstSeq, records } = scanWal(bytes, path);
    for (const [index, { receivedAt, record }] of records.entries())
      kept.push({ seq: (firstSeq ?? 0) + index, receivedAt, raw: record.toString() });
  }
  return kept;
}

async function readSealedDeclared(store: string): Promise<Kept[]> {
  const { segments } = await readStore(store);
  const files = segments.filter(({ stream, origin }) => stream === 'tally' && origin === 'declared');
  if (files.length === 0) return [];
  const database = await openDatabase();
  try {
    const list = files.map(({ file }) => literal(join(store, file))).join(', ');
    const rows = await database.all(
      `SELECT CAST(seq AS VARCHAR) AS seq, CAST(received_at AS VARCHAR) AS received_at, raw FROM read_parquet([${list}]) ORDER BY seq`,
    );
    return rows.map((row) => ({
      seq: Number(row['seq']),
      receivedAt: BigInt(String(row['received_at'])),
      raw: String(row['raw']),
    }));
  } finally {
    await database.close();
  }
}
