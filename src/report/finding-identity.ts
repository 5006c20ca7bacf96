import type { Report } from '../model/report.ts';
import type { PlacedFinding } from './form.ts';

/**
 * What a finding has in common with the same finding of another run of the same type of task: claim, code and subject, without
 * what is new in every run (the task's id, names and keys of its sessions, ids of records and objects, times, process ids).
 */
export function identityOverRuns(report: Report): (one: PlacedFinding) => string {
  const normalise = toNormalise(report);
  return ({ claim, finding }) => JSON.stringify([report.task.type, claim.id, finding.code, normalise(finding.subject)]);
}

/** What names a finding within one task; later judgements of the task find the same. */
export function identityInTask(report: Report, { claim, finding }: PlacedFinding): string {
  return JSON.stringify([report.task.id, claim.id, finding.code, finding.subject, finding.from ?? '']);
}

/** Counts how often a text came before, so that equal findings of one report can be told apart: 1, 2, … */
export function counter(): (text: string) => number {
  const seen = new Map<string, number>();
  return (text) => {
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    return count;
  };
}

const perRun: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '{id}'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '{time}'],
  [/\d{8}T\d{4,6}Z/g, '{time}'],
  // a container, a digest, an object of a log; an account has digits alone
  [/(?<![0-9a-zA-Z])(?=\d*[a-f])[0-9a-f]{12,}(?![0-9a-zA-Z])/g, '{id}'],
  [/\bpid \d+/g, 'pid {pid}'],
];

function toNormalise({ task, sessions }: Report): (subject: string) => string {
  const own = sessions.filter((row) => row.declared || row.session.includes(task.id));
  const replaceNames = toReplace([
    ...own.map(({ key }) => [key, '{key}'] as const),
    ...own.map(({ session }) => [session, '{session}'] as const),
  ]);
  // a short number is more likely a port than the task
  const replaceTask = toReplace(/^\d{1,5}$/.test(task.id) ? [] : [[task.id, '{task}']]);
  return (subject) => {
    if (subject === task.id) return '{task}';
    const general = perRun.reduce((text, [pattern, by]) => text.replace(pattern, by), replaceNames(subject));
    return replaceTask(general);
  };
}

/**
 * Replaces names where they stand alone, not inside another word, the longest first. It looks at each place of the text once for
 * each length that names have, however many names there are.
 */
function toReplace(names: readonly (readonly [string, string])[]): (text: string) => string {
  const known = new Map(names.filter(([name]) => name !== ''));
  const lengths = [...new Set([...known.keys()].map((name) => name.length))].sort((a, b) => b - a);
  const nameAt = (text: string, at: number): string | undefined => {
    if (isInWord(text, at - 1)) return undefined;
    const length = lengths.find((one) => !isInWord(text, at + one) && known.has(text.slice(at, at + one)));
    return length === undefined ? undefined : text.slice(at, at + length);
  };
  return (text) => {
    const parts: string[] = [];
    let done = 0;
    for (let at = 0; at < text.length; at += 1) {
      const name = nameAt(text, at);
      if (name === undefined) continue;
      parts.push(text.slice(done, at), known.get(name) ?? '');
      done = at + name.length;
      at = done - 1;
    }
    return [...parts, text.slice(done)].join('');
  };
}

/** An ASCII letter or digit. */
function isInWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
