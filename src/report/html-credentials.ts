import type { Report, ReportSession } from '../model/report.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { showDuration, showTime, toMillis } from './times.ts';

const width = 200;

/** How long a credential could be used and how long it was, as text and as bars on one axis with the task's own time. */
export function renderLifetime(session: ReportSession, window: Report['window']): Markup {
  const { issued, expires } = session;
  const granted = spanOf(issued, expires);
  const used = spanOf(session.firstUse, session.lastUse);
  const share = granted === undefined || used === undefined || granted === 0 ? undefined : used / granted;
  const tellUsed =
    session.uses === 0
      ? 'never used'
      : used === undefined
        ? nothing
        : `used for ${showDuration(used)}${share === undefined ? '' : `, ${showShare(share)} of it`}`;
  return markup`<div class="lifetime">${drawLifetime(session, window)}<b>${granted === undefined ? 'length unknown' : `valid for ${showDuration(granted)}`}</b>
<small>${tellUsed}</small><small>issued ${issued === undefined ? 'unknown' : showTime(issued)}</small><small>expires ${expires === undefined ? 'unknown' : showTime(expires)}</small></div>`;
}

function spanOf(from: string | undefined, until: string | undefined): number | undefined {
  const [start, end] = [toMillis(from), toMillis(until)];
  return start === undefined || end === undefined ? undefined : Math.max(end - start, 0);
}

function showShare(share: number): string {
  return share > 0 && share < 0.01 ? 'less than 1 %' : `${Math.round(share * 100)} %`;
}

/** Wide bar: granted; narrow bar in it: from first to last use; dashed lines: the task's window. */
function drawLifetime(session: ReportSession, window: Report['window']): Markup {
  const [issued, expires, first, last, start, end] = [
    session.issued,
    session.expires,
    session.firstUse,
    session.lastUse,
    window.start,
    window.end,
  ].map(toMillis);
  const times = [issued, expires, first, last, start, end].flatMap((time) => time ?? []);
  const [from, until] = [Math.min(...times), Math.max(...times)];
  if (times.length < 2 || until <= from) return nothing;
  const scale = (time: number): number => Math.round(((time - from) / (until - from)) * (width - 8) * 10) / 10 + 4;
  const bar = (look: string, begin: number | undefined, stop: number | undefined, y: number, height: number): Markup =>
    begin === undefined || stop === undefined
      ? nothing
      : markup`<rect class="${look}" x="${scale(begin)}" y="${y}" width="${Math.max(Math.round((scale(stop) - scale(begin)) * 10) / 10, 3)}" height="${height}" rx="2"/>`;
  const edges = [start, end].flatMap((time) =>
    time === undefined ? [] : [markup`<line class="window" x1="${scale(time)}" y1="0" x2="${scale(time)}" y2="22"/>`],
  );
  return markup`<svg class="small" width="${width}" height="22" viewBox="0 0 ${width} 22" aria-hidden="true">${bar('life', issued, expires ?? until, 5, 12)}${edges}${bar('bar matched', first, last, 8, 6)}</svg>`;
}

export function drawShare(share: number): Markup {
  return markup`<svg class="small" width="120" height="10" viewBox="0 0 120 10" aria-hidden="true"><rect class="life" x="0" y="1" width="120" height="8" rx="4"/><rect class="bar matched" x="0" y="1" width="${Math.round(share * 120)}" height="8" rx="4"/></svg>`;
}

/** As IAM compares actions: without case, `*` for any characters and `?` for one. */
export function fitsGrant(pattern: string, action: string): boolean {
  return fits(pattern.toLowerCase(), action.toLowerCase());
}

/** Wildcards without going back more than once: a hostile pattern can't make it slow. */
function fits(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') [star, mark, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, mark, t] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
