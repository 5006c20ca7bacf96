import { join } from 'node:path';
import type { Segment } from '../model/record.ts';
import { type Database, literal } from '../query/database.ts';
import { decodeFrame } from '../sources/tetragon-frames.ts';

/** Stream of recorded sensor frames; its records are bytes, decoded into export lines before a query sees them. */
export const frameStream = 'tetragon-grpc';

/** Makes the view `record` over sealed segments; nothing is copied but the decoded frames. */
export async function openRecords(database: Database, evidence: string, segments: readonly Segment[]): Promise<void> {
  const parts: string[] = [];
  for (const segment of segments) {
    const path = join(evidence, segment.file);
    const name = `${segment.stream}/${toIdPart(segment.origin)}/`;
    const source = segment.stream === frameStream ? await decodeSegment(database, path, segment) : literal(path);
    parts.push(
      `SELECT ${literal(segment.stream)} AS stream, ${literal(segment.origin)} AS origin, seq, received_at,
        ${literal(name)} || seq AS evidence, raw FROM ${source}`,
    );
  }
  await database.run('DROP TABLE IF EXISTS record');
  await database.run(
    `CREATE OR REPLACE VIEW record AS ${parts.length > 0 ? parts.join(' UNION ALL ') : "SELECT '' AS stream, '' AS origin, 0 AS seq, 0 AS received_at, '' AS evidence, '' AS raw WHERE false"}`,
  );
}

/** Ids stand in lists with spaces between, `/` and `#` have a meaning in them: an origin may hold anything. */
function toIdPart(origin: string): string {
  return origin.replace(/[\s\p{Cc}\p{Cf}%#/]/gu, (part) => encodeURIComponent(part));
}

async function decodeSegment(database: Database, path: string, segment: Segment): Promise<string> {
  const table = `frames_${segment.fileSha256}`;
  await database.run(`CREATE OR REPLACE TABLE ${table} (seq BIGINT, received_at BIGINT, raw VARCHAR)`);
  const appender = await database.connection.createAppender(table);
  for (let from = segment.firstSeq; from <= segment.lastSeq; from += 5000) {
    const rows = await database.connection.runAndReadAll(
      `SELECT seq, received_at, raw FROM ${literal(path)} WHERE seq >= ${from} AND seq < ${from + 5000}`,
    );
    for (const [seq, receivedAt, raw] of rows.getRows() as [bigint, bigint, { bytes: Uint8Array }][]) {
      const frame = decodeFrame(raw.bytes);
      appender.appendBigInt(seq);
      appender.appendBigInt(receivedAt);
      appender.appendVarchar(frame.kind === 'line' ? frame.line : '{}');
      appender.endRow();
    }
  }
  appender.closeSync();
  return table;
}
