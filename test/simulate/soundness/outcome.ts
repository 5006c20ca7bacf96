import type { Claim, ClaimId, Verdict } from '../../../src/model/claim.ts';
import { decideVerdict } from '../../../src/proof/verdict.ts';
import type { Truth } from '../mutations/mutation.ts';
import type { Made } from './make.ts';

/** What judging one world came to, as far as the scoreboard needs it. */
export interface Outcome {
  readonly index: number;
  readonly seed: string;
  readonly verdict: Verdict;
  readonly mutations: readonly MutationOutcome[];
  /** Claims without which alone the world would be called proven. */
  readonly heldBackBy: readonly ClaimId[];
  /** Codes of the findings that count, with the claim before them. */
  readonly codes: readonly string[];
}

export interface MutationOutcome {
  readonly id: string;
  readonly truth: Truth;
  readonly unshown: string | undefined;
  /** A finding with an expected code is there. */
  readonly told: boolean;
  /** … and one of them names what was mutated. */
  readonly named: boolean;
}

export function toOutcome(made: Made, verdict: Verdict, claims: readonly Claim[]): Outcome {
  const findings = claims.flatMap((claim) => claim.findings.map((finding) => ({ claim: claim.id, ...finding })));
  const open = findings.filter(({ kind }) => kind !== 'note');
  return {
    index: made.planned.index,
    seed: made.seed,
    verdict,
    mutations: made.expected.map(({ id, expected }) => {
      const telling = open.filter(({ code }) => expected.codes.includes(code));
      const named = telling.some(({ subject, detail, evidence }) =>
        expected.names.some((name) => [subject, detail, ...evidence].some((text) => text.includes(name))),
      );
      const told = telling.length > 0;
      return {
        id,
        truth: expected.truth,
        unshown: expected.unshown,
        told,
        named: expected.names.length === 0 ? told : named,
      };
    }),
    heldBackBy:
      verdict === 'proven' ? [] : claims.flatMap((claim) => (isProvenWithout(claims, claim.id) ? [claim.id] : [])),
    codes: [...new Set(open.map(({ claim, code }) => `${claim}/${code}`))].sort(),
  };
}

function isProvenWithout(claims: readonly Claim[], id: ClaimId): boolean {
  const rest = claims.map((claim) => (claim.id === id ? { ...claim, result: 'holds' as const, findings: [] } : claim));
  return decideVerdict(rest).verdict === 'proven';
}

/** A world of which nothing but harmless things are true must be proven; any other must not. */
export function isGood({ mutations }: Pick<Outcome, 'mutations'>): boolean {
  return mutations.every(({ truth }) => truth === 'harmless');
}

export function isWronglyProven(outcome: Outcome): boolean {
  return outcome.verdict === 'proven' && !isGood(outcome);
}

/** Violated, though nothing was done that violates. */
export function isWronglyAccused(outcome: Outcome): boolean {
  return outcome.verdict === 'violated' && outcome.mutations.every(({ truth }) => truth !== 'violation');
}
