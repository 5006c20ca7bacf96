import type { Verdict } from '../model/claim.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { toMillis } from './times.ts';
import { marks, verdictLook } from './words.ts';

/** What is known of a task: its verdict, or that it has none yet. */
export type Standing = Verdict | 'unjudged';

/** The worst first; charts stack them in this order, from the bottom. */
export const standings: readonly Standing[] = ['violated', 'unproven', 'pending', 'unjudged', 'proven'];
export const standingMarks: Readonly<Record<Standing, string>> = { ...marks, unjudged: '–' };
export const standingWords: Readonly<Record<Standing, string>> = {
  violated: 'violated',
  unproven: 'unproven',
  pending: 'pending',
  unjudged: 'not judged yet',
  proven: 'proven',
};

export function standingOf({ verdict }: ListedTask): Standing {
  return verdict === null ? 'unjudged' : verdictLook(verdict);
}

export type Tally = Readonly<Record<Standing, number>>;

export function tallyOf(tasks: readonly ListedTask[]): Tally {
  const tally = { violated: 0, unproven: 0, pending: 0, unjudged: 0, proven: 0 };
  for (const task of tasks) tally[standingOf(task)] += 1;
  return tally;
}

/** How a group of tasks stands as a whole: as its worst one does. */
export function worstOf(tally: Tally): Standing {
  return standings.find((standing) => tally[standing] > 0) ?? 'unjudged';
}

/** `12 violated, 3 unproven`, leaving out what there is none of. */
export function tellTally(tally: Tally): string {
  const parts = standings.filter((standing) => tally[standing] > 0);
  return parts.map((standing) => `${tally[standing]} ${standingWords[standing]}`).join(', ');
}

/** Never rounded up: `100 %` says that it is all of them. */
export function showShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = Math.floor((100 * part) / whole);
  return part > 0 && percent === 0 ? 'below 1 %' : `${percent} %`;
}

/** Declared first, first; the id decides between two of one moment. */
export function inOrder(tasks: readonly ListedTask[]): ListedTask[] {
  const keyed = tasks.map((task) => ({ task, millis: toMillis(task.declared) ?? 0 }));
  keyed.sort(
    (a, b) => a.millis - b.millis || compare(a.task.declared, b.task.declared) || compare(a.task.id, b.task.id),
  );
  return keyed.map(({ task }) => task);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The newest time that the tasks' evidence holds; stands in for a clock. */
export function newestTime(tasks: readonly ListedTask[]): string | undefined {
  let newest: { readonly time: string; readonly millis: number } | undefined;
  for (const { declared, judgedUntil, window } of tasks)
    for (const time of [declared, judgedUntil ?? undefined, window.end]) {
      const millis = toMillis(time);
      if (time === undefined || millis === undefined) continue;
      if (newest === undefined || millis > newest.millis || (millis === newest.millis && time > newest.time))
        newest = { time, millis };
    }
  return newest?.time;
}
