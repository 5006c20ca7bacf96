import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Segment } from '../model/record.ts';
import { type Database, literal } from '../query/database.ts';
import { fileNameOf } from './file-name.ts';
import { merkleTree } from './merkle.ts';

/** How a record's raw form is stored: JSON and text as text, sensor frames as bytes. */
export type RawKind = 'text' | 'bytes';

/** The raw form of a stream's records: only recorded frames of the sensor are bytes. */
export function rawKindOf(stream: string): RawKind {
  return stream === 'tetragon-grpc' ? 'bytes' : 'text';
}

/** SQL for the leaf of one record (RFC 6962 leaf over envelope and raw), as lower-case hex. */
export function leafSql(stream: string, origin: string, raw: RawKind): string {
  const envelope = `encode(${literal(`tallystick record v1\n${stream}\n${origin}\n`)} || seq || '\\n' || received_at || '\\n')`;
  return `sha256(unhex('00') || ${envelope.replaceAll("'\\n'", 'chr(10)')} || ${raw === 'text' ? 'encode(raw)' : 'raw'})`;
}

/** Raw bytes that one segment holds at the most (but for a single larger record): what is sorted in memory at once. */
const segmentBytes = 24 * 1024 * 1024;

/**
 * Seals the rows of `relation` (columns origin, time_ns, raw, digest = SHA-256 of raw; any order, repeats allowed) as
 * segments of one stream, each of one origin and UTC day: rows in order of time and then of digest, repeats dropped, so
 * that the same records give the same bytes whatever files they came in. Only the keys are sorted as a whole; the records
 * follow segment by segment, which for a recording in rough order of time reads little more than once.
 */
export async function sealStream(
  database: Database,
  evidence: string,
  stream: string,
  relation: string,
  raw: RawKind = 'text',
): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const run of await planSegments(database, relation, raw)) {
    const { origin, day, first, last } = run;
    const file = `segments/${fileNameOf(stream)}/${day}/${fileNameOf(origin)}-${first.seq}-${last.seq}.parquet`;
    const path = join(evidence, file);
    await mkdir(dirname(path), { recursive: true });
    await database.run(
      `COPY (
        SELECT CAST(row_number() OVER () - 1 + ${first.seq} AS BIGINT) AS seq, time_ns AS received_at, raw FROM (
          SELECT time_ns, raw, digest IS DISTINCT FROM lag(digest) OVER ()
            OR time_ns IS DISTINCT FROM lag(time_ns) OVER () AS fresh
          FROM (
            SELECT time_ns, raw, digest FROM ${relation}
            WHERE origin = ${literal(origin)} AND time_ns BETWEEN ${first.timeNs} AND ${last.timeNs}
              AND (time_ns > ${first.timeNs} OR digest >= ${literal(first.digest)})
              AND (time_ns < ${last.timeNs} OR digest <= ${literal(last.digest)})
            ORDER BY time_ns, digest
          )
        ) WHERE fresh
      ) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`,
    );
    segments.push(await describeSegment(database, evidence, { stream, origin, file, raw }));
  }
  return segments;
}

interface Key {
  readonly seq: number;
  readonly timeNs: string;
  readonly digest: string;
}

interface PlannedSegment {
  readonly origin: string;
  readonly day: string;
  readonly first: Key;
  readonly last: Key;
}

/** Cuts the sorted keys into segments: by origin and day, and by size. */
async function planSegments(database: Database, relation: string, raw: RawKind): Promise<PlannedSegment[]> {
  const rows = await database.all(`
    WITH key AS (SELECT DISTINCT origin, time_ns, digest, ${raw === 'text' ? 'strlen(raw)' : 'octet_length(raw)'} AS bytes FROM ${relation}),
    placed AS (
      SELECT *, row_number() OVER (PARTITION BY origin ORDER BY time_ns, digest) - 1 AS seq,
        strftime(make_timestamp_ns(time_ns), '%Y-%m-%d') AS day,
        (sum(bytes) OVER (PARTITION BY origin ORDER BY time_ns, digest ROWS UNBOUNDED PRECEDING) - bytes) // ${segmentBytes} AS part
      FROM key
    )
    SELECT origin, day, min(seq) AS first_seq, max(seq) AS last_seq,
      CAST(min(time_ns) AS VARCHAR) AS first_time, CAST(max(time_ns) AS VARCHAR) AS last_time,
      min_by(digest, seq) AS first_digest, max_by(digest, seq) AS last_digest
    FROM placed GROUP BY origin, day, part ORDER BY origin, first_seq`);
  return rows.map((row) => ({
    origin: String(row['origin']),
    day: String(row['day']),
    first: { seq: Number(row['first_seq']), timeNs: String(row['first_time']), digest: String(row['first_digest']) },
    last: { seq: Number(row['last_seq']), timeNs: String(row['last_time']), digest: String(row['last_digest']) },
  }));
}

/** Reads a segment file back: its counts, times, Merkle root and file digest, all computed from the bytes on disk. */
export async function describeSegment(
  database: Database,
  evidence: string,
  { stream, origin, file, raw }: { stream: string; origin: string; file: string; raw: RawKind },
): Promise<Segment> {
  const path = join(evidence, file);
  const accumulator = merkleTree();
  let firstSeq = 0;
  let count = 0;
  let times: { first: bigint; last: bigint } | undefined;
  const result = await database.connection.stream(
    `SELECT seq, received_at, ${leafSql(stream, origin, raw)} AS leaf FROM ${literal(path)}`,
  );
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [seq, receivedAt, leaf] of chunk.getRows() as [bigint, bigint, string][]) {
      if (count === 0) firstSeq = Number(seq);
      if (Number(seq) !== firstSeq + count) throw new Error(`sequence broken in ${file}`);
      accumulator.push(Buffer.from(leaf, 'hex'));
      count += 1;
      if (receivedAt > 0n) times = widen(times, receivedAt);
    }
  }
  return {
    stream,
    origin,
    firstSeq,
    lastSeq: firstSeq + count - 1,
    count,
    root: accumulator.root().toString('hex'),
    firstTime: times === undefined ? null : toTime(times.first),
    lastTime: times === undefined ? null : toTime(times.last),
    file,
    fileSha256: await sha256File(path),
  };
}

/** A clock may be set back between two records. */
function widen(times: { first: bigint; last: bigint } | undefined, time: bigint): { first: bigint; last: bigint } {
  if (times === undefined) return { first: time, last: time };
  return { first: time < times.first ? time : times.first, last: time > times.last ? time : times.last };
}

/** Nanoseconds since the epoch as RFC 3339 with nine fraction digits. */
export function toTime(ns: bigint): string {
  const seconds = ns / 1_000_000_000n;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
