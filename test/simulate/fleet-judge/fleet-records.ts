import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { canonicalJson } from '../../../src/evidence/canonical-json.ts';
import { maskSecrets, secretPattern } from '../../../src/evidence/mask.ts';
import { recordId } from '../../../src/judge/records.ts';
import { literal } from '../../../src/query/database.ts';
import { plainName } from '../../../src/sources/cloudtrail-names.ts';
import { parseObject } from '../../../src/sources/cloudtrail-object.ts';
import { toRecord } from '../../../src/sources/cloudtrail-record.ts';
import type { Problem } from '../../../src/sources/json-lines.ts';
import { compareText } from '../../../src/sources/order.ts';
import type { CloudFile, Evidence } from '../evidence.ts';
import type { FleetSql, WorldRow } from './fleet-sql.ts';

/** Any key does: what is masked is the same for every world. */
const maskKey = Buffer.alloc(32, 7);

const lineStreams = ['tetragon', 'sensor'] as const;

/**
 * Fills table record from evidence in memory, with what the product's ingest and seal would give: lines dated and numbered by
 * their node, objects of the trail with their inventory, our own records, and a record for each thing that could not be read.
 */
export async function insertRecords(sql: FleetSql, worlds: readonly Evidence[]): Promise<void> {
  await sql.run('CREATE OR REPLACE TABLE line (stream VARCHAR, number INTEGER, raw VARCHAR, world INTEGER)');
  await sql.run(
    'CREATE OR REPLACE TABLE staged (stream VARCHAR, origin VARCHAR, time_ns BIGINT, raw VARCHAR, world INTEGER)',
  );
  await sql.time('records: lines in', () => appendLines(sql, worlds));
  await sql.time('records: lines staged', () => stageLines(sql));
  await sql.time('records: lines masked', () => maskLines(sql));
  const problems = await sql.time('records: broken lines', () => brokenLines(sql));
  await sql.time('records: objects', () => stageOthers(sql, worlds, problems));
  await sql.time('records: numbered', () => numberRecords(sql));
}

/** Other rows between two of the sensor's. */
const spread = 16;

/**
 * DuckDB parses the JSON of a whole vector of rows before it goes on, and keeps it for each field that is read: the sensor's
 * lines, which are large, are spread so thin that a vector holds few of them.
 */
async function appendLines(sql: FleetSql, worlds: readonly Evidence[]): Promise<void> {
  const appender = await sql.database.connection.createAppender('line', 'main', 'fleet');
  const append = ({ stream, number, raw, world }: Line): void => {
    appender.appendVarchar(stream);
    appender.appendInteger(number);
    appender.appendVarchar(raw);
    appender.appendInteger(world);
    appender.endRow();
  };
  const others = linesOf(worlds, 'tetragon');
  let fillers = 0;
  for (const line of linesOf(worlds, 'sensor')) {
    append(line);
    for (let nth = 0; nth < spread; nth += 1) {
      const next = others.next();
      append(next.done === true ? { stream: filler, number: 0, raw: String((fillers += 1)), world: 0 } : next.value);
    }
  }
  for (const line of others) append(line);
  appender.closeSync();
}

/** Stream of rows that are of no use but to stand between others: no query asks for it. */
const filler = 'filler';

interface Line {
  readonly stream: string;
  readonly number: number;
  readonly raw: string;
  readonly world: number;
}

function* linesOf(worlds: readonly Evidence[], stream: 'tetragon' | 'sensor'): Generator<Line, undefined> {
  for (const [world, evidence] of worlds.entries()) {
    // a line may have been broken in two
    const lines = evidence[stream].flatMap(({ text }) => text.split('\n'));
    for (const [at, line] of lines.entries()) {
      const raw = line.replace(/\r+$/, '');
      if (raw !== '') yield { stream, number: at + 1, raw, world };
    }
  }
}

