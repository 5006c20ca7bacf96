import { expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import { judgeClaim, match, nameless, nodeEgress, second, type Tables, task, use, way } from '../judge/claim-tables.ts';

const judge = (used: Values, matched: Values, tables: Tables = {}) =>
  judgeClaim('uses-matched', {
    task: [task()],
    egress: [way()],
    setting: [nodeEgress],
    kernel_covered: [{ event_id: 'e1', covered: true }],
    use: [used],
    use_match: [matched],
    ...tables,
  });
const action = 'route53:GetHostedZone';
const none = match({ fits: 0, egress_id: null, chosen: false, strength: 'none' });

test('a use that a connection of the task explains gives nothing', async () => {
  expect(await judge(use(), match())).toEqual([]);
});

test('foreign-use: none fits, and the kernel half was covered', async () => {
  expect(await judge(use(), none)).toEqual([`foreign-use counterexample ${action}`]);
  const uncovered = { kernel_covered: [{ event_id: 'e1', covered: false }] };
  expect(await judge(use(), none, uncovered)).toEqual([`ambiguous-use doubt ${action}`]);
});

test('a connection open then whose host is unknown may be the one', async () => {
  expect(await judge(use(), none, { egress: [nameless()] })).toEqual([`ambiguous-use doubt ${action}`]);
  for (const near of [
    { carried: 'no' },
    { closed: second(8), opened: second(7) },
    { opened: second(15), closed: null },
    { inside: true },
    { task_id: null },
  ]) {
    expect(await judge(use(), none, { egress: [nameless(near)] })).toEqual([`foreign-use counterexample ${action}`]);
  }
});

test('foreign-use: from an address of no declared node, or of a node without the task, whatever the sensor saw', async () => {
  const uncovered = { kernel_covered: [{ event_id: 'e1', covered: false }] };
  const elsewhere = match({ source_known: false, own_node: false });
  expect(await judge(use(), elsewhere, uncovered)).toEqual([`foreign-use counterexample ${action}`]);
  expect(await judge(use(), match({ own_node: false }), uncovered)).toEqual([`foreign-use counterexample ${action}`]);
});

test('ambiguous-use: the configuration does not tell the nodes’ addresses', async () => {
  expect(await judge(use(), match(), { setting: [] })).toEqual([`ambiguous-use doubt ${action}`]);
});

test('ambiguous-use: another tree could have made it, unless that is assumed away', async () => {
  const shared = match({ strength: 'shared' });
  expect(await judge(use(), shared)).toEqual([`ambiguous-use doubt ${action}`]);
  const assumed = { kind: 'assume', name: 'co-tenants-isolated', value: 'co-tenants-isolated' };
  expect(await judge(use(), shared, { setting: [nodeEgress, assumed] })).toEqual([]);
});

test('delegated-use: a service made the request', async () => {
  const delegated = use({ delegated: true, source: 'cloudformation.amazonaws.com' });
  expect(await judge(delegated, none)).toEqual([`delegated-use doubt ${action}`]);
});

test('a record of an unlisted log file neither proves nor convicts, a pending one counts', async () => {
  expect(await judge(use({ listed: 'unlisted' }), none)).toEqual([]);
  expect(await judge(use({ listed: 'pending' }), none)).toEqual([`foreign-use counterexample ${action}`]);
});

// A record that does not tell its source can't convict.
test.fails('a use without a source address is a doubt', async () => {
  const elsewhere = match({ ...none, source_known: false, own_node: false });
  expect(await judge(use({ source: null }), elsewhere)).toEqual([`ambiguous-use doubt ${action}`]);
});

// The proxy makes the request from the same node; without its log the relay is a doubt, not misuse.
test.fails('a use while data went to a declared relay is a doubt', async () => {
  const relay = nameless({ declared: true, declared_as: 'relay', basis: 'address', name_problem: null });
  expect(await judge(use(), none, { egress: [relay] })).toEqual([`ambiguous-use doubt ${action}`]);
});

test.fails('a use while a connection to an endpoint declared by its address was open is a doubt', async () => {
  const byAddress = nameless({ declared: true, declared_as: 'endpoints', basis: 'address', name_problem: null });
  expect(await judge(use(), none, { egress: [byAddress] })).toEqual([`ambiguous-use doubt ${action}`]);
});

// A relay on a unix socket carries the credential just as well.
test.fails('a use while the task talked to a relay on a unix socket is a doubt', async () => {
  const socket = { channel: 'unix', protocol: null, path: '/run/relay.sock', endpoint: 'unix:/run/relay.sock' };
  const relay = nameless({ ...socket, remote_address: null, name_problem: null, carried: 'unknown' });
  expect(await judge(use(), none, { egress: [relay] })).toEqual([`ambiguous-use doubt ${action}`]);
});
