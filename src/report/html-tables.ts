import type { Report, ReportSession } from '../model/report.ts';
import { markup, nothing, type Content, type Markup } from './markup.ts';
import { drawShare, fitsGrant, renderLifetime } from './html-credentials.ts';
import type { EvidenceLines } from './html-records.ts';
import { toTree } from './process-tree.ts';
import { showSpan, showTime } from './times.ts';
import { clip, clipMiddle } from './visible.ts';
import { plural } from './words.ts';

/** The time line has all of them, and so has report.json. */
const maxRows = 150;

interface TableOptions<T> {
  readonly id: string;
  readonly title: string;
  readonly lead?: string;
  readonly empty: string;
  readonly columns: readonly string[];
  readonly rows: readonly T[];
  readonly toCells: (row: T) => readonly Content[];
  /** More rows than this are folded away. */
  readonly openUpTo?: number;
}

function renderTable<T>(options: TableOptions<T>): Markup {
  const { id, title, lead, empty, columns, rows, toCells, openUpTo = 40 } = options;
  const heading = markup`<h2>${title}</h2>${lead === undefined ? nothing : markup`<p class="lead">${lead}</p>`}`;
  if (rows.length === 0) return markup`<section id="${id}">${heading}<p class="none">${empty}</p></section>`;
  const body = rows.slice(0, maxRows).map(
    (row) => markup`<tr>${toCells(row).map((cell) => markup`<td>${cell}</td>`)}</tr>
`,
  );
  const more =
    rows.length > maxRows ? markup`<p class="none">and ${rows.length - maxRows} more, in report.json</p>` : nothing;
  const table = markup`<div class="scroll"><table><thead><tr>${columns.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${body}</tbody></table></div>${more}`;
  const folded = markup`<details class="fold"><summary>Show ${rows.length > maxRows ? `the first ${maxRows} of ${rows.length} rows; all are in report.json` : plural(rows.length, 'row')}</summary>${table}</details>`;
  return markup`<section id="${id}">${heading}${rows.length > openUpTo ? folded : table}</section>`;
}

export function renderSessions({ sessions, window }: Report, lines: EvidenceLines): Markup {
  return renderTable({
    id: 'sessions',
    title: 'Credential sessions',
    lead: 'Each credential that was issued for the task: how long it lived, what it could do and what it did. Times are UTC.',
    empty: 'No credential session of this task is in the evidence.',
    columns: ['Session', 'Lifetime', 'Uses', 'Actions used', 'Granted'],
    rows: sessions,
    toCells: (row) => [
      markup`<b class="id">${clip(row.session, 200)}</b>${declared(row.declared)}
<small>${clip(row.provider, 40)} <code>${clip(row.key, 120)}</code>${row.account === undefined ? nothing : markup` in account ${clip(row.account, 40)}`}</small>
${row.role === undefined ? nothing : markup`<small class="id">${clip(row.role, 200)}</small>`}${row.parentKey === undefined ? nothing : markup`<small>issued from <code>${clip(row.parentKey, 120)}</code></small>`}${row.issuedBy === undefined ? nothing : markup`<small class="id">by ${clip(row.issuedBy, 200)}</small>`}
${row.evidence === undefined ? nothing : markup`<small>issuance ${lines.link(row.evidence)}</small>`}`,
      renderLifetime(row, window),
      markup`${plural(row.uses, 'time')}${row.denied === 0 ? nothing : markup`<small>${row.denied} denied</small>`}${row.uses === 0 ? nothing : markup`<small>${showSpan(row.firstUse, row.lastUse)}</small>`}`,
      renderNames(row.actions, 'none'),
      renderGranted(row),
    ],
  });
}

/** How much of what was granted was used: a wildcard counts as used where one action fits it. */
function renderGranted({ granted, actions }: ReportSession): Markup {
  if (granted === undefined || granted.length === 0) return markup`<span class="none">no policy given</span>`;
  const unused = granted.filter((pattern) => !actions.some((action) => fitsGrant(pattern, action)));
  const beyond = actions.filter((action) => !granted.some((pattern) => fitsGrant(pattern, action)));
  const used = granted.length - unused.length;
  return markup`${drawShare(used / granted.length)}<b>${used} of ${granted.length} used</b>
${unused.length === 0 ? nothing : markup`<small>never used</small>${renderNames(unused, '')}`}
${beyond.length === 0 ? nothing : markup`<small>used without being named in the policy</small>${renderNames(beyond, '')}`}`;
}

function renderNames(names: readonly string[], empty: string): Markup {
  if (names.length === 0) return markup`<span class="none">${empty}</span>`;
  const more = names.length > 30 ? markup`<small>and ${names.length - 30} more</small>` : nothing;
  return markup`<ul class="names">${names.slice(0, 30).map((name) => markup`<li><code>${clip(name, 120)}</code></li>`)}</ul>${more}`;
}

