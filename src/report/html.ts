import type { CitedRecords } from '../model/cited-record.ts';
import type { Report } from '../model/report.ts';
import { renderClaims } from './html-claims.ts';
import { pageStyle } from './html-style.ts';
import { renderData } from './html-data.ts';
import { renderRecords, toEvidenceLines } from './html-records.ts';
import { renderSummary } from './html-summary.ts';
import { renderCoverage, renderEgress, renderProcesses, renderSessions, renderUses } from './html-tables.ts';
import { renderTimeline } from './html-timeline.ts';
import { markup, nothing, toHtml, verbatim, type Markup } from './markup.ts';
import { toTimeline } from './timeline.ts';
import { clip } from './visible.ts';

export interface HtmlOptions {
  /** The exact command with which a reader verifies this report. */
  readonly command: string;
  /** Who signed, in words for a reader; empty when nobody did. */
  readonly signedBy: string;
  /** The records that the report cites, read from the sealed evidence. */
  readonly records?: CitedRecords;
  /** Text of assets/report/, which makes the time line one to search and zoom; the page is whole without it. */
  readonly script: string;
  readonly sha256Base64: (text: string) => string;
}

const noRecords: CitedRecords = { records: [], more: 0 };

/**
 * One page that stands alone: no network, and a policy that allows nothing but its own style and its own script, which can't
 * make markup out of text. The same report gives the same bytes.
 */
export function renderHtml(report: Report, options: HtmlOptions): string {
  const { records = noRecords, script, sha256Base64 } = options;
  const policy = [
    `default-src 'none'`,
    `style-src 'sha256-${sha256Base64(pageStyle)}'`,
    `script-src 'sha256-${sha256Base64(script)}'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ');
  const timeline = toTimeline(report);
  const lines = toEvidenceLines(records);
  return toHtml(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${verbatim(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${clip(report.verdict, 40)}: task ${clip(report.task.id, 120)}</title>
<style>${verbatim(pageStyle)}</style>
</head>
<body>
<main>
${renderSummary(report, options.signedBy)}
<nav aria-label="Contents">${contents.map(([id, name]) => markup`<a href="#${id}">${name}</a>`)}</nav>
${renderTimeline(timeline)}
${renderClaims(report.claims, lines)}
${renderSessions(report, lines)}
${renderUses(report, lines)}
${renderEgress(report)}
${renderProcesses(report)}
${renderCoverage(report)}
${renderAssumptions(report)}
${renderLimits(report)}
${renderRecords(lines, records)}
${renderCheck(options.command)}
</main>
<footer>${clip(report.tool.name, 40)} ${clip(report.tool.version, 40)} · ${clip(report.schema, 60)}</footer>
${timeline === undefined ? nothing : renderData(timeline, records)}
<script type="module">${verbatim(script)}</script>
</body>
</html>
`);
}

const contents = [
  ['timeline', 'Time line'],
  ['claims', 'Claims'],
  ['sessions', 'Credentials'],
  ['uses', 'Uses'],
  ['egress', 'Egress'],
  ['processes', 'Processes'],
  ['coverage', 'Coverage'],
  ['assumptions', 'Assumptions'],
  ['limits', 'Limits'],
  ['evidence', 'Evidence'],
  ['check', 'Check it yourself'],
] as const;

function renderAssumptions({ assumptions }: Report): Markup {
  const rows = assumptions.map(
    (row) => markup`<dt><code>${clip(row.name, 120)}</code></dt><dd>${clip(row.detail, 1000)}</dd>`,
  );
  return markup`<section id="assumptions"><h2>Assumptions</h2>
<p class="lead">What the evidence can’t show and the operator accepted by name. If one is wrong, so may be the verdict.</p>
${rows.length === 0 ? markup`<p class="none">None.</p>` : markup`<dl class="named">${rows}</dl>`}</section>`;
}

function renderLimits({ limits }: Report): Markup {
  return markup`<section id="limits"><h2>What this does not prove</h2>
<ul class="limits">${limits.map((limit) => markup`<li>${clip(limit, 1000)}</li>`)}</ul></section>`;
}

function renderCheck(command: string): Markup {
  return markup`<section id="check"><h2>How to check this report yourself</h2>
<p>This page is only a picture of the report. What is signed is the bundle that came with it: check that one, with a public
key that you got from the signer and not together with the report.</p>
<pre><code>${command}</code></pre>
<p>It needs no network. It checks the signature, recomputes every digest of the evidence folder, judges the sealed records
again and must reach the same verdict to the letter. Exit code 0 says proven, 1 violated, 3 unproven or pending, and 4
that the signature or the evidence does not check out.</p></section>`;
}
