import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Store } from '../evidence/store.ts';
import type { HealthLine } from '../sources/sensor-health.ts';

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
  readonly streamBreaks: Counter<'node'>;
  readonly sensorErrors: Counter<'node'>;
  readonly sensorLosses: Counter<'node'>;
  readonly exportLag: Gauge<'node'>;
  readonly trailObjects: Gauge<'account' | 'region'>;
  readonly trailRefused: Gauge<'account' | 'region'>;
  readonly newestDigest: Gauge<'account' | 'region'>;
  readonly openTasks: Gauge;
  readonly reports: Counter<'verdict'>;
  readonly attestFailures: Counter;
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
    help: 'Tasks judged, by verdict: again when the verdict is another than before, and perhaps once more after a restart',
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
      help: 'When the last frame of the sensor was received; the start of the collector before the first',
      labelNames: ['node'] as const,
      registers,
    }),
    streamBreaks: new Counter({
      name: 'tally_stream_breaks_total',
      help: 'Times that the stream of the sensor broke',
      labelNames: ['node'] as const,
      registers,
    }),
    sensorErrors: new Counter({
      name: 'tally_sensor_errors_total',
      help: 'Health lines with an error: the sensor vouched for nothing',
      labelNames: ['node'] as const,
      registers,
    }),
    sensorLosses: new Counter({
      name: 'tally_sensor_losses_total',
      help: 'Health lines in which a loss counter of the sensor had moved',
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
      help: 'End of the newest digest; the start of the collector before the first',
      labelNames: byChain,
      registers,
    }),
    openTasks: new Gauge({ name: 'tally_open_tasks', help: 'Declared tasks without a final report', registers }),
    reports,
    attestFailures: new Counter({
      name: 'tally_attest_failures_total',
      help: 'Times that a report lacks what a witness or another service of `attest` should have added, as that failed',
      registers,
    }),
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

/** Counts a judgement where its verdict is another than the last one of that task. */
export function countVerdicts({ reports }: Pick<Metrics, 'reports'>): (task: string, verdict: string) => void {
  const last = new Map<string, string>();
  return (task, verdict) => {
    if (last.get(task) === verdict) return;
    last.set(task, verdict);
    reports.inc({ verdict });
  };
}

/** Those that count for every task of the node; which else count for one, its report tells. */
const lossCounters =
  /^tetragon_(bpf_missed_events|observer_ringbuf_(queue_)?events_lost|notify_overflowed_events|event_cache_(fetch_failures|errors)|events_missing_process_info|handler_errors)_total(\{|$)/;

/** Counts health lines with an error, and those whose loss counters are not those of the line before. */
export function countHealth(metrics: Metrics, node: string): (line: Pick<HealthLine, 'error' | 'metrics'>) => void {
  const errors = metrics.sensorErrors.labels({ node });
  const losses = metrics.sensorLosses.labels({ node });
  for (const counter of [errors, losses]) counter.inc(0); // one that begins with 1 is no increase
  let before: Readonly<Record<string, number>> | undefined;
  return ({ error, metrics: now }) => {
    if (error !== undefined) errors.inc();
    if (now === undefined) return;
    const start = 'process_start_time_seconds';
    // a sensor that was started anew counts from 0, and so does a label that was not there
    const from = before?.[start] === now[start] ? before : {};
    const moved = Object.entries(now).some(([name, value]) => lossCounters.test(name) && value > (from?.[name] ?? 0));
    if (moved && before !== undefined) losses.inc();
    before = now;
  };
}
