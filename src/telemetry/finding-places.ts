import type { Claim, Finding } from '../model/claim.ts';

export interface PlacedFinding extends Finding {
  readonly claim: string;
}

/**
 * Puts every finding on one span, the first that its evidence names, else on the root (number 0). `spanOf` gives the
 * span of a record. Findings keep their order.
 */
export function placeFindings(
  claims: readonly Claim[],
  spanOf: (evidence: string) => number | undefined,
): Map<number, PlacedFinding[]> {
  const places = new Map<number, PlacedFinding[]>();
  for (const claim of claims) {
    for (const finding of claim.findings) {
      let place = 0;
      for (const evidence of finding.evidence) {
        place = spanOf(evidence) ?? 0;
        if (place !== 0) break;
      }
      const there = places.get(place);
      const placed = { ...finding, claim: claim.id };
      if (there === undefined) places.set(place, [placed]);
      else there.push(placed);
    }
  }
  return places;
}

/** All records that any finding names. */
export function namedEvidence(claims: readonly Claim[]): Set<string> {
  return new Set(claims.flatMap(({ findings }) => findings.flatMap(({ evidence }) => evidence)));
}
