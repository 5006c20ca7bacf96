import type { Claim } from '../model/claim.ts';
import type { Report, ReportSession } from '../model/report.ts';
import { type FormOptions, openInClaim, openInReport, type PlacedFinding, weight } from './form.ts';
import { code, prose } from './markdown-text.ts';
import { showDuration, showSpan, showTime, toMillis } from './times.ts';
import {
  claimHolds,
  claimLook,
  claimSentence,
  type Look,
  noteFindings,
  plural,
  verdictLook,
  verdictMeaning,
} from './words.ts';

const icons: Record<Look, string> = { proven: '✅', violated: '❌', unproven: '⚠️', pending: '⏳' };

/** Characters for the rows of each part: together with what is around them below 60,000, whatever is in the report. */
const room = { claims: 6000, findings: 18_000, notes: 4000, sessions: 5000, egress: 5000, rest: 2500 } as const;
const maxEvidence = 3;
const maxActions = 12;
const maxTrigger = 8;

/** The report as a comment under a pull request, in GitHub's Markdown. */
export function renderMarkdown(report: Report, options: FormOptions): string {
  const parts = [
    head(report),
    listed('**Verified** before it was printed:', options.verification ?? []),
    listed('**Not verified**:', options.notVerified ?? []),
    claims(report),
    findings(report),
    notes(report),
    sessions(report),
    egress(report),
    folded('Assumptions, accepted by the operator and not shown by evidence', report.assumptions, (row) => [
      `- ${code(row.name)}: ${prose(row.detail)}`,
    ]),
    folded('Gaps in the evidence', report.gaps, (gap) => [
      `- ${code(`${gap.stream}/${gap.origin}`)} ${code(showSpan(gap.from, gap.until))}: ${prose(gap.why, 200)}`,
    ]),
    folded(
      'Blind spots that the task touched',
      report.blindSpots.filter((row) => row.touched),
      (row) => [`- ${code(row.channel)}: ${prose(row.detail)}`],
    ),
    folded('What no evidence of this kind can show', report.limits, (limit) => [`- ${prose(limit)}`]),
    howToVerify,
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const howToVerify = [
  'How to check this report yourself, with the public key of whoever signed it:',
  '',
  '```sh',
  'tally verify report.sigstore.json --key tally.pub.pem --evidence DIR',
  '```',
];

function head(report: Report): string[] {
  const { task, window } = report;
  const look = verdictLook(report.verdict);
  const [start, end] = [toMillis(window.start), toMillis(window.end)];
  const length = start === undefined || end === undefined ? '' : ` UTC (${showDuration(end - start)})`;
  const span =
    window.start === undefined ? 'nothing of the task was seen' : showSpan(window.start, window.end) + length;
  const trigger = triggerOf(report);
  return [
    `### ${icons[look]} ${look.toUpperCase()}: task ${code(task.id)} (${code(task.type)})`,
    '',
    `**Why**: ${prose(report.summary, 1500)}`,
    '',
    `_${verdictMeaning(report)}_`,
    '',
    `- **Window**: ${code(span)}`,
    `- **Seen**: ${plural(report.processes.length, 'process', 'processes')}, ${plural(report.connections.length, 'connection')}, ${plural(report.uses.length, 'credential use')}`,
    ...(trigger.length === 0 ? [] : [`- **Trigger**: ${trigger.join(', ')}`]),
    ...(report.pendingUntil === undefined ? [] : [`- **Wait until**: ${code(`${showTime(report.pendingUntil)} UTC`)}`]),
  ];
}

function triggerOf({ task }: Report): string[] {
  const all = Object.entries(task.trigger ?? {});
  const more = all.length - maxTrigger;
  const shown = all.slice(0, maxTrigger).map(([name, value]) => code(`${name} ${value}`));
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])];
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, '', ...fit(lines, room.rest, (line) => [`- ${prose(line)}`])];
}

function claims(report: Report): string[] {
  const open = report.claims.filter((claim) => !claimHolds(claim));
  const all = plural(report.claims.length, 'claim');
  if (openInReport(report).length === 0) return [`**All ${all} hold.**`];
  if (open.length === 0)
    return [`**No claim is open, yet the verdict is not proven**, and the report gives no reason.`];
  return [
    `**${report.claims.length - open.length} of ${all} hold.** These do not:`,
    '',
    '| | claim | result | findings |',
    '| --- | --- | --- | --- |',
    ...fit(open, room.claims, (claim) => [
      `| ${icons[claimLook(claim)]} | ${code(claim.id, 40)} ${prose(claimSentence(claim.id), 100)} | ${claimLook(claim)} | ${codesOf(claim)} |`,
    ]),
  ];
}

