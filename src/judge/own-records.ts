import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf } from '../evidence/file-name.ts';
import { sealStream } from '../evidence/seal.ts';
import { openWal, recoverWal } from '../evidence/wal.ts';
import type { Segment } from '../model/record.ts';
import type { Database } from '../query/database.ts';
import { stageRecords, type StagedRecord } from '../sources/staged.ts';

/** Stream of tallystick's own records: declaration, config, policy, and problem (an input that could not be taken in). */
export const ownStream = 'tally';
export type OwnOrigin = 'declaration' | 'config' | 'policy' | 'problem';

export interface OwnRecord {
  readonly origin: OwnOrigin;
  readonly raw: string;
}

/** Writes our own records through the write-ahead log, seals them, and removes the log. */
export async function sealOwnRecords(
  database: Database,
  evidence: string,
  records: readonly OwnRecord[],
): Promise<Segment[]> {
  const folder = join(evidence, 'wal', fileNameOf(ownStream));
  const staged: StagedRecord[] = [];
  for (const origin of [...new Set(records.map((record) => record.origin))].sort()) {
    const path = join(folder, fileNameOf(origin));
    const wal = await openWal(path);
    const appended = records
      .filter((record) => record.origin === origin)
      .map((record) => wal.append(Buffer.from(record.raw), 0n));
    await Promise.all(appended);
    await wal.close();
    const { records: kept } = await recoverWal(path);
    staged.push(...kept.map((record) => ({ origin, timeNs: 0n, raw: record.record.toString() })));
  }
  const relation = await stageRecords(database, ownStream, staged);
  const segments = await sealStream(database, evidence, ownStream, relation);
  await rm(join(evidence, 'wal'), { recursive: true });
  return segments;
}
