import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { isMissing } from '../evidence/missing-file.ts';
import type { WayIn } from '../evidence/record-log.ts';
import { readSummary, summaryFolder } from '../judge/task-summary.ts';
import type { TracesSettings } from '../model/collector.ts';
import { type Ended, runCommand, whyOf } from './child-command.ts';
import { readState } from './state.ts';

/** What was exported of a task, kept beside its report, so that a restart does not send it again. */
export interface TraceState {
  /** SHA-256 of the report that was exported. */
  readonly fingerprint: string;
  /** Of its file: where it is the same, the report need not be read. */
  readonly stamp: string;
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

interface Later {
  readonly failures: number;
  readonly notBefore: number;
}

interface Waiting extends Later {
  readonly stamp: string;
}

/**
 * Exports the trace of each task whose report is final, one after the other, in a process of its own with low priority.
 * What waits is no more than the final reports without a `trace.json` beside them: after a restart they are found again, and nothing
 * is lost while the backend is down. A failure pauses all, ever longer; a task that fails is put behind the others.
 */
export function traceLoop(options: TraceLoopOptions): TraceLoop {
  const { store, pause = 5000 } = options;
  const waiting = new Map<string, Waiting>();
  /** To be looked at: just judged, or not readable when they were. */
  const noticed = new Map<string, Later>();
  let missed = true; // final tasks that do not wait in memory
  let pauses = 0;
  let notBefore = 0;

  async function take(task: string, isJudged: boolean): Promise<void> {
    const summary = await readSummary(store, task);
    if (summary === undefined && isJudged) throw new Error('its summary can’t be read');
    if (summary?.final !== true) return;
    const stamp = await stampOf(store, task);
    if ((await readState<TraceState>(stateFile(store, task)))?.stamp === stamp) return;
    if (waiting.get(task)?.stamp === stamp) return;
    if (waiting.size >= mostWaiting && !waiting.has(task)) missed = true;
    else waiting.set(task, { stamp, failures: 0, notBefore: 0 });
  }

  /** One that can't be read must not hold up the others: it is looked at again, ever later. */
  async function tryTake(task: string, isJudged: boolean, failures = 0): Promise<void> {
    try {
      await take(task, isJudged);
    } catch (error) {
      options.failed(task, String(error));
      if (noticed.has(task)) return; // judged again meanwhile
      noticed.set(task, { failures: failures + 1, notBefore: Date.now() + pauseOf(failures) });
    }
  }

  function pauseOf(failures: number): number {
    return Math.min(pause * 2 ** failures, longestTaskPause);
  }

  async function refill(): Promise<void> {
    const now = Date.now();
    for (const [task, { failures, notBefore: due }] of [...noticed]) {
      if (due > now) continue;
      noticed.delete(task);
      await tryTake(task, true, failures);
    }
    if (!missed || waiting.size > mostWaiting / 2) return;
    missed = false;
    for (const task of options.tasks()) if (!noticed.has(task)) await tryTake(task, false);
  }

  async function exportOne(task: string, { stamp, failures }: Waiting, signal: AbortSignal): Promise<void> {
    const outcome = await exportTask(task, options, signal).catch((error: unknown): Outcome => ({
      failed: String(error),
    }));
    if (!('failed' in outcome)) {
      waiting.delete(task);
      pauses = 0;
      if (outcome.isNew) options.exported(task, outcome.state);
      return;
    }
    if (signal.aborted) return;
    options.failed(task, outcome.failed);
    const now = Date.now();
    if (outcome.own !== true) {
      notBefore = now + Math.min(pause * 2 ** pauses, longestPause);
      pauses += 1;
    }
    waiting.delete(task);
    waiting.set(task, { stamp, failures: failures + 1, notBefore: now + pauseOf(failures) });
  }

  /** Whether there was something to do. */
  async function look(signal: AbortSignal): Promise<boolean> {
    await refill();
    options.waiting(waiting.size + noticed.size);
    const now = Date.now();
    const due = now < notBefore ? undefined : [...waiting].find(([, one]) => one.notBefore <= now);
    if (due === undefined) return false;
    await exportOne(...due, signal);
    return true;
  }

  return {
    judged: (task) => void noticed.set(task, { failures: 0, notBefore: 0 }),
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

function reportFile(store: string, task: string): string {
  return join(summaryFolder(store, task), 'report.json');
}

/** Another one for every report that was written. */
async function stampOf(store: string, task: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(reportFile(store, task), { bigint: true });
    return [ino, size, mtimeNs].join('-');
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}

/** Read in pieces: a report may be big, and parsing it would hold up the evidence. */
async function readReport(path: string): Promise<{ fingerprint: string; verdict: string | undefined }> {
  const hash = createHash('sha256');
  let verdict: string | undefined;
  let isFirst = true;
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(part);
    // the order of keys is fixed: schema, verdict
    if (isFirst) verdict = /^\{[^{}]{0,200}?"verdict":\s*"(\w+)"/.exec(part.toString('latin1'))?.[1];
    isFirst = false;
  }
  return { fingerprint: hash.digest('hex'), verdict };
}

type Outcome =
  | { readonly state: TraceState; readonly isNew: boolean }
  /** `own`: it is this task's own trouble, others need not wait for it. */
  | { readonly failed: string; readonly own?: boolean };

/** What was exported, which is then on disk, or why nothing was. */
async function exportTask(
  task: string,
  { store, traces, env, run = runCommand }: TraceLoopOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const path = reportFile(store, task);
  // before it is sent: a report that is written meanwhile then counts as another one, and is sent again
  const stamp = await stampOf(store, task);
  const { fingerprint, verdict } = await readReport(path);
  const summary = await readSummary(store, task);
  if (verdict !== summary?.verdict) {
    const failed = `its report says ${verdict ?? 'nothing'}, its summary ${summary?.verdict ?? 'nothing'}: one of them is old`;
    return { failed, own: true };
  }
  const before = await readState<TraceState>(stateFile(store, task));
  if (before?.fingerprint === fingerprint) return { state: await keep({ ...before, stamp }), isNew: false };
  const ended = await run(
    ['trace', task, '--report', path, '--json', ...toArguments(traces)],
    toEnv(env, traces),
    signal,
  );
  const result = parseResult(ended);
  if (result === undefined) return { failed: whyOf(ended) };
  return { state: await keep({ fingerprint, stamp, ...result }), isNew: true };

  async function keep(state: TraceState): Promise<TraceState> {
    await writeFileAtomic(stateFile(store, task), `${JSON.stringify(state)}\n`);
    return state;
  }
}

/** Headers: command lines are seen by other users of the machine. What stands last counts. */
function toEnv(env: TraceLoopOptions['env'], { headers }: TracesSettings): TraceLoopOptions['env'] {
  const own = Object.entries(headers).map(([name, value]) =>
    [name.toLowerCase(), value].map(encodeURIComponent).join('='),
  );
  if (own.length === 0) return env;
  const given = env[headersVariable]?.trim() ?? '';
  return { ...env, [headersVariable]: [...(given === '' ? [] : [given]), ...own].join(',') };
}

const headersVariable = 'OTEL_EXPORTER_OTLP_TRACES_HEADERS';

function toArguments({ otlp, protocol, ca, cert, key, maxSpans, parent }: TracesSettings): string[] {
  const given = { '--otlp': otlp, '--protocol': protocol, '--ca': ca, '--cert': cert, '--cert-key': key };
  return [
    ...Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
    '--max-spans',
    String(maxSpans),
    '--parent',
    parent,
  ];
}

type Result = Omit<TraceState, 'fingerprint' | 'stamp'>;

/** The command prints its result only when the backend took the trace; it may have refused spans of it. */
function parseResult({ code, stdout }: Ended): Result | undefined {
  if (code !== 0 && code !== 2) return undefined;
  try {
    const { traceId, spans, leftOut, rejected } = JSON.parse(stdout) as Result;
    return { traceId, spans, leftOut, rejected };
  } catch {
    return undefined;
  }
}
