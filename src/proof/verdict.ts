import {
  type Basis,
  type Claim,
  claimIds,
  type ClaimId,
  type ClaimResult,
  type Finding,
  type Verdict,
} from '../model/claim.ts';

/** What each claim leans on when nothing weaker came in. */
export const claimBasis: Readonly<Record<ClaimId, Basis>> = {
  'declared-first': 'self-reported',
  'sensor-coverage': 'kernel',
  'sensor-continuity': 'kernel',
  'tree-closed': 'kernel',
  'egress-attributed': 'kernel',
  'egress-declared': 'kernel',
  'no-side-channel': 'kernel',
  'sessions-known': 'provider-signed',
  'audit-complete': 'provider-signed',
  'uses-matched': 'provider-signed',
  'egress-explained': 'provider-signed',
  'actions-declared': 'provider-signed',
  'lifetime-bounded': 'provider-signed',
  'context-bound': 'self-reported',
  'evidence-intact': 'collector',
};

/** A counterexample violates; a doubt or a wait leaves unproven; notes change nothing. */
export function decideClaim(id: ClaimId, findings: readonly Finding[], basis: Basis = claimBasis[id]): Claim {
  const has = (kind: Finding['kind']): boolean => findings.some((finding) => finding.kind === kind);
  // whatever is neither a counterexample nor a note leaves the claim open
  const result: ClaimResult = has('counterexample')
    ? 'violated'
    : findings.some(({ kind }) => kind !== 'note')
      ? 'unproven'
      : 'holds';
  return { id, result, basis, findings };
}

export interface Decision {
  readonly verdict: Verdict;
  readonly summary: string;
  /** For `pending`: the latest time until which a finding waits. */
  readonly pendingUntil?: string;
}

/** Design 7, Verdict: violated before unproven before proven; pending when every open finding only waits for time. */
export function decideVerdict(claims: readonly Claim[]): Decision {
  const violated = claims.filter((claim) => claim.result === 'violated');
  if (violated.length > 0) return { verdict: 'violated', summary: describe(violated, ['counterexample']) };
  const missing = claimIds.filter((id) => !claims.some((claim) => claim.id === id));
  if (missing.length > 0) {
    return { verdict: 'unproven', summary: `Claims were not judged: ${missing.join(', ')}.` };
  }
  const open = claims.filter((claim) => claim.result !== 'holds');
  if (open.length === 0) {
    return { verdict: 'proven', summary: 'Both halves match, and nothing is missing from either.' };
  }
  const findings = open.flatMap((claim) => claim.findings).filter(({ kind }) => kind !== 'note');
  if (findings.every(({ kind }) => kind === 'wait')) {
    const until = findings
      .flatMap((finding) => finding.until ?? [])
      .sort()
      .at(-1);
    const summary = `Only time is missing: ${describe(open, ['wait'])}`;
    return until === undefined ? { verdict: 'pending', summary } : { verdict: 'pending', summary, pendingUntil: until };
  }
  return { verdict: 'unproven', summary: describe(open, ['doubt', 'wait']) };
}

/** The first finding in words, and how many more there are. */
function describe(claims: readonly Claim[], kinds: readonly Finding['kind'][]): string {
  const findings = claims.flatMap((claim) => claim.findings.filter((finding) => kinds.includes(finding.kind)));
  const [first] = findings;
  if (first === undefined) return 'No reason is known.';
  const rest = findings.length - 1;
  const more = rest === 0 ? '' : rest === 1 ? ' One more finding.' : ` ${rest} more findings.`;
  const subject = first.detail.includes(first.subject.split(':')[0] ?? '') ? '' : `${first.subject}: `;
  return `${subject}${first.detail} (${first.code})${more}`;
}
