import { claimOrder, findingSelect, mergedSelect, toClaim } from '../../../src/judge/claims.ts';
import { type Claim, claimIds, type ClaimId } from '../../../src/model/claim.ts';
import type { Row } from '../../../src/query/database.ts';
import type { FleetSql } from './fleet-sql.ts';

/** The claims of each world, as `judgeClaims` (src/judge/claims.ts) decides them for one. */
export async function judgeFleetClaims(sql: FleetSql, count: number): Promise<Claim[][]> {
  const bases = await sql.all('SELECT declared_basis FROM task');
  const found = new Map<ClaimId, (world: number) => readonly Row[]>();
  for (const id of claimOrder) {
    await sql.time(`claims/${id}`, () => sql.insertSelect('claim_finding', findingSelect(id)));
    found.set(id, await sql.time('findings merged', () => sql.all(mergedSelect(id))));
  }
  return Array.from({ length: count }, (_, world) => {
    const basis = bases(world)[0]?.['declared_basis'];
    return claimIds.map((id) => toClaim(id, found.get(id)?.(world) ?? [], basis));
  });
}
