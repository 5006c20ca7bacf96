/** The claims of a report, in the order in which they are printed (design 7). */
export const claimIds = [
  'declared-first',
  'sensor-coverage',
  'sensor-continuity',
  'tree-closed',
  'egress-attributed',
  'egress-declared',
  'no-side-channel',
  'sessions-known',
  'audit-complete',
  'uses-matched',
  'egress-explained',
  'actions-declared',
  'lifetime-bounded',
  'context-bound',
  'evidence-intact',
] as const;
export type ClaimId = (typeof claimIds)[number];

/** What a claim leans on, strongest first. */
export type Basis = 'kernel' | 'provider-signed' | 'provider' | 'collector' | 'self-reported';

/**
 * What a finding does to its claim: a counterexample violates it, a doubt leaves it unproven, a wait too but only
 * until a stated time, a note is told and changes nothing.
 */
export type FindingKind = 'counterexample' | 'doubt' | 'wait' | 'note';

/** One counterexample, gap or remark under a claim. Times are RFC 3339 in UTC. */
export interface Finding {
  readonly code: string;
  readonly kind: FindingKind;
  readonly subject: string;
  readonly detail: string;
  readonly from?: string;
  readonly until?: string;
  /** Record ids `stream/origin/seq`, for a record inside a file with `#id` behind. */
  readonly evidence: readonly string[];
}

export type ClaimResult = 'holds' | 'violated' | 'unproven';

export interface Claim {
  readonly id: ClaimId;
  readonly result: ClaimResult;
  readonly basis: Basis;
  readonly findings: readonly Finding[];
}

export type Verdict = 'proven' | 'violated' | 'unproven' | 'pending';

/** Exit codes of the command line (design 9). */
export const verdictExitCodes: Record<Verdict, number> = { proven: 0, violated: 1, unproven: 3, pending: 3 };
