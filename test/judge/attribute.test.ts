import { describe, expect, test } from 'vitest';
import { readQuery } from '../../src/query/queries.ts';
import type { Row } from '../../src/query/database.ts';
import type { Values } from '../sources/cloudtrail-database.ts';
import { address, endpoint, hex, proc, second, type Tables, task, withTables } from './claim-tables.ts';

const host = 'route53.amazonaws.com';
const flow = (fields: Values = {}): Values => ({
  node: 'n1',
  exec_id: 'root',
  pid: 100,
  channel: 'tcp',
  protocol: 'tcp',
  opened: second(10),
  closed: second(12),
  local_address: '10.0.0.5',
  local_port: 40000,
  remote_address: address,
  remote_port: 443,
  socket: 'sk1',
  hook: 'tcp_connect',
  outcome: 'up',
  carried: 'yes',
  evidence: 'tetragon/n1/10',
  ...fields,
});
const tie = (name: string, fields: Values = {}): Values => ({
  address,
  first_hex: hex,
  last_hex: hex,
  host: name,
  from_time: second(9),
  until: second(70),
  node: 'n1',
  exec_id: 'root',
  basis: 'dns',
  evidence: `tetragon/n1/dns-${name}`,
  ...fields,
});
const hello = (name: string | null, fields: Values = {}): Values => ({
  node: 'n1',
  exec_id: 'root',
  time: second(10.5),
  socket: 'sk1',
  local_port: 40000,
  remote_address: address,
  remote_port: 443,
  server_name: name,
  state: 'whole',
  evidence: `tetragon/n1/hello-${String(name)}`,
  ...fields,
});

/** The way out that the rows give, and the codes that the two claims about its name find. */
async function judge(tables: Tables): Promise<{ row: Row; found: string[] }> {
  const all: Tables = {
    task: [task()],
    process: [proc(), proc({ exec_id: 'shell', task_id: null })],
    flow: [flow()],
    address: [{ address, hex }],
    declared_endpoint: [endpoint(host)],
    ...tables,
  };
  return withTables(all, async (database) => {
    await database.run(`INSERT INTO egress ${readQuery('sources/attribute')}`);
    const [row = {}] = await database.all('SELECT * FROM egress WHERE task_id IS NOT NULL');
    const claims = ['egress-attributed', 'egress-declared'].map((claim) => readQuery(`claims/${claim}`));
    const found = await Promise.all(claims.map((claim) => database.all(claim)));
    return { row, found: found.flat().map(({ code, kind }) => `${String(code)} ${String(kind)}`) };
  });
}

test('an answer that the kernel saw ties the address, and the name asked for agrees', async () => {
  const { row, found } = await judge({ resolution: [tie(host)], tls_hello: [hello(host)] });
  expect(found).toEqual([]);
  expect([row['host'], row['basis'], row['declared']]).toEqual([host, 'dns+sni', true]);
});

describe('a name that the agent asks for ties nothing by itself:', () => {
  test('a declared one on an address that nothing ties', async () => {
    expect((await judge({ tls_hello: [hello(host)] })).found).toEqual(['unattributed-address doubt']);
    const elsewhere = { resolution: [tie('evil.example')], tls_hello: [hello(host)] };
    expect((await judge(elsewhere)).found).toEqual(['unattributed-address doubt']);
  });

  test('an undeclared one convicts, also on an address of a declared host', async () => {
    const asked = { resolution: [tie(host)], tls_hello: [hello('evil.example')] };
    expect((await judge(asked)).found).toEqual(['undeclared-endpoint counterexample']);
  });

  test('it picks among several names of the address; without a whole, readable one they stay ambiguous', async () => {
    const several = [tie(host), tie('evil.example')];
    expect((await judge({ resolution: several, tls_hello: [hello(host)] })).found).toEqual([]);
    expect((await judge({ resolution: several })).found).toEqual(['ambiguous-address doubt']);
    const encrypted = [hello(host, { state: 'encrypted' })];
    expect((await judge({ resolution: several, tls_hello: encrypted })).found).toEqual(['ambiguous-address doubt']);
  });

  // What follows the part that the sensor showed may say that the name that counts is another one (ECH).
  test('a name from a partial ClientHello does not pick', async () => {
    const partial = [hello(host, { state: 'partial' })];
    const several = [tie(host), tie('evil.example')];
    expect((await judge({ resolution: several, tls_hello: partial })).found).toEqual(['ambiguous-address doubt']);
  });

  test('two ClientHellos on one connection that ask for different names contradict each other', async () => {
    const two = [hello(host), hello('evil.example', { time: second(11) })];
    expect((await judge({ resolution: [tie(host)], tls_hello: two })).found).not.toEqual([]);
  });
});

test("another socket's ClientHello, at the same kernel address since the close was not seen, tells nothing", async () => {
  for (const other of [{ remote_address: '198.51.100.7' }, { remote_port: 8443 }, { local_port: 40002 }]) {
    const { row, found } = await judge({ resolution: [tie(host)], tls_hello: [hello('evil.example', other)] });
    expect([found, row['host'], row['hello']]).toEqual([[], host, 'none']);
  }
  const opening = hello('evil.example', { local_port: 0, remote_address: '0.0.0.0', remote_port: 0 });
  expect((await judge({ resolution: [tie(host)], tls_hello: [opening] })).found).toEqual([
    'undeclared-endpoint counterexample',
  ]);
});

