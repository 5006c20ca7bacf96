import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Store } from '../evidence/store.ts';

/** The collector's own health as Prometheus metrics; docs/collector.md lists them. */
export interface Metrics {
  readonly registry: Registry;
  readonly records: Gauge<'stream' | 'origin'>;
  readonly refused: Gauge<'stream' | 'origin'>;
  readonly waitingBytes: Gauge;
  readonly waitingRecords: Gauge;
  readonly sealSeconds: Gauge;
  readonly sealWaitingBytes: Gauge;
  readonly segments: Gauge;
  readonly sealFailures: Gauge;
  readonly connected: Gauge<'node' | 'way'>;
  readonly lastFrame: Gauge<'node'>;
  readonly exportLag: Gauge<'node'>;
  readonly trailObjects: Gauge<'account' | 'region'>;
  readonly trailRefused: Gauge<'account' | 'region'>;
  readonly newestDigest: Gauge<'account' | 'region'>;
  readonly openTasks: Gauge;
  readonly reports: Counter<'verdict'>;
  readonly tracesWaiting: Gauge;
  readonly tracesExported: Counter;
  readonly traceFailures: Counter;
  readonly telemetryFailures: Counter;
  readonly telemetrySpansDropped: Counter;
}

export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const byStream = ['stream', 'origin'] as const;
  const byChain = ['account', 'region'] as const;
  const reports = new Counter({
    name: 'tally_reports_total',
    help: 'Reports made, by verdict',
    labelNames: ['verdict'] as const,
    registers,
  });
  // a counter that begins with 1 is no increase to Prometheus
  for (const verdict of ['proven', 'violated', 'unproven', 'pending']) reports.inc({ verdict }, 0);
  return {
    registry,
    records: new Gauge({
      name: 'tally_records',
      help: 'Records kept since the start',
      labelNames: byStream,
      registers,
    }),
    refused: new Gauge({
      name: 'tally_records_refused',
      help: 'Records that could not be kept since the start; each is in a gap',
      labelNames: byStream,
      registers,
    }),
    waitingBytes: new Gauge({ name: 'tally_waiting_bytes', help: 'Bytes that wait for the disk', registers }),
    waitingRecords: new Gauge({ name: 'tally_waiting_records', help: 'Records that wait for the disk', registers }),
    sealSeconds: new Gauge({
      name: 'tally_seal_seconds',
      help: 'Time that sealing has taken since the start',
      registers,
    }),
    sealWaitingBytes: new Gauge({
      name: 'tally_seal_waiting_bytes',
      help: 'Bytes of log files that wait to be sealed',
      registers,
    }),
    segments: new Gauge({ name: 'tally_segments', help: 'Segments sealed since the start', registers }),
    sealFailures: new Gauge({
      name: 'tally_seal_failures',
      help: 'Attempts to seal that failed since the start',
      registers,
    }),
    connected: new Gauge({
      name: 'tally_source_connected',
      help: '1 while a way in is connected',
      labelNames: ['node', 'way'] as const,
      registers,
    }),
    lastFrame: new Gauge({
      name: 'tally_last_frame_timestamp_seconds',
      help: 'When the last frame of the sensor was received',
      labelNames: ['node'] as const,
      registers,
    }),
    exportLag: new Gauge({
      name: 'tally_export_lag_bytes',
      help: 'Bytes of the export file that are not read yet',
      labelNames: ['node'] as const,
      registers,
    }),
    trailObjects: new Gauge({
      name: 'tally_trail_objects',
      help: 'Log and digest files taken since the start',
      labelNames: byChain,
      registers,
    }),
    trailRefused: new Gauge({
      name: 'tally_trail_objects_refused',
      help: 'Log and digest files that could not be read; each is in a gap',
      labelNames: byChain,
      registers,
    }),
    newestDigest: new Gauge({
      name: 'tally_trail_newest_digest_timestamp_seconds',
      help: 'End of the newest digest',
      labelNames: byChain,
      registers,
    }),
    openTasks: new Gauge({ name: 'tally_open_tasks', help: 'Declared tasks without a final report', registers }),
    reports,
    tracesWaiting: new Gauge({
      name: 'tally_traces_waiting',
      help: 'Tasks with a final report whose trace is not exported yet',
      registers,
    }),
    tracesExported: new Counter({
      name: 'tally_traces_exported_total',
      help: 'Traces that the backend took',
      registers,
    }),
    traceFailures: new Counter({
      name: 'tally_trace_failures_total',
      help: 'Attempts to export a trace that failed; each is tried again',
      registers,
    }),
    telemetryFailures: new Counter({
      name: 'tally_telemetry_failures_total',
      help: 'Attempts to export own metrics and spans that failed',
      registers,
    }),
    telemetrySpansDropped: new Counter({
      name: 'tally_telemetry_spans_dropped_total',
      help: 'Own spans that were not exported',
      registers,
    }),
  };
}

/** Brings the store's numbers up to date. */
export function measureStore(metrics: Metrics, store: Store): void {
  const { logs, waitingBytes, sealing } = store.stats();
  for (const { stream, origin, kept, refused } of logs) {
    metrics.records.set({ stream, origin }, kept);
    metrics.refused.set({ stream, origin }, refused);
  }
  metrics.waitingBytes.set(waitingBytes);
  metrics.waitingRecords.set(logs.reduce((sum, { waitingRecords }) => sum + waitingRecords, 0));
  metrics.segments.set(sealing.segments);
  metrics.sealSeconds.set(sealing.seconds);
  metrics.sealFailures.set(sealing.failures);
  metrics.sealWaitingBytes.set(sealing.waitingBytes);
}
