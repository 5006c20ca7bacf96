import { expect, test } from 'vitest';
import { readQuery } from '../../src/query/queries.ts';
import type { Values } from '../sources/cloudtrail-database.ts';
import {
  address,
  hex,
  nodeAddress,
  nodeEgress,
  proc,
  second,
  type Tables,
  task,
  use,
  way,
  withTables,
} from './claim-tables.ts';

const host = 'route53.amazonaws.com';
const elsewhere = '192.0.2.99';
const resolver: Values = { kind: 'resolver', name: '192.0.2.53', value: `${hex.slice(0, 30)}35-${hex.slice(0, 30)}35` };

/** A connection of another process than the task's, at the time of the use. */
const other = (fields: Values = {}): Values => ({
  node: 'n1',
  exec_id: 'other',
  pid: 300,
  channel: 'tcp',
  protocol: 'tcp',
  opened: second(10),
  closed: second(12),
  local_address: '10.0.0.5',
  local_port: 50000,
  remote_address: address,
  remote_port: 443,
  socket: 'sk9',
  hook: 'tcp_connect',
  outcome: 'up',
  carried: 'yes',
  evidence: 'tetragon/n1/90',
  ...fields,
});
const answer = (name: string, fields: Values = {}): Values => ({
  node: 'n1',
  time: second(9),
  direction: 'answer',
  server: '192.0.2.53',
  server_port: 53,
  name,
  address: elsewhere,
  evidence: 'tetragon/n1/80',
  ...fields,
});

/** Trees that could have made the use, by the top of each. */
function rivals(flow: Values[], tables: Tables = {}): Promise<string[]> {
  const all: Tables = {
    task: [task()],
    process: [
      proc({ exec_id: 'init', pid: 1, parent_exec_id: null, task_id: null }),
      proc({ exec_id: 'runtime', pid: 50, parent_exec_id: 'init', task_id: null }),
      proc({ parent_exec_id: 'runtime' }),
      proc({ exec_id: 'job', pid: 200, parent_exec_id: 'runtime', task_id: null }),
      proc({ exec_id: 'other', pid: 300, parent_exec_id: 'job', task_id: null }),
      proc({ exec_id: 'another', pid: 301, parent_exec_id: 'job', task_id: null }),
      proc({ exec_id: 'service', pid: 400, parent_exec_id: 'init', task_id: null }),
    ],
    egress: [way()],
    use: [use({ time: second(11) })],
    setting: [nodeEgress, resolver],
    address: [
      { address, hex },
      { address: elsewhere, hex: `${hex.slice(0, 30)}63` },
      { address: nodeAddress, hex: '00000000000000000000ffffcb007107' },
      { address: '192.0.2.53', hex: `${hex.slice(0, 30)}35` },
    ],
    flow,
    ...tables,
  };
  return withTables(all, async (database) => {
    const rows = await database.all(readQuery('sources/co-tenant'));
    return [...new Set(rows.map(({ tree }) => String(tree)))].sort();
  });
}

test('a tree is told by its top: the last process upwards that the task does not descend from', async () => {
  expect(await rivals([other()])).toEqual(['job']);
  expect(await rivals([other(), other({ exec_id: 'another', evidence: 'tetragon/n1/91' })])).toEqual(['job']);
  expect(await rivals([other(), other({ exec_id: 'service', evidence: 'tetragon/n1/91' })])).toEqual([
    'job',
    'service',
  ]);
  expect(await rivals([other({ exec_id: 'root' })])).toEqual([]);
  expect(await rivals([other({ opened: second(30), closed: second(31) })])).toEqual([]);
});

test('an address of which nobody told whose it is may be the host’s, whatever the client says there', async () => {
  const untold = other({ remote_address: elsewhere });
  expect(await rivals([untold])).toEqual(['job']);
  const hello = {
    node: 'n1',
    exec_id: 'other',
    time: second(10.5),
    socket: 'sk9',
    local_port: 0,
    remote_address: elsewhere,
    remote_port: 443,
    server_name: 'harmless.example',
    state: 'whole',
    evidence: 'h',
  };
  expect(await rivals([untold], { tls_hello: [hello] })).toEqual(['job']);
  expect(await rivals([untold], { dns_message: [answer('harmless.example')] })).toEqual([]);
  expect(await rivals([untold], { dns_message: [answer(host)] })).toEqual(['job']);
  // an answer of a server that is no declared resolver tells nothing
  expect(await rivals([untold], { dns_message: [answer('harmless.example', { server: address })] })).toEqual(['job']);
  expect(await rivals([other({ remote_address: elsewhere, remote_port: 22 })])).toEqual([]);
  expect(await rivals([other({ remote_address: '127.0.0.1' })])).toEqual([]);
  // a private address only where the host has private ones, as an endpoint within the network has
  expect(await rivals([other({ remote_address: '10.96.0.1' })])).toEqual([]);
  const within = [way(), way({ id: 'tetragon/n1/20', remote_address: '10.0.1.7' })];
  expect(await rivals([other({ remote_address: '10.96.0.1' })], { egress: within })).toEqual(['job']);
});

test('an address outside every published range of the provider is none of its hosts', async () => {
  const range = (first: string): Values => ({
    suffix: '.amazonaws.com',
    first_hex: first,
    last_hex: first,
    service: 'AMAZON',
  });
  const untold = other({ remote_address: elsewhere });
  expect(await rivals([untold], { provider_range: [range(hex)] })).toEqual([]);
  expect(await rivals([untold], { provider_range: [range(`${hex.slice(0, 30)}63`)] })).toEqual(['job']);
});
