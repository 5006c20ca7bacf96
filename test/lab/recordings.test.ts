import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Comparison, compareEgress, type Excuse } from './egress-truth.ts';
import { openScenario, readTruth, scenarioFolder, type Tables, taskIdOf } from './lab.ts';

interface Expected {
  readonly records: number;
  readonly events: string;
  readonly processes: number;
  readonly flows: string;
  readonly seen: number;
  readonly unseen?: Comparison['unseen'];
}

const datagramless = 'a UDP connect without a datagram is no egress';
const down = 'the sensor was down or still loading its policies';
const dropped = 'lost: the burst overran the ring buffer and the queues';
const cutOff = 'after the end of the recording';
const disabled = 'the policy was disabled';
const limited = 'dropped by the rate limits of the export and of the cgroup';

/** What a recording is known to lack (lab/REPORT.md, scenarios against truth). A blind spot is named, never passed over. */
const excuses: Readonly<Record<string, readonly Excuse[]>> = {
  's07-inherited-socket': [{ reason: datagramless, action: 'connect_by_launcher', dest: '203.0.113.66:443' }],
  's14-burst': [{ reason: dropped }],
  's15a-restart-sigterm': [{ reason: down, from: '2026-11-21T09:53:55.5', until: '2026-11-21T09:54:56.6' }],
  's15b-restart-sigkill': [
    { reason: down, from: '2026-11-21T09:57:51.5', until: '2026-11-21T09:58:53.3' },
    { reason: cutOff, from: '2026-11-21T09:59:37' },
  ],
  's21a-policy-disable': [{ reason: disabled, from: '2026-11-21T10:00:29.2', until: '2026-11-21T10:00:40.6' }],
  's22b-lsm': [{ reason: datagramless, action: 'udp_connect' }],
  's23-rate-limits': [{ reason: limited }],
};

