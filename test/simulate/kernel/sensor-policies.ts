import { createHash } from 'node:crypto';
import { hooks, policyLabel } from './hooks.ts';
import type { Ns, PolicyName, PolicyState, Sensor } from '../world.ts';

/** A policy as the sensor of the lab has it loaded. */
interface Loaded {
  readonly policy: PolicyName;
  readonly id: number;
  readonly sensor: string;
  readonly domain: string;
  readonly memory: string;
  /** Posts a second on a busy node; undefined where the sensor counts none. */
  readonly posts: number | undefined;
  /** Hooks with selectors, which alone are counted on their own. */
  readonly counted: readonly { readonly hook: string; readonly index: number }[];
  /** Empty for tracepoints: the sensor tells no state of theirs. */
  readonly hooks: readonly string[];
}

const libc = '/usr/lib/x86_64-linux-gnu/libc.so.6';

/** In the order of lab/policy/10-egress-audit.yaml. */
const egressHooks = (
  'security_socket_connect __sys_connect_file tcp_connect ip4_datagram_connect ip6_datagram_connect tcp_sendmsg_fastopen ' +
  'mptcp_connect sctp_inet_connect sctp_sendmsg vsock_connect udp_sendmsg udpv6_sendmsg ip_send_skb ip6_send_skb ' +
  'raw_sendmsg rawv6_sendmsg ping_v4_sendmsg ping_v6_sendmsg packet_sendmsg packet_sendmsg_spkt unix_stream_connect ' +
  'unix_dgram_connect unix_dgram_sendmsg inet_csk_accept security_socket_create security_socket_bind ' +
  'security_socket_listen tcp_sendmsg_locked tcp_close __scm_send scm_detach_fds receive_fd sys_pidfd_getfd sys_setns ' +
  'sys_unshare sys_ptrace sys_process_vm_writev sys_io_uring_setup'
).split(' ');

const policies: readonly Loaded[] = [
  {
    ...{ policy: 'egress-audit', id: 2, sensor: 'generic_kprobe', domain: 'static', memory: '10333208', posts: 12 },
    counted: [
      { hook: hooks.result.name, index: 1 },
      { hook: hooks.send.name, index: 27 },
    ],
    hooks: egressHooks,
  },
  {
    ...{ policy: 'iouring-audit', id: 3, sensor: 'generic_tracepoint', domain: 'static', memory: '265072' },
    ...{ posts: undefined, counted: [], hooks: [] },
  },
  {
    ...{ policy: 'lineage-audit', id: 4, sensor: 'generic_kprobe', domain: 'static', memory: '332064', posts: 2 },
    ...{ counted: [], hooks: ['wake_up_new_task'] },
  },
  {
    ...{ policy: 'dns-audit', id: 5, sensor: 'generic_kprobe', domain: 'static', memory: '336984', posts: 2 },
    counted: [
      { hook: 'udp_sendmsg', index: 0 },
      { hook: 'skb_consume_udp', index: 1 },
    ],
    hooks: ['udp_sendmsg', 'skb_consume_udp'],
  },
  {
    ...{ policy: 'dns-libc', id: 6, sensor: 'generic_uprobe', domain: 'static', memory: '427584', posts: 1 },
    ...{ counted: [], hooks: [libc, libc] },
  },
  {
    ...{ policy: 'tls-audit', id: 11, sensor: 'generic_kprobe', domain: 'grpc', memory: '332064', posts: 1 },
    ...{ counted: [{ hook: 'tcp_sendmsg', index: 0 }], hooks: ['tcp_sendmsg'] },
  },
];

/** TracingPolicyStatus of each, as a health line tells them at a time: from `turn` on, for the order is a Go map's. */
export function toPolicies(sensor: Sensor, at: Ns, turn: number): object[] {
  const order = policies.map((_, n) => policies[(n + turn) % policies.length]).filter((one) => one !== undefined);
  return order.flatMap((loaded) => {
    const all = sensor.policyStates.filter(({ policy }) => policy === loaded.policy);
    const now = all.filter(({ from, until }) => from <= at && at < until);
    return now.some(({ state }) => state === 'absent') ? [] : [toStatus(sensor, loaded, all, now, at)];
  });
}

