import { type Claim, claimIds, type ClaimId, type Finding, type FindingKind } from '../model/claim.ts';
import type { Database, Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { claimBasis, decideClaim } from '../proof/verdict.ts';

/** Claims that others look at come first; the report prints them in the order of `claimIds`. */
export const claimOrder: readonly ClaimId[] = [
  ...(['audit-complete', 'sensor-coverage', 'sensor-continuity'] as const),
  ...claimIds.filter((id) => !['audit-complete', 'sensor-coverage', 'sensor-continuity'].includes(id)),
];

const time = (column: string): string => `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ')`;

/** Rows of table claim_finding: what a claim finds. */
export function findingSelect(id: ClaimId): string {
  return `SELECT '${id}', * FROM (${readQuery(`claims/${id}`)})`;
}

/** What a claim found, put together: findings that differ in their evidence alone are one. */
export function mergedSelect(id: ClaimId): string {
  return `SELECT code, kind, subject, detail, ${time('from_time')} AS from_time, ${time('until_time')} AS until_time,
      string_agg(evidence, ' ' ORDER BY evidence) AS evidence
    FROM (SELECT DISTINCT * FROM claim_finding WHERE claim = '${id}')
    GROUP BY code, kind, subject, detail, from_time, until_time
    ORDER BY CASE kind WHEN 'counterexample' THEN 0 WHEN 'doubt' THEN 1 WHEN 'wait' THEN 2 ELSE 3 END,
      from_time NULLS LAST, code, subject, detail, until_time`;
}

/** Runs every claim over the canonical tables. */
export async function judgeClaims(database: Database): Promise<Claim[]> {
  const declaredBasis = await database.all('SELECT declared_basis FROM task');
  const claims = new Map<ClaimId, Claim>();
  for (const id of claimOrder) {
    await database.run(`INSERT INTO claim_finding ${findingSelect(id)}`);
    const rows = await database.all(mergedSelect(id));
    claims.set(id, toClaim(id, rows, declaredBasis[0]?.['declared_basis']));
  }
  return claimIds.flatMap((id) => claims.get(id) ?? []);
}

/** `rows`: of `mergedSelect`. `declaredBasis`: of table task. */
export function toClaim(id: ClaimId, rows: readonly Row[], declaredBasis: Row[string] | undefined): Claim {
  const basis = id === 'declared-first' && declaredBasis === 'collector' ? 'collector' : claimBasis[id];
  return decideClaim(id, rows.map(toFinding), basis);
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
