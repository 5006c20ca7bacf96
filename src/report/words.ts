import type { Claim, ClaimId, Finding, Verdict } from '../model/claim.ts';
import type { Report } from '../model/report.ts';

/** What each claim says when it holds, for a reader who has never seen its id. */
const claimSentences: Record<ClaimId, string> = {
  'declared-first': 'The task was declared before it acted',
  'sensor-coverage': 'Every way out was watched, on every machine',
  'sensor-continuity': 'Nothing was lost between the kernel and the record',
  'tree-closed': 'Every process of the task is accounted for',
  'egress-attributed': 'Every address reached is tied to a name',
  'egress-declared': 'Only declared endpoints were reached',
  'no-side-channel': 'No way around the sensor was taken',
  'sessions-known': 'Every credential session is known and declared',
  'audit-complete': "The provider's log is complete and settled",
  'uses-matched': 'Every use of a credential came from this task',
  'egress-explained': 'Every connection to a provider has its logged use',
  'actions-declared': 'Only declared and granted actions were used',
  'lifetime-bounded': 'No use outside the lifetime of its credential',
  'context-bound': 'Image, commit and run are the declared ones',
  'evidence-intact': 'No record was altered since it was sealed',
};
const sentences: ReadonlyMap<string, string> = new Map([
  ...Object.entries(claimSentences),
  ['verdict', 'All claims together'],
]);

export function claimSentence(id: string): string {
  return sentences.get(id) ?? id;
}

/** How a claim or verdict is shown. A claim whose open findings all wait for time is shown as pending. */
export type Look = Verdict;

/** Fails closed: a result that is none of the known ones never looks like a proof. */
export function claimLook(claim: Claim): Look {
  if (claimHolds(claim)) return 'proven';
  const open = openFindings(claim);
  const isViolated = claim.result === 'holds' && open.some((finding) => finding.kind === 'counterexample');
  if (claim.result === 'violated' || isViolated) return 'violated';
  return open.length > 0 && open.every((finding) => finding.kind === 'wait') ? 'pending' : 'unproven';
}

/** A claim that says `holds` above a finding that speaks against it is not believed. */
export function claimHolds(claim: Claim): boolean {
  return claim.result === 'holds' && openFindings(claim).length === 0;
}

/** The result as it is told to a reader. */
export function tellResult(claim: Claim): string {
  return claim.result === 'holds' && !claimHolds(claim) ? claimLook(claim) : claim.result;
}

export function verdictLook(verdict: Verdict): Look {
  return Object.hasOwn(marks, verdict) ? verdict : 'unproven';
}

/** One sign for each look, so that nothing is told by colour alone. */
export const marks: Record<Look, string> = { proven: '✓', violated: '✗', unproven: '?', pending: '…' };

export function openFindings(claim: Claim): readonly Finding[] {
  return claim.findings.filter((finding) => finding.kind !== 'note');
}

export function noteFindings(claim: Claim): readonly Finding[] {
  return claim.findings.filter((finding) => finding.kind === 'note');
}

/** What a verdict means for someone who only reads one line. */
export function verdictMeaning(report: Report): string {
  switch (verdictLook(report.verdict)) {
    case 'proven':
      return report.assumptions.length === 0
        ? 'Every use of this task’s credentials is accounted for, and no evidence that this rests on is missing.'
        : 'Every use of this task’s credentials is accounted for, as long as the assumptions named below are true.';
    case 'violated':
      return 'The evidence shows something that does not agree with what was declared for this task.';
    case 'pending':
      return 'No breach was found so far. Some evidence only arrives later: judge again when it has.';
    case 'unproven':
      return 'No breach was found, but evidence is missing or ambiguous, so nobody can say that nothing else happened.';
  }
}

/** `1 process`, `7 processes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
