import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { fileNameOf } from '../evidence/file-name.ts';
import type { Claim } from '../model/claim.ts';
import type { DeclaredRecord } from '../model/declared-record.ts';
import { type OpenReason, parseSummary, type TaskSummary } from '../model/task-summary.ts';
import type { StoredJudgement } from './judge-stored.ts';

export type { TaskSummary } from '../model/task-summary.ts';

/** Where reports on a task are kept beside a store. */
export function summaryFolder(store: string, task: string): string {
  return join(store, 'reports', fileNameOf(task));
}

export function toSummary({ report, state, judgedUntil, task, size }: StoredJudgement): TaskSummary {
  const findings = report.claims.flatMap((claim) => claim.findings).filter(({ kind }) => kind !== 'note');
  return {
    schema: 'tallystick/summary/v1',
    task: report.task.id,
    state,
    verdict: report.verdict,
    window: report.window,
    counts: {
      processes: report.processes.length,
      egress: report.connections.length,
      uses: report.uses.length,
      findings: findings.length,
    },
    judgedUntil: judgedUntil ?? null,
    size,
    final: state === 'final',
    pendingUntil: report.pendingUntil ?? null,
    open: toReasons(report.claims),
    declaration: {
      sha256: declarationDigest(task.record),
      type: task.declaration.task.type,
      agent: task.declaration.task.agent ?? null,
    },
  };
}

export function declarationDigest({ declaration }: DeclaredRecord): string {
  return createHash('sha256').update(declaration).digest('hex');
}

/** In the order in which the report tells them. */
function toReasons(claims: readonly Claim[]): OpenReason[] {
  const reasons = new Map<string, OpenReason>();
  for (const { id, findings } of claims)
    for (const { code, kind } of findings) {
      if (kind === 'note') continue;
      const key = JSON.stringify([id, code, kind]);
      reasons.set(key, { claim: id, code, kind, findings: (reasons.get(key)?.findings ?? 0) + 1 });
    }
  return [...reasons.values()];
}

/** Whoever may only read the store makes reports too: that it could not be kept is no error. */
export async function keepSummary(store: string, summary: TaskSummary): Promise<void> {
  const path = join(summaryFolder(store, summary.task), 'summary.json');
  await writeFileAtomic(path, `${JSON.stringify(summary, null, 2)}\n`).catch(() => undefined);
}

/** Undefined where there is none, or what is there is not one of this task. */
export async function readSummary(store: string, task: string): Promise<TaskSummary | undefined> {
  const text = await readFile(join(summaryFolder(store, task), 'summary.json'), 'utf8').catch(() => '');
  const summary = parseSummary(text);
  return summary?.task === task ? summary : undefined;
}

/** So many at a time: one after the other waits for the disk each time, and all at once would run out of open files. */
const batch = 64;

/** Those that there are, by task. */
export async function readSummaries(store: string, tasks: readonly string[]): Promise<Map<string, TaskSummary>> {
  const summaries = new Map<string, TaskSummary>();
  for (let start = 0; start < tasks.length; start += batch) {
    const some = tasks.slice(start, start + batch);
    for (const summary of await Promise.all(some.map((task) => readSummary(store, task))))
      if (summary !== undefined) summaries.set(summary.task, summary);
  }
  return summaries;
}
