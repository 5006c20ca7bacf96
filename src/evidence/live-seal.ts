import { randomUUID } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Database, literal, openDatabase } from '../query/database.ts';
import { makeFolder } from './atomic-file.ts';
import { fileNameOf } from './file-name.ts';
import { maskSecrets } from './mask.ts';
import { describeSegment, type RawKind, rawKindOf } from './seal.ts';
import type { ClosedWal, SealContext, Sealer, SegmentDraft } from './sealer.ts';
import { tampered } from './tampered.ts';
import { parseWal, type WalRecord } from './wal-format.ts';

/** Streams that tallystick writes itself: what is in them stays as it is, as in an audit from files. */
const unmasked = new Set(['tally', 'cloudtrail-object']);

/** Seals on this thread, with a DuckDB of its own that keeps to one thread and little memory. */
export async function openLiveSealer(context: SealContext): Promise<Sealer> {
  const database = await openDatabase({ threads: 1, memory: '256MB' });
  return {
    draft: (wal, from) => writeDraft(database, context, wal, from),
    close: () => database.close(),
  };
}

async function writeDraft(
  database: Database,
  { store, maskKey }: SealContext,
  wal: ClosedWal,
  from: number,
): Promise<SegmentDraft> {
  const { stream, origin } = wal;
  const rows = (await readClosed(wal)).slice(from - wal.firstSeq);
  const [first] = rows;
  if (first === undefined || from < wal.firstSeq) throw tampered(wal.path, `does not hold record ${from}`);
  const raw = rawKindOf(stream);
  const day = new Date(Number(first.receivedAt / 1_000_000n)).toISOString().slice(0, 10);
  const last = from + rows.length - 1;
  const file = `segments/${fileNameOf(stream)}/${day}/${fileNameOf(origin)}-${from}-${last}.parquet`;
  const draft = join(dirname(file), `${randomUUID()}.draft.parquet`);
  const path = join(store, draft);
  await makeFolder(dirname(path));
  try {
    await stageRows(database, raw, rows, from, unmasked.has(stream) ? undefined : maskKey);
    await database.run(
      `COPY live_rows TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048, USE_TMP_FILE false)`,
    );
    await syncFile(path);
    const segment = await describeSegment(database, store, { stream, origin, file: draft, raw });
    if (segment.firstSeq !== from || segment.count !== rows.length) throw tampered(path, 'is not what was written');
    return { segment: { ...segment, file }, path };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await database.run('DROP TABLE IF EXISTS live_rows');
  }
}

async function readClosed(wal: ClosedWal): Promise<readonly WalRecord[]> {
  const content = parseWal(await readFile(wal.path), wal.path);
  const { firstSeq, name, records } = content;
  if (firstSeq !== wal.firstSeq || name?.stream !== wal.stream || name.origin !== wal.origin)
    throw tampered(wal.path, 'is the log of another origin than it was');
  if (records.length < wal.records) throw tampered(wal.path, 'has lost records that had been safe on disk');
  return records.slice(0, wal.records); // frames behind them were refused
}

async function stageRows(
  database: Database,
  raw: RawKind,
  rows: readonly WalRecord[],
  firstSeq: number,
  maskKey: Buffer | undefined,
): Promise<void> {
  const type = raw === 'text' ? 'VARCHAR' : 'BLOB';
  await database.run(`CREATE OR REPLACE TEMP TABLE live_rows (seq BIGINT, received_at BIGINT, raw ${type})`);
  const appender = await database.connection.createAppender('live_rows');
  rows.forEach(({ receivedAt, record }, at) => {
    const bytes = maskKey === undefined ? record : maskSecrets(record, maskKey).bytes;
    appender.appendBigInt(BigInt(firstSeq + at));
    appender.appendBigInt(receivedAt);
    if (raw === 'text') appender.appendVarchar(bytes.toString());
    else appender.appendBlob(bytes);
    appender.endRow();
  });
  appender.closeSync();
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
