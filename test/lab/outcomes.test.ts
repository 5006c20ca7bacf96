import { expect, it } from 'vitest';
import type { Row } from '../../src/query/database.ts';
import { openScenario, taskIdOf } from './lab.ts';

/** The task's ways out but for look-ups and their helpers, in order of time. */
async function readFlows(scenario: string, columns: string, condition = 'true'): Promise<unknown[][]> {
  const tables = await openScenario(scenario, 'lines', taskIdOf(scenario));
  try {
    const rows: Row[] = await tables.all(`
      SELECT ${columns} FROM egress
      WHERE task_id IS NOT NULL AND remote_port IS DISTINCT FROM 53 AND path IS DISTINCT FROM '/var/run/nscd/socket' AND ${condition}
      ORDER BY opened, remote_address`);
    return rows.map((row) => Object.values(row));
  } finally {
    await tables.close();
  }
}

it('calls a connection failed that was refused or timed out, waited for or not (s13)', async () => {
  expect(await readFlows('s13-refused-timeout', 'remote_address, outcome, carried')).toEqual([
    ['203.0.113.67', 'failed', 'no'],
    ['203.0.113.67', 'failed', 'no'],
    ['203.0.113.99', 'failed', 'no'],
    ['203.0.113.99', 'failed', 'no'],
    ['203.0.113.66', 'up', 'no'],
    ['203.0.113.67', 'failed', 'no'],
    ['203.0.113.99', 'failed', 'no'],
  ]);
});

it('has one connection for each fast open, MPTCP connection and reconnect, and knows that a fast open carries data (s19)', async () => {
  expect(
    await readFlows(
      's19-tfo-mptcp',
      `channel, remote_address || ':' || remote_port AS far, outcome, carried`,
      `channel <> 'accepted'`,
    ),
  ).toEqual([
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
    ['tcp', '203.0.113.66:8080', 'up', 'unknown'],
    ['tcp', '192.0.2.12:9443', 'up', 'unknown'],
    ['udp', '203.0.113.66:443', 'up', 'yes'],
    ['tcp', '192.0.2.10:8080', 'up', 'unknown'],
    ['tcp', '203.0.113.66:8080', 'up', 'yes'],
  ]);
});

it('keeps sockets apart that had the same address in the kernel (s03)', async () => {
  expect(
    await readFlows(
      's03-udp',
      'local_port::INTEGER AS port, datagrams::INTEGER AS n',
      `remote_address = '198.51.100.7'`,
    ),
  ).toEqual([
    [36546, 1],
    [6940, 1],
  ]);
});

it('names writes to a socket that the launcher connected (s07)', async () => {
  expect(
    await readFlows(
      's07-inherited-socket',
      `pid::INTEGER AS pid, channel, remote_address || ':' || remote_port AS far`,
    ),
  ).toEqual([
    [1788, 'inherited', '203.0.113.66:8080'],
    [1790, 'inherited', '203.0.113.66:8082'],
    [1790, 'udp', '203.0.113.66:443'],
  ]);
});

it('tells channels without ports, and charges nothing that the kernel itself sent (s12)', async () => {
  expect(
    await readFlows(
      's12-raw-packet',
      `pid::INTEGER AS pid, channel, remote_address, remote_port::INTEGER AS port, local_port::INTEGER AS local`,
    ),
  ).toEqual([
    [1177, 'raw', '203.0.113.66', null, null],
    [1177, 'raw', '203.0.113.66', null, null],
    [1177, 'icmp', '203.0.113.66', null, null],
    [1177, 'raw', '203.0.113.66', null, null],
    [1177, 'packet', null, null, null],
    [1177, 'packet', null, null, null],
    [1177, 'raw', '2001:db8::66', null, null],
    [1177, 'icmp', '2001:db8::66', null, null],
    [1177, 'raw', '203.0.113.66', null, null],
    [1178, 'icmp', '203.0.113.66', null, null],
    [1177, 'sctp', '203.0.113.66', 443, null],
    [1177, 'sctp', '203.0.113.66', 443, null],
    [1177, 'vsock', 'cid 1', 9999, null],
  ]);
});

it('names unix paths and leaves what the relay does outside the task (s05)', async () => {
  expect(await readFlows('s05-unix-relay', 'pid::INTEGER AS pid, channel, path')).toEqual([
    [1051, 'unix', '/run/relay.sock'],
    [1051, 'unix', '@lab-relay'],
    [1056, 'unix', '/run/relay.sock'],
  ]);
});