const scenarios: Readonly<Record<string, Expected>> = {
  's01-benign': {
    records: 323,
    events: 'exec 16, exit 11, kprobe 289, uprobe 7',
    processes: 25,
    flows: 'accepted 5, tcp 7, udp 14, unix 6',
    seen: 9,
  },
  's02-undeclared': {
    records: 263,
    events: 'exec 19, exit 13, kprobe 227, uprobe 4',
    processes: 28,
    flows: 'accepted 5, tcp 6, udp 10, unix 5',
    seen: 6,
  },
  's03-udp': {
    records: 101,
    events: 'exec 10, exit 5, kprobe 85, uprobe 1',
    processes: 18,
    flows: 'accepted 1, udp 13, unix 1',
    seen: 12,
  },
  's04-daemon': {
    records: 100,
    events: 'exec 12, exit 11, kprobe 76, uprobe 1',
    processes: 26,
    flows: 'accepted 4, tcp 3, udp 2, unix 1',
    seen: 3,
  },
  's05-unix-relay': {
    records: 93,
    events: 'exec 11, exit 9, kprobe 70, uprobe 3',
    processes: 23,
    flows: 'accepted 4, tcp 3, unix 4',
    seen: 3,
  },
  's06-loopback-relay': {
    records: 85,
    events: 'exec 11, exit 8, kprobe 64, uprobe 2',
    processes: 21,
    flows: 'accepted 5, tcp 4, unix 1',
    seen: 2,
  },
  's07-inherited-socket': {
    records: 58,
    events: 'exec 12, exit 7, kprobe 37, uprobe 2',
    processes: 19,
    flows: 'accepted 2, inherited 2, tcp 2, udp 1',
    seen: 6,
    unseen: { [datagramless]: 1 },
  },
  's09-fork-threads': {
    records: 186,
    events: 'exec 12, exit 17, kprobe 157',
    processes: 29,
    flows: 'accepted 8, tcp 14, unix 2',
    seen: 14,
  },
  's10-ipv6': {
    records: 202,
    events: 'exec 12, exit 7, kprobe 180, uprobe 3',
    processes: 21,
    flows: 'accepted 6, tcp 6, udp 7, unix 3',
    seen: 8,
  },
  's11-io-uring': {
    records: 82,
    events: 'exec 13, exit 8, kprobe 54, tracepoint 7',
    processes: 20,
    flows: 'accepted 4, tcp 3',
    seen: 3,
  },
  's12-raw-packet': {
    records: 73,
    events: 'exec 11, exit 6, kprobe 55, uprobe 1',
    processes: 17,
    flows: 'accepted 1, icmp 3, packet 2, raw 5, sctp 2, vsock 1',
    seen: 13,
  },
  's13-refused-timeout': {
    records: 140,
    events: 'exec 12, exit 7, kprobe 119, uprobe 2',
    processes: 21,
    flows: 'accepted 2, tcp 7, udp 4, unix 2',
    seen: 7,
  },
  's14-burst': {
    records: 13_528,
    events: 'exec 109, exit 85, kprobe 13334',
    processes: 114,
    flows: 'accepted 1910, tcp 1869, unix 3',
    seen: 1869,
    unseen: { [dropped]: 18_132 },
  },
  's14b-burst-lean-lossless': {
    records: 20_017,
    events: 'exec 6, exit 9, kprobe 20002',
    processes: 11,
    flows: 'tcp 20002',
    seen: 20_001,
  },
  's15a-restart-sigterm': {
    records: 3998,
    events: 'exec 122, exit 130, kprobe 3746',
    processes: 156,
    flows: 'accepted 368, tcp 379, unix 33',
    seen: 379,
    unseen: { [down]: 222 },
  },
  's15b-restart-sigkill': {
    records: 2568,
    events: 'exec 109, exit 110, kprobe 2349',
    processes: 141,
    flows: 'accepted 226, tcp 238, unix 21',
    seen: 237,
    unseen: { [down]: 223, [cutOff]: 14 },
  },
  's16-concurrent': {
    records: 460,
    events: 'exec 18, exit 15, kprobe 421, uprobe 6',
    processes: 28,
    flows: 'accepted 24, tcp 23, udp 12, unix 6',
    seen: 23,
  },
  's18-pid-reuse': {
    records: 6961,
    events: 'exec 2013, exit 2015, kprobe 2933',
    processes: 2126,
    flows: 'accepted 115, tcp 132',
    seen: 100,
  },
  's19-tfo-mptcp': {
    records: 121,
    events: 'exec 10, exit 5, kprobe 105, uprobe 1',
    processes: 19,
    flows: 'accepted 9, tcp 9, udp 1',
    seen: 9,
  },
  's21a-policy-disable': {
    records: 1363,
    events: 'exec 54, exit 50, kprobe 1259',
    processes: 63,
    flows: 'accepted 123, tcp 129',
    seen: 129,
    unseen: { [disabled]: 45 },
  },
  's22b-lsm': {
    records: 249,
    events: 'exec 11, exit 11, kprobe 216, lsm 9, uprobe 2',
    processes: 19,
    flows: 'accepted 5, tcp 5, unix 2',
    seen: 5,
    unseen: { [datagramless]: 1 },
  },
  's23-rate-limits': {
    records: 207,
    events: 'exec 14, exit 130, kprobe 60, rate_limit_info 2, throttle 1',
    processes: 24,
    flows: 'accepted 2, tcp 4, udp 1',
    seen: 4,
    unseen: { [limited]: 18 },
  },
};

it('knows every recording', () => {
  expect(Object.keys(scenarios)).toEqual(readdirSync(scenarioFolder).sort());
});

describe.each(Object.entries(scenarios))('%s', (scenario, expected) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await openScenario(scenario, 'lines', taskIdOf(scenario));
  });
  afterAll(async () => {
    await tables.close();
  });

  it('is ingested whole', async () => {
    const [processes] = await tables.all('SELECT count(*)::INTEGER AS n FROM process');
    expect({
      problems: tables.problems,
      records: tables.records,
      events: await countBy(tables, 'kernel_event', 'kind'),
      processes: processes?.['n'],
      flows: await countBy(tables, 'flow', 'channel'),
    }).toEqual({
      problems: [],
      records: expected.records,
      events: expected.events,
      processes: expected.processes,
      flows: expected.flows,
    });
  });

  it('shows every true way out, or says why not', async () => {
    const comparison = await compareEgress(tables, readTruth(scenario), excuses[scenario] ?? []);
    expect(comparison).toEqual({ seen: expected.seen, unseen: expected.unseen ?? {}, missed: [] });
  });

  it('has every flow in egress', async () => {
    const [row] = await tables.all(
      'SELECT (SELECT count(*) FROM flow)::INTEGER AS flows, (SELECT count(*) FROM egress)::INTEGER AS egress',
    );
    expect(row?.['egress']).toBe(row?.['flows']);
  });
});

async function countBy(tables: Tables, table: string, column: string): Promise<string> {
  const rows = await tables.all(
    `SELECT ${column} AS name, count(*)::INTEGER AS n FROM ${table} GROUP BY ALL ORDER BY 1`,
  );
  return rows.map((row) => `${row['name'] ?? '-'} ${row['n'] ?? 0}`).join(', ');
}
