import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { maskSecrets, secretPattern } from '../evidence/mask.ts';
import { TallyError } from '../model/errors.ts';
import { type Database, literal, type Row } from '../query/database.ts';
import { openInput } from './open-input.ts';

/** Something in an input that could not be taken in: it becomes a gap, never only a message. */
export interface Problem {
  readonly stream: string;
  readonly file: string;
  /** `broken-line`, `truncated-file`, `unknown-file`. */
  readonly why: string;
  readonly detail: string;
  readonly count: number;
}

/** Longest line taken in; a longer one is a broken line. Bytes. */
const longestLine = 32 * 1024 * 1024;

/** Where in the lines of a stream their origin and time stand. */
export interface LineForm {
  readonly stream: string;
  readonly originKey: string;
  readonly timeKey: string;
  readonly noOrigin: string;
}

/**
 * Takes files of JSON lines into a relation (origin, time_ns, raw) of the scratch database, masked, ready to be sealed.
 * The pass over the lines is DuckDB's; only lines that hold secrets come up into JavaScript. Lines that are no JSON are
 * counted with their position.
 */
export async function stageJsonLines(
  database: Database,
  form: LineForm,
  paths: readonly string[],
  maskKey: Buffer,
): Promise<{ relation: string; problems: Problem[] }> {
  const problems: Problem[] = [];
  const parts: string[] = [];
  for (const [index, path] of paths.entries()) {
    const plain = join(database.scratch, `${form.stream}-${index}.jsonl`);
    const cut = await unpack(path, plain);
    if (cut !== undefined) {
      problems.push({ stream: form.stream, file: basename(path), why: 'truncated-file', detail: cut, count: 1 });
    }
    const staged = join(database.scratch, `${form.stream}-${index}.parquet`);
    problems.push(...(await stageFile(database, form, plain, basename(path), staged)));
    parts.push(`SELECT * FROM ${literal(staged)}`);
  }
  const relation = `staged_${form.stream.replaceAll('-', '_')}`;
  await database.run(`CREATE OR REPLACE TEMP VIEW ${relation}_unmasked AS ${parts.join(' UNION ALL ')}`);
  await maskRelation(database, relation, maskKey);
  return { relation, problems };
}

/** Decompresses into a file of our own: DuckDB takes a cut gzip file for a whole one. Says where it is cut, if it is. */
async function unpack(path: string, target: string): Promise<string | undefined> {
  const chunks = await openInput(path);
  let cut: string | undefined;
  async function* untilCut(): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      cut = error.message;
    }
  }
  await pipeline(untilCut, createWriteStream(target, { mode: 0o600 }));
  return cut;
}

async function stageFile(
  database: Database,
  form: LineForm,
  plain: string,
  name: string,
  staged: string,
): Promise<Problem[]> {
  // One column: what followed a delimiter would be dropped unseen, so it is one that neither JSON nor mere damage holds.
  const lines = `read_csv(${literal(plain)}, columns = {'raw': 'VARCHAR'}, auto_detect = false, header = false,
    delim = chr(1) || chr(2) || chr(3) || chr(4), quote = '', escape = '', new_line = '\\n', null_padding = true, strict_mode = false,
    max_line_size = ${longestLine}, buffer_size = ${2 * longestLine}, ignore_errors = true, store_rejects = true,
    rejects_limit = 0)`;
  await database.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans');
  const keys = `{${JSON.stringify(form.originKey)}: "VARCHAR", ${JSON.stringify(form.timeKey)}: "VARCHAR"}`;
  // One thread: the JSON of a whole batch of lines is in memory for each.
  await database.run('SET threads = 1');
  await database.run(`COPY (
    SELECT coalesce(nullif(replace(head[${literal(form.originKey)}], chr(0), '\uFFFD'), ''), ${literal(form.noOrigin)}) AS origin,
      coalesce(epoch_ns(try_cast(head[${literal(form.timeKey)}] AS TIMESTAMP_NS)), 0) AS time_ns,
      raw, sha256(encode(raw)) AS digest, head IS NULL AS broken, line
    FROM (
      SELECT raw, line, CASE WHEN starts_with(raw, '{') THEN TRY(from_json(raw, ${literal(keys)})) END AS head
      FROM (SELECT rtrim(raw, chr(13)) AS raw, row_number() OVER () AS line FROM ${lines})
    ) WHERE raw IS NOT NULL AND raw <> ''
  ) TO ${literal(staged)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`);
  await database.run('SET threads = 2');
  const rejected = await database.all('SELECT DISTINCT line FROM reject_errors ORDER BY line');
  const broken = await database.all(`SELECT line FROM ${literal(staged)} WHERE broken ORDER BY line LIMIT 100`);
  const count = await database.all(`SELECT count(*) AS n FROM ${literal(staged)} WHERE broken`);
  const total = rejected.length + Number(count[0]?.['n'] ?? 0);
  if (total === 0) return [];
  const where = linesOf(rejected.map(toLine), broken.map(toLine));
  const shown = where.slice(0, 20).join(', ') + (total > 20 ? ', …' : '');
  return [
    {
      stream: form.stream,
      file: name,
      why: 'broken-line',
      detail: `${total} line${total === 1 ? '' : 's'} of ${name} could not be read (not JSON in UTF-8, or longer than ${longestLine} bytes): line ${shown}`,
      count: total,
    },
  ];
}

function toLine(row: Row): number {
  return Number(row['line']);
}

/** Line numbers in the file: those that the reader rejected, and the others counted without them. */
function linesOf(rejected: readonly number[], counted: readonly number[]): number[] {
  const shifted = counted.map((line) => rejected.reduce((at, before) => (before <= at ? at + 1 : at), line));
  return [...rejected, ...shifted].sort((a, b) => a - b);
}

/** Makes `relation` a view of its unmasked form in which every secret is masked. */
async function maskRelation(database: Database, relation: string, key: Buffer): Promise<void> {
  const mask = `${relation}_mask`;
  await database.run(`CREATE OR REPLACE TABLE ${mask} (original VARCHAR, masked VARCHAR)`);
  const hits = await database.connection.stream(
    `SELECT digest, raw FROM ${relation}_unmasked WHERE NOT broken AND regexp_matches(raw, ${literal(secretPattern)})`,
  );
  const appender = await database.writer.createAppender(mask);
  let count = 0;
  for (;;) {
    const chunk = await hits.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [digest, raw] of chunk.getRows() as [string, string][]) {
      const masked = maskSecrets(Buffer.from(raw), key);
      if (masked.count === 0) continue;
      appender.appendVarchar(digest);
      appender.appendVarchar(masked.bytes.toString());
      appender.endRow();
      count += 1;
    }
    appender.flushSync();
  }
  appender.closeSync();
  await database.run(
    `CREATE OR REPLACE TEMP VIEW ${relation} AS ${
      count === 0
        ? `SELECT origin, time_ns, raw, digest FROM ${relation}_unmasked WHERE NOT broken`
        : `SELECT origin, time_ns, coalesce(masked, raw) AS raw,
             CASE WHEN masked IS NULL THEN digest ELSE sha256(encode(masked)) END AS digest
           FROM ${relation}_unmasked
           LEFT JOIN (SELECT DISTINCT original, masked FROM ${mask}) ON original = digest
           WHERE NOT broken`
    }`,
  );
}
