import type { Claim, Finding } from '../model/claim.ts';
import { openInClaim } from './form.ts';
import type { EvidenceLines } from './html-records.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { showSpan } from './times.ts';
import { clip } from './visible.ts';
import { claimHolds, claimLook, claimSentence, marks, noteFindings, plural, tellResult } from './words.ts';

const maxFindings = 200;
const maxEvidence = 40;

/** All claims; those that do not hold are open. */
export function renderClaims(claims: readonly Claim[], evidence: EvidenceLines): Markup {
  return markup`<section id="claims"><h2>Claims</h2>
<p class="lead">Each claim is one part of the proof. The report is proven only when all of them hold.</p>
<div class="claims">${claims.map((claim) => renderClaim(claim, evidence))}</div></section>`;
}

function renderClaim(claim: Claim, evidence: EvidenceLines): Markup {
  const look = claimLook(claim);
  const open = openInClaim(claim);
  const notes = noteFindings(claim);
  const findings = [...open, ...notes];
  const told = [
    ...(open.length === 0 ? [] : [plural(open.length, 'finding')]),
    ...(notes.length === 0 ? [] : [plural(notes.length, 'note')]),
  ].join(', ');
  const body =
    findings.length === 0
      ? markup`<p class="none">No finding: nothing in the evidence speaks against it.</p>`
      : markup`${findings.slice(0, maxFindings).map((finding) => renderFinding(finding, evidence))}${findings.length > maxFindings ? markup`<p class="none">and ${findings.length - maxFindings} more, in report.json</p>` : nothing}`;
  return markup`<details class="claim ${look}" id="claim-${clip(claim.id, 60)}"${claimHolds(claim) ? nothing : markup` open`}>
<summary><span class="chip ${look}" aria-hidden="true">${marks[look]}</span><span class="what">${clip(claimSentence(claim.id), 120)} <code>${clip(claim.id, 60)}</code></span><span class="told">${told}</span><span class="result ${look}">${clip(tellResult(claim), 40)}</span><span class="basis" title="what the claim leans on">${clip(claim.basis, 40)}</span></summary>
${body}</details>
`;
}

const kinds: ReadonlyMap<string, string> = new Map([
  ['counterexample', 'breach'],
  ['doubt', 'doubt'],
  ['wait', 'waiting'],
  ['note', 'note'],
]);

function renderFinding(finding: Finding, lines: EvidenceLines): Markup {
  const { evidence, from, until } = finding;
  const kind = kinds.get(finding.kind) ?? 'doubt';
  const time =
    from === undefined && until === undefined ? nothing : markup`<p class="when">${showSpan(from, until)} UTC</p>`;
  const more =
    evidence.length > maxEvidence
      ? markup`<p class="none">and ${evidence.length - maxEvidence} more, in report.json</p>`
      : nothing;
  const ids = evidence.slice(0, maxEvidence).map((id) => lines.take(id));
  return markup`<div class="finding ${kind}"><p class="head"><span class="kind">${kind}</span> <code>${clip(finding.code, 80)}</code> <b>${clip(finding.subject, 300)}</b></p>
<p>${clip(finding.detail, 1500)}</p>${time}
${evidence.length === 0 ? nothing : markup`<div class="evidence"><p class="head">Evidence</p>${ids}${more}</div>`}</div>
`;
}
