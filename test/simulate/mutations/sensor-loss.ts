import type { WorldMutation } from './mutation.ts';
import { healthSteps, lifeOf } from './task-life.ts';

/** Every counter that tells of loss (design 7, Covered), with labels as the sensor has them and with some it never had. */
const counters: readonly { metric: string; labels: string }[] = [
  { metric: 'tetragon_bpf_missed_events_total', labels: 'error="EAGAIN",msg_op="13"' },
  { metric: 'tetragon_bpf_missed_events_total', labels: 'error="ENOSPC",msg_op="99"' },
  { metric: 'tetragon_observer_ringbuf_events_lost_total', labels: '' },
  { metric: 'tetragon_observer_ringbuf_queue_events_lost_total', labels: '' },
  { metric: 'tetragon_notify_overflowed_events_total', labels: '' },
  { metric: 'tetragon_export_ratelimit_events_dropped_total', labels: '' },
  {
    metric: 'tetragon_event_cache_fetch_failures_total',
    labels: 'entry_type="process_info",event_type="PROCESS_KPROBE"',
  },
  { metric: 'tetragon_event_cache_errors_total', labels: 'error="nil_process_pid",event_type="PROCESS_EXEC"' },
  { metric: 'tetragon_events_missing_process_info_total', labels: '' },
  { metric: 'tetragon_missed_link_probes_total', labels: 'attach="tcp_connect",policy="egress-audit"' },
  { metric: 'tetragon_missed_link_probes_total', labels: 'attach="wake_up_new_task",policy="lineage-audit"' },
  { metric: 'tetragon_missed_prog_probes_total', labels: 'attach="sys_exit",policy="__base__"' },
  { metric: 'tetragon_handler_errors_total', labels: 'error_type="event_handler_failed",opcode="13"' },
];

/** Counters that move on any node and tell of no loss. */
const harmless: readonly { metric: string; labels: string }[] = [
  {
    metric: 'tetragon_bpf_error_metrics_total',
    labels: 'error="2",error_name="ENOENT",file_name="policy_stats.h",helper_func="FnMapLookupElem",line_number="60"',
  },
  { metric: 'tetragon_msg_op_total', labels: 'msg_op="13"' },
  { metric: 'tetragon_process_cache_evictions_total', labels: '' },
  { metric: 'tetragon_event_cache_inserts_total', labels: '' },
];

export const lossMutations: readonly WorldMutation[] = [
  ...counters.map(({ metric, labels }, at): WorldMutation => ({
    id: `loss-${at + 1}-${metric.replace(/^tetragon_|_total$/g, '').replaceAll('_', '-')}`,
    group: 'sensor',
    about: `The sensor's counter ${metric} moved while the task ran.`,
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const step = random.maybe(healthSteps(node, life.from, life.until));
      if (step === undefined) return undefined;
      const at = step.from + (step.until - step.from) / BigInt(random.int(2, 9));
      node.sensor.losses.push({ at, metric, labels, by: random.chance(0.5) ? 1 : random.int(2, 9000) });
      return { truth: 'doubt', codes: ['sensor-loss'], names: [metric] };
    },
  })),
  {
    id: 'loss-outside-window',
    group: 'harmless',
    about: 'Events were lost between two health lines that both lie before the task, or both behind it.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const lines = node.sensor.health;
      const steps = lines.flatMap((until, at) => {
        const from = lines[at - 1];
        return from !== undefined && (until < life.window.from || from > life.window.until) ? [{ from, until }] : [];
      });
      const step = random.maybe(steps);
      if (step === undefined) return undefined;
      const { metric, labels } = random.pick(counters);
      node.sensor.losses.push({ at: (step.from + step.until) / 2n, metric, labels, by: random.int(1, 500) });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'counter-that-is-no-loss',
    group: 'harmless',
    about: 'A counter moved that tells of no loss.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const at = life.from + (life.until - life.from) / BigInt(random.int(2, 9));
      node.sensor.losses.push({ at, ...random.pick(harmless), by: random.int(1, 500) });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
];
