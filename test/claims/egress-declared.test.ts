import { expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import { endpoint, judgeClaim, nameless, range, type Tables, task, way } from '../judge/claim-tables.ts';

const declared = [endpoint('route53.amazonaws.com')];
const judge = (egress: Values, tables: Tables = {}) =>
  judgeClaim('egress-declared', { task: [task()], egress: [egress], declared_endpoint: declared, ...tables });
const undeclared = { declared: false, declared_as: null, host: 'evil.example', endpoint: 'evil.example:443' };

test('what is declared, inside or another tree’s gives nothing', async () => {
  expect(await judge(way())).toEqual([]);
  expect(await judge(way({ ...undeclared, inside: true }))).toEqual([]);
  expect(await judge(way({ ...undeclared, task_id: null }))).toEqual([]);
});

test('an undeclared host convicts, tied or only asked for by name', async () => {
  expect(await judge(way(undeclared))).toEqual(['undeclared-endpoint counterexample evil.example:443']);
  const asked = { ...undeclared, basis: 'sni', name_problem: 'ambiguous' };
  expect(await judge(way(asked))).toEqual(['undeclared-endpoint counterexample evil.example:443']);
  expect(await judge(way({ ...undeclared, channel: 'inherited' }))).toEqual([
    'undeclared-endpoint counterexample evil.example:443',
  ]);
});

test('a nameless address convicts where no declared endpoint can stand for it, else it is left to doubt', async () => {
  expect(await judge(nameless())).toEqual([]);
  const port = { remote_port: 8080, endpoint: '192.0.2.10:8080' };
  expect(await judge(nameless(port))).toEqual(['undeclared-endpoint counterexample 192.0.2.10:8080']);
  const udp = { channel: 'udp', protocol: 'udp', endpoint: '192.0.2.10:443/udp' };
  expect(await judge(nameless(udp))).toEqual(['undeclared-endpoint counterexample 192.0.2.10:443/udp']);
  expect(await judge(nameless({ ...port, remote_address: '127.0.0.1' }))).toEqual([]); // judged by no-side-channel
  expect(await judge(nameless({ name_problem: 'untied' }))).toEqual([]);
});

const elsewhere = [range('.amazonaws.com', '00000000000000000000ffff34000000', '00000000000000000000ffff34ffffff')];

test('a range that rules the declared hosts out convicts', async () => {
  const outside = nameless({ endpoint: '192.0.2.10:443' });
  expect(await judge(outside, { provider_range: elsewhere })).toEqual([
    'undeclared-endpoint counterexample 192.0.2.10:443',
  ]);
  const both = [...declared, endpoint('api.example.com')];
  expect(await judge(outside, { provider_range: elsewhere, declared_endpoint: both })).toEqual([]);
});

// A VPC's interface endpoint serves route53.amazonaws.com at an address of the VPC, which no published range holds.
test('published ranges say nothing of private addresses', async () => {
  const vpc = { remote_address: '10.0.3.4', remote_hex: '00000000000000000000ffff0a000304' };
  expect(await judge(nameless(vpc), { provider_range: elsewhere })).toEqual([]);
});

// Whichever of them it was, it was reached without being declared.
test('an address all of whose names are undeclared convicts', async () => {
  const several = nameless({ name_problem: 'all-undeclared', names: '["evil.example","worse.example"]' });
  expect(await judge(several)).toHaveLength(1);
});
