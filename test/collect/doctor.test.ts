import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateKeyPair, ledgerKey, loadPrivateKey } from '../../src/attest/keys.ts';
import type { Probes } from '../../src/collect/doctor-probes.ts';
import { checkAgent, checkExport } from '../../src/collect/doctor-agent.ts';
import { checkCollector, checkKey, checkStore } from '../../src/collect/doctor-store.ts';
import { diagnose } from '../../src/collect/doctor.ts';
import { renderFindings } from '../../src/collect/doctor-text.ts';
import { type Finding, openNotes } from '../../src/collect/doctor-finding.ts';
import { toVkey } from '../../src/evidence/signed-note.ts';
import { TallyError } from '../../src/model/errors.ts';
import { AwsError } from '../../src/sources/aws-error.ts';
import {
  config,
  fileLook,
  folderLook,
  goodConf,
  goodWorld,
  grants,
  now,
  patient,
  trailSnapshot,
  type World,
} from './doctor-probes.ts';

const { privatePem } = generateKeyPair();

/** Findings that are not ok, as `level subject | check`. */
const amiss = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ level, subject, check }) => (level === 'ok' ? [] : [`${level} ${subject} | ${check}`]));

interface Change {
  readonly text?: string;
  readonly policies?: readonly string[];
  readonly world?: (world: World) => void;
  readonly probes?: (probes: Probes) => Partial<Probes>;
}

async function examine({ text, policies, world: change, probes }: Change = {}): Promise<readonly Finding[]> {
  const world = goodWorld();
  change?.(world);
  return diagnose(patient(privatePem, text, policies), { ...world.probes, ...probes?.(world.probes) });
}

/** What is said of an agent with these settings, beside good ones. */
function settingsOf(settings: Readonly<Record<string, unknown>>, text?: string): readonly Finding[] {
  const notes = openNotes('n');
  const [source] = patient(privatePem, text).settings.sources.tetragon;
  if (source === undefined) throw new Error('no source');
  checkAgent(notes, { ...goodConf, ...settings }, { variables: ['TASK_ID'], pods: false });
  checkExport(notes, { ...goodConf, ...settings }, source);
  return notes.findings;
}

/** Without asking sensors and providers. */
async function examineHere({ text, world: change, probes }: Change = {}): Promise<readonly Finding[]> {
  const world = goodWorld();
  change?.(world);
  const { settings, env } = patient(privatePem, text);
  const here = { ...world.probes, ...probes?.(world.probes) };
  return [
    ...(await checkKey(settings, here.files, env)),
    ...(await checkStore(settings.store.path, here)),
    ...(await checkCollector(settings, here.files)),
  ];
}

const conf = (settings: Record<string, unknown>) => (world: World) => {
  world.agent = { ...world.agent, conf: { ...goodConf, ...settings } };
};

test('where nothing is amiss, nothing is said to be', async () => {
  const findings = await examine();
  expect(amiss(findings)).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['hooks', 'environment', 'trail', 'newest digest', 'classes of events', 'disk', 'key']),
  );
});