/** As src/sources/json-lines.ts reads the head of a line. */
async function stageLines(sql: FleetSql): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE head AS
    SELECT *, CASE WHEN starts_with(raw, '{')
      THEN TRY(from_json(raw, '{"node_name": "VARCHAR", "node": "VARCHAR", "time": "VARCHAR"}')) END AS head
    FROM line`);
  await sql.run(`INSERT INTO staged
    SELECT stream,
      coalesce(nullif(replace(CASE stream WHEN 'tetragon' THEN head.node_name ELSE head.node END, chr(0), '\uFFFD'), ''), 'unknown'),
      coalesce(epoch_ns(try_cast(head.time AS TIMESTAMP_NS)), 0), raw, world
    FROM head WHERE head IS NOT NULL OR stream = '${filler}'`);
  await sql.run(
    `CREATE OR REPLACE TABLE broken_line AS SELECT stream, number, world FROM head WHERE head IS NULL AND stream <> '${filler}'`,
  );
  await sql.run('DROP TABLE head; DROP TABLE line');
}

async function maskLines(sql: FleetSql): Promise<void> {
  const hits = await sql.database.all(
    `SELECT CAST(rowid AS VARCHAR) AS place, raw FROM staged WHERE regexp_matches(raw, ${literal(secretPattern)})`,
  );
  const masked = hits.flatMap((row) => {
    const { bytes, count } = maskSecrets(Buffer.from(String(row['raw'])), maskKey);
    return count === 0 ? [] : [{ world: Number(row['place']), row: [bytes.toString()] }];
  });
  if (masked.length === 0) return;
  await sql.run('CREATE OR REPLACE TABLE masked (raw VARCHAR, place BIGINT)');
  await sql.insert('masked', masked);
  await sql.run('UPDATE staged SET raw = masked.raw FROM masked WHERE masked.place = staged.rowid');
}

/** Problems as the product words them, by world. */
async function brokenLines(sql: FleetSql): Promise<Map<number, Problem[]>> {
  const rows = await sql.database.all('SELECT * FROM broken_line ORDER BY world, stream DESC, number');
  const problems = new Map<number, Problem[]>();
  for (const stream of lineStreams) {
    for (const world of new Set(rows.map((row) => Number(row['world'])))) {
      const where = rows.filter((row) => row['stream'] === stream && Number(row['world']) === world);
      if (where.length === 0) continue;
      const shown = where.slice(0, 20).map((row) => String(row['number']));
      const count = where.length;
      const detail =
        `${count} line${count === 1 ? '' : 's'} of ${stream}.jsonl could not be read (not JSON in UTF-8, or longer than ` +
        `${32 * 1024 * 1024} bytes): line ${shown.join(', ')}${count > 20 ? ', …' : ''}`;
      const problem = { stream, file: `${stream}.jsonl`, why: 'broken-line', detail, count };
      problems.set(world, [...(problems.get(world) ?? []), problem]);
    }
  }
  return problems;
}

type Staged = readonly [stream: string, origin: string, timeNs: bigint, raw: string];

async function stageOthers(
  sql: FleetSql,
  worlds: readonly Evidence[],
  broken: ReadonlyMap<number, readonly Problem[]>,
): Promise<void> {
  const appender = await sql.database.connection.createAppender('staged', 'main', 'fleet');
  for (const [world, evidence] of worlds.entries()) {
    const { records, problems } = readObjects(evidence.cloudtrail);
    const own: Staged[] = [
      ['tally', 'declaration', 0n, evidence.declaration],
      ['tally', 'config', 0n, evidence.config],
      ...evidence.policies.map((raw): Staged => ['tally', 'policy', 0n, raw]),
      ...[...(broken.get(world) ?? []), ...problems].map((problem): Staged => [
        'tally',
        'problem',
        0n,
        canonicalJson(problem).toString(),
      ]),
    ];
    for (const [stream, origin, timeNs, raw] of [...records, ...own]) {
      appender.appendVarchar(stream);
      appender.appendVarchar(origin);
      appender.appendBigInt(timeNs);
      appender.appendVarchar(raw);
      appender.appendInteger(world);
      appender.endRow();
    }
  }
  appender.closeSync();
}

/** The trail's objects in the order and with the metadata in which src/sources/cloudtrail-files.ts finds them. */
function readObjects(files: readonly CloudFile[]): { records: Staged[]; problems: Problem[] } {
  const records: Staged[] = [];
  const problems: Problem[] = [];
  const sorted = files
    .filter(({ path }) => /\.json(\.gz)?$/.test(path))
    .sort((a, b) => compareText(basename(a.path), basename(b.path)) || compareText(a.path, b.path));
  for (const file of sorted) {
    const object = basename(file.path);
    const items = parseObject({
      object,
      bytes: Buffer.from(file.text),
      metadata: metadataOf(file, files),
      limit: constants.MAX_STRING_LENGTH,
    });
    for (const item of items) {
      if (item.kind === 'problem') {
        const detail = `${item.object}: ${item.why}`;
        problems.push({ stream: 'cloudtrail', file: item.object, why: item.code, detail, count: 1 });
        continue;
      }
      const { stream, origin, timeNs, raw, inventory } = toRecord(item, maskKey);
      records.push([stream, origin, timeNs, raw.toString()]);
      records.push(['cloudtrail-object', origin, timeNs, JSON.stringify(inventory)]);
    }
  }
  return { records, problems };
}

/** Its own, else the only one that is kept for an object of that name. */
function metadataOf(file: CloudFile, files: readonly CloudFile[]): Record<string, string> {
  const name = plainName(basename(file.path));
  const kept =
    file.metadata === undefined
      ? files.filter((other) => other.metadata !== undefined && plainName(basename(other.path)) === name)
      : [file];
  const metadata = kept.length === 1 ? (kept[0]?.metadata ?? {}) : {};
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]));
}

/** As src/evidence/seal.ts numbers records and src/judge/records.ts names them. */
async function numberRecords(sql: FleetSql): Promise<void> {
  const origins = await sql.database.all('SELECT DISTINCT stream, origin FROM staged');
  await sql.run('CREATE OR REPLACE TABLE named_origin (stream VARCHAR, origin VARCHAR, prefix VARCHAR, world INTEGER)');
  const rows = origins.map((row): WorldRow => {
    const [stream, origin] = [String(row['stream']), String(row['origin'])];
    return { world: 0, row: [stream, origin, recordId(stream, origin, 0).slice(0, -1)] };
  });
  await sql.insert('named_origin', rows);
  // the texts are large: only keys are sorted
  await sql.run(`INSERT INTO record
    WITH key AS (
      SELECT world, stream, origin, time_ns, digest, min(place) AS place
      FROM (SELECT world, stream, origin, time_ns, sha256(encode(raw)) AS digest, rowid AS place FROM staged)
      GROUP BY ALL
    ), numbered AS (
      SELECT place, row_number() OVER (PARTITION BY world, stream, origin ORDER BY time_ns, digest) - 1 AS seq FROM key
    )
    SELECT s.stream, s.origin, seq, time_ns, prefix || seq, raw, s.world
    FROM staged AS s
    JOIN numbered ON place = s.rowid
    JOIN named_origin AS n ON n.stream = s.stream AND n.origin = s.origin`);
  await sql.run('DROP TABLE staged');
}

/** Policies as they are sealed: equal ones once, in the order of their digests. */
export function sealedOrder(texts: readonly string[]): string[] {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  return [...new Set(texts)].sort((a, b) => compareText(digest(a), digest(b)));
}
