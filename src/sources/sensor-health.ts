import { setTimeout as sleep } from 'node:timers/promises';
import type { Records, WayIn } from '../evidence/record-log.ts';
import type { TetragonSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { type PolicySpec, readPolicySpecs } from './policy-specs.ts';
import { type Clock, printable, type SensorLine, toRecord, toTime, wallClock } from './sensor-line.ts';
import { askMetrics } from './sensor-metrics.ts';
import { openTetragon, type Tetragon } from './tetragon-api.ts';
import type { ExportSettings, SensorInfo } from './tetragon-messages.ts';

/** How the sensor was (design 9). With `error` it vouches for nothing, whatever else it tells. */
export interface HealthLine extends SensorLine {
  readonly kind: 'health';
  /** When the last answer was there; what the line tells was read between `time` and this. */
  readonly answered: string;
  /** Seconds between two lines that are asked for by no one. */
  readonly interval: number;
  readonly error?: string;
  readonly version?: string;
  readonly policies?: readonly unknown[];
  readonly metrics?: Readonly<Record<string, number>>;
  readonly specs?: readonly PolicySpec[];
  readonly export?: ExportSettings;
  readonly conf?: string;
  readonly info?: Readonly<Record<string, unknown>>;
  /** What could not be had and no claim needs, by name: why. */
  readonly missing?: Readonly<Record<string, string>>;
}

export interface WatchHealthOptions {
  readonly clock?: Clock;
  /** Told of every line that was made. */
  readonly onLine?: (line: HealthLine) => void;
}

/** Asks at its start, at every interval and at its stop. */
export interface HealthWatch extends WayIn {
  /** Asks now; resolves with the line once it is on disk. Many calls at once share one question, asked after them all. */
  now(): Promise<HealthLine>;
}

const deadline = 5000;

/**
 * Asks the agent of one node how it is: version, settings, policies with the state of their hooks, counters, and what the
 * policy files say. Never throws for what the agent does: without policies or counters the line is an `error`.
 *
 * `time` is before the first question. A counter that is read at t speaks for what was lost up to t, so a line may only
 * speak for what happened before anything was asked: of an event between question and answer no one knows whether the
 * counter has it. What the line tells to have happened may be as late as `answered`.
 */
export async function askSensor(
  source: TetragonSource,
  tetragon: Tetragon | TallyError,
  clock: Clock = wallClock,
): Promise<HealthLine> {
  const asked = clock();
  const api = tetragon instanceof TallyError ? undefined : tetragon;
  const unreachable = (): Promise<never> =>
    Promise.reject(tetragon instanceof TallyError ? tetragon : new TypeError('no agent to ask'));
  const [version, info, policies, metrics, specs] = await Promise.all([
    attempt(() => api?.version(deadline) ?? unreachable()),
    attempt(() => api?.info(deadline) ?? unreachable()),
    attempt(() => api?.policies(deadline) ?? unreachable()),
    attempt(() => (source.metrics === undefined ? noMetrics() : askMetrics(source.metrics, deadline))),
    attempt(() => (source.policies === undefined ? Promise.resolve(undefined) : readPolicySpecs(source.policies))),
  ]);
  const needed = [...new Set([policies, metrics].flatMap(({ why }) => why ?? []))];
  const error = needed.length > 0 ? needed.join('; ') : lacking(metrics.value ?? {});
  const missing = Object.entries({ version, info, specs }).flatMap(([name, { why }]) =>
    why === undefined ? [] : [[name, why] as const],
  );
  return {
    kind: 'health',
    node: source.node,
    time: toTime(asked),
    answered: toTime(clock()),
    interval: source.interval,
    ...(error === undefined ? {} : { error }),
    ...(version.value === undefined ? {} : { version: version.value }),
    ...(policies.value === undefined ? {} : { policies: policies.value }),
    ...(metrics.value === undefined ? {} : { metrics: telling(metrics.value) }),
    ...(specs.value === undefined ? {} : { specs: specs.value }),
    ...(info.value === undefined ? {} : infoParts(info.value)),
    ...(missing.length === 0 ? {} : { missing: Object.fromEntries(missing) }),
  };
}

/** Keeps health lines of one node in stream `sensor`. */
export function watchHealth(source: TetragonSource, records: Records, options: WatchHealthOptions = {}): HealthWatch {
  const clock = options.clock ?? wallClock;
  let tetragon: Tetragon | undefined;
  let asking: Promise<HealthLine> | undefined;
  let waiting: Promise<HealthLine> | undefined;

  const ask = async (): Promise<HealthLine> => {
    const opened = tetragon ?? (await openTetragon(source).catch(toTallyError));
    tetragon = opened instanceof TallyError ? undefined : opened;
    const line = await askSensor(source, opened, clock);
    if (line.error !== undefined || line.missing !== undefined) {
      tetragon?.close(); // whatever it hangs on, the next question comes over a connection of its own
      tetragon = undefined;
    }
    options.onLine?.(line);
    const log = await records.log('sensor', source.node);
    await log.append(toRecord(line), clock());
    return line;
  };
  const start = (): Promise<HealthLine> => {
    const mine = ask().finally(() => {
      if (asking === mine) asking = undefined;
    });
    asking = mine;
    return mine;
  };
  const afterwards = async (running: Promise<HealthLine>): Promise<HealthLine> => {
    await running.catch(() => undefined); // told to whoever asked for it
    waiting = undefined;
    return start();
  };
  const now = (): Promise<HealthLine> =>
    // an answer that is already under way began before this call: it does not speak for the time until now
    asking === undefined ? start() : (waiting ??= afterwards(asking));

  const run = async (signal: AbortSignal): Promise<void> => {
    for (let next = performance.now(); !signal.aborted;) {
      await now().catch(onlyUnkept);
      next = Math.max(next + source.interval * 1000, performance.now());
      await sleep(next - performance.now(), undefined, { signal }).catch(() => undefined);
    }
    await now().catch(onlyUnkept);
    tetragon?.close();
    tetragon = undefined;
  };
  return { now, run };
}

interface Answer<T> {
  readonly value?: T;
  readonly why?: string;
}

async function attempt<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return { why: printable(error.message) };
  }
}

function noMetrics(): Promise<never> {
  const why = 'no metrics address is configured, so no loss counters can be read';
  return Promise.reject(new TallyError('input', why));
}

/** A page that is whole but is not this agent's, or not all of it, must not read as an agent that lost nothing. */
function lacking(metrics: Readonly<Record<string, number>>): string | undefined {
  if (metrics['process_start_time_seconds'] === undefined) return 'metrics: the page has no process_start_time_seconds';
  const counts = Object.keys(metrics).some((name) => /^tetragon_.*_total(\{|$)/.test(name));
  return counts ? undefined : 'metrics: the page has no counter of Tetragon';
}

/** A label that is absent counts as 0 (design 7), which most of hundreds are. */
function telling(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(metrics).filter(([name, value]) => value !== 0 || !name.includes('{')));
}

function infoParts({ digest, build, export: settings }: SensorInfo): Pick<HealthLine, 'conf' | 'info' | 'export'> {
  return { conf: digest, info: { build }, ...(settings === undefined ? {} : { export: settings }) };
}

function toTallyError(error: unknown): TallyError {
  if (error instanceof TallyError) return error;
  throw error;
}

/** A line that the store could not keep is counted and told by the store. */
function onlyUnkept(error: unknown): void {
  if (!(error instanceof TallyError)) throw error;
}
