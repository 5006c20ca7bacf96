import { join } from 'node:path';
import type { Segment } from '../model/record.ts';
import { type Database, literal } from '../query/database.ts';
import { decodeFrame } from '../sources/tetragon-frames.ts';

/** Stream of recorded sensor frames; its records are bytes, decoded into export lines before a query sees them. */
export const frameStream = 'tetragon-grpc';

/**
 * Makes the view `record` over sealed segments; nothing is copied but the decoded frames. Of a partial segment, which is one
 * about the sensor, only lines that may tell of its stream are in the view.
 */
export async function openRecords(
  database: Database,
  evidence: string,
  segments: readonly Segment[],
  isPartial: (segment: Segment) => boolean = () => false,
): Promise<void> {
  const parts: string[] = [];
  for (const [index, group] of groupRuns(segments, isPartial).entries()) {
    const [{ stream, origin }] = group.segments;
    const paths = group.segments.map(({ file }) => literal(join(evidence, file)));
    const source =
      stream === frameStream
        ? await decodeSegments(database, `frames_${index}`, evidence, group.segments)
        : `read_parquet([${paths.join(',')}])`;
    parts.push(
      `SELECT ${literal(stream)} AS stream, ${literal(origin)} AS origin, seq, received_at,
        ${literal(`${stream}/${toIdPart(origin)}/`)} || seq AS evidence, raw FROM ${source}
        ${group.partial ? `WHERE contains(raw, '"stream"')` : ''}`,
    );
  }
  await database.run('DROP TABLE IF EXISTS record');
  await database.run(
    `CREATE OR REPLACE VIEW record AS ${parts.length > 0 ? parts.join(' UNION ALL ') : "SELECT '' AS stream, '' AS origin, 0 AS seq, 0 AS received_at, '' AS evidence, '' AS raw WHERE false"}`,
  );
}

interface Run {
  readonly partial: boolean;
  readonly segments: [Segment, ...Segment[]];
}

/** Segments of one (stream, origin) are read as one: a live store has one for each minute. */
function groupRuns(segments: readonly Segment[], isPartial: (segment: Segment) => boolean): Run[] {
  const runs = new Map<string, Run>();
  for (const segment of segments) {
    const partial = isPartial(segment);
    const key = JSON.stringify([segment.stream, segment.origin, partial]);
    const run = runs.get(key);
    if (run === undefined) runs.set(key, { partial, segments: [segment] });
    else run.segments.push(segment);
  }
  return [...runs.values()];
}

/** The id of a record: what its stream, origin and number make of it everywhere. */
export function recordId(stream: string, origin: string, seq: number): string {
  return `${stream}/${toIdPart(origin)}/${seq}`;
}

/** Ids stand in lists with spaces between, `/` and `#` have a meaning in them: an origin may hold anything. */
function toIdPart(origin: string): string {
  return origin.replace(/[\s\p{Cc}\p{Cf}%#/]/gu, (part) => encodeURIComponent(part));
}

async function decodeSegments(
  database: Database,
  table: string,
  evidence: string,
  segments: readonly Segment[],
): Promise<string> {
  await database.run(`CREATE OR REPLACE TABLE ${table} (seq BIGINT, received_at BIGINT, raw VARCHAR)`);
  const appender = await database.connection.createAppender(table);
  for (const segment of segments) {
    const path = literal(join(evidence, segment.file));
    for (let from = segment.firstSeq; from <= segment.lastSeq; from += 5000) {
      const rows = await database.connection.runAndReadAll(
        `SELECT seq, received_at, raw FROM ${path} WHERE seq >= ${from} AND seq < ${from + 5000}`,
      );
      for (const [seq, receivedAt, raw] of rows.getRows() as [bigint, bigint, { bytes: Uint8Array }][]) {
        const frame = decodeFrame(raw.bytes);
        appender.appendBigInt(seq);
        appender.appendBigInt(receivedAt);
        appender.appendVarchar(frame.kind === 'line' ? frame.line : '{}');
        appender.endRow();
      }
    }
  }
  appender.closeSync();
  return table;
}
