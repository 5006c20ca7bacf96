import type { Report } from '../model/report.ts';
import type { Time } from './span.ts';

/** RFC 3339 in UTC; undefined for what is none, or lies outside what 64 bits of nanoseconds hold. */
export function toTime(text: string | undefined): Time | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text ?? '');
  const whole = Date.parse(`${match?.[1] ?? ''}Z`);
  if (Number.isNaN(whole) || whole <= 0 || whole >= latest) return undefined;
  return BigInt(whole) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}

const latest = Date.parse('2262-01-01T00:00:00Z');

export interface Bounds {
  readonly start: Time;
  readonly end: Time;
}

/**
 * The time that a task took: its window, and where that has no end (something still runs) until the newest time that anything
 * of it is known from. Undefined where nothing of it was seen.
 */
export function boundsOf({ window, processes, connections, uses }: Report): Bounds | undefined {
  let start = toTime(window.start);
  let end = toTime(window.end);
  const openStart = start === undefined;
  const openEnd = end === undefined;
  const see = (text: string | undefined): void => {
    const time = toTime(text);
    if (time === undefined) return;
    if (openStart && (start === undefined || time < start)) start = time;
    if (openEnd && (end === undefined || time > end)) end = time;
  };
  see(window.start);
  for (const { started, exited } of processes) [started, exited].forEach(see);
  for (const { opened, closed } of connections) [opened, closed].forEach(see);
  for (const { time } of uses) see(time);
  if (start === undefined || end === undefined) return undefined;
  return { start, end: end < start ? start : end };
}