function toStatus(
  sensor: Sensor,
  loaded: Loaded,
  all: readonly PolicyState[],
  now: readonly PolicyState[],
  at: Ns,
): object {
  const missing = now.flatMap(({ state, hook }) => (state === 'hook-missing' ? (hook ?? '') : []));
  const renamed = now.some(({ state }) => state === 'renamed');
  const { id, since, domain } = lastLoading(sensor, loaded, all, at);
  const head = {
    id: String(id),
    name: `${policyLabel(loaded.policy)}${renamed ? '-2' : ''}`,
    sensors: [loaded.sensor],
  };
  const statuses = loaded.hooks.map((hook, n) => hookStatus(loaded, hook, n, missing));
  const tail = { domain, ...(statuses.length === 0 ? {} : { hook_statuses: statuses }) };
  if (now.some(({ state }) => state === 'disabled')) return { ...head, state: 'TP_STATE_DISABLED', ...tail };
  return {
    ...head,
    enabled: true,
    state: missing.length > 0 ? 'TP_STATE_PARTIALLY_ENABLED' : 'TP_STATE_ENABLED',
    kernel_memory_bytes: loaded.memory,
    mode: 'TP_MODE_MONITOR_ONLY',
    stats: toStats(loaded, at - since),
    ...tail,
  };
}

/**
 * Since when a policy counts, and under which id. Switched off and on it counts anew; added anew it has another id, and is no
 * longer one of those from files.
 */
function lastLoading(
  sensor: Sensor,
  loaded: Loaded,
  all: readonly PolicyState[],
  at: Ns,
): { id: number; since: Ns; domain: string } {
  const starts = [sensor.started, ...sensor.restarts].filter((start) => start <= at);
  let since = starts.reduce((latest, start) => (start > latest ? start : latest), sensor.started);
  let { id, domain } = loaded;
  for (const { state, from, until } of all) {
    const turn = state === 'reloaded' ? from : until;
    if (turn > at || turn < since) continue;
    if (state === 'disabled') since = turn;
    if (state !== 'absent' && state !== 'reloaded') continue;
    since = turn;
    id += 10;
    domain = 'grpc';
  }
  return { id, since, domain };
}

function toStats({ posts, counted }: Loaded, age: Ns): object {
  if (posts === undefined) return { action_counters: {} };
  const count = Math.floor((Number(age / 1_000_000n) / 1000) * posts) + posts;
  const part = (n: number): string =>
    String(Math.floor(count / counted.length) + (n === 0 ? count % counted.length : 0));
  return {
    action_counters: { post: String(count) },
    ...(counted.length === 0
      ? {}
      : {
          selector_action_counters: counted.map(({ hook, index }, n) => ({
            hook: `kprobe:${hook}`,
            hook_index: index,
            selector_index: 0,
            action_counters: { post: part(n) },
          })),
        }),
  };
}

function hookStatus({ sensor }: Loaded, hook: string, n: number, missing: readonly string[]): object {
  // system calls are told by the name that the policy gives them, not by the symbol of the event
  const gone = missing.some((name) => name === hook || name === hook.replace('sys_', '__x64_sys_'));
  return {
    section: `${sensor.slice('generic_'.length)}s`,
    state: gone ? 'STATUS_CALL_NOT_FOUND' : 'STATUS_LOADED',
    hook_description: hook,
    ...(n === 0 ? {} : { hook_idx: n }),
  };
}

/** Digests of what the policies say: only where one of them changes, for the recorded lines tell none. */
export function toSpecs(sensor: Sensor, at: Ns): { name: string; sha256: string }[] | undefined {
  const narrowed = sensor.policyStates.filter(({ state }) => state === 'narrowed');
  if (narrowed.length === 0) return undefined;
  return policies.map(({ policy }) => {
    const other = narrowed.some((state) => state.policy === policy && state.from <= at && at < state.until);
    const text = `${policy} ${other ? 'narrowed' : 'whole'}`;
    return { name: policyLabel(policy), sha256: createHash('sha256').update(text).digest('hex') };
  });
}