function declared(is: boolean): Markup {
  return is
    ? markup` <span class="tag proven">✓ declared</span>`
    : markup` <span class="tag violated">✗ not declared</span>`;
}

export function renderUses({ uses }: Report, lines: EvidenceLines): Markup {
  return renderTable({
    id: 'uses',
    title: 'Uses of the credentials',
    lead: 'Every record in the providers’ logs that one of these sessions authenticated, also the denied ones.',
    empty: 'The providers’ logs hold no use of these sessions.',
    columns: ['Time (UTC)', 'Action', 'Outcome', 'Session', 'From', 'Matched connection', 'Record'],
    rows: uses,
    toCells: (row) => [
      markup`<span class="time">${showTime(row.time)}</span>`,
      markup`<code>${clip(row.action, 120)}</code>${row.host === undefined ? nothing : markup`<small class="id">${clip(row.host, 200)}</small>`}`,
      clip(row.outcome, 40),
      markup`<span class="id">${clipMiddle(row.session, 60)}</span>`,
      clip(row.source, 120),
      row.connection === undefined
        ? markup`<span class="none">none</span>`
        : markup`${lines.link(row.connection)}${row.strength === 'shared' ? markup`<small>another tree had one open too</small>` : nothing}`,
      lines.link(row.evidence ?? row.id),
    ],
  });
}

export function renderEgress({ egress }: Report): Markup {
  return renderTable({
    id: 'egress',
    title: 'Egress',
    lead: 'Where the task’s processes connected to, and how the address was tied to the name. Times are UTC.',
    empty: 'No process of the task reached out.',
    columns: ['Endpoint', 'Channel', 'Connections', 'Tied by', 'Addresses', 'First – last'],
    rows: egress,
    toCells: (row) => [
      markup`<b class="id">${clip(row.endpoint, 300)}</b>${declared(row.declared)}`,
      clip(row.channel, 40),
      row.connections,
      clip(row.basis, 40),
      renderNames(row.addresses, 'none'),
      showSpan(row.first, row.last),
    ],
  });
}

export function renderProcesses({ processes }: Report): Markup {
  return renderTable({
    id: 'processes',
    title: 'Processes',
    lead: 'The task’s process tree. Times are UTC.',
    empty: 'No process of the task was seen.',
    columns: ['Process', 'Arguments', 'Node', 'Started – exited', 'Tied by'],
    rows: toTree(processes),
    openUpTo: 15,
    toCells: ({ process, depth }) => [
      markup`<div class="depth${Math.min(depth, 8)}"><b class="id">${clipMiddle(process.binary, 120)}</b> ${process.pid}</div>`,
      markup`<code>${clip(process.arguments, 300)}</code>`,
      clip(process.node, 80),
      process.exited === undefined
        ? `${showTime(process.started)} – still running`
        : showSpan(process.started, process.exited),
      markup`<span title="${clip(process.execId, 200)}">${clip(process.tiedBy, 40)}</span>`,
    ],
  });
}

export function renderCoverage({ coverage, gaps, blindSpots }: Report): Markup {
  const covered = renderTable({
    id: 'coverage',
    title: 'Coverage',
    lead: 'Which sources watched, and for how long. Times are UTC.',
    empty: 'No source states what it covered.',
    columns: ['Source', 'Subject', 'From – until', 'Basis', 'Detail'],
    rows: coverage,
    toCells: (row) => [
      clip(row.source, 80),
      markup`<span class="id">${clip(row.subject, 200)}</span>`,
      showSpan(row.from, row.until),
      clip(row.basis, 60),
      clip(row.detail, 600),
    ],
  });
  const missing = renderTable({
    id: 'gaps',
    title: 'Gaps',
    lead: 'Stretches of time in which records may be missing. Times are UTC.',
    empty: 'None: nothing is known to have been lost.',
    columns: ['Stream', 'From – until', 'Why', 'Records'],
    rows: gaps,
    toCells: (row) => [
      markup`<span class="id">${clip(`${row.stream}/${row.origin}`, 200)}</span>`,
      showSpan(row.from, row.until),
      clip(row.why, 600),
      row.count ?? 'unknown',
    ],
  });
  const blind = renderTable({
    id: 'blind-spots',
    title: 'Blind spots',
    lead: 'Ways out that no loaded hook watches. One that the task touched leaves the report unproven.',
    empty: 'None: every known way out was watched.',
    columns: ['Channel', 'Touched by the task', 'Detail'],
    rows: blindSpots,
    toCells: (row) => [
      markup`<code>${clip(row.channel, 80)}</code>`,
      row.touched ? markup`<span class="tag violated">✗ touched</span>` : 'no',
      clip(row.detail, 600),
    ],
  });
  return markup`${covered}${missing}${blind}`;
}
