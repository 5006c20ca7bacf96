import { type Database } from '../query/database.ts';

/** One record on its way into the store. `timeNs`: its own time in ns since the epoch, 0 where it has none. */
export interface StagedRecord {
  readonly origin: string;
  readonly timeNs: bigint;
  readonly raw: string | Uint8Array;
}

/** Puts records made in JavaScript into a relation (origin, time_ns, raw) that can be sealed; one record in memory at a time. */
export async function stageRecords(
  database: Database,
  stream: string,
  records: AsyncIterable<StagedRecord> | Iterable<StagedRecord>,
  raw: 'text' | 'bytes' = 'text',
): Promise<string> {
  const relation = `staged_${stream.replaceAll('-', '_')}`;
  await database.run(
    `CREATE OR REPLACE TABLE ${relation} (origin VARCHAR, time_ns BIGINT, raw ${raw === 'text' ? 'VARCHAR' : 'BLOB'})`,
  );
  const appender = await database.connection.createAppender(relation);
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
