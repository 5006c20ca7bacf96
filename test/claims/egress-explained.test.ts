import { describe, expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import {
  judgeClaim,
  match,
  nodeAddress,
  nodeEgress,
  readFindings,
  second,
  type Tables,
  task,
  use,
  way,
} from '../judge/claim-tables.ts';

const base: Tables = {
  task: [task()],
  egress: [way()],
  declared_session: [{ provider: 'aws', name: 'sess-7b3f-a' }],
  setting: [nodeEgress],
  address: [{ address: nodeAddress, hex: '00000000000000000000ffffcb007107' }],
};
const judge = (tables: Tables) => judgeClaim('egress-explained', { ...base, ...tables });
const finding = (kind: string) => [`unexplained-connection ${kind} route53.amazonaws.com:443`];

test('a connection that a use of a declared session explains gives nothing', async () => {
  expect(await judge({ use: [use()], use_match: [match()] })).toEqual([]);
});

test('one that no use of a declared session explains is a doubt', async () => {
  expect(await judge({})).toEqual(finding('doubt'));
  expect(await judge({ use: [use()], use_match: [match({ chosen: false })] })).toEqual(finding('doubt'));
  expect(await judge({ use: [use({ declared: false })], use_match: [match()] })).toEqual(finding('doubt'));
  expect(await judge({ use: [use({ listed: 'unlisted' })], use_match: [match()] })).toEqual(finding('doubt'));
  expect(await judge({ use: [use({ listed: 'pending' })], use_match: [match()] })).toEqual([]);
});

test('infrastructure, what carried no data, what stays inside and hosts without credentials need none', async () => {
  for (const near of [
    { declared_as: 'infrastructure' },
    { carried: 'no' },
    { inside: true },
    { task_id: null },
    { host: 'packages.example.net' },
    { channel: 'accepted' },
  ]) {
    expect(await judge({ egress: [way(near)] })).toEqual([]);
  }
  expect(await judge({ declared_session: [] })).toEqual([]);
  const elsewhere = way({ host: 'vault.example', id: 'tetragon/n1/30' });
  const used = use({ host: 'vault.example' });
  expect(await judge({ egress: [elsewhere], declared_session: [], use: [used] })).toEqual(finding('doubt'));
});

describe('a record of another principal that fits', () => {
  const stranger = (fields: Values = {}): Values => ({
    object: 'o',
    event_id: 's1',
    time: second(11),
    host: 'route53.amazonaws.com',
    source: nodeAddress,
    access_key: 'KOTHER',
    arn: 'arn:aws:iam::111122223333:user/other',
    listed: 'listed',
    evidence: 'cloudtrail/x/0#s1',
    ...fields,
  });

  test('convicts where both halves were covered, and is named', async () => {
    const tables = { ...base, audit_event: [stranger()] };
    const [row] = await readFindings('egress-explained', tables);
    expect(row?.['kind']).toBe('counterexample');
    expect(row?.['detail']).toContain('user/other');
    expect(row?.['evidence']).toBe('tetragon/n1/10 cloudtrail/x/0#s1');
  });

  test('is a doubt where a half was not', async () => {
    for (const claim of ['audit-complete', 'sensor-continuity', 'sensor-coverage']) {
      const gap = { claim, code: 'c', kind: 'doubt', subject: 's', detail: 'd' };
      expect(await judge({ audit_event: [stranger()], claim_finding: [gap] })).toEqual(finding('doubt'));
    }
  });

  test('fits only in host, time and source, by a listed record that is no use of the task', async () => {
    for (const near of [
      { host: 'sts.amazonaws.com' },
      { time: second(15) },
      { time: second(6) },
      { source: '198.51.100.1' },
      { listed: 'unlisted' },
      { listed: 'pending' },
      { access_key: null },
    ]) {
      expect(await judge({ audit_event: [stranger(near)] })).toEqual(finding('doubt'));
    }
    const own = use({ event_id: 's1', declared: false });
    expect(await judge({ audit_event: [stranger()], use: [own] })).toEqual(finding('doubt'));
  });
});

test('while the provider’s log only waits for time, so does the connection', async () => {
  const wait = {
    claim: 'audit-complete',
    code: 'tail-open',
    kind: 'wait',
    subject: 's',
    detail: 'd',
    until_time: second(7200),
  };
  const [row] = await readFindings('egress-explained', { ...base, claim_finding: [wait] });
  expect([row?.['kind'], row?.['until_time']]).toEqual(['wait', '2026-11-21 12:00:00']);
  const doubt = { ...wait, code: 'digest-missing', kind: 'doubt' };
  expect(await judge({ claim_finding: [wait, doubt] })).toEqual(finding('doubt'));
});
