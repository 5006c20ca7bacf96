import { dirname, join } from 'node:path';
import { sha256File } from '../evidence/seal.ts';
import { parseConfig } from '../model/config.ts';
import { parseDeclaration } from '../model/declaration.ts';
import { TallyError } from '../model/errors.ts';
import type { Segment } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { type Database, literal } from '../query/database.ts';
import { makeFolder } from '../evidence/atomic-file.ts';
import { judgeClaims } from './claims.ts';
import { ownStream } from './own-records.ts';
import { buildReport } from './report.ts';
import { buildTables, type Case } from './tables.ts';

/** Texts as they were sealed. */
export interface OwnTexts {
  readonly declaration: string;
  readonly config: string | undefined;
  readonly policies: readonly string[];
}

/** What an audit was given beside its evidence. Throws `integrity` where the declaration is missing. */
export async function readOwnTexts(
  database: Database,
  evidence: string,
  segments: readonly Segment[],
): Promise<OwnTexts> {
  const own = async (origin: string): Promise<string[]> => {
    const segment = segments.find((one) => one.stream === ownStream && one.origin === origin);
    if (segment === undefined) return [];
    const rows = await database.all(`SELECT raw FROM ${literal(join(evidence, segment.file))} ORDER BY seq`);
    return rows.map((row) => String(row['raw']));
  };
  const [declaration] = await own('declaration');
  if (declaration === undefined) throw new TallyError('integrity', 'The evidence holds no declaration.');
  const [config] = await own('config');
  return { declaration, config, policies: await own('policy') };
}

/** Judges the one task whose declaration is among the sealed records. Nothing but the segments and our queries goes in. */
export async function judgeEvidence(
  database: Database,
  evidence: string,
  segments: readonly Segment[],
  version: string,
): Promise<Report> {
  const texts = await readOwnTexts(database, evidence, segments);
  const declaration = parseDeclaration(texts.declaration, 'in the evidence');
  return judgeCase(database, evidence, segments, version, {
    declaration,
    config: parseConfig(texts.config ?? '', 'in the evidence'),
    policies: texts.policies,
    declared: { time: declaration.declared, basis: 'self-reported' },
    evidence: { declaration: `${ownStream}/declaration/0`, config: `${ownStream}/config/0` },
  });
}

/** From segments to the report on one task. */
export async function judgeCase(
  database: Database,
  evidence: string,
  segments: readonly Segment[],
  version: string,
  task: Case,
): Promise<Report> {
  await buildTables(database, evidence, segments, task);
  const claims = await judgeClaims(database);
  return buildReport(database, { declaration: task.declaration, config: task.config, claims, version });
}

/** Canonical tables that are kept beside the segments as plain Parquet, with the column that dates a row. */
const keptTables: Readonly<Record<string, string | undefined>> = {
  kernel_event: 'time',
  process: 'started',
  egress: 'opened',
  resolution: 'from_time',
  lookup: 'time',
  sensor: 'time',
  sensor_hook: 'time',
  gap: 'from_time',
  session: 'issued',
  use: 'time',
  use_match: undefined,
  audit_event: 'time',
  audit_object: 'delivered',
  audit_snapshot: 'time',
};

/**
 * Writes the tables to `tables/<table>/date=<day>/<first>-<last>.parquet`, named for the ledger entries that they are derived
 * from; a row without a time goes under 1970-01-01. The same rows give the same bytes.
 */
export async function writeTables(
  database: Database,
  evidence: string,
  entries: number,
): Promise<{ path: string; sha256: string }[]> {
  const files: { path: string; sha256: string }[] = [];
  await database.run('SET threads = 1');
  for (const [table, column] of Object.entries(keptTables)) {
    const day = column === undefined ? `'1970-01-01'` : `coalesce(strftime(${column}, '%Y-%m-%d'), '1970-01-01')`;
    const days = await database.all(`SELECT DISTINCT ${day} AS day FROM "${table}" ORDER BY day`);
    for (const row of days) {
      const date = String(row['day']);
      const path = `tables/${table}/date=${date}/0-${Math.max(0, entries - 1)}.parquet`;
      await makeFolder(dirname(join(evidence, path)));
      await database.run(
        `COPY (SELECT * FROM "${table}" WHERE ${day} = ${literal(date)} ORDER BY ALL)
         TO ${literal(join(evidence, path))} (FORMAT parquet, COMPRESSION zstd)`,
      );
      files.push({ path, sha256: await sha256File(join(evidence, path)) });
    }
  }
  await database.run('SET threads = 2');
  return files;
}
