import type { Claim, Verdict } from '../../../src/model/claim.ts';
import { decideVerdict } from '../../../src/proof/verdict.ts';
import type { Evidence } from '../evidence.ts';
import { judgeFleetClaims } from './fleet-claims.ts';
import { insertRecords } from './fleet-records.ts';
import { openFleetSql } from './fleet-sql.ts';
import { fillTables, toCase } from './fleet-tables.ts';

/** What the product's report would say of one world. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly claims: readonly Claim[];
}

/** Judges many worlds at once: the product's own queries, each planned and run once over all of them. */
export interface FleetJudge {
  judge(worlds: readonly Evidence[]): Promise<Judgement[]>;
  /** CPU seconds spent so far, by what they were spent on. */
  readonly spent: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export async function openFleetJudge({ threads = 1 }: { readonly threads?: number } = {}): Promise<FleetJudge> {
  const sql = await openFleetSql(threads);
  return {
    spent: sql.spent,
    judge: async (worlds) => {
      if (worlds.length === 0) return [];
      const cases = worlds.map(toCase);
      await sql.time('empty tables', () => sql.start(worlds.length));
      await insertRecords(sql, worlds);
      await fillTables(sql, cases);
      const judged = await judgeFleetClaims(sql, worlds.length);
      return judged.map((claims) => ({ verdict: decideVerdict(claims).verdict, claims }));
    },
    close: () => sql.close(),
  };
}