describe('sensor', () => {
  test('one that can’t be reached fails with what stands in the way', async () => {
    const refused = () => Promise.reject(new TallyError('input', 'GetVersion: UNAVAILABLE: connect ENOENT'));
    const findings = await examine({
      world: (world) => world.looks.delete('/run/tetragon.sock'),
      probes: ({ sensor }) => ({ sensor: { ...sensor, agent: refused } }),
    });
    const [finding] = findings.filter(({ check }) => check === 'agent');
    expect(finding).toMatchObject({
      level: 'fail',
      subject: 'sensor worker-1',
      fix: 'start the agent with server-address: unix:///run/tetragon.sock',
    });
    expect(finding?.detail).toContain('ENOENT');
  });

  test('a socket that may not be opened is told apart from one that is not served', async () => {
    const refused = () => Promise.reject(new TallyError('input', 'GetVersion: UNAVAILABLE: connect EACCES'));
    const fixes = ['denied' as const, { ...fileLook, kind: 'socket' as const }].map(async (look) => {
      const findings = await examine({
        world: (world) => world.looks.set('/run/tetragon.sock', look),
        probes: ({ sensor }) => ({ sensor: { ...sensor, agent: refused } }),
      });
      return findings.find(({ check }) => check === 'agent')?.fix;
    });
    expect(await Promise.all(fixes)).toEqual([
      'run the collector in the socket’s group (root, mode 660)',
      'start the agent: its socket is there, but nobody serves it',
    ]);
  });

  test('a policy that is off, gone, or for one namespace fails, naming the file to load', async () => {
    const change = (edit: (policy: Record<string, unknown>) => void) => (world: World) => {
      const policies = world.agent.policies.map((policy) => ({ ...(policy as Record<string, unknown>) }));
      for (const policy of policies.filter(({ name }) => name === 'tally-dns')) edit(policy);
      world.agent = { ...world.agent, policies };
    };
    const off = await examine({ world: change((policy) => (policy['state'] = 'TP_STATE_DISABLED')) });
    expect(amiss(off)).toEqual(['fail sensor worker-1 | hooks']);
    expect(off.find(({ level }) => level === 'fail')?.fix).toContain('enable');

    const gone = await examine({
      world: (world) => {
        const policies = world.agent.policies.filter((policy) => (policy as { name: string }).name !== 'tally-tls');
        world.agent = { ...world.agent, policies };
      },
    });
    expect(gone.find(({ level }) => level === 'fail')?.fix).toContain('deploy/tetragon/policies/tally-tls.yaml');

    const narrow = await examine({ world: change((policy) => (policy['namespace'] = 'agents')) });
    expect(narrow.find(({ level }) => level === 'fail')?.detail).toContain('limited to the namespace agents');
  });

  test('a hook that did not attach fails though its policy is enabled', async () => {
    const findings = await examine({
      world: (world) => {
        const policies = structuredClone(world.agent.policies) as {
          hook_statuses: { hook_description: string; state: string }[];
        }[];
        for (const hook of policies.flatMap(({ hook_statuses }) => hook_statuses))
          if (hook.hook_description === 'tcp_connect') hook.state = 'STATUS_CALL_NOT_FOUND';
        world.agent = { ...world.agent, policies };
      },
    });
    expect(findings.find(({ level }) => level === 'fail')).toMatchObject({ check: 'hooks' });
    expect(findings.find(({ level }) => level === 'fail')?.detail).toContain('tcp_connect');
  });

  test('metrics that are off, foreign or without loss counters fail', async () => {
    const off = await examine({
      probes: ({ sensor }) => ({
        sensor: { ...sensor, metrics: () => Promise.reject(new TallyError('input', 'metrics: connect ECONNREFUSED')) },
      }),
    });
    expect(amiss(off)).toEqual(['fail sensor worker-1 | metrics']);
    const foreign = await examine({ world: (world) => (world.metrics = { up: 1 }) });
    expect(amiss(foreign)).toContain('fail sensor worker-1 | metrics');
    const none = await examine({ text: config.replace(/ +metrics:.*\n/, '') });
    expect(amiss(none)).toEqual(['fail sensor worker-1 | metrics']);
  });

  test.each([
    [{ 'enable-process-environment-variables': 'false' }, 'fail', 'environment'],
    [{ 'filter-environment-variables': 'PATH,HOME' }, 'fail', 'environment'],
    [{ 'filter-environment-variables': ['PATH'] }, 'fail', 'environment'],
    [{ 'filter-environment-variables': '' }, 'warn', 'environment'],
    [{ 'enable-process-ns': 'false' }, 'warn', 'network namespaces'],
    [{ 'cgroup-rate': '50,1s' }, 'warn', 'cgroup rate limit'],
    [{ 'rb-size-total': '0' }, 'warn', 'queues'],
    [{ 'event-queue-size': '10000' }, 'warn', 'queues'],
    [{ 'enable-ancestors': 'base,kprobe' }, 'warn', 'size of events'],
    [{ 'redaction-filters': '{"redact":[".*"]}' }, 'warn', 'redaction'],
    [{ 'export-rate-limit': '300' }, 'warn', 'export rate limit'],
    [{ 'export-rate-limit': '0' }, 'fail', 'export'],
    [{ 'export-filename': '' }, 'fail', 'export'],
    [{ 'export-file-max-size-mb': '10', 'export-file-max-backups': '5' }, 'warn', 'export rotation'],
    [
      { 'export-denylist': '{"health_check":true}\n{"namespace":["", "cilium", "kube-system"]}' },
      'warn',
      'export deny list',
    ],
    [{ 'export-allowlist': '{"event_set":["PROCESS_EXEC"]}' }, 'warn', 'export allow list'],
    [
      { 'export-allowlist': '{"namespace":["a"],"event_set":["PROCESS_EXEC","PROCESS_EXIT","PROCESS_KPROBE"]}' },
      'warn',
      'export allow list',
    ],
    [{ 'enable-export-aggregation': 'true' }, 'warn', 'export aggregation'],
    [{ 'field-filters': '{"fields":"process"}' }, 'warn', 'field filters'],
  ])('the setting %j gives a %s about %s', (settings, level, check) => {
    expect(amiss(settingsOf(settings))).toEqual([`${level} n | ${check}`]);
  });

  test('what filters the export fails where the export is the only way in', async () => {
    const text = config.replace(/ +address: unix.*\n/, '');
    expect(amiss(await examine({ text }))).toEqual(['fail sensor worker-1 | agent']);
    expect(amiss(settingsOf({ 'export-denylist': '{"namespace":[""]}' }, text))).toEqual(['fail n | export deny list']);
    expect(amiss(settingsOf({ 'export-rate-limit': '300' }, text))).toEqual(['fail n | export rate limit']);
  });

  test('a list of event kinds that has all that is read is fine, with whatever text around', () => {
    const allow = '{"event_set":["PROCESS_EXEC", "PROCESS_EXIT", "PROCESS_KPROBE", "PROCESS_LSM"]}\n';
    expect(amiss(settingsOf({ 'export-allowlist': allow }))).toEqual([]);
  });

  test('an export file that is not there, or not to be read, fails', async () => {
    const path = '/var/log/tetragon/tetragon.log';
    const missing = await examine({ world: (world) => world.looks.delete(path) });
    expect(amiss(missing)).toEqual(['fail sensor worker-1 | export file']);
    const denied = await examine({ world: (world) => world.looks.set(path, { ...fileLook, readable: false }) });
    expect(denied.find(({ level }) => level === 'fail')?.fix).toContain('export-file-perm: 640');
  });

  test('a clock that is apart by more than is tolerated fails, one within does not', async () => {
    const apart = (ms: number) => (probes: Probes) => ({
      net: { ...probes.net, date: () => Promise.resolve(new Date(now.getTime() - ms)) },
    });
    expect(amiss(await examine({ probes: apart(3000) }))).toEqual([]);
    expect(amiss(await examine({ probes: apart(3500) }))).toEqual([
      'fail sensor worker-1 | clock',
      'fail CloudTrail trails | clock',
    ]);
  });

  test('something on the canaries’ port is told, and canaries that are off', async () => {
    const listens = (probes: Probes) => ({ net: { ...probes.net, listens: () => Promise.resolve(true) } });
    expect(amiss(await examine({ probes: listens }))).toEqual(['warn sensor worker-1 | canaries']);
    const off = await examine({ text: config.replace('node: worker-1', 'node: worker-1\n      canary: false') });
    expect(amiss(off)).toEqual(['warn sensor worker-1 | canaries']);
  });

  test('a loaded policy whose text is not on disk is told, one that differs from what is shipped is named', async () => {
    const findings = await examine({
      world: (world) => {
        world.texts.delete('/etc/tetragon/policies/tally-tls.yaml');
        const path = '/etc/tetragon/policies/tally-dns.yaml';
        world.texts.set(path, (world.texts.get(path) ?? '').replace('DPort', 'SPort'));
      },
    });
    expect(amiss(findings)).toEqual(['warn sensor worker-1 | policy texts']);
    const texts = findings.filter(({ check }) => check === 'policy texts').map(({ detail }) => detail);
    expect(texts.find((text) => text.startsWith('loaded, but'))).toContain('tally-tls');
    expect(texts.find((text) => text.startsWith('your own'))).toContain('tally-dns');
    expect(texts.find((text) => text.startsWith('as shipped'))).toContain('tally-egress');
  });
});

