import type { ListedTask } from '../model/listed-task.ts';
import { compare, showShare, standingOf, standings, type Tally, tallyOf, tellTally } from './index-page-counts.ts';
import { renderStanding, type TaskLink } from './index-page-task.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { clip } from './visible.ts';
import { plural } from './words.ts';

const mostTypes = 50;
/** Runs in the strip of one type. */
const mostRuns = 24;

interface TypeRow {
  readonly type: string;
  readonly tasks: readonly ListedTask[];
  readonly tally: Tally;
}

/** Runs of one type are compared with each other; `tasks` in the order in which they were declared. */
export function renderTypes(tasks: readonly ListedTask[], link: TaskLink): Markup {
  const byType = new Map<string, ListedTask[]>();
  for (const task of tasks) {
    const group = byType.get(task.type);
    if (group === undefined) byType.set(task.type, [task]);
    else group.push(task);
  }
  const rows = [...byType]
    .map(([type, group]) => ({ type, tasks: group, tally: tallyOf(group) }))
    .sort((a, b) => b.tasks.length - a.tasks.length || compare(a.type, b.type));
  const rest = rows.slice(mostTypes);
  const hidden = rest.reduce((sum, row) => sum + row.tasks.length, 0);
  const more =
    rest.length === 0
      ? nothing
      : markup`<p class="none">and ${plural(rest.length, 'more type')} with ${plural(hidden, 'task')}: name one with --type</p>`;
  return markup`<section id="types"><h2>By type</h2>
<p class="lead">Tasks of one type do the same work, so one that stands out among them is worth a look. The strip shows the last ${mostRuns}, the newest at its right end; the higher the bar, the worse.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Tasks by type"><table class="types"><thead><tr><th scope="col">Type</th><th scope="col" class="number">Tasks</th><th scope="col">Proven of those judged</th><th scope="col">Not proven</th><th scope="col">Last verdict</th><th scope="col">Last runs</th></tr></thead><tbody>
${rows.slice(0, mostTypes).map((row) => renderRow(row, link))}</tbody></table></div>${more}</section>`;
}

function renderRow({ type, tasks, tally }: TypeRow, link: TaskLink): Markup {
  const judged = tasks.length - tally.unjudged;
  const others = tellTally({ ...tally, proven: 0 });
  const last = tasks.findLast(({ verdict }) => verdict !== null);
  return markup`<tr><th scope="row" class="name">${clip(type, 80)}</th><td class="number">${tasks.length}</td>
<td>${drawMeter(tally.proven, judged)} <span class="share">${showShare(tally.proven, judged)}</span><small>${tally.proven} of ${judged}</small></td>
<td>${others === '' ? markup`<span class="none">none</span>` : others}</td>
<td>${last === undefined ? markup`<span class="none">none yet</span>` : markup`${renderStanding(standingOf(last))}<small>${link(last, 60)}</small>`}</td>
<td>${drawStrip(tasks.slice(-mostRuns))}</td></tr>
`;
}

function drawMeter(part: number, whole: number): Markup {
  const length = whole === 0 ? 0 : Math.floor((part / whole) * 800) / 10;
  return markup`<svg class="meter" width="80" height="8" viewBox="0 0 80 8" aria-hidden="true"><rect class="rail" width="80" height="8" rx="2"/><rect class="fill proven" width="${length}" height="8" rx="2"/></svg>`;
}

const step = 8;
const tall = 20;

/** As high as it is bad: the strip can be read without its colours. */
function drawStrip(tasks: readonly ListedTask[]): Markup {
  const first = mostRuns - tasks.length;
  const runs = tasks.map((task, i) => {
    const standing = standingOf(task);
    const size = tall - 4 * standings.indexOf(standing);
    return markup`<rect class="run ${standing}" x="${(first + i) * step + 1}" y="${tall - size + 0.5}" width="${step - 2}" height="${size - 1}"/>`;
  });
  const told = tellTally(tallyOf(tasks));
  return markup`<svg class="strip" role="img" aria-label="last ${plural(tasks.length, 'run')}: ${told}" width="${mostRuns * step}" height="${tall}" viewBox="0 0 ${mostRuns * step} ${tall}"><path class="grid" d="M0 ${tall - 0.5}H${mostRuns * step}"/>${runs}</svg>`;
}
