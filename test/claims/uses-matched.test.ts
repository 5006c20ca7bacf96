import { expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import {
  judgeClaim,
  match,
  nameless,
  nodeEgress,
  proc,
  readFindings,
  second,
  type Tables,
  task,
  use,
  way,
} from '../judge/claim-tables.ts';

const judge = (used: Values, matched: Values, tables: Tables = {}) =>
  judgeClaim('uses-matched', {
    task: [task()],
    process: [proc()],
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

test('ambiguous-use tells how many other trees there are, or of which node nothing is known', async () => {
  const tables = { task: [task()], process: [proc()], egress: [way()], setting: [nodeEgress], use: [use()] };
  const covered = { kernel_covered: [{ event_id: 'e1', covered: true }] };
  const detail = async (fields: Values) => {
    const [row] = await readFindings('uses-matched', {
      ...tables,
      ...covered,
      use_match: [match({ strength: 'shared', ...fields })],
    });
    return String(row?.['detail']);
  };
  expect(await detail({ alternatives: 1 })).toContain('Another process tree behind the same address');
  expect(await detail({ alternatives: 3 })).toContain('3 other process trees behind the same address');
  expect(await detail({ alternatives: 1, unwatched: 'n2' })).toContain('Nothing tells what was done then on n2');
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
test('a use without a source address is a doubt', async () => {
  const elsewhere = match({ ...none, source_known: false, own_node: false });
  expect(await judge(use({ source: null }), elsewhere)).toEqual([`ambiguous-use doubt ${action}`]);
});

// What the kernel's half can't follow may have carried it; without its log a relay is a doubt, not misuse.
test.each([
  ['no-side-channel', 'relay-without-log'],
  ['no-side-channel', 'local-relay'],
  ['no-side-channel', 'inherited-socket'],
  ['tree-closed', 'escaped-process'],
])('a use that no connection explains while %s tells %s is a doubt', async (claim, code) => {
  const open = { claim, code, kind: 'doubt', subject: 's', detail: 'd' };
  expect(await judge(use(), none, { claim_finding: [open] })).toEqual([`ambiguous-use doubt ${action}`]);
  const note = { ...open, kind: 'note' };
  expect(await judge(use(), none, { claim_finding: [note] })).toEqual([`foreign-use counterexample ${action}`]);
});

test('without any process of the task nothing is foreign but what came from elsewhere', async () => {
  expect(await judge(use(), none, { process: [] })).toEqual([`ambiguous-use doubt ${action}`]);
  const elsewhere = match({ ...none, source_known: false, own_node: false });
  expect(await judge(use(), elsewhere, { process: [] })).toEqual([`foreign-use counterexample ${action}`]);
});

test('a record that does not tell its host may be of any connection to AWS that was open', async () => {
  expect(await judge(use({ host: null }), none)).toEqual([`ambiguous-use doubt ${action}`]);
  const elsewhere = way({ host: 'packages.example.net' });
  expect(await judge(use({ host: null }), none, { egress: [elsewhere] })).toEqual([
    `foreign-use counterexample ${action}`,
  ]);
});