describe('CloudTrail', () => {
  const snapshot =
    (...args: Parameters<typeof trailSnapshot>) =>
    (probes: Probes) => ({
      audit: { ...probes.audit, snapshots: () => Promise.resolve({ texts: [trailSnapshot(...args)], failed: [] }) },
    });
  const trail = 'trail 111122223333/us-east-1 org';

  test.each([
    ['credentials', 'AWS credentials'],
    ['forbidden', 'deploy/aws/collector-policy.json'],
    ['clock', 'NTP'],
    ['bucket', 'bucket, prefix and region'],
  ] as const)('an API that answers %s fails with its fix', async (trouble, fix) => {
    const refuse = () => Promise.reject(new AwsError(trouble, 'DescribeTrails in us-east-1', new Error('no')));
    const findings = await examine({ probes: () => ({ audit: { snapshots: refuse, newestDigest: refuse } }) });
    expect(amiss(findings)).toEqual(['fail CloudTrail trails | trail settings', `fail ${trail} | bucket`]);
    for (const finding of findings.filter(({ level }) => level === 'fail')) expect(finding.fix).toContain(fix);
  });

  test('a trail that is missing, off, not validated, or without global services fails', async () => {
    const other = await examine({ probes: snapshot({ Name: 'other' }) });
    expect(amiss(other)).toContain(`fail ${trail} | trail`);
    expect(amiss(await examine({ probes: snapshot({}, { IsLogging: false }) }))).toContain(`fail ${trail} | logging`);
    const unvalidated = await examine({ probes: snapshot({ LogFileValidationEnabled: false }) });
    expect(amiss(unvalidated)).toEqual([`fail ${trail} | digests`]);
    const local = await examine({ probes: snapshot({ IncludeGlobalServiceEvents: false }) });
    expect(amiss(local)).toContain(`fail ${trail} | global services`);
  });

  test('a trail of one region does not watch another', async () => {
    const text = config.replace('chains: [', "chains: [{ account: '111122223333', region: eu-west-1, name: org }, ");
    const findings = await examine({ text, probes: snapshot({ IsMultiRegionTrail: false }) });
    expect(amiss(findings)).toEqual(['fail trail 111122223333/eu-west-1 org | trail']);
    expect(findings.find(({ level }) => level === 'fail')?.fix).toContain('--is-multi-region-trail');
  });

  test('data events of a granted service that are off fail, those of another do not', async () => {
    const needed = await examine({ policies: [grants('s3:GetObject')] });
    const [finding] = needed.filter(({ level }) => level === 'fail');
    expect(finding).toMatchObject({ subject: 'CloudTrail trails', check: 'events of s3' });
    expect(finding?.fix).toContain('resources.type: AWS::S3::Object');
    const selectors = {
      AdvancedEventSelectors: [
        { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
          ],
        },
      ],
    };
    expect(amiss(await examine({ policies: [grants('s3:GetObject')], probes: snapshot({}, {}, selectors) }))).toEqual(
      [],
    );
  });

  test('calls that CloudTrail records in no class can’t be switched on', async () => {
    const findings = await examine({ policies: [grants('execute-api:Invoke')] });
    expect(findings.filter(({ level }) => level === 'fail')).toMatchObject([
      { check: 'events of execute-api', fix: 'no setting shows these calls: do not grant them' },
    ]);
  });

  test('management events that are only written or only read fail', async () => {
    const selectors = { EventSelectors: [{ ReadWriteType: 'WriteOnly', IncludeManagementEvents: true }] };
    const findings = await examine({ probes: snapshot({}, {}, selectors) });
    expect(amiss(findings)).toEqual([
      'fail CloudTrail trails | events of route53',
      `fail ${trail} | management events`,
    ]);
  });

  test('a granted service that is logged in a region without a chain fails', async () => {
    const text = config.replaceAll('region: us-east-1, name: org', 'region: eu-west-1, name: org');
    const findings = await examine({ text });
    const [finding] = findings.filter(({ level }) => level === 'fail');
    expect(finding).toMatchObject({ check: 'chains' });
    expect(finding?.fix).toContain('region: us-east-1');
  });

  test('a newest digest of more than two hours ago, or none, fails', async () => {
    const digest = (date: Date | undefined) => (probes: Probes) => ({
      audit: { ...probes.audit, newestDigest: () => Promise.resolve(date) },
    });
    expect(amiss(await examine({ probes: digest(new Date(now.getTime() - 7_200_000)) }))).toEqual([]);
    expect(amiss(await examine({ probes: digest(new Date(now.getTime() - 7_201_000)) }))).toEqual([
      `fail ${trail} | newest digest`,
    ]);
    expect(amiss(await examine({ probes: digest(undefined) }))).toEqual([`fail ${trail} | newest digest`]);
  });
});

