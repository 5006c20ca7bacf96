import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';
import { judgeEvidence } from '../../src/judge/judge.ts';
import { type OwnRecord, sealOwnRecords } from '../../src/judge/own-records.ts';
import type { Report } from '../../src/model/report.ts';
import { type Database, openDatabase } from '../../src/query/database.ts';
import { ingest } from '../../src/sources/ingest.ts';
import type { Evidence } from './evidence.ts';
import { writeEvidence } from './write-evidence.ts';

/** Judges evidence on the product's own path, one at a time: slow, and what any faster judge must agree with. */
export interface SingleJudge {
  judge(evidence: Evidence): Promise<Report>;
  close(): Promise<void>;
}

export async function openSingleJudge(): Promise<SingleJudge> {
  const root = mkdtempSync(join(tmpdir(), 'tally-single-'));
  const database = await openDatabase();
  let made = 0;
  return {
    judge: async (evidence) => {
      const folder = join(root, String((made += 1)));
      try {
        return await judgeIn(database, evidence, folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    close: async () => {
      await database.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** As `tally audit` does, without ledger, tables on disk, signing and rendering. */
async function judgeIn(database: Database, evidence: Evidence, folder: string): Promise<Report> {
  const { inputs } = await writeEvidence(evidence, join(folder, 'in'));
  const sealed = join(folder, 'evidence');
  const context = { database, evidence: sealed, maskKey: Buffer.alloc(32, 7) };
  const { segments, problems } = await ingest(context, inputs, () => undefined);
  const policies = evidence.policies.map((raw): OwnRecord => ({ origin: 'policy', raw }));
  const told = problems.map((one): OwnRecord => ({ origin: 'problem', raw: canonicalJson(one).toString() }));
  const own = await sealOwnRecords(database, sealed, [
    { origin: 'declaration', raw: evidence.declaration },
    { origin: 'config', raw: evidence.config },
    ...policies,
    ...told,
  ]);
  const all = [...segments, ...own].sort((a, b) => (a.file < b.file ? -1 : 1));
  return undone(database, () => judgeEvidence(database, sealed, all, 'test'));
}

/** One database serves every judgement: what one made is gone before the next. */
async function undone<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.run('BEGIN TRANSACTION');
  try {
    return await work();
  } finally {
    await database.run('ROLLBACK');
  }
}
