import { hostname } from 'node:os';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type HrTime } from '@opentelemetry/api';
import { otel, schemaUrl } from '../names.ts';
import type { TaskSpan } from '../span.ts';
import { toBatches } from './batches.ts';
import { openExporter, openMetricExporter } from './exporter.ts';
import { toFailure } from './failure.ts';
import { type Measured, toMetricData } from './metric-data.ts';
import { toReadableSpan } from './readable-span.ts';
import { exportOnce, sendBatch } from './send-batch.ts';
import { openTarget, type Target, type TargetOptions } from './target.ts';

/** Sends what the collector tells of itself. Each call throws TallyError when the backend does not take it. */
export interface OwnExporter {
  sendMetrics(metrics: readonly Measured[]): Promise<void>;
  sendSpans(spans: readonly TaskSpan[]): Promise<void>;
  close(): Promise<void>;
}

export interface OwnExporterOptions extends TargetOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Of the store: with the host's name it tells this collector from others. */
  readonly store: string;
}

/** Telemetry is worth less than an early answer. */
const longestMs = 5000;

/** Throws TallyError for settings that can't be used; reaches for the backend only when something is sent. */
export async function openOwnExporter({ env, version, store, ...options }: OwnExporterOptions): Promise<OwnExporter> {
  const metricTarget = toShort(await openTarget(options, env, 'metrics'));
  const spanTarget = toShort(await openTarget(options, env, 'traces'));
  const host = hostname();
  const attributes = {
    [otel.serviceName]: 'tallystick-collector',
    [otel.serviceVersion]: version,
    [otel.serviceInstance]: `${host}:${store}`,
    [otel.host]: host,
  };
  const resource = resourceFromAttributes(attributes, { schemaUrl });
  const scope = { name: 'tallystick', version, schemaUrl };
  const start = toHrTime(Date.now() - process.uptime() * 1000);
  const metrics = openMetricExporter(metricTarget);
  const spans = openExporter(spanTarget);
  return {
    async sendMetrics(measured) {
      const scopeMetrics = [{ scope, metrics: toMetricData(measured, start, toHrTime(Date.now())) }];
      await exportOnce((done) => metrics.exporter.export({ resource, scopeMetrics }, done), metricTarget).catch(
        failed(metricTarget, 'the metrics'),
      );
    },
    async sendSpans(list) {
      for (const batch of toBatches(list)) {
        const readable = batch.map((span) => toReadableSpan(span, resource, version));
        await sendBatch(spans.exporter, readable, spanTarget).catch(failed(spanTarget, 'the spans'));
      }
    },
    async close() {
      await Promise.all([metrics.close(), spans.close()]);
    },
  };
}

function failed(target: Target, what: string): (error: unknown) => never {
  return (error) => {
    throw toFailure(error, target, 0, what);
  };
}

function toShort(target: Target | undefined): Target {
  if (target === undefined) throw new TypeError('the configuration has an URL');
  return { ...target, timeoutMs: Math.min(target.timeoutMs, longestMs) };
}

function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.floor((ms % 1000) * 1_000_000)];
}
