import type { Claim, Finding } from '../model/claim.ts';
import type { Report, ReportSession } from '../model/report.ts';
import { openInClaim, openInReport } from './form.ts';
import { columns, hang, toPaint, type Paint, type Style } from './text-layout.ts';
import { showDuration, showSpan, showTime, toMillis } from './times.ts';
import { clip } from './visible.ts';
import { claimHolds, claimLook, marks, noteFindings, plural, tellResult, verdictLook, type Look } from './words.ts';

const maxFindings = 5;
const maxEvidence = 3;
const maxRows = 40;
const colours: Record<Look, Style> = { proven: 'green', violated: 'red', unproven: 'yellow', pending: 'blue' };

export interface TextOptions {
  readonly color: boolean;
  /** What `tally verify` checked, one sentence each. */
  readonly verification?: readonly string[];
}

/** The report for a terminal, verdict first. Nothing from the evidence reaches the terminal as a control character. */
export function renderText(report: Report, options: TextOptions): string {
  const paint = toPaint(options.color);
  const { verification = [] } = options;
  const holding = report.claims.filter(claimHolds).length;
  const notes = report.claims.flatMap((claim) => noteFindings(claim).map((note) => ({ claim, note })));
  const sections = [
    head(report, paint),
    section(paint, 'Verification', '', verification, (lines) => lines.map((line) => `  ${hang(2, line)}`)),
    section(paint, 'Claims', `${holding} of ${report.claims.length} hold`, report.claims, (claims) =>
      claims.flatMap((claim) => claimLines(claim, paint)),
    ),
    ...openInReport(report)
      .filter(({ claim }) => claim.id === 'verdict')
      .map(({ finding }) =>
        section(paint, 'Verdict', '', [finding], (rows) => rows.flatMap((row) => findingLines(row, paint))),
      ),
    section(paint, 'Notes', '', notes, (rows) =>
      columns(
        2,
        rows.map(({ claim, note }) => [claim.id, note.code, `${note.subject}: ${note.detail}`]),
      ),
    ),
    section(paint, 'Credential sessions', '', report.sessions, (rows) =>
      rows.flatMap((row) => sessionLines(row, paint)),
    ),
    section(paint, 'Egress', plural(report.connections.length, 'connection'), report.egress, (rows) =>
      columns(
        2,
        rows.map((row) => [
          row.declared ? '✓ declared' : '✗ undeclared',
          row.channel,
          `${row.connections}×`,
          row.basis,
          row.endpoint,
        ]),
        (cell, column) => (column === 0 ? paint(cell, cell.startsWith('✗') ? 'red' : 'green') : cell),
      ),
    ),
    section(paint, 'Assumptions', 'accepted by the operator, not shown by evidence', report.assumptions, (rows) =>
      columns(
        2,
        rows.map((row) => [row.name, row.detail]),
      ),
    ),
    section(paint, 'Gaps', '', report.gaps, (rows) =>
      columns(
        2,
        rows.map((gap) => [
          `${gap.stream}/${gap.origin}`,
          `${showSpan(gap.from, gap.until)}: ${gap.why}${gap.count === undefined ? '' : ` (${gap.count} records)`}`,
        ]),
      ),
    ),
    section(paint, 'Blind spots', '', report.blindSpots, (rows) =>
      columns(
        2,
        rows.map((row) => [row.touched ? '✗ touched' : '  untouched', row.channel, row.detail]),
      ),
    ),
    section(paint, 'Coverage', '', report.coverage, (rows) =>
      columns(
        2,
        rows.map((row) => [
          row.source,
          row.basis,
          `${row.subject}, ${showSpan(row.from, row.until)}${row.detail === '' ? '' : `: ${row.detail}`}`,
        ]),
      ),
    ),
    section(paint, 'What no evidence of this kind can show', '', report.limits, (rows) =>
      rows.map((limit) => `  · ${hang(4, limit)}`),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function head(report: Report, paint: Paint): string[] {
  const look = verdictLook(report.verdict);
  const verdict = `${marks[look]} ${look.toUpperCase()}`;
  const { task, window } = report;
  const trigger = Object.entries(task.trigger ?? {}).map(([name, value]) => `${name} ${value}`);
  const [start, end] = [toMillis(window.start), toMillis(window.end)];
  const length = start === undefined || end === undefined ? '' : ` UTC (${showDuration(end - start)})`;
  const facts: [string, string][] = [
    ['task', [task.id, task.type, ...(task.agent === undefined ? [] : [`agent ${task.agent}`])].join(' · ')],
    ...(trigger.length === 0 ? [] : [['trigger', trigger.join(' · ')] satisfies [string, string]]),
    [
      'window',
      `${window.start === undefined ? 'nothing of the task was seen' : showSpan(window.start, window.end)}${length}`,
    ],
    ...(report.pendingUntil === undefined
      ? []
      : [['wait until', showTime(report.pendingUntil)] satisfies [string, string]]),
    [
      'seen',
      [
        plural(report.processes.length, 'process', 'processes'),
        plural(report.connections.length, 'connection'),
        plural(report.uses.length, 'credential use'),
      ].join(' · '),
    ],
  ];
  const name = (cell: string, column: number): string => (column === 0 ? paint(cell, 'dim') : cell);
  return [
    `${paint(verdict, 'bold', colours[look])}  ${hang(verdict.length + 2, report.summary)}`,
    '',
    ...columns(2, facts, name),
  ];
}

/** A heading and its rows; nothing at all where there are none. */
function section<T>(
  paint: Paint,
  title: string,
  remark: string,
  rows: readonly T[],
  toLines: (rows: readonly T[]) => string[],
): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > maxRows ? [`  and ${rows.length - maxRows} more, in report.json`] : [];
  const heading = paint(title, 'bold') + (remark === '' ? '' : `  ${paint(remark, 'dim')}`);
  return [heading, ...toLines(rows.slice(0, maxRows)), ...more];
}

function claimLines(claim: Claim, paint: Paint): string[] {
  const look = claimLook(claim);
  const open = openInClaim(claim);
  const colour = colours[look];
  const result = paint(clip(tellResult(claim), 32).padEnd(8), colour);
  return [
    `  ${paint(marks[look], colour)} ${clip(claim.id, 32).padEnd(17)}  ${result}  ${paint(clip(claim.basis, 32), 'dim')}`,
    ...open.slice(0, maxFindings).flatMap((finding) => findingLines(finding, paint)),
    ...(open.length > maxFindings ? [`      and ${open.length - maxFindings} more findings, in report.json`] : []),
  ];
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const code = clip(finding.code, 32);
  const ids = finding.evidence.slice(0, maxEvidence).join(', ');
  const more = finding.evidence.length > maxEvidence ? ` and ${finding.evidence.length - maxEvidence} more` : '';
  const timed = finding.from !== undefined || finding.until !== undefined;
  return [
    `      ${paint(code, 'bold')}  ${hang(code.length + 8, finding.subject)}`,
    `        ${hang(8, finding.detail)}`,
    ...(timed ? [`        ${paint(hang(8, showSpan(finding.from, finding.until)), 'dim')}`] : []),
    ...(ids === '' ? [] : [`        ${paint(`evidence ${hang(17, ids + more)}`, 'dim')}`]),
  ];
}

function sessionLines(row: ReportSession, paint: Paint): string[] {
  const mark = row.declared ? paint('✓', 'green') : paint('✗', 'red');
  const issuer = row.issuedBy === undefined ? '' : ` by ${row.issuedBy}`;
  const issued = row.issued === undefined ? 'issuance unknown' : `issued ${showTime(row.issued)}${issuer}`;
  const expires = row.expires === undefined ? 'no expiry known' : `expires ${showTime(row.expires)}`;
  const denied = row.denied === 0 ? '' : `, ${row.denied} denied`;
  const granted = row.granted === undefined ? '' : `, ${row.granted.length} granted`;
  const uses = `${plural(row.uses, 'use')}${denied}; ${plural(row.actions.length, 'action')} used${granted}`;
  return [
    `  ${mark} ${hang(4, `${row.session} (${row.provider} ${row.key})${row.declared ? '' : ', undeclared'}`)}`,
    `    ${hang(4, `${issued}; ${expires}`)}`,
    `    ${hang(4, `${uses}${row.actions.length === 0 ? '' : `: ${row.actions.join(', ')}`}`)}`,
  ];
}
