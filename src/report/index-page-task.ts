import type { ListedTask } from '../model/listed-task.ts';
import type { OpenReason } from '../model/task-summary.ts';
import { type Standing, standingMarks, standingOf, standings, standingWords, tallyOf } from './index-page-counts.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { showDuration, showSpan, showTime, toMillis } from './times.ts';
import { clip } from './visible.ts';
import { plural } from './words.ts';

/** The name of a task, at most so long, as a link to its report or to where it is listed. */
export type TaskLink = (task: ListedTask, longest: number) => Markup;

/** A task with its place in the order in which all were declared, from 1 on. */
export interface Numbered {
  readonly task: ListedTask;
  readonly number: number;
  /** Relative address of its report, where there is one. */
  readonly report: string | undefined;
}

export function renderStanding(standing: Standing): Markup {
  return markup`<span class="tag ${standing}">${standingMarks[standing]} ${standingWords[standing]}</span>`;
}

/** The newest first. */
export function renderTaskTable(tasks: readonly Numbered[], label: string): Markup {
  if (tasks.length === 0) return markup`<p class="none">No task.</p>`;
  return markup`${renderFilter(tasks)}<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="tasks"><thead><tr><th scope="col">Task</th><th scope="col">Verdict</th><th scope="col">What keeps it open</th><th scope="col">Declared</th><th scope="col">Ran</th><th scope="col">Seen</th></tr></thead><tbody>
${tasks.toReversed().map(renderRow)}</tbody></table></div>`;
}

/** Chosen without a script: the style hides the rows of the others. */
function renderFilter(tasks: readonly Numbered[]): Markup {
  const tally = tallyOf(tasks.map(({ task }) => task));
  const there = standings.filter((standing) => tally[standing] > 0);
  if (there.length < 2) return nothing;
  const choices = there.map(
    (standing) =>
      markup`<label class="${standing}"><input type="radio" name="show" id="show-${standing}"> ${standingWords[standing]} <b>${tally[standing]}</b></label>`,
  );
  return markup`<fieldset class="filter"><legend>Show</legend><label><input type="radio" name="show" id="show-all" checked> all <b>${tasks.length}</b></label>${choices}</fieldset>
`;
}

function renderRow({ task, number, report }: Numbered): Markup {
  const standing = standingOf(task);
  const name = clip(task.id, 120);
  const by = task.agent === null ? '' : `, by ${clip(task.agent, 80)}`;
  return markup`<tr id="t${number}" class="is-${standing}"><th scope="row" class="name">${report === undefined ? markup`<b>${name}</b>` : markup`<a href="${report}">${name}</a>`}<small>${clip(task.type, 80)}${by}</small></th>
<td>${renderStanding(standing)}<small>${renderState(task)}</small></td>
<td>${renderOpen(task)}</td>
<td class="time">${renderMoment(task.declared)}</td>
<td class="time">${renderWindow(task)}</td>
<td class="seen">${renderSeen(task)}</td></tr>
`;
}

function renderState({ state, pendingUntil }: ListedTask): string {
  return pendingUntil === null ? state : `${state}, waits until ${clip(showTime(pendingUntil), 40).slice(0, 16)}`;
}

const mostReasons = 6;

function renderOpen({ verdict, open }: ListedTask): Markup {
  if (verdict === null || verdict === 'proven') return markup`<span class="none">–</span>`;
  if (open === null) return markup`<span class="none">not kept: judged by an older version</span>`;
  const more = open.length > mostReasons ? markup`<small>and ${open.length - mostReasons} more</small>` : nothing;
  return markup`<ul class="names">${open.slice(0, mostReasons).map(renderReason)}</ul>${more}`;
}

function renderReason({ claim, code, kind, findings }: OpenReason): Markup {
  const times = findings > 1 ? ` ×${findings}` : '';
  return markup`<li title="${clip(claim, 60)}"><span class="${kindOf(kind)}"><code class="code">${clip(code, 60)}</code></span>${times}</li>`;
}

/** A word, and the class that colours it, for a kind of finding. */
export function kindOf(kind: string): 'breach' | 'doubt' | 'waiting' {
  return kind === 'counterexample' ? 'breach' : kind === 'wait' ? 'waiting' : 'doubt';
}

function toSeconds(shown: string): string {
  return shown.replace(/(?<=\d\d:\d\d:\d\d)\.\d{3}/g, '');
}

function renderMoment(time: string): Markup {
  const shown = toSeconds(showTime(time));
  return toMillis(time) === undefined
    ? markup`${clip(time, 40)}`
    : markup`${shown.slice(0, 10)}<small>${shown.slice(11)}</small>`;
}

function renderWindow({ window: { start, end } }: ListedTask): Markup {
  if (start === undefined) return markup`<span class="none">–</span>`;
  const [from, until] = [toMillis(start), toMillis(end)];
  const length = from === undefined || until === undefined ? 'open' : showDuration(until - from);
  return markup`${length}<small>${clip(toSeconds(showSpan(start, end)), 80)}</small>`;
}

function renderSeen({ counts }: ListedTask): Markup {
  if (counts === null) return markup`<span class="none">–</span>`;
  const egress = plural(counts.egress, 'connection');
  return markup`${plural(counts.processes, 'process', 'processes')}<small>${egress}, ${plural(counts.uses, 'use')}</small>`;
}
