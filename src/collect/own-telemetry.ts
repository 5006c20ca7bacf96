import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { WayIn } from '../evidence/record-log.ts';
import type { TelemetrySettings } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import type { Measured } from '../telemetry/otlp/metric-data.ts';
import type { OwnExporter } from '../telemetry/otlp/own-exporter.ts';
import type { TaskSpan } from '../telemetry/span.ts';
import type { Metrics } from './metrics.ts';
import { noSteps, recordSteps, type Steps } from './steps.ts';

/** What the collector tells of itself by OTLP. */
export interface OwnTelemetry {
  readonly steps: Steps;
  /** Sends at each interval; `measure` brings the numbers up to date before. */
  way(measure: () => void): WayIn;
  /** Sends what came since, if the backend takes it soon. */
  close(): Promise<void>;
}

export const noTelemetry: OwnTelemetry = {
  steps: noSteps,
  way: () => ({ run: () => Promise.resolve() }),
  close: () => Promise.resolve(),
};

export interface OwnTelemetryOptions {
  readonly settings: TelemetrySettings;
  readonly store: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** ms */
const longestEnd = 2000;

/**
 * Sends the metrics that Prometheus would read, and a span of each step. Nothing waits for it and nothing fails by it: numbers that
 * were not taken are in the next ones, spans that were not are counted and gone. The SDK is loaded here, before evidence comes in: it
 * takes a third of a second in which nothing else is done, and every other command does without it.
 */
export async function openOwnTelemetry({
  settings,
  metrics,
  log,
  ...rest
}: OwnTelemetryOptions): Promise<OwnTelemetry> {
  const { openOwnExporter } = await import('../telemetry/otlp/own-exporter.ts');
  const { otlp, protocol, headers, ca, cert, key } = settings;
  const target = { url: otlp, protocol, headers, ca, cert, certKey: key };
  const steps = settings.spans ? recordSteps() : undefined;
  let exporter: OwnExporter | undefined;
  let isFailing = false;
  let running = Promise.resolve();

  async function send(spans: readonly TaskSpan[]): Promise<void> {
    exporter ??= await openOwnExporter({ ...target, ...rest });
    const measured = await metrics.registry.getMetricsAsJSON();
    await exporter.sendMetrics(measured as unknown as Measured[]); // prom-client's types call kinds numbers; they are words
    if (spans.length > 0) await exporter.sendSpans(spans);
  }

  function takeSpans(): readonly TaskSpan[] {
    const { spans, dropped } = steps?.take() ?? { spans: [], dropped: 0 };
    metrics.telemetrySpansDropped.inc(dropped);
    return spans;
  }

  async function round(): Promise<void> {
    const spans = takeSpans();
    try {
      await send(spans);
      if (isFailing) log.info('own telemetry is taken again');
      isFailing = false;
    } catch (error) {
      metrics.telemetryFailures.inc();
      metrics.telemetrySpansDropped.inc(spans.length);
      if (!isFailing) log.warn(toReason(error), 'own telemetry was not taken; it goes on');
      isFailing = true;
      const broken = exporter;
      exporter = undefined; // certificates may be others by then
      await broken?.close().catch(() => undefined);
    }
  }

  return {
    steps: steps ?? noSteps,
    way: (measure) => ({
      async run(signal) {
        const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        while (await slept(settings.interval, signal)) {
          measure();
          running = round();
          await Promise.race([running, ended]);
        }
      },
    }),
    async close() {
      const tooLate = sleep(longestEnd, undefined, { ref: false });
      await Promise.race([running.then(() => (isFailing ? undefined : round())), tooLate]);
      await Promise.race([exporter?.close().catch(() => undefined), tooLate]);
    },
  };
}

/** False when the signal came first. */
function slept(seconds: number, signal: AbortSignal): Promise<boolean> {
  return sleep(seconds * 1000, true, { signal }).catch(() => false);
}

/** What a reader can do about it, without the SDK's own objects: they hold headers. */
function toReason(error: unknown): { why: string; said?: readonly string[] } {
  if (!(error instanceof Error)) return { why: String(error) };
  return { why: error.message, ...(error instanceof TallyError ? { said: error.details } : {}) };
}