describe('configuration, key and store', () => {
  test('chains that must be there are read; those that are read must be there without being listed', async () => {
    const unnamed = await examine({ text: config.replace(/^trails.*$/m, '') });
    expect(amiss(unnamed)).toEqual([]);
    const unread = await examine({
      text: config.replace('trails: [', "trails: [{ account: '999922223333', region: us-east-1 }, "),
    });
    expect(amiss(unread)).toEqual(['fail configuration | trails']);
  });

  test('a node without egress addresses, and a task without resolvers, fail', async () => {
    const findings = await examine({ text: config.replace(/^nodes:.*$/m, '').replace(/^resolvers:.*$/m, '') });
    expect(amiss(findings)).toEqual(['fail configuration | egress addresses', 'fail task 7b3f | names']);
  });

  test('a store of another key fails, one of this key does not', async () => {
    const vkeyOf = (pem: string) => toVkey('tallystick.dev/ledger', ledgerKey(loadPrivateKey(pem, {})));
    const store = (vkey: string) => (world: World) => {
      world.looks.set('/var/lib/tally/ledger.vkey', fileLook);
      world.texts.set('/var/lib/tally/ledger.vkey', `${vkey}\n`);
    };
    expect(amiss(await examineHere({ world: store(vkeyOf(privatePem)) }))).toEqual([]);
    const other = await examineHere({ world: store(vkeyOf(generateKeyPair().privatePem)) });
    expect(amiss(other)).toEqual(['fail signing key | ledger']);
  });

  test('a key that is missing, open to others, or of another kind fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tally-doctor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const open = join(folder, 'open.pem');
    writeFileSync(open, privatePem, { mode: 0o644 });
    const broken = join(folder, 'broken.pem');
    writeFileSync(broken, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', { mode: 0o600 });
    for (const path of [join(folder, 'none.pem'), open, broken]) {
      const { settings } = patient(privatePem, `${config}keys: { signing: ${path} }\n`);
      const findings = await checkKey(settings, goodWorld().probes.files, {});
      expect(amiss(findings), path).toEqual(['fail signing key | key']);
    }
  });

  test.each([
    [0.5, 100, 'fail'],
    [5, 100, 'warn'],
    [20, 100, 'ok'],
    [0.9, 1, 'fail'],
  ])('%d of %d GiB free is: %s', async (free, total, level) => {
    const findings = await examineHere({
      probes: ({ files }) => ({
        files: { ...files, space: () => Promise.resolve({ free: free * 2 ** 30, total: total * 2 ** 30 }) },
      }),
    });
    expect(findings.find(({ check }) => check === 'disk')?.level).toBe(level);
  });

  test('a store that can’t be written, or that others write, fails; our own collector on it is fine', async () => {
    const readOnly = (world: World) => void world.looks.set('/var/lib/tally', { ...folderLook, writable: false });
    expect(amiss(await examineHere({ world: readOnly }))).toEqual(['fail store | folder']);
    const writer = (who: 'collector' | 'other') => (probes: Probes) => ({
      net: { ...probes.net, writer: () => Promise.resolve(who) },
    });
    expect(amiss(await examineHere({ probes: writer('other') }))).toEqual(['fail store | collector']);
    expect(amiss(await examineHere({ probes: writer('collector') }))).toEqual([]);
  });

  test('a listener that others reach, without a token, or with one that others can read fails', async () => {
    const listen = (lines: string) => `${config}collector: { ${lines} }\n`;
    const fails = async (lines: string, world: (world: World) => void = () => undefined): Promise<string[]> =>
      amiss(await examineHere({ text: listen(lines), world }));
    expect(await fails('listen: 0.0.0.0:9641, token: /t')).toEqual(['fail collector | listen']);
    expect(await fails('listen: 127.0.0.1:9641')).toEqual(['fail collector | listen']);
    expect(await fails('listen: 127.0.0.1:9641, token: /t')).toEqual(['fail collector | token']);
    const readable = (world: World) => void world.looks.set('/t', { ...fileLook, mode: 0o640 });
    expect(await fails('listen: 127.0.0.1:9641, token: /t', readable)).toEqual(['fail collector | token']);
    const secret = (world: World) => void world.looks.set('/t', fileLook);
    expect(await fails('listen: "[::1]:9641", token: /t', secret)).toEqual([]);
    expect(await fails('listen: unix:///run/t.sock')).toEqual([]);
    expect(await fails('declarations: /d')).toEqual(['fail collector | declarations']);
    const anyone = (world: World) => void world.looks.set('/d', { ...folderLook, mode: 0o777 });
    expect(await fails('declarations: /d', anyone)).toEqual(['fail collector | declarations']);
  });

  test('pods that no one looks up fail where a task is selected by pod', async () => {
    const world = goodWorld();
    const given = patient(privatePem);
    const other = { ...given, others: given.task === undefined ? [] : [given.task] };
    const [selector] = other.others;
    if (selector === undefined) throw new Error('no task');
    const byPod = {
      ...selector,
      declaration: { ...selector.declaration, workload: [{ pod: { namespace: 'a', name: 'b' } }] },
    };
    expect(amiss(await diagnose({ ...given, others: [byPod] }, world.probes))).toEqual(['fail sensor worker-1 | pods']);
  });
});