function codesOf(claim: Claim): string {
  const counts = new Map<string, number>();
  for (const { code: name } of openInClaim(claim)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const shown = [...counts].slice(0, 6).map(([name, count]) => `${code(name, 40)}${count === 1 ? '' : ` ×${count}`}`);
  return [...shown, ...(counts.size > 6 ? [`and ${counts.size - 6} more`] : [])].join(', ');
}

function findings(report: Report): string[] {
  // of all claims together: the doubts of one must not crowd out the counterexample of a later one
  const open = openInReport(report).sort((a, b) => weight(a.finding) - weight(b.finding));
  const rows = fit(open, room.findings, findingLines);
  return open.length === 0 ? [] : fold(plural(open.length, 'finding'), rows);
}

function findingLines({ claim, finding }: PlacedFinding): string[] {
  const timed = finding.from !== undefined || finding.until !== undefined;
  const ids = finding.evidence.slice(0, maxEvidence).map((id) => code(id));
  const more = finding.evidence.length - ids.length;
  return [
    `- ${code(finding.code, 40)} ${code(finding.subject, 200)} (${code(claim.id, 40)}): ${prose(finding.detail)}`,
    ...(timed ? [`  Time: ${code(showSpan(finding.from, finding.until))}`] : []),
    ...(ids.length === 0 ? [] : [`  Evidence: ${ids.join(', ')}${more > 0 ? ` and ${more} more` : ''}`]),
  ];
}

function notes(report: Report): string[] {
  const all = report.claims.flatMap((claim) => noteFindings(claim));
  const rows = fit(all, room.notes, (note) => [
    `- ${code(note.code, 40)} ${code(note.subject)}: ${prose(note.detail, 300)}`,
  ]);
  return all.length === 0 ? [] : fold(`${plural(all.length, 'note')}, which change nothing`, rows);
}

function sessions(report: Report): string[] {
  if (report.sessions.length === 0) return [];
  return fold(plural(report.sessions.length, 'credential session'), [
    '| session | declared | uses | lifetime | actions |',
    '| --- | --- | --- | --- | --- |',
    ...fit(report.sessions, room.sessions, (row) => [sessionRow(row)]),
  ]);
}

function sessionRow(row: ReportSession): string {
  const actions = row.actions.slice(0, maxActions).map((action) => code(action, 80));
  const more = row.actions.length - actions.length;
  const cells = [
    `${code(row.session)} ${code(`${row.provider} ${row.key}`, 60)}`,
    row.declared ? 'yes' : '**no**',
    `${row.uses}${row.denied === 0 ? '' : `, ${row.denied} denied`}`,
    row.issued === undefined && row.expires === undefined ? 'unknown' : code(showSpan(row.issued, row.expires)),
    [...actions, ...(more > 0 ? [`and ${more} more`] : [])].join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function egress(report: Report): string[] {
  if (report.egress.length === 0) return [];
  const rows = [...report.egress].sort((a, b) => Number(a.declared) - Number(b.declared));
  return fold(plural(rows.length, 'endpoint'), [
    '| endpoint | declared | connections | channel | name from |',
    '| --- | --- | --- | --- | --- |',
    ...fit(rows, room.egress, (row) => [
      `| ${code(row.endpoint, 200)} | ${row.declared ? 'yes' : '**no**'} | ${row.connections} | ${code(row.channel, 40)} | ${code(row.basis, 40)} |`,
    ]),
  ]);
}

function folded<T>(title: string, rows: readonly T[], toLines: (row: T) => string[]): string[] {
  return rows.length === 0 ? [] : fold(`${title} (${rows.length})`, fit(rows, room.rest, toLines));
}

/** Shown when it is opened; GitHub reads Markdown inside only after an empty line. */
function fold(title: string, lines: readonly string[]): string[] {
  return [`<details><summary>${title}</summary>`, '', ...lines, '', '</details>'];
}

/** As many rows as there is room for, and a last line that says how many are left out. */
function fit<T>(rows: readonly T[], characters: number, toLines: (row: T) => string[]): string[] {
  const lines: string[] = [];
  let left = characters;
  for (const [index, row] of rows.entries()) {
    const next = toLines(row);
    left -= next.join('\n').length + 1;
    if (left < 0) return [...lines, '', `and ${rows.length - index} more, in \`report.json\``];
    lines.push(...next);
  }
  return lines;
}
