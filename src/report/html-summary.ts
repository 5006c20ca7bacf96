import type { Report } from '../model/report.ts';
import { openInClaim, openInReport } from './form.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { showDuration, showSpan, showTime, toMillis } from './times.ts';
import { clip } from './visible.ts';
import {
  claimHolds,
  claimLook,
  claimSentence,
  marks,
  plural,
  tellResult,
  verdictLook,
  verdictMeaning,
  type Look,
} from './words.ts';

const maxTrigger = 20;

const titles: Record<Look, string> = {
  proven: 'Proven',
  violated: 'Violated',
  unproven: 'Unproven',
  pending: 'Pending',
};

/** The first screen: what was found, in words for someone who reads nothing else. */
export function renderSummary(report: Report, signedBy: string): Markup {
  const look = verdictLook(report.verdict);
  return markup`<header class="verdict ${look}">
<p class="kicker">Completeness of the credentials of task <code>${clip(report.task.id, 120)}</code></p>
<h1><span class="seal" aria-hidden="true">${marks[look]}</span>${titles[look]}</h1>
<p class="meaning">${verdictMeaning(report)}</p>
<p class="why"><strong>Why:</strong> ${clip(report.summary, 1200)}</p>
${report.pendingUntil === undefined ? nothing : markup`<p class="why">Wait until <strong>${showTime(report.pendingUntil)} UTC</strong>, then judge again.</p>`}
</header>
<dl class="facts">
${fact('Window', renderWindow(report))}
${fact('Signed by', signedBy === '' ? markup`<b>nobody</b><span>this report bears no signature</span>` : markup`<b class="id">${clip(signedBy, 400)}</b>`)}
${fact('Assumptions', renderAssumptions(report))}
${fact('Claims', renderCount(report))}
${fact('Seen', renderSeen(report))}
${fact('Task', renderTask(report))}
</dl>
${renderOpenClaims(report)}`;
}

function fact(name: string, content: Markup): Markup {
  return markup`<div><dt>${name}</dt><dd>${content}</dd></div>`;
}

function renderTask({ task }: Report): Markup {
  const all = Object.entries(task.trigger ?? {});
  const trigger = all.slice(0, maxTrigger);
  const more = all.length > maxTrigger ? markup`<span>and ${all.length - maxTrigger} more</span>` : nothing;
  return markup`<b>${clip(task.id, 120)}</b><span>${clip(task.type, 120)}${task.agent === undefined ? '' : `, by agent ${clip(task.agent, 120)}`}</span>
${trigger.map(([name, value]) => markup`<span>${clip(name, 60)}: ${clip(value, 120)}</span>`)}${more}`;
}

function renderWindow({ window }: Report): Markup {
  if (window.start === undefined) return markup`<b>none</b><span>nothing of the task was seen</span>`;
  const [start, end] = [toMillis(window.start), toMillis(window.end)];
  const length = start === undefined || end === undefined ? 'open' : showDuration(end - start);
  return markup`<b>${length}</b><span>${showSpan(window.start, window.end)} UTC</span>`;
}

function renderSeen(report: Report): Markup {
  const { processes, connections, egress, uses, sessions } = report;
  const endpoints = plural(egress.length, 'endpoint');
  return markup`<b>${plural(connections.length, 'connection')}</b><span>to ${endpoints}, by ${plural(processes.length, 'process', 'processes')}</span>
<b>${plural(uses.length, 'use')}</b><span>of ${plural(sessions.length, 'credential session')}</span>`;
}

function renderCount({ claims }: Report): Markup {
  const holding = claims.filter(claimHolds).length;
  const strip = claims.map((claim) => {
    const look = claimLook(claim);
    return markup`<a class="chip ${look}" href="#claim-${clip(claim.id, 60)}" title="${clip(claim.id, 60)}: ${clip(tellResult(claim), 40)}">${marks[look]}</a>`;
  });
  return markup`<b>${holding} of ${claims.length} hold</b><span class="strip">${strip}</span>`;
}

function renderAssumptions({ assumptions }: Report): Markup {
  if (assumptions.length === 0) return markup`<b>none</b><span>the result rests on evidence alone</span>`;
  const more = assumptions.length > 4 ? markup`<span>and ${assumptions.length - 4} more</span>` : nothing;
  return markup`<b>${assumptions.length} accepted</b>${assumptions.slice(0, 4).map((row) => markup`<a class="id" href="#assumptions">${clip(row.name, 80)}</a>`)}${more}`;
}

const openTitles: Record<Look, string> = {
  proven: 'What does not hold',
  violated: 'What does not hold',
  unproven: 'What is not proven',
  pending: 'What is still to come',
};

/** Which claims keep the report from being a proof, each with its first finding. */
function renderOpenClaims(report: Report): Markup {
  const open = report.claims.filter((claim) => !claimHolds(claim));
  const [unexplained] = openInReport(report);
  if (unexplained === undefined) return nothing;
  const title = openTitles[verdictLook(report.verdict)];
  if (open.length === 0)
    return markup`<section class="open"><h2>${title}</h2><p>${unexplained.finding.detail} All claims hold, yet the verdict is not proven.</p></section>`;
  const rows = open.map((claim) => {
    const look = claimLook(claim);
    const findings = openInClaim(claim);
    const [first] = findings;
    const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
    return markup`<li class="${look}"><span class="chip ${look}" aria-hidden="true">${marks[look]}</span><div><a href="#claim-${clip(claim.id, 60)}">${clip(claimSentence(claim.id), 120)}</a> <span class="result">${look === 'pending' ? 'waiting' : clip(tellResult(claim), 40)}</span>
${first === undefined ? nothing : markup`<p>${clip(first.detail, 400)}${more}</p>`}</div></li>`;
  });
  return markup`<section class="open"><h2>${title}</h2><ul>${rows}</ul></section>`;
}
