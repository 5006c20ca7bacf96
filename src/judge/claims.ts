import { type Claim, claimIds, type ClaimId, type Finding, type FindingKind } from '../model/claim.ts';
import type { Database, Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { claimBasis, decideClaim } from '../proof/verdict.ts';

/** Claims that others look at come first; the report prints them in the order of `claimIds`. */
const order: readonly ClaimId[] = [
  ...(['audit-complete', 'sensor-coverage', 'sensor-continuity'] as const),
  ...claimIds.filter((id) => !['audit-complete', 'sensor-coverage', 'sensor-continuity'].includes(id)),
];

const time = (column: string): string => `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ')`;

/** Runs every claim over the canonical tables. */
export async function judgeClaims(database: Database): Promise<Claim[]> {
  const declaredBasis = await database.all('SELECT declared_basis FROM task');
  const claims = new Map<ClaimId, Claim>();
  for (const id of order) {
    await database.run(`INSERT INTO claim_finding SELECT '${id}', * FROM (${readQuery(`claims/${id}`)})`);
    const rows = await database.all(
      `SELECT code, kind, subject, detail, ${time('from_time')} AS from_time, ${time('until_time')} AS until_time,
         string_agg(evidence, ' ' ORDER BY evidence) AS evidence
       FROM (SELECT DISTINCT * FROM claim_finding WHERE claim = '${id}')
       GROUP BY code, kind, subject, detail, from_time, until_time
       ORDER BY CASE kind WHEN 'counterexample' THEN 0 WHEN 'doubt' THEN 1 WHEN 'wait' THEN 2 ELSE 3 END,
         from_time NULLS LAST, code, subject, detail, until_time`,
    );
    const basis =
      id === 'declared-first' && declaredBasis[0]?.['declared_basis'] === 'collector' ? 'collector' : claimBasis[id];
    claims.set(id, decideClaim(id, rows.map(toFinding), basis));
  }
  return claimIds.flatMap((id) => claims.get(id) ?? []);
}

function toFinding(row: Row): Finding {
  const evidence = [
    ...new Set(
      String(row['evidence'] ?? '')
        .split(' ')
        .filter((part) => part !== ''),
    ),
  ].sort();
  return {
    code: String(row['code']),
    kind: row['kind'] as FindingKind,
    subject: String(row['subject']),
    detail: String(row['detail']),
    ...(row['from_time'] === null ? {} : { from: String(row['from_time']) }),
    ...(row['until_time'] === null ? {} : { until: String(row['until_time']) }),
    evidence,
  };
}
