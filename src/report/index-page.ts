import type { ListedTask } from '../model/listed-task.ts';
import { renderChart } from './index-page-chart.ts';
import {
  inOrder,
  newestTime,
  showShare,
  type Standing,
  standingMarks,
  standings,
  standingWords,
  type Tally,
  tallyOf,
  tellTally,
  worstOf,
} from './index-page-counts.ts';
import { renderReasons } from './index-page-open.ts';
import { indexStyle } from './index-page-style.ts';
import { type Numbered, renderTaskTable, type TaskLink } from './index-page-task.ts';
import { renderTypes } from './index-page-types.ts';
import { markup, nothing, toHtml, verbatim, type Markup } from './markup.ts';
import { showTime } from './times.ts';
import { clip } from './visible.ts';
import { plural } from './words.ts';

export interface IndexOptions {
  /** How the tasks were chosen among all, as flags of the command line. */
  readonly filters: Readonly<Partial<Record<'state' | 'verdict' | 'type', string>>>;
  /** Tasks of the store, chosen or not. */
  readonly all: number;
  /** Relative address of a task's report; undefined where there is none. */
  readonly reportOf: (task: ListedTask) => string | undefined;
  readonly version: string;
  readonly sha256Base64: (text: string) => string;
}

export interface IndexFile {
  readonly name: string;
  readonly html: string;
}

/** On the first page; more are on pages of their own. */
const newest = 100;
const onePage = 500;

/**
 * `index.html`, and the further pages that it needs: each stands alone, with no script, no network and a policy that
 * allows nothing but its own style. The same tasks give the same bytes. Pages are numbered from the oldest tasks on, so that
 * one more task changes none but the last of them; so they don't say how many there are.
 */
export function renderIndex(tasks: readonly ListedTask[], options: IndexOptions): IndexFile[] {
  const ordered = inOrder(tasks);
  const numbered = ordered.map((task, i) => ({ task, number: i + 1, report: options.reportOf(task) }));
  const pages = numbered.length <= newest ? [] : split(numbered);
  const digest = options.sha256Base64(indexStyle);
  return [
    { name: 'index.html', html: renderFirst(ordered, numbered, pages, digest, options) },
    ...pages.map((page, i) => ({ name: nameOf(i), html: renderList(page, i, pages.length, digest, options) })),
  ];
}

/** Of all pages that this many tasks need. */
export function pageNames(tasks: number): string[] {
  const lists = tasks <= newest ? 0 : Math.ceil(tasks / onePage);
  return ['index.html', ...Array.from({ length: lists }, (_, page) => nameOf(page))];
}

function split(numbered: readonly Numbered[]): Numbered[][] {
  const count = Math.ceil(numbered.length / onePage);
  return Array.from({ length: count }, (_, i) => numbered.slice(i * onePage, (i + 1) * onePage));
}

function nameOf(page: number): string {
  return `tasks-${page + 1}.html`;
}

function renderFirst(
  tasks: readonly ListedTask[],
  numbered: readonly Numbered[],
  pages: readonly (readonly Numbered[])[],
  digest: string,
  options: IndexOptions,
): string {
  const link = toLink(numbered);
  const tally = tallyOf(tasks);
  const shown = numbered.slice(-newest);
  const which =
    pages.length === 0 ? 'All of them, the newest first.' : `The newest ${newest}; all are on the pages below.`;
  const body = markup`${renderHead(tasks, tally, options)}
<nav aria-label="Contents">${contents.map(([id, name]) => markup`<a href="#${id}">${name}</a>`)}</nav>
${renderChart(tasks)}
${renderWorst(tasks, link)}
${renderReasons(tasks, link)}
${renderTypes(tasks, link)}
<section id="tasks"><h2>Tasks</h2><p class="lead">${which} Times are UTC. A name that is a link leads to the task’s report.</p>
${renderTaskTable(shown, 'Tasks')}
${renderPages(pages)}</section>
${about}`;
  return renderPage(`${tally.proven} of ${plural(tasks.length, 'task')} proven`, body, digest, options);
}

const contents = [
  ['time', 'Over time'],
  ['open', 'What keeps tasks open'],
  ['types', 'By type'],
  ['tasks', 'Tasks'],
  ['about', 'What this page is'],
] as const;

const about = markup`<section id="about"><h2>What this page is</h2>
<p class="lead">An overview, drawn from the summaries that the store keeps of each task’s last report. Nobody signs it. What is signed is each task’s report: its page says how to check it, and only that check tells whether a verdict is to be believed.</p></section>`;

function renderHead(tasks: readonly ListedTask[], tally: Tally, options: IndexOptions): Markup {
  const worst = worstOf(tally);
  const judged = tasks.length - tally.unjudged;
  const time = newestTime(tasks);
  const counts = standings.map(
    (standing) =>
      markup`<div class="${standing}"><dt>${standingWords[standing]}</dt><dd><i class="mark" aria-hidden="true">${standingMarks[standing]}</i>${tally[standing]}</dd></div>`,
  );
  const among =
    tasks.length === options.all
      ? `all ${plural(options.all, 'task')}`
      : `${tasks.length} of ${plural(options.all, 'task')}`;
  const share = judged === 0 ? '' : `${showShare(tally.proven, judged)} of those that were judged are proven.`;
  return markup`<header class="verdict ${worst}">
<p class="kicker">${renderFilters(among, options)}</p>
<h1><span class="seal" aria-hidden="true">${standingMarks[worst]}</span><span>${tasks.length === 0 ? 'No task' : `${tally.proven} of ${plural(tasks.length, 'task')} proven`}</span></h1>
<p class="why">${meanings[worst](tally[worst])}</p>
<p class="meaning">${share}${time === undefined ? nothing : markup` As of <b>${showTime(time)} UTC</b>, the newest time in the evidence.`}</p>
</header>
<dl class="counts">${counts}</dl>`;
}

