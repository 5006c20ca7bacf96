import type { Report } from '../model/report.ts';
import type { PlacedFinding } from './form.ts';

/**
 * What a finding has in common with the same finding of another run of the same type of task: claim, code and subject, without
 * what is new in every run (the task's id, names and keys of its sessions, ids of records and objects, times, process ids).
 */
export function identityOverRuns(report: Report, { claim, finding }: PlacedFinding): string {
  return JSON.stringify([report.task.type, claim.id, finding.code, normalise(report, finding.subject)]);
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

function normalise(report: Report, subject: string): string {
  const { id } = report.task;
  if (subject === id) return '{task}';
  const own = report.sessions.filter((row) => row.declared || row.session.includes(id));
  if (own.some((row) => row.session === subject)) return '{session}';
  const known = own.flatMap(({ session, key }) => [[session, '{session}'] as const, [key, '{key}'] as const]);
  const named = known.reduce((text, [name, by]) => replaceWhole(text, name, by), subject);
  const general = perRun.reduce((text, [pattern, by]) => text.replace(pattern, by), named);
  // a short number is more likely a port than the task
  return /^\d{1,5}$/.test(id) ? general : replaceWhole(general, id, '{task}');
}

/** Replaces a name where it stands alone, not inside another word. */
function replaceWhole(text: string, name: string, by: string): string {
  if (name === '') return text;
  const parts = text.split(name);
  return parts.reduce((before, after, index) => {
    const alone = !/[0-9A-Za-z]$/.test(parts[index - 1] ?? '') && !/^[0-9A-Za-z]/.test(after);
    return `${before}${alone ? by : name}${after}`;
  });
}
