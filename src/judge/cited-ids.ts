import type { Finding, FindingKind } from '../model/claim.ts';
import type { Report } from '../model/report.ts';

/** Ids shown for one finding, and in all. What findings don't need is filled up to `enough` from what the time line draws. */
const perFinding = 10;
const most = 200;
const enough = 60;
const kinds: readonly FindingKind[] = ['counterexample', 'doubt', 'wait', 'note'];

/**
 * Which records a reader is shown: first those of what convicts, then of doubts, waits and notes, then issuances, uses and connections as
 * far as there is room. `more` counts those that findings cite and that found none.
 */
export function chooseCited({ claims, sessions, uses, connections }: Report): { ids: readonly string[]; more: number } {
  const findings = claims.flatMap((claim) => claim.findings);
  const ranked = kinds.flatMap((kind) => findings.filter((finding) => finding.kind === kind));
  const cited = ranked.flatMap(firstIds);
  const ids = new Set(cited.slice(0, most));
  const others = [
    ...sessions.map(({ evidence }) => evidence),
    ...uses.map(({ evidence }) => evidence),
    ...connections.map(({ id }) => id),
  ];
  for (const id of others) if (id !== undefined && ids.size < enough) ids.add(id);
  const all = new Set(findings.flatMap(({ evidence }) => evidence));
  return { ids: [...ids], more: [...all].filter((id) => !ids.has(id)).length };
}

function firstIds({ evidence }: Finding): readonly string[] {
  return evidence.slice(0, perFinding);
}
