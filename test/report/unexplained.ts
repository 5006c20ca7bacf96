import type { Report } from '../../src/model/report.ts';
import { claims, proven, violated } from './fixture.ts';

const breach = violated.claims.flatMap(({ findings }) => findings).slice(0, 1);

/** Not proven, and no claim says why. */
export const unexplained: Report = { ...proven, verdict: 'unproven', claims: claims() };

/** A claim that says it holds, above a counterexample. */
export const contradictory: Report = {
  ...proven,
  verdict: 'violated',
  claims: claims({ 'egress-declared': { result: 'holds', findings: breach } }),
};

/** A claim that does not hold, without a finding. */
export const bare: Report = {
  ...proven,
  verdict: 'unproven',
  claims: claims({ 'tree-closed': { result: 'unproven', findings: [] } }),
};
