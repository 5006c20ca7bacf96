import { visible } from './visible.ts';

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/;

/** Milliseconds since 1970 of an RFC 3339 time in UTC; undefined for anything else. */
export function toMillis(time: string | undefined): number | undefined {
  if (time === undefined || !rfc3339.test(time)) return undefined;
  const millis = Date.parse(time);
  return Number.isNaN(millis) ? undefined : millis;
}

/** `2026-03-01 10:00:05.120`: UTC, to the millisecond; what is no time is shown as it stands. */
export function showTime(time: string): string {
  const parts = rfc3339.exec(time);
  if (parts === null) return visible(time);
  return `${parts[1] ?? ''} ${parts[2] ?? ''}${showFraction(parts[3])}`;
}

/** From–until, with the date once where it is the same; a missing end is told as open. */
export function showSpan(from: string | undefined, until: string | undefined): string {
  if (from === undefined && until === undefined) return 'time unknown';
  if (from === undefined) return `until ${showTime(until ?? '')}`;
  if (until === undefined) return `from ${showTime(from)}`;
  if (from === until) return showTime(from);
  const start = showTime(from);
  const end = showTime(until);
  const sameDay = rfc3339.test(from) && rfc3339.test(until) && start.slice(0, 10) === end.slice(0, 10);
  return `${start} – ${sameDay ? end.slice(11) : end}`;
}

/** `850 ms`, `42.5 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. */
export function showDuration(millis: number): string {
  const seconds = millis / 1000;
  if (millis < 1000) return `${millis} ms`;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const [size, unit, part, small] = seconds < 3600 ? large.minute : seconds < 86_400 ? large.hour : large.day;
  const rest = Math.floor((seconds % size) / part);
  return `${Math.floor(seconds / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

const large = {
  minute: [60, 'min', 1, 's'],
  hour: [3600, 'h', 60, 'min'],
  day: [86_400, 'd', 3600, 'h'],
} as const;

function showFraction(fraction: string | undefined): string {
  const millis = (fraction ?? '').slice(1, 4).padEnd(3, '0');
  return millis === '000' ? '' : `.${millis}`;
}