describe('text', () => {
  const plain = (text: string): string => text;

  test('stays within 80 columns, the worst subject first and in it the worst finding', async () => {
    const findings = await examine({
      text: config.replace(/^nodes:.*$/m, ''),
      world: conf({ 'export-rate-limit': '0', 'cgroup-rate': '1,1s', 'enable-ancestors': 'base' }),
    });
    const lines = renderFindings(findings, plain).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const levels = lines.flatMap((line) => /^ {2}(fail|warn|ok) /.exec(line)?.[1] ?? []);
    expect(levels[0]).toBe('fail');
    const subjects = lines.filter((line) => /^\S/.test(line));
    expect(subjects.slice(0, 2)).toEqual(['configuration', 'sensor worker-1']);
    expect(subjects.at(-1)).toBe('2 would keep a report from being proven, 2 may.');
  });

  test('what others wrote is shown, not acted on, and can’t pass for a line of its own', () => {
    const hostile = '\u001b[2J\nok   all is well \u202e';
    const text = renderFindings(
      [{ level: 'fail', subject: hostile, check: 'a', detail: hostile, fix: hostile }],
      plain,
    );
    expect(text).not.toMatch(/[\u001b\u202e]/u);
    expect(text.split('\n').filter((line) => line.startsWith('ok'))).toEqual([]);
  });
});