test('a resolution counts from its time on, for its node', async () => {
  const later = tie(host, { from_time: second(20) });
  expect((await judge({ resolution: [later] })).found).toEqual(['unattributed-address doubt']);
  const elsewhere = tie(host, { node: 'n2' });
  expect((await judge({ resolution: [elsewhere] })).found).toEqual(['unattributed-address doubt']);
  const { row, found } = await judge({ resolution: [tie(host, { until: second(9.5) })] });
  expect([row['basis'], found]).toEqual(['dns-expired', []]);
});

test('an address that is declared itself needs no name', async () => {
  const declared = endpoint(host, { host: null, first_hex: hex, last_hex: hex });
  const { row, found } = await judge({ declared_endpoint: [declared] });
  expect([row['basis'], row['declared'], found]).toEqual(['address', true, []]);
});

// Else no use can be matched to it, and none is asked for.
test('a name that evidence ties to a declared address is kept', async () => {
  const declared = endpoint(host, { host: null, first_hex: hex, last_hex: hex });
  const { row } = await judge({ declared_endpoint: [declared], resolution: [tie(host)] });
  expect(row['host']).toBe(host);
});

describe('a connection that a process outside was handed', () => {
  const event: Values = {
    node: 'n1',
    time: second(10),
    kind: 'kprobe',
    hook: 'receive_fd',
    exec_id: 'root',
    pid: 100,
    s_family: 'AF_INET',
    s_type: 'SOCK_STREAM',
    s_protocol: 'IPPROTO_TCP',
    s_daddr: address,
    s_dport: 443,
    s_cookie: 'sk1',
    evidence: 'tetragon/n1/10',
  };

  // A received socket is a doubt of no-side-channel; towards a declared host nothing convicts.
  test('to a declared host is no undeclared endpoint', async () => {
    const tables: Tables = { process: [proc()], kernel_event: [event] };
    const [received] = await withTables(tables, (database) => database.all(readQuery('sources/egress')));
    const row = flow({ channel: 'received', protocol: (received?.['protocol'] ?? null) as string | null });
    expect((await judge({ flow: [row], resolution: [tie(host)], tls_hello: [hello(host)] })).found).toEqual([]);
  });
});

describe('inside:', () => {
  const loopback = { remote_address: '127.0.0.1', remote_port: 8080 };
  const listen = (execId: string): Values => ({
    node: 'n1',
    time: second(5),
    kind: 'kprobe',
    hook: 'security_socket_listen',
    exec_id: execId,
    s_saddr: '127.0.0.1',
    s_sport: 8080,
    evidence: 'tetragon/n1/5',
  });
  const accept = (execId: string): Values =>
    flow({
      channel: 'accepted',
      exec_id: execId,
      local_address: '127.0.0.1',
      local_port: 8080,
      remote_address: '10.0.0.5',
      remote_port: 40000,
      evidence: 'tetragon/n1/11',
    });
  const answering = (at: number): Values =>
    flow({
      channel: 'udp',
      protocol: 'udp',
      opened: second(at),
      closed: second(at),
      local_address: '127.0.0.1',
      local_port: 8080,
      remote_address: '127.0.0.1',
      remote_port: 40000,
      evidence: 'tetragon/n1/99',
    });
  const insideOf = async (tables: Tables) => (await judge({ ...tables })).row['inside'];

  test('loopback that the tree accepts; its listen alone may be shared with another process', async () => {
    expect(await insideOf({ flow: [flow(loopback)], kernel_event: [listen('root')] })).toBe(false);
    expect(await insideOf({ flow: [flow(loopback)] })).toBe(false);
    expect(await insideOf({ flow: [flow(loopback), accept('root')] })).toBe(true);
    expect(await insideOf({ flow: [flow(loopback), accept('shell')], kernel_event: [listen('root')] })).toBe(false);
  });

  test('datagrams over loopback that a socket of the tree answers, on a port that nobody else bound', async () => {
    const asking = flow({ ...loopback, local_address: '127.0.0.1', channel: 'udp', protocol: 'udp' });
    const bind = (execId: string): Values => ({
      ...listen(execId),
      hook: 'security_socket_bind',
      a_addr: '127.0.0.1',
      a_port: 8080,
      time: second(0),
    });
    expect(await insideOf({ flow: [asking, answering(11)], kernel_event: [bind('root')] })).toBe(true);
    expect(await insideOf({ flow: [asking, answering(11)] })).toBe(false);
    expect(await insideOf({ flow: [asking, answering(11)], kernel_event: [bind('root'), bind('shell')] })).toBe(false);
    expect(await insideOf({ flow: [asking, answering(1)], kernel_event: [bind('root')] })).toBe(false);
    expect(
      await insideOf({ flow: [asking, { ...answering(11), remote_port: 40001 }], kernel_event: [bind('root')] }),
    ).toBe(false);
  });

  test('what leaves its own address is not inside, though the task accepted the like in a namespace of its own', async () => {
    const mirrored = flow({
      channel: 'accepted',
      local_address: address,
      local_port: 443,
      remote_address: '10.0.0.5',
      remote_port: 40000,
      evidence: 'tetragon/n1/11',
    });
    expect(await insideOf({ flow: [flow(), mirrored] })).toBe(false);
    const own = { local_address: address };
    expect(await insideOf({ flow: [flow(own), { ...mirrored, remote_address: address }] })).toBe(true);
  });
});
