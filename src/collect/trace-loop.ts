import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import type { WayIn } from '../evidence/record-log.ts';
import { readSummary, summaryFolder, type TaskSummary } from '../judge/task-summary.ts';
import type { TracesSettings } from '../model/collector.ts';
import { type Ended, runCommand, whyOf } from './child-command.ts';
import { readState } from './state.ts';

/** What was exported of a task, kept beside its report, so that a restart does not send it again. */
export interface TraceState {
  /** Of the report that was exported. */
  readonly fingerprint: string;
  readonly traceId: string;
  readonly spans: number;
  readonly leftOut: number;
  /** Spans that the backend refused for good. */
  readonly rejected: number;
}

export interface TraceLoopOptions {
  readonly store: string;
  readonly traces: TracesSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Declared tasks. */
  readonly tasks: () => Iterable<string>;
  readonly exported: (task: string, state: TraceState) => void;
  readonly failed: (task: string, why: string) => void;
  /** How many final tasks wait to be exported. */
  readonly waiting: (count: number) => void;
  /** First pause after a failure, ms; it doubles with each. */
  readonly pause?: number;
  readonly run?: typeof runCommand;
}

export interface TraceLoop extends WayIn {
  /** A task was judged: takes it in when it is final and not exported as it is now. */
  readonly judged: (task: string) => void;
}

/** Tasks that are remembered as waiting; what goes beyond is found again on disk. */
const mostWaiting = 1000;
const longestPause = 300_000;
const longestTaskPause = 3_600_000;

interface Waiting {
  readonly fingerprint: string;
  readonly failures: number;
  readonly notBefore: number;
}

/**
 * Exports the trace of each task whose report is final, one after the other, in a process of its own with low priority.
 * What waits is no more than the final reports without a `trace.json` beside them: after a restart they are found again, and nothing
 * is lost while the backend is down. A failure pauses all, ever longer; a task that fails is put behind the others.
 */
export function traceLoop(options: TraceLoopOptions): TraceLoop {
  const { store, pause = 5000 } = options;
  const waiting = new Map<string, Waiting>();
  const noticed = new Set<string>();
  let missed = true; // final tasks that do not wait in memory
  let pauses = 0;
  let notBefore = 0;

  async function take(task: string): Promise<void> {
    const summary = await readSummary(store, task);
    if (summary?.final !== true) return;
    const fingerprint = fingerprintOf(summary);
    if ((await readState<TraceState>(stateFile(store, task)))?.fingerprint === fingerprint) return;
    if (waiting.get(task)?.fingerprint === fingerprint) return;
    if (waiting.size >= mostWaiting && !waiting.has(task)) missed = true;
    else waiting.set(task, { fingerprint, failures: 0, notBefore: 0 });
  }

  async function refill(): Promise<void> {
    for (const task of [...noticed]) {
      noticed.delete(task);
      await take(task);
    }
    if (!missed || waiting.size > mostWaiting / 2) return;
    missed = false;
    for (const task of options.tasks()) await take(task);
  }

  async function exportOne(task: string, { fingerprint, failures }: Waiting, signal: AbortSignal): Promise<void> {
    const state = await exportTask(task, fingerprint, options, signal).catch((error: unknown) => String(error));
    if (signal.aborted && typeof state === 'string') return;
    if (typeof state !== 'string') {
      waiting.delete(task);
      pauses = 0;
      options.exported(task, state);
      return;
    }
    options.failed(task, state);
    const now = Date.now();
    notBefore = now + Math.min(pause * 2 ** pauses, longestPause);
    pauses += 1;
    const own = Math.min(pause * 2 ** failures, longestTaskPause);
    waiting.delete(task);
    waiting.set(task, { fingerprint, failures: failures + 1, notBefore: now + own });
  }

  /** Whether there was something to do. */
  async function look(signal: AbortSignal): Promise<boolean> {
    await refill();
    options.waiting(waiting.size);
    const now = Date.now();
    const due = now < notBefore ? undefined : [...waiting].find(([, one]) => one.notBefore <= now);
    if (due === undefined) return false;
    await exportOne(...due, signal);
    return true;
  }

  return {
    judged: (task) => void noticed.add(task),
    async run(signal) {
      while (!signal.aborted) {
        // whatever goes wrong here must not end the collector
        const worked = await look(signal).catch((error: unknown) => {
          options.failed('', String(error));
          return false;
        });
        if (!worked) await sleep(Math.min(pause, 1000), undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

export function stateFile(store: string, task: string): string {
  return join(summaryFolder(store, task), 'trace.json');
}

/** Changes when a report says something else of its task; a report that was only made again is the same. */
function fingerprintOf({ verdict, window, counts }: TaskSummary): string {
  return JSON.stringify([verdict, window.start ?? null, window.end ?? null, Object.values(counts)]);
}

/** What was exported, which is then on disk, or why nothing was. */
async function exportTask(
  task: string,
  fingerprint: string,
  { store, traces, env, run = runCommand }: TraceLoopOptions,
  signal: AbortSignal,
): Promise<TraceState | string> {
  const args = ['trace', task, '--report', join(summaryFolder(store, task), 'report.json'), '--json'];
  const ended = await run([...args, ...toArguments(traces)], env, signal);
  const result = parseResult(ended);
  if (result === undefined) return whyOf(ended);
  const state = { fingerprint, ...result };
  await writeFileAtomic(stateFile(store, task), `${JSON.stringify(state)}\n`);
  return state;
}

function toArguments({ otlp, protocol, headers, ca, cert, key, maxSpans, parent }: TracesSettings): string[] {
  const given = { '--otlp': otlp, '--protocol': protocol, '--ca': ca, '--cert': cert, '--cert-key': key };
  return [
    ...Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}=${value}`]),
    '--max-spans',
    String(maxSpans),
    '--parent',
    parent,
  ];
}

/** The command prints its result only when the backend took the trace; it may have refused spans of it. */
function parseResult({ code, stdout }: Ended): Omit<TraceState, 'fingerprint'> | undefined {
  if (code !== 0 && code !== 2) return undefined;
  try {
    const { traceId, spans, leftOut, rejected } = JSON.parse(stdout) as Omit<TraceState, 'fingerprint'>;
    return { traceId, spans, leftOut, rejected };
  } catch {
    return undefined;
  }
}
