import type { Database } from '../query/database.ts';

/** One record on its way into the store. `timeNs`: its own time in ns since the epoch, 0 where it has none. */
export interface StagedRecord {
  readonly origin: string;
  readonly timeNs: bigint;
  readonly raw: string | Uint8Array;
}

/** Puts records made in JavaScript into a relation (origin, time_ns, raw, digest) that can be sealed; one record in memory at a time. */
export async function stageRecords(
  database: Database,
  stream: string,
  records: AsyncIterable<StagedRecord> | Iterable<StagedRecord>,
  raw: 'text' | 'bytes' = 'text',
): Promise<string> {
  const relation = relationOf(stream);
  await createStaged(database, stream, raw);
  const appender = await database.connection.createAppender(`${relation}_rows`);
  let bytes = 0;
  for await (const record of records) {
    appender.appendVarchar(record.origin);
    appender.appendBigInt(record.timeNs);
    if (typeof record.raw === 'string') appender.appendVarchar(record.raw);
    else appender.appendBlob(record.raw);
    appender.endRow();
    bytes += record.raw.length;
    if (bytes > 16 * 1024 * 1024) {
      appender.flushSync();
      bytes = 0;
    }
  }
  appender.closeSync();
  return relation;
}

export function relationOf(stream: string): string {
  return `staged_${stream.replaceAll('-', '_')}`;
}

/** The empty relation of a stream: rows go into `<relation>_rows`, whose digests the relation adds. */
export async function createStaged(database: Database, stream: string, raw: 'text' | 'bytes'): Promise<void> {
  const relation = relationOf(stream);
  await database.run(
    `CREATE OR REPLACE TABLE ${relation}_rows (origin VARCHAR, time_ns BIGINT, raw ${raw === 'text' ? 'VARCHAR' : 'BLOB'})`,
  );
  const bytes = raw === 'text' ? 'encode(raw)' : 'raw';
  await database.run(
    `CREATE OR REPLACE TEMP VIEW ${relation} AS SELECT *, sha256(${bytes}) AS digest FROM ${relation}_rows`,
  );
}
