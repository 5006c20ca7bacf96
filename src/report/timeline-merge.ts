import type { Mark, Standing } from './timeline-lanes.ts';
import { clip } from './visible.ts';

/** A mark in pixels; several that would paint over each other are one. */
export interface DrawnMark {
  readonly ids: readonly string[];
  readonly x: number;
  readonly end: number;
  readonly standing: Standing;
  readonly hollow: boolean;
  readonly title: string;
}

/**
 * Merges marks of one row that look alike and begin within a few pixels of each other, so that the size of the page is
 * bounded by its pixels and not by the evidence. In a crowd, bars that touch are one too; dots stay where they are.
 */
export function mergeMarks(
  marks: readonly Mark[],
  scale: (time: number) => number,
  crowded: boolean,
): readonly DrawnMark[] {
  const placed = marks
    .map(({ id, from, until, standing, hollow, title }) => {
      return { ids: [id], x: scale(from), end: scale(until), standing, hollow, titles: [title] };
    })
    .sort((a, b) => a.x - b.x);
  const merged: typeof placed = [];
  const last = new Map<string, (typeof placed)[number]>();
  for (const mark of placed) {
    const look = `${mark.standing} ${mark.hollow}`;
    const before = last.get(look);
    if (before !== undefined && mark.x <= (crowded ? Math.max(before.end + 3, before.x + 8) : before.x + 2)) {
      before.ids.push(...mark.ids);
      before.titles.push(...mark.titles);
      if (mark.end > mark.x) before.end = Math.max(before.end, mark.end);
    } else {
      merged.push(mark);
      last.set(look, mark);
    }
  }
  return merged.map(({ titles, ...mark }) => ({ ...mark, title: toTitle(titles) }));
}

function toTitle(titles: readonly string[]): string {
  const [first = ''] = titles;
  if (titles.length === 1) return clip(first, 600);
  const more = titles.length > 2 ? ` · and ${titles.length - 2} more` : '';
  return `${titles.length}: ${titles
    .slice(0, 2)
    .map((title) => clip(title, 160))
    .join(' · ')}${more}`;
}
