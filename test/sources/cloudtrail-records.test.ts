import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Row } from '../../src/query/database.ts';
import { readQuery } from '../../src/query/queries.ts';
import { deriveUses, fileRecords, insertRows, type Values, withDatabase } from './cloudtrail-database.ts';
import { caseFolder, readAll, shared } from './cloudtrail-fixtures.ts';

/** Rows of audit_event for the given log file texts, each listed as given. */
async function readRecords(files: readonly { text: string; listed?: string }[]): Promise<Row[]> {
  return withDatabase(async (database) => {
    for (const [seq, { text, listed }] of files.entries()) {
      const evidence = `cloudtrail/x/${seq}`;
      await insertRows(database, 'record', [
        { stream: 'cloudtrail', origin: 'x', seq, received_at: 0, evidence, raw: text },
      ]);
      await insertRows(database, 'audit_object', [
        { kind: 'log', object: `file-${seq}`, state: listed ?? 'listed', starting: false, why: '', evidence },
      ]);
    }
    return database.all(readQuery('sources/cloudtrail'));
  });
}

const record = (fields: Record<string, unknown>) => ({
  eventID: 'e-1',
  eventTime: '2026-11-21T10:00:00Z',
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  ...fields,
});
const file = (...records: unknown[]): string => JSON.stringify({ Records: records });

test('all real data is read: every record once, those without identity type too', async () => {
  await withDatabase(async (database) => {
    await fileRecords(database, await readAll(join(shared, 'data')));
    const [counts] = await database.all(`
      SELECT count(*) AS records, count(DISTINCT event_id) AS ids, count(time) AS times, count(identity_type) AS types,
        count(host) AS hosts, count(issued_key) AS keys, count(issued_expires) AS expiries, count(session_name) AS sessions,
        count(*) FILTER (WHERE truncated) AS truncated, count(*) FILTER (WHERE listed = 'unlisted') AS unlisted
      FROM audit_event`);
    expect(counts).toEqual({
      records: '3089',
      ids: '3089',
      times: '3089',
      types: '3047',
      hosts: '2484',
      keys: '48',
      expiries: '44',
      sessions: '127',
      truncated: '0',
      unlisted: '3089',
    });
  });
});

test.each([
  'Nov 21, 2026, 10:48:24 AM',
  'Nov 21, 2026 10:48:24 AM',
  'Nov 21, 2026, 10:48:24\u202fAM',
  '2026-11-21T10:48:24Z',
])('the expiration %j is read', async (expiration) => {
  const issued = record({ responseElements: { credentials: { accessKeyId: 'ASIA1', expiration } } });
  expect(await readRecords([{ text: file(issued) }])).toMatchObject([
    { issued_key: 'ASIA1', issued_expires: '2026-11-21 10:48:24' },
  ]);
});

test('an expiration that can not be read follows from the duration; a call that failed issued nothing', async () => {
  const responseElements = { credentials: { accessKeyId: 'ASIA1', expiration: 'soon' } };
  const requestParameters = { durationSeconds: 900, roleSessionName: 'a', roleArn: 'arn:r' };
  const rows = await readRecords([
    {
      text: file(
        record({ responseElements, requestParameters }),
        record({ eventID: 'e-2', responseElements, requestParameters, errorCode: 'AccessDenied' }),
      ),
    },
  ]);
  expect(rows).toMatchObject([
    { issued_expires: '2026-11-21 10:15:00', issued_name: 'a', issued_role: 'arn:r' },
    { issued_key: null, issued_expires: null, error_code: 'AccessDenied' },
  ]);
});

test('one eventID counts once, from the file that a valid digest lists; a correction stands beside it', async () => {
  const rows = await readRecords([
    { text: file(record({ userAgent: 'planted' })), listed: 'unlisted' },
    { text: file(record({ userAgent: 'true' }), record({ addendum: { reason: 'UPDATED_DATA' } })), listed: 'listed' },
  ]);
  expect(rows.map(({ user_agent, addendum, listed }) => [user_agent, addendum, listed])).toEqual([
    ['true', null, 'listed'],
    [null, 'UPDATED_DATA', 'listed'],
  ]);
});

test('what can not be read is told in place of its records', async () => {
  const rows = await readRecords([
    { text: '{"Records": [' },
    { text: '{"Records": 5}' },
    { text: '{"Records": [5, null]}' },
    { text: '{"Records": []}' },
  ]);
  expect(rows.map(({ addendum, truncated, object }) => [addendum, truncated, object])).toEqual([
    ['UNREADABLE', true, 'file-0'],
    ['UNREADABLE', true, 'file-1'],
    ['UNREADABLE', true, 'file-2'],
    ['UNREADABLE', true, 'file-2'],
  ]);
});

