import type { Node, Ns } from '../world.ts';

const eventTypes = (
  'PROCESS_EXEC PROCESS_EXIT PROCESS_KPROBE PROCESS_LOADER PROCESS_LSM PROCESS_THROTTLE PROCESS_TRACEPOINT PROCESS_UPROBE ' +
  'PROCESS_USDT RATE_LIMIT_INFO'
).split(' ');
const opcodes = '0 13 14 15 16 23 24 25 26 27 28 5 7'.split(' ');

/** Links and programs by what they are attached to and the policy they belong to. */
const links = [
  ['38 retkprobes', 'egress-audit'],
  ['acct_process', '__base__'],
  ['kprobe_multi (1 functions)', 'lineage-audit'],
  ['kprobe_multi (1 functions)', 'tls-hello'],
  ['kprobe_multi (2 functions)', 'dns-audit'],
  ['kprobe_multi (38 functions)', 'egress-audit'],
  ['security_bprm_committing_creds', '__base__'],
  ['wake_up_new_task', '__base__'],
] as const;
const programs = [
  ...links,
  ['5 retuprobes', 'dns-libc'],
  ['io_uring/io_uring_submit_req', 'iouring-audit'],
  ['sched/sched_process_exec', '__base__'],
  ['socket', '__base__'],
  ['uprobe_multi (5 functions)', 'dns-libc'],
] as const;

/** Binaries that are busy on every node, and their events a minute by kind. */
const busy = [
  ['/bin/bash', { PROCESS_EXEC: 10, PROCESS_EXIT: 5, PROCESS_KPROBE: 6 }],
  ['/usr/bin/curl', { PROCESS_EXEC: 2, PROCESS_EXIT: 2, PROCESS_KPROBE: 70, PROCESS_UPROBE: 2 }],
  ['/usr/local/bin/tetragon', { PROCESS_EXEC: 0, PROCESS_KPROBE: 52 }],
] as const;
/** Hooks of a busy binary and their policies, with events a minute. */
const busyHooks = [
  ['kprobe:tcp_connect', 'egress-audit', 2],
  ['kprobe:tcp_close', 'egress-audit', 2],
  ['kprobe:security_socket_create', 'egress-audit', 20],
  ['kprobe:wake_up_new_task', 'lineage-audit', 2],
  ['kprobe:udp_sendmsg', 'dns-audit', 4],
  ['kprobe:tcp_sendmsg', 'tls-hello', 1],
  ['uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6/getaddrinfo', 'dns-libc', 2],
] as const;

const build = { commit: '4fbfe2d74ecb84acf79ed09a416f01b54185e8a6', go_version: 'go1.26.10', modified: 'false' };

/**
 * The agent's counters at a time, by name and labels as Prometheus prints them: those of loss as the world has them, zero
 * again after a restart; the others grow with the age of the agent.
 */
export function toMetrics(node: Node, at: Ns): Record<string, number> {
  const { started, restarts, losses, cached } = node.sensor;
  const boot = [started, ...restarts].reduce((last, one) => (one <= at && one > last ? one : last), started);
  const age = Number((at - boot) / 1_000_000n) / 60_000; // minutes
  const grown = (each: number): number => Math.max(0, Math.floor(age * each)) + 1;
  const metrics = new Map<string, number>();
  const add = (name: string, labels: Readonly<Record<string, string>>, value: number): void => {
    const text = Object.entries(labels).map(([key, label]) => `${key}="${label}"`);
    metrics.set(text.length === 0 ? name : `${name}{${text.join(',')}}`, value);
  };
  const place = { namespace: '', node_name: '', pod: '' };

  add('process_start_time_seconds', {}, Math.round(Number((boot + node.skew) / 10_000_000n)) / 100);
  const enoent = { error: '2', error_name: 'ENOENT', file_name: 'policy_stats.h', helper_func: 'FnMapLookupElem' };
  add('tetragon_bpf_error_metrics_total', { ...enoent, line_number: '60' }, grown(190));
  add('tetragon_build_info', { ...build, time: '2026-08-21T17:27:24Z', version: 'snapshot-4fbfe2d74ecb' }, 1);
  for (const type of 'check delete delete_fail lookup_fail process throttle_start throttle_stop update_fail'.split(
    ' ',
  )) {
    add('tetragon_cgroup_rate_total', { type }, 0);
  }
  const entries = cached.filter(({ from }) => from <= at).sort((a, b) => (a.from < b.from ? -1 : 1));
  add('tetragon_event_cache_entries', {}, entries.at(-1)?.entries ?? 0);
  for (const event_type of eventTypes) {
    add('tetragon_event_cache_errors_total', { error: 'nil_process_pid', event_type }, 0);
  }
  for (const entry_type of ['ancestors_info', 'parent_info', 'pod_info', 'process_info']) {
    for (const event_type of eventTypes)
      add('tetragon_event_cache_fetch_failures_total', { entry_type, event_type }, 0);
    add('tetragon_event_cache_fetch_retries_total', { entry_type }, 0);
  }
  add('tetragon_event_cache_inserts_total', {}, 0);
  add('tetragon_events_missing_process_info_total', {}, 0);
  for (const [binary, kinds] of busy) {
    for (const [type, each] of Object.entries(kinds)) {
      add('tetragon_events_total', { binary, ...place, type, workload: '' }, grown(each));
    }
  }
  add('tetragon_export_ratelimit_events_dropped_total', {}, 0);
  for (const error of ['event_handler_failed', 'perf_empty_data', 'unknown_opcode']) {
    for (const opcode of opcodes) add('tetragon_handler_errors_total', { error, opcode }, 0);
  }
  for (const [attach, policy] of links) add('tetragon_missed_link_probes_total', { attach, policy }, 0);
  for (const [attach, policy] of programs) add('tetragon_missed_prog_probes_total', { attach, policy }, 0);
  add('tetragon_notify_overflowed_events_total', {}, 0);
  add('tetragon_observer_ringbuf_errors_total', {}, 0);
  add('tetragon_observer_ringbuf_events_lost_total', {}, 0);
  add('tetragon_observer_ringbuf_events_received_total', {}, grown(1600));
  add('tetragon_observer_ringbuf_queue_events_lost_total', {}, 0);
  add('tetragon_observer_ringbuf_queue_events_received_total', {}, grown(1600));
  for (const [hook, policy, each] of busyHooks) {
    const labels = { binary: '/usr/bin/curl', hook, ...place, policy, workload: '' };
    add('tetragon_policy_events_total', labels, grown(each));
  }
  add('tetragon_process_cache_capacity', {}, 65_536);
  add('tetragon_process_cache_early_deletions_total', {}, 0);
  add('tetragon_process_cache_evictions_total', {}, grown(40));
  for (const operation of ['get', 'remove']) add('tetragon_process_cache_misses_total', { operation }, 0);
  add('tetragon_process_cache_size', {}, 113);
  for (const state of ['disabled', 'enabled', 'error', 'load_error', 'partially_enabled', 'skipped']) {
    add('tetragon_tracingpolicy_loaded', { state }, state === 'enabled' ? 6 : 0);
  }
  for (const loss of losses) {
    if (loss.at <= boot || loss.at > at) continue;
    const key = loss.labels === '' ? loss.metric : `${loss.metric}{${loss.labels}}`;
    metrics.set(key, (metrics.get(key) ?? 0) + loss.by);
  }
  return Object.fromEntries([...metrics].sort(([one], [other]) => (one < other ? -1 : 1)));
}
