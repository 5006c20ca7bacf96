import { describe, expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import { endpoint, judgeClaim, nameless, proc, second, type Tables, task, way } from '../judge/claim-tables.ts';

const judge = (tables: Tables) =>
  judgeClaim('no-side-channel', {
    task: [task()],
    process: [proc(), proc({ exec_id: 'child', pid: 101 }), proc({ exec_id: 'shell', pid: 50, task_id: null })],
    declared_endpoint: [endpoint('route53.amazonaws.com'), endpoint('.example.com', { wildcard: true })],
    ...tables,
  });
const egress = (row: Values) => judge({ egress: [row] });

test('a connection to a declared host gives nothing', async () => {
  expect(await egress(way())).toEqual([]);
});

describe('local-relay:', () => {
  const loopback = nameless({ remote_address: '127.0.0.1', remote_port: 8080, endpoint: '127.0.0.1:8080' });

  test('a listener on loopback outside the tree', async () => {
    expect(await egress(loopback)).toEqual(['local-relay doubt 127.0.0.1:8080']);
    for (const near of [{ inside: true }, { declared: true }, { outcome: 'failed' }, { task_id: null }]) {
      expect(await egress({ ...loopback, ...near })).toEqual([]);
    }
  });

  test('a listener on another address of the node, unless that is tied to a declared name', async () => {
    expect(await egress(nameless({ listener: 'shell' }))).toEqual(['local-relay doubt 192.0.2.10:443']);
    expect(await egress(way({ listener: 'shell' }))).toEqual([]);
  });

  test('a unix socket that is not declared', async () => {
    const socket = nameless({ channel: 'unix', path: '/run/relay.sock', endpoint: 'unix:/run/relay.sock' });
    expect(await egress(socket)).toEqual(['local-relay doubt unix:/run/relay.sock']);
    expect(await egress({ ...socket, declared: true, declared_as: 'infrastructure' })).toEqual([]);
  });

  // Design 7: unix traffic whose listener is in the same tree is inside.
  test('a unix socket whose listener is in the tree is none', async () => {
    const own = { channel: 'unix', path: '/tmp/own.sock', endpoint: 'unix:/tmp/own.sock', inside: true };
    expect(await egress(nameless(own))).toEqual([]);
  });
});

test('relay-without-log: data to a declared relay', async () => {
  const relay = nameless({ declared: true, declared_as: 'relay', endpoint: '127.0.0.1:10255' });
  expect(await egress(relay)).toEqual(['relay-without-log doubt 127.0.0.1:10255']);
  expect(await egress({ ...relay, carried: 'no' })).toEqual([]);
});

test.each([
  ['inherited-socket', 'inherited'],
  ['received-socket', 'received'],
  ['inbound-connection', 'accepted'],
  ['raw-channel', 'raw'],
  ['raw-channel', 'icmp'],
  ['raw-channel', 'packet'],
  ['raw-channel', 'sctp'],
  ['raw-channel', 'vsock'],
])('%s: by channel %s, also to a declared host', async (code, channel) => {
  expect(await egress(way({ channel }))).toEqual([`${code} doubt route53.amazonaws.com:443`]);
  expect(await egress(way({ channel, task_id: null }))).toEqual([]);
});

test('an inbound connection from the task’s own tree is none', async () => {
  expect(await egress(way({ channel: 'accepted', inside: true }))).toEqual([]);
});

describe('undeclared-lookup:', () => {
  const lookup = (name: string | null, fields: Values = {}): Values => ({
    node: 'n1',
    exec_id: 'root',
    time: second(9),
    name,
    qtype: 'A',
    server: '192.0.2.53',
    evidence: 'tetragon/n1/9',
    ...fields,
  });
  const judgeLookup = (row: Values, tables: Tables = {}) => judge({ lookup: [row], ...tables });

  test('only what is declared, or stands for it, may be asked', async () => {
    expect(await judgeLookup(lookup('route53.amazonaws.com'))).toEqual([]);
    expect(await judgeLookup(lookup('deep.below.example.com'))).toEqual([]);
    expect(await judgeLookup(lookup('localhost'))).toEqual([]);
    for (const name of [
      'secret.evil.example',
      'example.com',
      'xroute53.amazonaws.com',
      'notexample.com',
      'x.localhost',
    ]) {
      expect(await judgeLookup(lookup(name))).toEqual([`undeclared-lookup doubt ${name}`]);
    }
  });

  test('a variant under a search domain', async () => {
    const search = { setting: [{ kind: 'search-domain', name: 'corp.internal', value: 'corp.internal' }] };
    expect(await judgeLookup(lookup('route53.amazonaws.com.corp.internal'), search)).toEqual([]);
    expect(await judgeLookup(lookup('a.example.com.corp.internal'), search)).toEqual([]);
    expect(await judgeLookup(lookup('secret.corp.internal'), search)).toHaveLength(1);
    expect(await judgeLookup(lookup('route53.amazonaws.com.corp.internal'))).toHaveLength(1);
  });

  test('a reverse look-up only of an address in the evidence', async () => {
    const known = { address: [{ address: '192.0.2.10', hex: 'x', reverse: '10.2.0.192.in-addr.arpa' }] };
    const seen = {
      ...known,
      resolution: [{ address: '192.0.2.10', first_hex: 'x', last_hex: 'x', host: 'h', basis: 'dns', evidence: 'e' }],
    };
    expect(await judgeLookup(lookup('10.2.0.192.in-addr.arpa', { qtype: 'PTR' }), seen)).toEqual([]);
    // one that only an answer of the task's own making told
    expect(await judgeLookup(lookup('10.2.0.192.in-addr.arpa', { qtype: 'PTR' }), known)).toHaveLength(1);
    expect(await judgeLookup(lookup('11.2.0.192.in-addr.arpa', { qtype: 'PTR' }), seen)).toHaveLength(1);
  });

  test('an address literal is no look-up, for getaddrinfo alone', async () => {
    expect(await judgeLookup(lookup('192.0.2.10', { qtype: 'getaddrinfo' }))).toEqual([]);
    expect(await judgeLookup(lookup('2001:db8::1', { qtype: 'getaddrinfo' }))).toEqual([]);
    expect(await judgeLookup(lookup('192.0.2.10'))).toHaveLength(1);
  });

  test('datagrams whose question was not seen or can’t be read', async () => {
    expect(await judgeLookup(lookup(null, { problem: 'unseen' }))).toEqual(['undeclared-lookup doubt 192.0.2.53']);
    expect(await judgeLookup(lookup(null, { problem: 'unreadable' }))).toEqual(['undeclared-lookup doubt 192.0.2.53']);
  });

  // `_` is a letter of a host name, not a wildcard.
  test('a declared wildcard with `_` in it matches no other letter there', async () => {
    const declared = [endpoint('.my_zone.example', { wildcard: true })];
    expect(await judgeLookup(lookup('x.myazone.example'), { declared_endpoint: declared })).toHaveLength(1);
  });
});

describe('delegated-work:', () => {
  const call = (hook: string, fields: Values): Values => ({
    node: 'n1',
    time: second(20),
    kind: 'kprobe',
    hook,
    exec_id: 'root',
    pid: 100,
    r_int: 0,
    evidence: 'tetragon/n1/20',
    ...fields,
  });
  const found = ['delegated-work doubt n1 pid 100'];
  const judgeCall = (hook: string, fields: Values) => judge({ kernel_event: [call(hook, fields)] });

  test('ptrace of a process outside the tree that succeeded', async () => {
    expect(await judgeCall('__x64_sys_ptrace', { i0: 16, i1: 50 })).toEqual(found);
    expect(await judgeCall('__x64_sys_ptrace', { i0: 16902, i1: 50 })).toEqual(found);
    expect(await judgeCall('__x64_sys_ptrace', { i0: 16, i1: 101 })).toEqual([]);
    expect(await judgeCall('__x64_sys_ptrace', { i0: 16, i1: 50, r_int: -1 })).toEqual([]);
    expect(await judgeCall('__x64_sys_ptrace', { i0: 0, i1: 50 })).toEqual([]);
    expect(await judgeCall('__x64_sys_ptrace', { i0: 16, i1: 50, exec_id: 'shell' })).toEqual([]);
  });

  test('writing into memory outside the tree, other namespaces, taken descriptors', async () => {
    expect(await judgeCall('__x64_sys_process_vm_writev', { i0: 50 })).toEqual(found);
    expect(await judgeCall('__x64_sys_process_vm_writev', { i0: 101 })).toEqual([]);
    expect(await judgeCall('__x64_sys_setns', { i0: 3 })).toEqual(found);
    expect(await judgeCall('__x64_sys_pidfd_getfd', { i0: 3 })).toEqual(found);
    expect(await judgeCall('__x64_sys_pidfd_getfd', { i0: 3, r_int: -1 })).toEqual([]);
  });

  test.each(['/var/run/docker.sock', '/run/containerd/containerd.sock', '/run/dbus/system_bus_socket'])(
    'the socket of a manager: %s',
    async (path) => {
      const socket = nameless({ channel: 'unix', path, endpoint: `unix:${path}` });
      expect(await egress(socket)).toEqual([`delegated-work doubt unix:${path}`]);
    },
  );
});
