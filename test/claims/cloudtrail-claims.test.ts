import { describe, expect, test } from 'vitest';
import { regionOf } from '../../src/judge/declared.ts';
import type { Row } from '../../src/query/database.ts';
import { readQuery } from '../../src/query/queries.ts';
import { insertRows, type Values, withDatabase } from '../sources/cloudtrail-database.ts';

test.each([
  ['kms.us-west-2.amazonaws.com', 'us-west-2'],
  ['.s3.eu-central-1.amazonaws.com', 'eu-central-1'],
  ['.eu-central-1.amazonaws.com', 'eu-central-1'],
  ['vpce-0a1b.kms.ap-southeast-2.vpce.amazonaws.com', 'ap-southeast-2'],
  ['sts.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['sts.amazonaws.com', null],
  ['kms.us-west-2.example.com', null],
  ['kms.us-west-2.amazonaws.com.example.com', null],
])('the region that %s names is %s', (host, region) => {
  expect(regionOf(host)).toBe(region);
});

type Tables = Readonly<Record<string, readonly Values[]>>;

const role = 'arn:aws:iam::111122223333:role/reader';
const at = (time: string): string => `2026-11-21 ${time}`;

const task = (fields: Values = {}): Values => ({
  task_id: '7b3f',
  type: 't',
  declared_basis: 'collector',
  window_start: at('10:33:30'),
  window_end: at('10:34:00'),
  last_exit: at('10:34:00'),
  tolerance: '2 seconds',
  newest: at('14:12:17'),
  has_policy: true,
  evidence: 'task/x/0',
  ...fields,
});
const session = (fields: Values = {}): Values => ({
  provider: 'aws',
  key: 'K0',
  principal: 'AROA1:sess-7b3f-a',
  name: 'sess-7b3f-a',
  role,
  account: '111122223333',
  declared: true,
  bears: 'declared',
  depth: 0,
  issued: at('10:33:23'),
  expires: at('10:48:24'),
  issued_by: 'arn:aws:iam::111122223333:user/broker',
  foreign_account: false,
  listed: 'listed',
  evidence: 'cloudtrail/x/0#issue',
  ...fields,
});
const use = (fields: Values = {}): Values => ({
  provider: 'aws',
  event_id: 'e1',
  time: at('10:33:43'),
  key: 'K0',
  session: 'sess-7b3f-a',
  known: true,
  declared: true,
  account: '111122223333',
  region: 'us-east-1',
  service: 'route53.amazonaws.com',
  event_name: 'GetHostedZone',
  action: 'route53:GetHostedZone',
  source: '203.0.113.7',
  delegated: false,
  outcome: 'ok',
  listed: 'listed',
  evidence: `cloudtrail/x/0#${String(fields['event_id'] ?? 'e1')}`,
  ...fields,
});
const action = (source: 'declaration' | 'granted', pattern: string, fields: Values = {}): Values => ({
  source,
  effect: 'allow',
  inverted: false,
  statement: source === 'granted' ? 1 : 0,
  pattern,
  service: pattern.split(':')[0]?.toLowerCase() ?? '',
  regex: '',
  ...fields,
});

/** `code kind subject` of every finding of a claim over the given rows. */
async function judge(claim: string, tables: Tables): Promise<string[]> {
  const rows = await findings(claim, tables);
  return rows.map(({ code, kind, subject }) => `${String(code)} ${String(kind)} ${String(subject)}`);
}

async function findings(claim: string, tables: Tables): Promise<Row[]> {
  return withDatabase(async (database) => {
    for (const [table, rows] of Object.entries(tables)) await insertRows(database, table, rows);
    return database.all(readQuery(`claims/${claim}`));
  });
}

describe('sessions-known:', () => {
  const claim = (tables: Tables) => judge('sessions-known', { task: [task()], session: [session()], ...tables });

  test('a declared credential of a provider whose evidence is not here is a doubt', async () => {
    const declared = [
      { provider: 'aws', name: 'sess-7b3f-a', role },
      { provider: 'gcp', name: 'svc@x' },
    ];
    expect(await claim({ declared_session: declared })).toEqual(['unknown-issuance doubt svc@x']);
  });

  test('sessions of one name that several principals issued need declared issuers', async () => {
    const two = [session(), session({ key: 'K1', issued_by: 'arn:aws:iam::111122223333:user/mallory' })];
    expect(await claim({ session: two })).toEqual(['minted-outside doubt sess-7b3f-a']);
    // sessions of one role are one principal
    const broker = 'arn:aws:sts::111122223333:assumed-role/broker';
    const renewed = [session({ issued_by: `${broker}/a` }), session({ key: 'K1', issued_by: `${broker}/b` })];
    expect(await claim({ session: renewed })).toEqual([]);
    const issuer = [{ kind: 'issuer', name: 'x', value: 'arn:aws:iam::111122223333:user/*' }];
    expect(await claim({ session: two, setting: issuer })).toEqual([]);
  });

  test('a declared session with its issuance gives nothing', async () => {
    expect(await claim({ use: [use()] })).toEqual([]);
  });

  test('a session that is not declared convicts, unless only an unlisted file tells of it', async () => {
    const other = session({
      key: 'K1',
      name: 'sess-7b3f-b',
      declared: false,
      bears: 'name',
      sure: true,
      evidence: 'cloudtrail/x/0#e2',
    });
    expect(await claim({ session: [session(), other] })).toEqual(['undeclared-session counterexample sess-7b3f-b']);
    // a name that may be of another task as well
    expect(await claim({ session: [session(), { ...other, sure: false }] })).toEqual([
      'undeclared-session doubt sess-7b3f-b',
    ]);
    expect(await claim({ session: [session(), { ...other, listed: 'pending' }] })).toEqual([
      'undeclared-session counterexample sess-7b3f-b',
    ]);
    expect(await claim({ session: [session(), { ...other, listed: 'unlisted' }] })).toEqual([
      'undeclared-session doubt sess-7b3f-b',
    ]);
    const chained = { ...other, bears: 'chained', sure: false, depth: 1, name: 'x', parent_key: 'K0' };
    expect(await claim({ session: [session(), chained] })).toEqual(['undeclared-session counterexample x']);
  });

  test('what the issuance record does not prove is a doubt', async () => {
    expect(await claim({ session: [session({ key: null })] })).toEqual(['unknown-issuance doubt sess-7b3f-a']);
    expect(await claim({ session: [session({ listed: 'unlisted' })] })).toEqual(['unknown-issuance doubt sess-7b3f-a']);
    expect(await claim({ session: [session({ expires: null })] })).toEqual(['unknown-issuance doubt sess-7b3f-a']);
    expect(await claim({ use: [use({ known: false, key: 'K9' })] })).toEqual(['unknown-issuance doubt sess-7b3f-a']);
    expect(await claim({ use: [use({ time: at('10:33:22') })] })).toEqual([]);
    expect(await claim({ use: [use({ time: at('10:33:20') })] })).toEqual(['unknown-issuance doubt sess-7b3f-a']);
  });

  test('a chain that leaves the evidence is open', async () => {
    expect(await claim({ session: [session({ foreign_account: true })] })).toEqual(['open-chain doubt sess-7b3f-a']);
    const mint = use({ service: 'sts.amazonaws.com', event_name: 'GetWebIdentityToken' });
    expect(await claim({ use: [mint] })).toEqual(['open-chain doubt sess-7b3f-a']);
    expect(await claim({ use: [{ ...mint, outcome: 'denied' }] })).toEqual([]);
    const followed = use({ service: 'sts.amazonaws.com', event_name: 'AssumeRole', evidence: 'cloudtrail/x/0#chain' });
    const chained = session({ key: 'K1', depth: 1, parent_key: 'K0', evidence: 'cloudtrail/x/0#chain' });
    expect(await claim({ use: [followed], session: [session(), chained] })).toEqual([]);
  });

  test('a name that may have been cut within the id is a doubt, a shorter one is not', async () => {
    const id = '0a1b2c3d-0000-4000-8000-000000000000';
    const event = (name: string): Values => ({
      event_id: 'e5',
      time: at('10:33:40'),
      issued_name: name,
      issued_key: 'K5',
      object: 'o',
      listed: 'listed',
      evidence: 'cloudtrail/x/0#e5',
    });
    const cut = `${'s'.repeat(64 - 1 - 12)}-${id.slice(0, 12)}`;
    const of = (name: string) => claim({ task: [task({ task_id: id })], audit_event: [event(name)] });
    expect(await of(cut)).toEqual([`truncated-session-name doubt ${cut}`]);
    expect(await of(cut.slice(1))).toEqual([]);
    expect(await of(`${'s'.repeat(64 - 1 - 12)}-${'f'.repeat(12)}`)).toEqual([]);
  });

  test('where issuers are declared, another one is a doubt; a role stands for its sessions', async () => {
    const issuer = (value: string) => [{ kind: 'issuer', name: '', value }];
    expect(await claim({ setting: issuer('arn:aws:iam::111122223333:user/broker') })).toEqual([]);
    expect(await claim({ setting: issuer('arn:aws:iam::111122223333:user/other') })).toEqual([
      'minted-outside doubt sess-7b3f-a',
    ]);
    const bySession = session({ issued_by: 'arn:aws:sts::111122223333:assumed-role/broker/i-1' });
    const ofRole = (value: string) => claim({ session: [bySession], setting: issuer(value) });
    expect(await ofRole('arn:aws:iam::111122223333:role/some/path/broker')).toEqual([]);
    expect(await ofRole('arn:aws:iam::999922223333:role/broker')).toEqual(['minted-outside doubt sess-7b3f-a']);
  });
});

describe('actions-declared:', () => {
  const granted = [action('granted', 'route53:Get*'), action('granted', 'route53:List*')];
  const declared = [action('declaration', 'route53:GetHostedZone'), action('declaration', 'sts:GetCallerIdentity')];
  const claim = (uses: readonly Values[], actions: readonly Values[], fields: Values = {}) =>
    judge('actions-declared', { task: [task(fields)], session: [session()], use: uses, declared_action: actions });
  const identity = use({
    service: 'sts.amazonaws.com',
    event_name: 'GetCallerIdentity',
    action: 'sts:GetCallerIdentity',
  });

  test('what is declared and granted, or needs no permission, gives nothing', async () => {
    expect(await claim([use(), { ...identity, event_id: 'e2' }], [...declared, ...granted])).toEqual([]);
    expect(await claim([use(), { ...identity, event_id: 'e2' }], granted)).toEqual([]);
    expect(await claim([use()], [], { has_policy: false })).toEqual([]);
  });

  test('what is not declared convicts, a denied attempt too', async () => {
    const change = use({ event_name: 'ChangeResourceRecordSets', action: 'route53:ChangeResourceRecordSets' });
    const convicted = ['undeclared-action counterexample route53:ChangeResourceRecordSets'];
    expect(await claim([change], [...declared, ...granted])).toEqual(convicted);
    expect(await claim([{ ...change, outcome: 'denied' }], [...declared, ...granted])).toEqual(convicted);
    expect(await claim([change], granted)).toEqual(convicted);
    expect(await claim([identity], [action('declaration', 'route53:*'), ...granted])).toEqual([
      'undeclared-action counterexample sts:GetCallerIdentity',
    ]);
  });

  test('only a record that is vouched for and tied by its key convicts', async () => {
    const change = use({ action: 'route53:ChangeResourceRecordSets' });
    const of = (fields: Values) => claim([{ ...change, ...fields }], declared);
    expect(await of({ listed: 'pending' })).toEqual([
      'undeclared-action counterexample route53:ChangeResourceRecordSets',
    ]);
    expect(await of({ listed: 'unlisted' })).toEqual(['undeclared-action doubt route53:ChangeResourceRecordSets']);
    expect(await of({ known: false })).toEqual(['undeclared-action doubt route53:ChangeResourceRecordSets']);
    expect(await of({ delegated: true })).toEqual(['undeclared-action note route53:ChangeResourceRecordSets']);
  });

  test('a declared action that was denied is told; one that the policy does not grant but worked is a doubt', async () => {
    expect(await claim([use({ outcome: 'denied' })], [...declared, ...granted])).toEqual([
      'denied-action note route53:GetHostedZone',
    ]);
    expect(await claim([use()], [...declared, action('granted', 's3:*')])).toEqual([
      'denied-action doubt route53:GetHostedZone',
    ]);
  });

  test('NotAction allows the rest; a deny convicts only what was denied', async () => {
    const all = [action('granted', 'iam:*', { inverted: true }), action('granted', 'sts:*', { inverted: true })];
    expect(await claim([use()], all)).toEqual([]);
    const user = use({ service: 'iam.amazonaws.com', event_name: 'GetUser', action: 'iam:GetUser' });
    expect(await claim([user], all)).toEqual(['undeclared-action counterexample iam:GetUser']);
    const denied = [...granted, action('granted', 'route53:Get*', { effect: 'deny', statement: 2 })];
    expect(await claim([use()], denied)).toEqual(['denied-action doubt route53:GetHostedZone']);
    expect(await claim([use({ outcome: 'denied' })], denied)).toEqual([
      'undeclared-action counterexample route53:GetHostedZone',
    ]);
  });

  test('a call that needs two actions is judged by each; one that leaves open which it needed, by all', async () => {
    const copy = use({ service: 's3.amazonaws.com', event_name: 'CopyObject', action: 's3:GetObject' });
    expect(await claim([copy], [action('declaration', 's3:GetObject')], { has_policy: false })).toEqual([
      'undeclared-action counterexample s3:PutObject',
    ]);
    const transact = use({
      service: 'dynamodb.amazonaws.com',
      event_name: 'TransactWriteItems',
      action: 'dynamodb:PutItem',
    });
    const some = await claim([transact], [action('declaration', 'dynamodb:PutItem')], { has_policy: false });
    expect(some.every((finding) => finding.includes(' doubt '))).toBe(true);
    const none = await claim([transact], [action('declaration', 's3:*')], { has_policy: false });
    expect(none.every((finding) => finding.includes(' counterexample '))).toBe(true);
    expect([some.length, none.length]).toEqual([3, 4]);
  });
});

describe('lifetime-bounded:', () => {
  const claim = (uses: readonly Values[], tables: Tables = {}) =>
    judge('lifetime-bounded', { task: [task()], session: [session()], use: uses, ...tables });

  test('within the tolerance of the task’s end and the expiry there is nothing', async () => {
    expect(await claim([use({ time: at('10:34:02') })])).toEqual([]);
  });

  test('a use after the task or after the expiry convicts', async () => {
    expect(await claim([use({ time: at('10:34:03') })])).toEqual(['use-after-task counterexample sess-7b3f-a']);
    const long = { task: [task({ window_end: at('11:00:00'), last_exit: at('11:00:00') })] };
    expect(await claim([use({ time: at('10:48:27') })], long)).toEqual(['use-after-expiry counterexample sess-7b3f-a']);
  });

  test('the last exit ends a longer declared window, unless a process still runs', async () => {
    const tables = { task: [task({ window_end: at('11:00:00') })] };
    expect(await claim([use({ time: at('10:40:00') })], tables)).toEqual(['use-after-task counterexample sess-7b3f-a']);
    const process = [
      { node: 'n', exec_id: 'x', announced: true, seen: true, task_id: '7b3f', evidence: 'tetragon/n/0' },
    ];
    expect(await claim([use({ time: at('10:40:00') })], { ...tables, process })).toEqual([]);
    expect(await claim([use({ time: at('10:40:00') })], { task: [task({ window_end: null })] })).toEqual([]);
  });

  test('what a service made is told, what nothing vouches for is a doubt', async () => {
    const late = use({ time: at('10:36:00') });
    expect(await claim([{ ...late, delegated: true }])).toEqual(['use-after-task note sess-7b3f-a']);
    expect(await claim([{ ...late, listed: 'unlisted' }])).toEqual(['use-after-task doubt sess-7b3f-a']);
    expect(await claim([{ ...late, known: false }])).toEqual(['use-after-task doubt sess-7b3f-a']);
  });
});

describe('audit-complete:', () => {
  const digest = (hour: number, fields: Values = {}): Values => ({
    kind: 'digest',
    object: `digest-${hour}`,
    account: '111122223333',
    region: 'us-east-1',
    trail: 'org-trail',
    from_time: at(`${String(hour - 1).padStart(2, '0')}:12:17`),
    until: at(`${String(hour).padStart(2, '0')}:12:17`),
    state: 'valid',
    starting: false,
    why: '',
    evidence: `cloudtrail-digest/x/${hour}`,
    ...fields,
  });
  const log = (state: string, fields: Values = {}): Values => ({
    ...digest(11),
    kind: 'log',
    object: `log-${state}`,
    from_time: at('10:33:23'),
    until: at('10:33:51'),
    delivered: at('10:40:00'),
    state,
    evidence: 'cloudtrail/x/0',
    ...fields,
  });
  const snapshot = (time: string, fields: Values = {}): Values => ({
    provider: 'aws',
    account: '111122223333',
    region: 'us-east-1',
    trail: 'org-trail',
    time: at(time),
    logging: true,
    validated: true,
    multi_region: true,
    global_events: true,
    management: 'all',
    excluded: '[]',
    data: '[]',
    selectors: '{}',
    evidence: `cloudtrail-config/x/${time}`,
    ...fields,
  });
  const good: Tables = {
    task: [task()],
    session: [session()],
    use: [use()],
    declared_session: [{ provider: 'aws', name: 'sess-7b3f-a' }],
    declared_action: [action('granted', 'route53:*')],
    audit_object: [digest(9, { starting: true }), digest(10), digest(11), digest(12), digest(13), log('listed')],
    audit_snapshot: [snapshot('09:33:23'), snapshot('13:48:24')],
  };
  const rows = (name: string): readonly Values[] => good[name] ?? [];
  const claim = (tables: Tables) => judge('audit-complete', { ...good, ...tables });
  const objects = (...changed: Values[]) => ({
    audit_object: [
      ...rows('audit_object').filter((row) => !changed.some(({ object }) => object === row['object'])),
      ...changed,
    ],
  });

  test('a closed chain with snapshots around it gives nothing', async () => {
    expect(await claim({})).toEqual([]);
  });

  test('without any evidence of CloudTrail there is a doubt, unless the task has only other credentials', async () => {
    const none = { audit_object: [], audit_snapshot: [], use: [], session: [] };
    expect(await claim(none)).toEqual(['digest-missing doubt aws']);
    expect(await claim({ ...none, declared_session: [] })).toEqual(['digest-missing doubt aws']);
    expect(await claim({ ...none, declared_session: [{ provider: 'vault', name: 'x' }] })).toEqual([]);
  });

  test('missing and invalid digests within the span are doubts, those outside are not', async () => {
    expect(await claim(objects(digest(11, { state: 'missing' })))).toContain('digest-missing doubt digest-11');
    expect(await claim(objects(digest(12, { state: 'invalid' })))).toEqual(['digest-invalid doubt digest-12']);
    expect(await claim(objects(digest(9, { state: 'missing' })))).toEqual([]);
    expect(await claim(objects(digest(14, { state: 'invalid' })))).toEqual([]);
    expect(
      await claim(objects(digest(10, { kind: 'backfill', object: 'b', state: 'invalid', until: at('11:00:00') }))),
    ).toEqual(['digest-invalid doubt b']);
    const nowhere = { kind: 'digest', object: 'odd', state: 'invalid', starting: false, why: '', evidence: 'e' };
    expect(await claim(objects(nowhere))).toEqual(['digest-invalid doubt odd']);
  });

  test('a chain that begins too late, or anew, is a doubt', async () => {
    const late = { audit_object: [digest(11, { starting: true, from_time: at('10:33:24') }), digest(12), digest(13)] };
    expect(await claim(late)).toEqual([
      'digest-missing doubt 111122223333/us-east-1 org-trail',
      'digest-missing doubt digest-11',
    ]);
    expect(await claim(objects(digest(12, { starting: true })))).toEqual(['digest-missing doubt digest-12']);
  });

  test('log files: missing and altered ones matter by the times of their events, unlisted ones by their records', async () => {
    expect(await claim(objects(log('missing')))).toEqual(['log-file-missing doubt log-missing']);
    expect(await claim(objects(log('altered')))).toEqual(['log-file-altered doubt log-altered']);
    expect(await claim(objects(log('missing', { from_time: at('09:00:00'), until: at('09:59:00') })))).toEqual([]);
    const unlisted = log('unlisted', { trail: null, from_time: null, until: null });
    expect(await claim(objects(unlisted))).toEqual(['log-file-unlisted note log-unlisted']);
    const event = { event_id: 'p', object: 'log-unlisted', listed: 'unlisted', evidence: 'cloudtrail/x/0#p' };
    expect(await claim({ ...objects(unlisted), audit_event: [event] })).toEqual([
      'log-file-unlisted doubt log-unlisted',
    ]);
  });

  test('an open tail is a wait until the second digest past the expiry is due, then a doubt', async () => {
    const open = {
      audit_object: [digest(9), digest(10)],
      audit_snapshot: [snapshot('09:33:23'), snapshot('10:43:51')],
    };
    const now = (newest: string) => ({ ...open, task: [task({ newest: at(newest) })] });
    const found = await findings('audit-complete', { ...good, ...now('10:43:51') });
    expect(found.map(({ code, kind, until_time }) => [code, kind, until_time])).toEqual([
      ['tail-open', 'wait', at('10:48:24')],
      ['tail-open', 'wait', at('12:12:17')],
    ]);
    expect(await claim(now('14:12:17'))).toEqual([
      'class-off doubt 111122223333/us-east-1 org-trail',
      'digest-missing doubt 111122223333/us-east-1 org-trail',
    ]);
    const half = {
      ...good,
      audit_object: [digest(9), digest(10), digest(11)],
      task: [task({ newest: at('11:30:00') })],
    };
    expect((await findings('audit-complete', half)).map(({ kind, until_time }) => [kind, until_time])).toEqual([
      ['wait', at('12:12:17')],
    ]);
  });

  test('newest digests that a snapshot knows of and that are not here are a doubt', async () => {
    const cut = { audit_object: [digest(9), digest(10)], task: [task({ newest: at('11:30:00') })] };
    expect(
      await claim({
        ...cut,
        audit_snapshot: [snapshot('09:33:23'), snapshot('11:30:00', { latest_digest: at('11:12:17') })],
      }),
    ).toEqual([
      'digest-missing doubt 111122223333/us-east-1 org-trail',
      'tail-open wait 111122223333/us-east-1 org-trail',
    ]);
  });

  test('records in a log file after the newest digest are a wait', async () => {
    const late = { use: [use({ listed: 'pending' })], task: [task({ newest: at('13:20:00') })] };
    expect(await claim(late)).toEqual(['tail-open wait 111122223333/us-east-1 org-trail']);
    expect(await claim({ ...late, use: [], session: [session({ listed: 'pending' })] })).toEqual([
      'tail-open wait 111122223333/us-east-1 org-trail',
    ]);
  });

  test('data events must be on for what the policy grants, whole and for its kind of access', async () => {
    const s3 = (pattern: string, data: string) =>
      claim({
        declared_action: [action('granted', pattern)],
        audit_snapshot: [snapshot('09:33:23', { data }), snapshot('13:48:24', { data })],
      });
    const entry = (prefixes: string, kind: string) =>
      `[{"prefixes":${prefixes},"read_write":"${kind}","resource_type":"AWS::S3::Object","service":"s3"}]`;
    expect(new Set(await s3('s3:GetObject', '[]'))).toEqual(new Set(['class-off doubt s3']));
    expect(await s3('s3:GetObject', entry('null', 'all'))).toEqual([]);
    expect(await s3('s3:GetObject', entry('null', 'read'))).toEqual([]);
    expect(new Set(await s3('s3:*', entry('null', 'read')))).toEqual(new Set(['class-off doubt s3']));
    expect(new Set(await s3('s3:GetObject', entry('["arn:aws:s3:::x/"]', 'all')))).toEqual(
      new Set(['class-off doubt s3']),
    );
    expect(await s3('s3:CreateBucket', '[]')).toEqual([]);
    expect(await s3('sts:*', '[]')).toEqual([]);
  });

  test('without a policy the declared endpoints say which services count', async () => {
    const of = (...hosts: string[]) =>
      claim({
        task: [task({ has_policy: false })],
        declared_action: [],
        declared_endpoint: hosts.map((host) => ({
          kind: 'endpoints',
          text: host,
          host,
          wildcard: host.startsWith('.'),
          port: 443,
          protocol: 'tcp',
        })),
      });
    expect(await of('route53.amazonaws.com', 'sts.amazonaws.com', 'example.com')).toEqual([]);
    for (const host of ['s3.us-east-1.amazonaws.com', 'bucket.s3.amazonaws.com', '.s3.us-east-1.amazonaws.com']) {
      expect(new Set(await of(host))).toEqual(new Set(['class-off doubt s3']));
    }
    expect((await of('.amazonaws.com')).length).toBeGreaterThan(20);
  });

  test('the region of a declared endpoint has to be watched in one of the accounts, also without a use there', async () => {
    const of = (region: string | null, fields: Tables = {}) =>
      claim({
        declared_action: [action('granted', 'kms:*')],
        declared_endpoint: [
          { kind: 'endpoints', text: 'h', host: 'h', wildcard: false, port: 443, protocol: 'tcp', region },
        ],
        ...fields,
      });
    expect(await of('us-east-1')).toEqual([]);
    const missing = 'digest-missing doubt 111122223333/eu-west-1 org-trail';
    expect(await of('eu-west-1')).toEqual([missing]);
    expect(await of(null)).toEqual([]);
    // stated places say it all
    const stated = { kind: 'trail-required', name: '111122223333/us-east-1', value: '' };
    expect(await of('eu-west-1', { setting: [stated] })).toEqual([]);
  });

  test('management events must be on for every service granted', async () => {
    const off = (fields: Values) =>
      claim({
        declared_action: [action('granted', 'kms:*')],
        audit_snapshot: [snapshot('09:33:23', fields), snapshot('13:48:24', fields)],
      });
    expect(await off({ management: 'write' })).toEqual(['class-off doubt kms', 'class-off doubt kms']);
    expect(await off({ excluded: '["kms.amazonaws.com"]' })).toEqual(['class-off doubt kms', 'class-off doubt kms']);
    expect(await off({ excluded: '["rdsdata.amazonaws.com"]' })).toEqual([]);
    expect(await off({ logging: false })).toEqual(['class-off doubt kms', 'class-off doubt kms']);
  });

  test('a changed trail is a doubt: by snapshots, or by the record of the change', async () => {
    const changed = [snapshot('09:33:23'), snapshot('13:48:24', { selectors: '{"x":1}' })];
    expect(await claim({ audit_snapshot: changed })).toEqual(['trail-changed doubt 111122223333/us-east-1 org-trail']);
    const stop = (time: string, error_code: string | null = null) => ({
      audit_event: [
        {
          event_id: 's',
          time: at(time),
          account: '111122223333',
          service: 'cloudtrail.amazonaws.com',
          event_name: 'StopLogging',
          error_code,
          object: 'o',
          listed: 'listed',
          evidence: 'e',
        },
      ],
    });
    expect(await claim(stop('10:00:00'))).toEqual(['trail-changed doubt 111122223333']);
    expect(await claim(stop('09:00:00'))).toEqual([]);
    expect(await claim(stop('10:40:00', 'AccessDenied'))).toEqual([]);
  });

  test('a snapshot before is needed', async () => {
    expect(await claim({ audit_snapshot: [snapshot('13:48:24')] })).toEqual([
      'class-off doubt 111122223333/us-east-1 org-trail',
    ]);
  });

  test('one trail has to carry the whole proof; what ails another is told', async () => {
    const second = (fields: Values) => [
      ...rows('audit_snapshot'),
      snapshot('09:33:23', { trail: 'second', ...fields }),
      snapshot('13:48:24', { trail: 'second', ...fields }),
    ];
    const found = await claim({ audit_snapshot: second({ logging: false }) });
    expect(new Set(found.map((finding) => finding.split(' ')[1]))).toEqual(new Set(['note']));
    // A trail with data events but no chain does not help one with a chain but no data events.
    const data = '[{"prefixes":null,"read_write":"all","resource_type":"AWS::S3::Object","service":"s3"}]';
    const mixed = await claim({
      declared_action: [action('granted', 's3:GetObject')],
      audit_snapshot: second({ data }),
    });
    expect(mixed).toContain('class-off doubt s3');
  });

  test('places: regional services need each region of the snapshots, global ones their own', async () => {
    const regions = {
      audit_snapshot: [
        ...rows('audit_snapshot'),
        snapshot('09:33:23', { region: 'eu-west-1' }),
        snapshot('13:48:24', { region: 'eu-west-1' }),
      ],
    };
    expect(await claim(regions)).toEqual([]);
    expect(await claim({ ...regions, declared_action: [action('granted', 'ec2:*')] })).toEqual([
      'digest-missing doubt 111122223333/eu-west-1 org-trail',
    ]);
    const required = { setting: [{ kind: 'trail-required', name: '111122223333/us-east-1', value: 'absent' }] };
    expect(await claim(required)).toEqual(['digest-missing doubt 111122223333/us-east-1 absent']);
  });

  test('what CloudTrail says it lost, and files that gave nothing', async () => {
    const event = (addendum: string): Values => ({
      event_id: addendum,
      time: at('10:33:40'),
      account: '111122223333',
      service: 's3.amazonaws.com',
      addendum,
      object: 'o',
      listed: 'listed',
      evidence: 'e',
    });
    expect(
      await claim({ audit_event: [event('SERVICE_OUTAGE'), event('DELIVERY_DELAY'), event('UNREADABLE')] }),
    ).toEqual(['log-loss doubt s3.amazonaws.com', 'log-loss note s3.amazonaws.com', 'log-loss doubt s3.amazonaws.com']);
    const gap = (why: string) => ({
      gap: [{ stream: 'cloudtrail', origin: 'f.json', why, detail: 'x', evidence: 'e' }],
    });
    expect(await claim(gap('unreadable-file'))).toEqual(['log-loss doubt f.json']);
    expect(await claim(gap('unknown-file'))).toEqual(['log-loss note f.json']);
  });

  test('what LookupEvents tells of the credential is in the log, two valid digests later', async () => {
    const told = (fields: Values = {}): Values => ({
      event_id: 'e9',
      time: at('10:33:50'),
      account: '111122223333',
      region: 'us-east-1',
      access_key: 'K0',
      action: 'route53.amazonaws.com GetHostedZone',
      evidence: 'cloudtrail-lookup/x/0',
      ...fields,
    });
    expect(await claim({ audit_lookup: [told()] })).toEqual(['log-loss doubt 111122223333/us-east-1']);
    expect(await claim({ audit_lookup: [told({ access_key: 'of another' })] })).toEqual([]);
    expect(await claim({ audit_lookup: [told({ time: at('13:30:00') })] })).toEqual([]); // one digest later
    const logged = { event_id: 'e9', time: at('10:33:50'), listed: 'listed', object: 'o', evidence: 'e' };
    expect(await claim({ audit_lookup: [told()], audit_event: [logged] })).toEqual([]);
  });
});