/** What the worst of the verdicts means, for someone who reads one line. */
const meanings: Readonly<Record<Standing, (count: number) => string>> = {
  violated: (count) =>
    `The evidence of ${plural(count, 'task')} shows something that does not agree with what was declared.`,
  unproven: (count) => `No breach was found, but for ${plural(count, 'task')} evidence is missing or ambiguous.`,
  pending: (count) =>
    `No breach was found so far; ${plural(count, 'task')} still ${count === 1 ? 'waits' : 'wait'} for evidence that comes later.`,
  unjudged: (count) =>
    count === 0
      ? 'There is nothing to tell of.'
      : `${plural(count, 'task')} ${count === 1 ? 'was' : 'were'} not judged yet.`,
  proven: () => 'Every use of these tasks’ credentials is accounted for, under the assumptions that each report names.',
};

/** What is left out must be said first: a page of proven tasks alone would mislead. `among`: the tasks that are told of. */
function renderFilters(among: string, { filters }: IndexOptions): Markup {
  const given = (['state', 'verdict', 'type'] as const).flatMap((name) => {
    const value = filters[name];
    return value === undefined ? [] : [{ name, value: value === '-' && name === 'verdict' ? 'not judged yet' : value }];
  });
  const named = given.map(({ name, value }) => markup` <span class="tag chosen">${name}: ${clip(value, 80)}</span>`);
  return markup`Credentials of agent tasks: ${among} of one store${given.length === 0 ? nothing : markup`, chosen by${named}`}`;
}

const mostWorst = 8;

/** Violated tasks come first: they are what someone has to look at. */
function renderWorst(tasks: readonly ListedTask[], link: TaskLink): Markup {
  const violated = tasks.filter(({ verdict }) => verdict === 'violated');
  if (violated.length === 0) return nothing;
  const rows = violated
    .slice(-mostWorst)
    .reverse()
    .map((task) => {
      const codes = new Set((task.open ?? []).filter(({ kind }) => kind === 'counterexample').map(({ code }) => code));
      return markup`<li><span class="chip violated" aria-hidden="true">✗</span><p>${link(task, 80)} <span class="soft">${clip(task.type, 60)}, ${showTime(task.declared).slice(0, 16)}</span>${[...codes].slice(0, 6).map((code) => markup` <code class="code breach">${clip(code, 60)}</code>`)}</p></li>`;
    });
  const more =
    violated.length > mostWorst
      ? markup`<p class="none">and ${violated.length - mostWorst} more: tally tasks --verdict violated --html names them all</p>`
      : nothing;
  return markup`<section class="open" id="violated"><h2>Violated</h2><ul>${rows}</ul>${more}</section>`;
}

/** To the report, or where there is none to the line of the task. */
function toLink(numbered: readonly Numbered[]): TaskLink {
  const known = new Map(numbered.map((one) => [one.task, one]));
  const first = numbered.length - newest;
  return (task, longest) => {
    const { number = 0, report } = known.get(task) ?? {};
    const line = number > first ? `#t${number}` : `${nameOf(Math.floor((number - 1) / onePage))}#t${number}`;
    return markup`<a href="${report ?? line}">${clip(task.id, longest)}</a>`;
  };
}

/** Links to all pages, the newest first. */
function renderPages(pages: readonly (readonly Numbered[])[]): Markup {
  if (pages.length === 0) return nothing;
  const links = pages.map((page, i) => {
    const [from, until] = [page[0], page.at(-1)].map((one) => showTime(one?.task.declared ?? '').slice(0, 16));
    return markup`<li><a href="${nameOf(i)}">${page[0]?.number ?? 0} – ${page.at(-1)?.number ?? 0}</a><small>${clip(from ?? '', 40)} – ${clip(until ?? '', 40)}</small></li>`;
  });
  return markup`<h3>All tasks, by when they were declared</h3><ul class="pages">${links.reverse()}</ul>`;
}

function renderList(
  page: readonly Numbered[],
  index: number,
  count: number,
  digest: string,
  options: IndexOptions,
): string {
  const tally = tallyOf(page.map(({ task }) => task));
  const title = `Tasks ${page[0]?.number ?? 0} to ${page.at(-1)?.number ?? 0}`;
  const turn = markup`${index + 1 < count ? markup`<a href="${nameOf(index + 1)}">← newer</a>` : nothing}<a href="index.html">Overview</a>${index > 0 ? markup`<a href="${nameOf(index - 1)}">older →</a>` : nothing}`;
  const body = markup`<header><p class="kicker">${renderFilters('tasks', options)}</p><h1 class="plain">${title}</h1><p class="meaning">${tellTally(tally)}</p></header>
<nav aria-label="Pages">${turn}</nav>
<section id="tasks"><h2>Tasks</h2><p class="lead">By when they were declared, the newest first. Times are UTC.</p>
${renderTaskTable(page, title)}</section>
<nav aria-label="Pages, again">${turn}</nav>`;
  return renderPage(title, body, digest, options);
}

function renderPage(title: string, body: Markup, digest: string, { version }: IndexOptions): string {
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return toHtml(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${verbatim(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${verbatim(indexStyle)}</style>
</head>
<body>
<main>
${body}
</main>
<footer>tallystick ${clip(version, 40)}</footer>
</body>
</html>
`);
}
