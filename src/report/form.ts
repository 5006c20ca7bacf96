import type { Claim, Finding } from '../model/claim.ts';
import type { Report } from '../model/report.ts';
import { openFindings } from './words.ts';

/** What a form for another tool needs beside the report. */
export interface FormOptions {
  /** SHA-256 of a text in UTF-8, as hex; an argument, since this room imports nothing. */
  readonly sha256: (text: string) => string;
  /** What `tally verify` checked, one sentence each. */
  readonly verification?: readonly string[];
}

/** A finding with the claim it stands under. */
export interface PlacedFinding {
  readonly claim: Claim;
  readonly finding: Finding;
}

/**
 * What is open in a report, in its order. A claim that does not hold is never without: a form that counts findings must not
 * take a report for clean because nothing is said of why.
 */
export function openInReport(report: Report): PlacedFinding[] {
  return report.claims.flatMap((claim) => openInClaim(claim).map((finding) => ({ claim, finding })));
}

export function openInClaim(claim: Claim): readonly Finding[] {
  if (claim.result === 'holds') return [];
  const open = openFindings(claim);
  if (open.length > 0) return open;
  const kind = claim.result === 'violated' ? 'counterexample' : 'doubt';
  return [{ code: 'unexplained-result', kind, subject: claim.id, detail: 'The report gives no reason.', evidence: [] }];
}