test('hostile text hides no record: lone surrogates, types that do not fit, no eventID', async () => {
  const lone = file(record({ userAgent: 'X' })).replace('"X"', '"\\ud800 \\u0000"');
  const odd = file({
    ...record({}),
    eventID: undefined,
    userIdentity: 'text',
    requestParameters: [1],
    responseElements: 'no',
    resources: 7,
  });
  const rows = await readRecords([{ text: lone }, { text: odd }]);
  expect(rows.map(({ event_id, event_name, addendum }) => [event_id, event_name, addendum])).toEqual([
    ['e-1', 'AssumeRole', null],
    ['x/file-1:1', 'AssumeRole', null],
  ]);
});

test('host, source identity and tags are taken from where the record has them', async () => {
  const rows = await readRecords([
    {
      text: file(
        record({
          tlsDetails: { clientProvidedHostHeader: 'STS.us-east-1.amazonaws.com.:443' },
          requestParameters: { sourceIdentity: 'task-7b3f', tags: [{ key: 'task', value: '7b3f' }], omitted: true },
          userIdentity: { type: 'AssumedRole', principalId: 'AROA1:a:b', accessKeyId: '', invokedBy: '' },
        }),
      ),
    },
  ]);
  expect(rows).toMatchObject([
    {
      host: 'sts.us-east-1.amazonaws.com',
      issued_source_identity: 'task-7b3f',
      issued_tags: '{"principalTags":[{"key":"task","value":"7b3f"}],"incomingTransitiveTags":null}',
      session_name: 'a:b',
      access_key: null,
      invoked_by: null,
      truncated: true,
    },
  ]);
});

/** The session and use rows that follow from records of audit_event, for a task 7b3f with one declared session. */
async function derive(events: readonly Values[]): Promise<{ sessions: Row[]; uses: Row[] }> {
  return withDatabase(async (database) => {
    await insertRows(database, 'task', [
      {
        task_id: '7b3f',
        type: 't',
        declared_basis: 'collector',
        tolerance: '2 seconds',
        has_policy: false,
        evidence: 'task/x/0',
      },
    ]);
    await insertRows(database, 'declared_session', [
      { provider: 'aws', name: 'sess-7b3f-a', role: 'arn:aws:iam::111122223333:role/reader' },
    ]);
    await insertRows(database, 'setting', [{ kind: 'session-name', name: 'sess-7b3f-[^-]+', value: '' }]);
    const base = { time: '2026-11-21 10:00:00', account: '111122223333', object: 'o', listed: 'listed' };
    const rows = events.map((event, index) => ({
      ...base,
      event_id: `e${index}`,
      evidence: `cloudtrail/x/0#e${index}`,
      ...event,
    }));
    await insertRows(database, 'audit_event', rows);
    await deriveUses(database);
    return { sessions: await database.all('FROM session'), uses: await database.all('FROM "use"') };
  });
}

const issue = (key: string, fields: Values): Values => ({
  service: 'sts.amazonaws.com',
  event_name: 'AssumeRole',
  issued_key: key,
  issued_role: 'arn:aws:iam::111122223333:role/reader',
  issued_principal: `AROA1:${String(fields['issued_name'])}`,
  ...fields,
});
const call = (fields: Values): Values => ({
  service: 's3.amazonaws.com',
  event_name: 'ListBuckets',
  source: '192.0.2.1',
  ...fields,
});

test('sessions are closed over chaining, and only those of the task are in', async () => {
  const { sessions } = await derive([
    issue('K0', { issued_name: 'sess-7b3f-a', access_key: 'BROKER' }),
    issue('K1', { issued_name: 'anything', access_key: 'K0' }),
    issue('K2', { issued_name: 'more', access_key: 'K1', issued_role: 'arn:aws:iam::999988887777:role/x' }),
    issue('K3', { issued_name: 'sess-7b3f-b', access_key: 'BROKER' }),
    issue('K4', { issued_name: 'other', access_key: 'BROKER', issued_source_identity: 'agent=7b3f' }),
    issue('K5', { issued_name: 'other2', access_key: 'BROKER', issued_tags: '{"principalTags":{"task":"7b3f"}}' }),
    issue('K6', { issued_name: 'sess-7b3f0-a', access_key: 'BROKER', issued_source_identity: '7b3f0' }),
    // Hostile records that issue each other end too.
    issue('K7', { issued_name: 'x', access_key: 'K8' }),
    issue('K8', { issued_name: 'y', access_key: 'K7' }),
  ]);
  expect(
    sessions.map(({ key, bears, depth, declared, foreign_account }) => [key, bears, depth, declared, foreign_account]),
  ).toEqual([
    ['K0', 'declared', 0, true, false],
    ['K1', 'chained', 1, false, false],
    ['K2', 'chained', 2, false, true],
    ['K3', 'name', 0, false, false],
    ['K4', 'source-identity', 0, false, false],
    ['K5', 'tag', 0, false, false],
  ]);
});

