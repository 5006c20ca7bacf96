import { join } from 'node:path';
import { toTime } from '../evidence/seal.ts';
import type { Config } from '../model/config.ts';
import type { Segment } from '../model/record.ts';
import { checkFiles } from './check-files.ts';
import { type Database, literal, type Parameter } from '../query/database.ts';
import { toNs } from '../sources/time-ns.ts';
import { recordId } from './records.ts';
import type { DeclaredTask } from './store-tasks.ts';

/** Streams of which only what was received from some time on is looked at; of all others, everything. */
const bounded: ReadonlySet<string> = new Set(['tetragon', 'tetragon-grpc', 'sensor']);

/** Since when evidence of a task is looked at, RFC 3339 with nanoseconds. */
export function lookSince({ time, declaration }: Pick<DeclaredTask, 'time' | 'declaration'>, config: Config): string {
  const seconds = config.collector?.lookback;
  if (seconds === undefined) return toTime(0n); // an earlier step of the task may lie anywhere
  const lookback = BigInt(Math.round(seconds * 1000)) * 1_000_000n;
  const declared = toNs(time) - lookback;
  const start = declaration.window?.start === undefined ? declared : toNs(declaration.window.start);
  const since = start < declared ? start : declared;
  return toTime(since < 0n ? 0n : since);
}

export function isInRange({ stream, lastTime }: Segment, since: string): boolean {
  return !bounded.has(stream) || lastTime === null || lastTime >= since;
}

/**
 * What is looked at for a task: segments that reach into its range, and of the older ones about the sensor those with the last
 * line that tells of each way's stream, since a stream that was connected days ago says so nowhere else. By file name.
 */
export async function chooseSegments(
  database: Database,
  store: string,
  segments: readonly Segment[],
  since: string,
  config: Config,
): Promise<Segment[]> {
  const chosen = segments.filter((segment) => isInRange(segment, since));
  const sensor = segments.filter(({ stream }) => stream === 'sensor').sort((a, b) => b.lastSeq - a.lastSeq);
  for (const node of new Set(sensor.map(({ origin }) => origin))) {
    const ofNode = sensor.filter(({ origin }) => origin === node);
    const ways = waysOf(node, config);
    const within = ofNode.filter((segment) => isInRange(segment, since));
    for (const way of await toldWays(database, store, within)) ways.delete(way);
    chosen.push(...(await lastStreamLines(database, store, ofNode.slice(within.length), ways)));
  }
  return chosen.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The ways in that a node has by the configuration; either, where it does not say. */
function waysOf(node: string, config: Config): Set<string> {
  const source = config.sources?.tetragon.find((one) => one.node === node);
  return new Set([
    ...(source === undefined || source.address !== undefined ? ['grpc'] : []),
    ...(source === undefined || source.export !== undefined ? ['export'] : []),
  ]);
}

/** Ways whose first line here says since when they were whole: what is older tells nothing more of them. */
async function toldWays(database: Database, store: string, segments: readonly Segment[]): Promise<string[]> {
  if (segments.length === 0) return [];
  await checkFiles(store, segments);
  const rows = await database.all(
    `SELECT way FROM (${streamLines(store, segments)}) GROUP BY way HAVING arg_min(coalesce(since, ''), seq) <> ''`,
  );
  return rows.map((row) => String(row['way']));
}

function streamLines(store: string, segments: readonly Segment[]): string {
  const files = segments.map(({ file }) => literal(join(store, file)));
  return `SELECT * FROM (
    SELECT seq, TRY(raw ->> '$.kind') AS kind, coalesce(TRY(raw ->> '$.way'), 'grpc') AS way, TRY(raw ->> '$.since') AS since
    FROM read_parquet([${files.join(',')}]) WHERE contains(raw, '"stream"')) WHERE kind = 'stream'`;
}

/** Goes back through segments, newest first, until the last line of each way is found, or there are no more. */
async function lastStreamLines(
  database: Database,
  store: string,
  newestFirst: readonly Segment[],
  ways: Set<string>,
): Promise<Segment[]> {
  const found: Segment[] = [];
  for (let at = 0; at < newestFirst.length && ways.size > 0; at += 256) {
    const part = newestFirst.slice(at, at + 256);
    await checkFiles(store, part);
    const rows = await database.all(`SELECT seq, way FROM (${streamLines(store, part)}) ORDER BY seq DESC`);
    for (const row of rows) {
      if (!ways.delete(String(row['way']))) continue;
      const seq = Number(row['seq']);
      found.push(...part.filter((one) => one.firstSeq <= seq && seq <= one.lastSeq));
    }
  }
  return [...new Set(found)];
}

/**
 * Rows of table own_gap: where records of a log lie before the segments that are looked at, or between two of them. It follows
 * from these alone, so that judging them again gives the same.
 */
export function holesOf(segments: readonly Segment[]): Parameter[][] {
  const rows: Parameter[][] = [];
  const logs = new Map<string, Segment[]>();
  for (const segment of segments) {
    const key = JSON.stringify([segment.stream, segment.origin]);
    logs.set(key, [...(logs.get(key) ?? []), segment]);
  }
  for (const log of [...logs.keys()].sort()) {
    const inOrder = (logs.get(log) ?? []).sort((a, b) => a.firstSeq - b.firstSeq);
    let before: Segment | undefined;
    for (const segment of inOrder) {
      const missing = segment.firstSeq - (before === undefined ? 0 : before.lastSeq + 1);
      if (missing > 0) rows.push(toHole(before, segment, missing));
      before = segment;
    }
  }
  return rows;
}

function toHole(
  before: Segment | undefined,
  { stream, origin, firstSeq, firstTime }: Segment,
  missing: number,
): Parameter[] {
  // When a record of a provider was received says nothing of how old it is.
  const from = bounded.has(stream) ? (before?.lastTime ?? null) : null;
  const detail = `Records of ${stream} that were received before are not looked at.`;
  return [stream, origin, from, firstTime, 'stream-gap', detail, missing, recordId(stream, origin, firstSeq)];
}
