import { setTimeout as sleep } from 'node:timers/promises';
import type { WayIn } from '../evidence/record-log.ts';
import { readSummary, summaryFolder, type TaskSummary } from '../judge/task-summary.ts';
import { own } from '../telemetry/names.ts';
import { runCommand, whyOf } from './child-command.ts';
import { noSteps, type StepResult, type Steps } from './steps.ts';

export interface JudgeLoopOptions {
  readonly store: string;
  /** Arguments and environment that give `tally report` the signing key. */
  readonly key: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Seconds between two looks. */
  readonly interval: number;
  /** Declared tasks, and when they were (RFC 3339). */
  readonly tasks: () => ReadonlyMap<string, { readonly declared: string }>;
  readonly seal: () => Promise<unknown>;
  readonly judged: (task: string, summary: TaskSummary) => void;
  readonly failed: (task: string, why: string) => void;
  /** A service of `attest` did not do its part for a report that is there all the same. */
  readonly notAttested?: (task: string, why: string) => void;
  /** How many tasks have no final report. */
  readonly open: (count: number) => void;
  readonly steps?: Steps;
}

/**
 * Judges every open task again and again until its report is final, and then now and then, one after the other, each in a process of its own with low
 * priority: evidence comes first. A task that waits for time is left alone until then, one that never began is looked at ever
 * more seldom, and judging a task takes at most a tenth of one core's time.
 */
export function judgeLoop(options: JudgeLoopOptions): WayIn {
  const { store, interval, tasks, steps = noSteps } = options;
  const final = new Set<string>();
  const closed = new Set<string>();
  const notBefore = new Map<string, number>();
  async function judgeTask(task: string, declared: string, signal: AbortSignal): Promise<void> {
    const started = Date.now();
    const work = (): Promise<TaskSummary | undefined> => report(task, options, signal);
    const summary = await steps.run('judge', work, (made) => toResult(task, made));
    const now = Date.now();
    const age = now - Date.parse(declared);
    if (summary?.final === true) rest(task, age);
    else notBefore.set(task, now + restOf(summary, { took: now - started, age, now, interval }));
    if (summary !== undefined) options.judged(task, summary);
  }
  /** A final report stands, but the task may have another process yet: looked for ever more seldom, for a week. */
  function rest(task: string, age: number): void {
    final.add(task);
    if (age > week) closed.add(task);
    notBefore.set(task, Date.now() + Math.max(age, tenMinutes));
  }
  return {
    async run(signal) {
      for (const [task, { declared }] of tasks())
        if ((await readSummary(store, task))?.final === true) rest(task, Date.now() - Date.parse(declared));
      while (!signal.aborted) {
        const open = [...tasks()].filter(([task]) => !closed.has(task));
        options.open(open.filter(([task]) => !final.has(task)).length);
        // one just declared has done nothing yet
        for (const [task] of open) if (!notBefore.has(task)) notBefore.set(task, Date.now() + interval * 1000);
        const due = open.filter(([task]) => (notBefore.get(task) ?? 0) <= Date.now());
        if (due.length > 0) await options.seal().catch(() => undefined); // told by the store, and tried again
        for (const [task, { declared }] of due) if (!isAborted(signal)) await judgeTask(task, declared, signal);
        await sleep(Math.min(interval, 5) * 1000, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

const tenMinutes = 600_000;
const week = 7 * 86_400_000;

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** How long a task is left alone, ms. */
function restOf(
  summary: TaskSummary | undefined,
  { took, age, now, interval }: { took: number; age: number; now: number; interval: number },
): number {
  const rest = Math.max(10 * took, interval * 1000);
  if (summary?.state === 'declared') return Math.max(rest, age / 10);
  const wait = Date.parse(summary?.pendingUntil ?? '') - now;
  // not longer than five minutes: a digest may come before it is due
  return Number.isNaN(wait) ? rest : Math.max(rest, Math.min(wait, 300_000));
}

function toResult(task: string, summary: TaskSummary | undefined): StepResult {
  const attributes = { [own.taskId]: task, [own.verdict]: summary?.verdict ?? undefined };
  return summary === undefined ? { attributes, failed: 'could not be judged' } : { attributes };
}

async function report(task: string, options: JudgeLoopOptions, signal: AbortSignal): Promise<TaskSummary | undefined> {
  const { store, key, env } = options;
  const args = [
    'report',
    task,
    '--store',
    store,
    '--out',
    summaryFolder(store, task),
    '--no-seal',
    '--best-effort',
    '--quiet',
    ...key,
  ];
  const ended = await runCommand(args, env, signal);
  if (ended.code !== 0 && ended.code !== 1 && ended.code !== 3) {
    if (!signal.aborted) options.failed(task, whyOf(ended));
    return undefined;
  }
  for (const [, why = ''] of ended.stderr.matchAll(/^not attested: (.*)$/gm)) options.notAttested?.(task, why);
  return readSummary(store, task);
}