test('a declared session without issuance is a row without key; its uses by name are told as not known', async () => {
  const { sessions, uses } = await derive([
    call({
      identity_type: 'AssumedRole',
      access_key: 'ASIA9',
      principal_id: 'AROA1:sess-7b3f-a',
      session_name: 'sess-7b3f-a',
      arn: 'arn:aws:sts::111122223333:assumed-role/reader/sess-7b3f-a',
    }),
  ]);
  expect(sessions).toMatchObject([{ key: null, name: 'sess-7b3f-a', declared: true, evidence: 'task/x/0' }]);
  expect(uses).toMatchObject([{ key: 'ASIA9', known: false, declared: true, action: 's3:ListAllMyBuckets' }]);
});

test('uses are tied by key, else by principal; service-made ones are delegated', async () => {
  const { uses } = await derive([
    issue('K0', { issued_name: 'sess-7b3f-a', access_key: 'BROKER' }),
    call({ access_key: 'K0' }),
    call({ access_key: null, principal_id: 'AROA1:sess-7b3f-a' }),
    call({ access_key: 'SERVICE', principal_id: 'AROA1:sess-7b3f-a', source: 'cloudformation.amazonaws.com' }),
    call({ access_key: 'K0', source: 'AWS Internal/3' }),
    call({ access_key: 'K0', invoked_by: 'athena.amazonaws.com' }),
    call({ access_key: 'OTHER', principal_id: 'AROA1:someone' }),
    call({ access_key: 'K0', source: '::FFFF:192.0.2.9', error_code: 'AccessDenied' }),
  ]);
  expect(
    uses.map(({ event_id, key, known, delegated, outcome, source }) => [
      event_id,
      key,
      known,
      delegated,
      outcome,
      source,
    ]),
  ).toEqual([
    ['e1', 'K0', true, false, 'ok', '192.0.2.1'],
    ['e2', 'K0', true, false, 'ok', '192.0.2.1'],
    ['e3', 'K0', true, true, 'ok', 'cloudformation.amazonaws.com'],
    ['e4', 'K0', true, true, 'ok', 'AWS Internal/3'],
    ['e5', 'K0', true, true, 'ok', '192.0.2.1'],
    ['e7', 'K0', true, false, 'denied', '192.0.2.9'],
  ]);
});

test.each([
  ['monitoring.amazonaws.com', 'GetMetricData', 'cloudwatch:GetMetricData'],
  ['lambda.amazonaws.com', 'ListFunctions20150331', 'lambda:ListFunctions'],
  ['lambda.amazonaws.com', 'GetFunction20150331v2', 'lambda:GetFunction'],
  ['cloudfront.amazonaws.com', 'CreateDistribution2020_05_31', 'cloudfront:CreateDistribution'],
  ['s3.amazonaws.com', 'ListObjectsV2', 's3:ListBucket'],
  ['wafv2.amazonaws.com', 'GetWebACL', 'wafv2:GetWebACL'],
  ['apigateway.amazonaws.com', 'CreateRestApi', 'apigateway:POST'],
  ['route53.amazonaws.com', 'GetHostedZone', 'route53:GetHostedZone'],
])('the IAM action of %s %s is %s', async (service, event_name, action) => {
  const { uses } = await derive([
    issue('K0', { issued_name: 'sess-7b3f-a', access_key: 'BROKER' }),
    call({ access_key: 'K0', service, event_name }),
  ]);
  expect(uses).toMatchObject([{ action }]);
});

test('a recorded case gives its session and uses', async () => {
  await withDatabase(async (database) => {
    await fileRecords(database, await readAll(caseFolder('c13-undeclared-session')));
    await insertRows(database, 'task', [
      {
        task_id: '7b3f',
        type: 't',
        declared_basis: 'collector',
        tolerance: '2 seconds',
        has_policy: false,
        evidence: 'task/x/0',
      },
    ]);
    await insertRows(database, 'declared_session', [{ provider: 'aws', name: 'sess-7b3f-a1c8' }]);
    await insertRows(database, 'setting', [{ kind: 'session-name', name: 'sess-7b3f-[^-]+', value: '' }]);
    await deriveUses(database);
    const sessions = await database.all('SELECT key, declared, bears, expires FROM session');
    expect(sessions).toEqual([
      { key: 'ASIAEXAMPLE7B3FXXXXX', declared: true, bears: 'declared', expires: '2026-11-21 10:48:24' },
      { key: 'ASIAEXAMPLESECONDKEY', declared: false, bears: 'name', expires: '2026-11-21 10:48:24' },
    ]);
    expect(await database.all('SELECT key, count(*) AS n FROM "use" GROUP BY key ORDER BY key')).toEqual([
      { key: 'ASIAEXAMPLE7B3FXXXXX', n: '4' },
      { key: 'ASIAEXAMPLESECONDKEY', n: '1' },
    ]);
  });
});
