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

/** SQL for the leaf of one record (RFC 6962 leaf over envelope and raw), as lower-case hex. */
function leafSql(stream: string, origin: string, raw: RawKind): string {
  const envelope = `encode(${literal(`tallystick record v1\n${stream}\n${origin}\n`)} || seq || '\\n' || received_at || '\\n')`;
  return `sha256(unhex('00') || ${envelope.replaceAll("'\\n'", 'chr(10)')} || ${raw === 'text' ? 'encode(raw)' : 'raw'})`;
}

/**
 * Seals the rows of `relation` (columns origin, time_ns, raw; any order, repeats allowed) as segments of one stream:
 * a file for each origin and UTC day, rows in order of time and then of content, repeats dropped, so that the same
 * records give the same bytes whatever files they came in.
 */
export async function sealStream(
  database: Database,
  evidence: string,
  stream: string,
  relation: string,
  raw: RawKind = 'text',
): Promise<Segment[]> {
  const ordered = join(database.scratch, `ordered-${fileNameOf(stream)}.parquet`);
  const digest = raw === 'text' ? 'sha256(encode(raw))' : 'sha256(raw)';
  await database.run(`COPY (
    SELECT origin, coalesce(time_ns, 0) AS received_at, raw, ${digest} AS digest FROM ${relation}
    ORDER BY origin, received_at, digest
  ) TO ${literal(ordered)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`);
  const runs = await database.all(
    `SELECT origin, strftime(make_timestamp_ns(received_at), '%Y-%m-%d') AS day, count(DISTINCT (received_at, digest)) AS n
     FROM ${literal(ordered)} GROUP BY ALL ORDER BY origin, day`,
  );
  const segments: Segment[] = [];
  const next = new Map<string, number>();
  for (const run of runs) {
    const origin = String(run['origin']);
    const firstSeq = next.get(origin) ?? 0;
    const lastSeq = firstSeq + Number(run['n']) - 1;
    next.set(origin, lastSeq + 1);
    const file = `segments/${fileNameOf(stream)}/${String(run['day'])}/${fileNameOf(origin)}-${firstSeq}-${lastSeq}.parquet`;
    const path = join(evidence, file);
    await mkdir(dirname(path), { recursive: true });
    await database.run(
      `COPY (
        SELECT CAST(row_number() OVER () - 1 + ${firstSeq} AS BIGINT) AS seq, received_at, raw FROM (
          SELECT received_at, raw, digest IS DISTINCT FROM lag(digest) OVER ()
            OR received_at IS DISTINCT FROM lag(received_at) OVER () AS fresh
          FROM (
            SELECT * FROM ${literal(ordered)}
            WHERE origin = ${literal(origin)} AND strftime(make_timestamp_ns(received_at), '%Y-%m-%d') = ${literal(String(run['day']))}
          )
        ) WHERE fresh
      ) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`,
    );
    segments.push(await describeSegment(database, evidence, { stream, origin, file, raw }));
  }
  return segments;
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
      if (receivedAt > 0n) times = { first: times?.first ?? receivedAt, last: receivedAt };
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

/** Nanoseconds since the epoch as RFC 3339 with nine fraction digits. */
function toTime(ns: bigint): string {
  const seconds = ns / 1_000_000_000n;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
