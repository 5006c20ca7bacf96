import type { Claim, Finding, FindingKind } from '../model/claim.ts';
import type { Report } from '../model/report.ts';
import { claimHolds, type Look, openFindings, verdictLook } from './words.ts';

/** What a form for another tool needs beside the report. */
export interface FormOptions {
  /** SHA-256 of a text in UTF-8, as hex; an argument, since this room imports nothing. */
  readonly sha256: (text: string) => string;
  /** What `tally verify` checked, one sentence each. */
  readonly verification?: readonly string[];
  /** What it did not check. */
  readonly notVerified?: readonly string[];
}

/** A finding with what it stands under: a claim, or the verdict where no claim has one. */
export interface PlacedFinding {
  readonly claim: { readonly id: string; readonly result: string; readonly basis: string };
  readonly finding: Finding;
}

/**
 * What is open in a report, claim by claim. A claim that does not hold is never without, and neither is a report that is not
 * proven: a form that counts findings must not take it for clean because nothing is said of why.
 */
export function openInReport(report: Report): PlacedFinding[] {
  const open = report.claims.flatMap((claim) => openInClaim(claim).map((finding) => ({ claim, finding })));
  const look = verdictLook(report.verdict);
  if (open.length > 0 || look === 'proven') return open;
  const claim = { id: 'verdict', result: report.verdict, basis: 'none' };
  return [{ claim, finding: unexplained(kindOf[look], report.task.id) }];
}

/** What weighs most comes first, so that it is not what a form leaves out. */
export function openInClaim(claim: Claim): readonly Finding[] {
  const open = openFindings(claim);
  if (open.length > 0) return [...open].sort((a, b) => weight(a) - weight(b));
  return claimHolds(claim) ? [] : [unexplained(claim.result === 'violated' ? 'counterexample' : 'doubt', claim.id)];
}

/** Lower weighs more. A kind that is none of the known ones is a doubt. */
export function weight({ kind }: Finding): number {
  return kind === 'counterexample' ? 0 : kind === 'wait' ? 2 : 1;
}

const kindOf: Record<Exclude<Look, 'proven'>, FindingKind> = {
  violated: 'counterexample',
  unproven: 'doubt',
  pending: 'wait',
};

function unexplained(kind: FindingKind, subject: string): Finding {
  return { code: 'unexplained-result', kind, subject, detail: 'The report gives no reason.', evidence: [] };
}
