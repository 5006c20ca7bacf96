import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { WayIn } from '../evidence/record-log.ts';
import type { TelemetrySettings } from '../model/collector.ts';
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
 * were not taken are in the next ones, spans that were not are counted and gone.
 */
export function openOwnTelemetry({ settings, metrics, log, ...rest }: OwnTelemetryOptions): OwnTelemetry {
  const steps = settings.spans ? recordSteps() : undefined;
  let exporter: OwnExporter | undefined;
  let isFailing = false;
  let running = Promise.resolve();

  async function send(spans: readonly TaskSpan[]): Promise<void> {
    exporter ??= await open(settings, rest);
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
      if (!isFailing) log.warn({ err: error }, 'own telemetry was not taken; it goes on');
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
      const last = running.then(() => (isFailing ? undefined : round()));
      await Promise.race([last, sleep(longestEnd, undefined, { ref: false })]);
      await exporter?.close().catch(() => undefined);
    },
  };
}

/** False when the signal came first. */
function slept(seconds: number, signal: AbortSignal): Promise<boolean> {
  return sleep(seconds * 1000, true, { signal }).catch(() => false);
}

/** The SDK is loaded here: it would cost every other command a third of a second. */
async function open(
  { otlp, protocol, headers, ca, cert, key }: TelemetrySettings,
  rest: Pick<OwnTelemetryOptions, 'env' | 'store' | 'version'>,
): Promise<OwnExporter> {
  const { openOwnExporter } = await import('../telemetry/otlp/own-exporter.ts');
  return openOwnExporter({ url: otlp, protocol, headers, ca, cert, certKey: key, ...rest });
}
