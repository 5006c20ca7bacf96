import { expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import { address, endpoint, judgeClaim, nameless, range, type Tables, task, way } from '../judge/claim-tables.ts';

const declared = [endpoint('route53.amazonaws.com')];
const judge = (egress: Values, tables: Tables = {}) =>
  judgeClaim('egress-attributed', { task: [task()], egress: [egress], declared_endpoint: declared, ...tables });
const subject = `${address}:443`;

test('an attributed way out gives nothing', async () => {
  expect(await judge(way())).toEqual([]);
});

test('a nameless address is a doubt where a declared host may stand behind it', async () => {
  expect(await judge(nameless())).toEqual([`unattributed-address doubt ${subject}`]);
  expect(await judge(nameless({ remote_port: 8080 }))).toEqual([]); // undeclared, told by egress-declared
  expect(await judge(nameless({ protocol: 'udp', channel: 'udp' }))).toEqual([]);
  expect(await judge(nameless({ inside: true }))).toEqual([]);
  expect(await judge(nameless({ task_id: null }))).toEqual([]);
  expect(await judge(nameless({ remote_address: '127.0.0.1' }))).toEqual([]); // judged by no-side-channel
});

test('published ranges rule a nameless address out, unless a declared host may live elsewhere', async () => {
  const elsewhere = [range('.amazonaws.com', '00000000000000000000ffff34000000', '00000000000000000000ffff34ffffff')];
  expect(await judge(nameless(), { provider_range: elsewhere })).toEqual([]);
  const both = [...declared, endpoint('api.example.com')];
  expect(await judge(nameless(), { provider_range: elsewhere, declared_endpoint: both })).toEqual([
    `unattributed-address doubt ${subject}`,
  ]);
  const around = [range('.amazonaws.com', '00000000000000000000ffffc0000000', '00000000000000000000ffffc0ffffff')];
  expect(await judge(nameless(), { provider_range: around })).toEqual([`unattributed-address doubt ${subject}`]);
});

test('a declared name on an untied address is a doubt, whatever the agent’s ClientHello says', async () => {
  const untied = { name_problem: 'untied', server_name: 'route53.amazonaws.com', hello: 'whole' };
  expect(await judge(nameless(untied))).toEqual([`unattributed-address doubt ${subject}`]);
});

test('several names with nothing to pick one are ambiguous, but only for data', async () => {
  const several = nameless({ name_problem: 'ambiguous', names: '["a.example","route53.amazonaws.com"]' });
  expect(await judge(several)).toEqual([`ambiguous-address doubt ${subject}`]);
  expect(await judge({ ...several, carried: 'unknown' })).toEqual([`ambiguous-address doubt ${subject}`]);
  expect(await judge({ ...several, carried: 'no' })).toEqual([]);
});
