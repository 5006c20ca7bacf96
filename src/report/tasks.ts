import type { Verdict } from '../model/claim.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { columns, toPaint, type Style } from './text-layout.ts';
import { showSpan, showTime } from './times.ts';
import { plural } from './words.ts';

const colours: Record<Verdict, Style> = { proven: 'green', violated: 'red', unproven: 'yellow', pending: 'blue' };

/** The tasks of a store for a terminal; `all`: how many it has besides those chosen. */
export function renderTasks(tasks: readonly ListedTask[], all: number, { color }: { readonly color: boolean }): string {
  if (all === 0) return 'No task was declared to this store yet.\n';
  if (tasks.length === 0) return `None of ${plural(all, 'task')} fits.\n`;
  const paint = toPaint(color);
  const head = ['task', 'type', 'declared', 'state', 'verdict', 'seen'];
  const rows = tasks.map((task) => [
    task.id,
    task.type,
    showTime(task.declared),
    task.state,
    task.verdict ?? '-',
    seen(task),
  ]);
  const painted = columns(0, [head, ...rows], (cell, column) => {
    const verdict = column === 4 ? (cell.trim() as Verdict) : undefined;
    return verdict !== undefined && Object.hasOwn(colours, verdict) ? paint(cell, colours[verdict]) : cell;
  });
  return `${painted.join('\n')}\n`;
}

function seen({ window, counts, pendingUntil }: ListedTask): string {
  const parts = [
    ...(window.start === undefined ? [] : [showSpan(window.start, window.end)]),
    ...(counts === null
      ? []
      : [
          plural(counts.processes, 'process', 'processes'),
          `${counts.egress} egress`,
          plural(counts.uses, 'use'),
          plural(counts.findings, 'finding'),
        ]),
    ...(pendingUntil === null ? [] : [`waits until ${showTime(pendingUntil)}`]),
  ];
  return parts.length === 0 ? '-' : parts.join(', ');
}
