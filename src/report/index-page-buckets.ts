import type { ListedTask } from '../model/listed-task.ts';
import { type Tally, tallyOf } from './index-page-counts.ts';
import { toMillis } from './times.ts';

const hour = 3_600_000;
const day = 24 * hour;
const week = 7 * day;
/** 1970-01-05 was the first Monday. */
const firstMonday = 4 * day;

const mostBuckets = 62;
/** A chart of fewer bars is filled up with the empty time before. */
const leastBuckets = 14;

interface Unit {
  readonly name: 'hour' | 'day' | 'week' | 'month';
  /** Number of the bucket that a time falls into. */
  readonly toIndex: (millis: number) => number;
  readonly toStart: (index: number) => number;
  readonly toLabel: (iso: string) => string;
}

const units: readonly Unit[] = [
  even('hour', hour, 0, (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`),
  even('day', day, 0, (iso) => iso.slice(0, 10)),
  even('week', week, firstMonday, (iso) => `week of ${iso.slice(0, 10)}`),
];
const month: Unit = {
  name: 'month',
  toIndex: (millis) => new Date(millis).getUTCFullYear() * 12 + new Date(millis).getUTCMonth(),
  toStart: (index) => Date.UTC(Math.floor(index / 12), index % 12, 1),
  toLabel: (iso) => iso.slice(0, 7),
};

function even(name: Unit['name'], size: number, offset: number, toLabel: Unit['toLabel']): Unit {
  return {
    name,
    toIndex: (millis) => Math.floor((millis - offset) / size),
    toStart: (index) => index * size + offset,
    toLabel,
  };
}

export interface Bucket {
  readonly label: string;
  readonly tally: Tally;
  readonly total: number;
}

export interface Buckets {
  readonly unit: Unit['name'];
  readonly buckets: readonly Bucket[];
  /** Tasks that were declared before the first bucket. */
  readonly earlier: number;
}

/**
 * Tasks by when they were declared, a moment that every task has and that no later judgement moves: by hour, day, week or
 * month, whichever is the finest of which there are not too many. Undefined where no task has a time.
 */
export function toBuckets(tasks: readonly ListedTask[]): Buckets | undefined {
  const timed = tasks.flatMap((task) => {
    const millis = toMillis(task.declared);
    return millis === undefined ? [] : [{ task, millis }];
  });
  if (timed.length === 0) return undefined;
  const from = timed.reduce((least, { millis }) => Math.min(least, millis), Infinity);
  const until = timed.reduce((most, { millis }) => Math.max(most, millis), -Infinity);
  const unit = units.find(({ toIndex }) => toIndex(until) - toIndex(from) < mostBuckets) ?? month;
  const last = unit.toIndex(until);
  const first = Math.max(last - mostBuckets + 1, Math.min(unit.toIndex(from), last - leastBuckets + 1));
  const grouped = new Map<number, ListedTask[]>();
  for (const { task, millis } of timed) {
    const index = unit.toIndex(millis);
    const group = grouped.get(index);
    if (group === undefined) grouped.set(index, [task]);
    else group.push(task);
  }
  const earlier = [...grouped].reduce((sum, [index, group]) => sum + (index < first ? group.length : 0), 0);
  return { unit: unit.name, buckets: range(first, last).map((index) => toBucket(unit, index, grouped)), earlier };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function toBucket(unit: Unit, index: number, grouped: ReadonlyMap<number, readonly ListedTask[]>): Bucket {
  const tasks = grouped.get(index) ?? [];
  const label = unit.toLabel(new Date(unit.toStart(index)).toISOString());
  return { label, tally: tallyOf(tasks), total: tasks.length };
}
