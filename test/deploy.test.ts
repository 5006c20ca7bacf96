import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { judgeHooks } from '../src/collect/doctor-hooks.ts';
import { readShippedPolicies } from '../src/collect/doctor-policies.ts';
import { toSettings } from '../src/collect/settings.ts';
import { parseDeclaration } from '../src/model/declaration.ts';
import { parseGranted } from '../src/model/granted.ts';
import { selectorsSchema, toCoverage } from '../src/sources/cloudtrail-selectors.ts';

const deploy = new URL('../deploy/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, deploy), 'utf8');
const files = readdirSync(deploy, { recursive: true, encoding: 'utf8' });

/** What an agent tells of the shipped policies when every hook attached. */
function loaded(without: (hook: string) => boolean = () => false) {
  return readShippedPolicies().map(({ name, hooks }, id) => ({
    id: String(id + 1),
    name,
    sensors: [hooks[0]?.startsWith('tracepoint:') === true ? 'generic_tracepoint' : 'generic_kprobe'],
    state: 'TP_STATE_ENABLED',
    hook_statuses: hooks
      .filter((hook) => !hook.startsWith('tracepoint:') && !without(hook))
      .map((hook) => ({ state: 'STATUS_LOADED', hook_description: hook })),
  }));
}

interface Policy {
  kind: string;
  spec: Record<string, { call?: string; syscall?: boolean; ignore?: { callNotFound: boolean } }[]>;
}

test('every YAML and JSON file parses', () => {
  const texts = files.filter((file) => /\.(ya?ml|json)$/.test(file));
  expect(texts.length).toBeGreaterThan(8);
  for (const file of texts) {
    const errors = parseAllDocuments(read(file)).flatMap((document) => document.errors);
    expect(errors, file).toEqual([]);
  }
});

test('the shipped policies together have every hook that the judge requires', async () => {
  expect((await judgeHooks(loaded(), {})).gaps).toEqual([]);
});

test('without one of them, something required is missing', async () => {
  const names = readShippedPolicies().map(({ name }) => name);
  const needed: string[] = [];
  for (const name of names) {
    const { gaps } = await judgeHooks(
      loaded().filter((policy) => policy.name !== name),
      {},
    );
    if (gaps.length > 0) needed.push(name);
  }
  // what is submitted to a ring passes the hooks of tally-egress anyway
  expect(names.filter((name) => !needed.includes(name))).toEqual(['tally-iouring']);
});

test('a hook that not every kernel has does not keep a policy from being loaded, and is fine while no task needs it', async () => {
  const egress = parse(read('tetragon/policies/tally-egress.yaml')) as Policy;
  const lenient = (egress.spec['kprobes'] ?? []).flatMap(({ call, ignore }) =>
    ignore?.callNotFound === true && call !== undefined ? [call] : [],
  );
  expect(lenient).toEqual(expect.arrayContaining(['sctp_sendmsg', 'vsock_connect', 'udpv6_sendmsg']));
  const modules = ['sctp_inet_connect', 'sctp_sendmsg', 'vsock_connect'];
  const policies = loaded((hook) => modules.includes(hook)).map((policy) => ({
    ...policy,
    ...(policy.name === 'tally-egress'
      ? {
          state: 'TP_STATE_PARTIALLY_ENABLED',
          hook_statuses: [
            ...policy.hook_statuses,
            ...modules.map((hook) => ({ state: 'STATUS_CALL_NOT_FOUND', hook_description: hook })),
          ],
        }
      : {}),
  }));
  const state = await judgeHooks(policies, {});
  expect(state.gaps).toEqual([]);
  expect(state.absent).toEqual(modules);
});

test('each policy holds one kind of hook, says of each function whether it is a system call, and comments on itself', () => {
  for (const { file } of readShippedPolicies()) {
    const text = read(file.replace('deploy/', ''));
    const { kind, spec } = parse(text) as Policy;
    expect(kind).toBe('TracingPolicy');
    expect(Object.keys(spec), file).toHaveLength(1);
    for (const { call, syscall } of spec['kprobes'] ?? []) {
      expect(syscall, `${file} ${call ?? ''}`).toBe(call?.startsWith('sys_'));
    }
    expect(text.startsWith('# '), file).toBe(true);
  }
});

test('the two copies of udp_sendmsg differ in what tells them apart: the length', () => {
  const labels = ['tally-egress', 'tally-dns'].map((name) => {
    const { spec } = parse(read(`tetragon/policies/${name}.yaml`)) as {
      spec: { kprobes: { call: string; args: { label: string }[] }[] };
    };
    return spec.kprobes.find(({ call }) => call === 'udp_sendmsg')?.args.map(({ label }) => label);
  });
  expect(labels).toEqual([
    ['sk', 'msg_name', 'len'],
    ['sk', 'msg_name', 'payload'],
  ]);
});

test('chart values and configuration files say the same', () => {
  const { tetragon } = parse(read('tetragon/values.yaml')) as {
    tetragon: Record<string, unknown> & { extraArgs: Record<string, string>; grpc: { address: string } };
  };
  const conf = (key: string): string => read(`tetragon/tetragon.conf.d/${key}`).trim();
  for (const [key, value] of Object.entries(tetragon.extraArgs)) expect(conf(key), key).toBe(value);
  expect(conf('server-address')).toBe(tetragon.grpc.address);
  expect(conf('export-rate-limit')).toBe(String(tetragon['exportRateLimit']));
  expect(conf('export-file-perm')).toBe(tetragon['exportFilePerm']);
  expect(conf('export-file-max-size-mb')).toBe(String(tetragon['exportFileMaxSizeMB']));
  expect(conf('export-file-max-backups')).toBe(String(tetragon['exportFileMaxBackups']));
  expect([tetragon['exportAllowList'], tetragon['exportDenyList']]).toEqual(['', '']);
});

test('the examples are read by our own schemas', () => {
  const settings = toSettings(read('examples/tally.yaml'), '/etc/tally/tally.yaml');
  expect(settings.sources.tetragon[0]?.node).toBe('worker-1');
  const task = parseDeclaration(read('examples/task.yaml'), 'task.yaml');
  expect(task.task.id).toBe('7b3f');
  expect(parseGranted(read(`examples/${task.credentials[0]?.policy ?? ''}`))).not.toHaveLength(0);
});

test('the configuration of the DaemonSet is read by our own schema, with the node’s name in it', () => {
  const documents = parseAllDocuments(read('kubernetes/collector.yaml')).map((document) => document.toJS() as unknown);
  const map = documents.find((each) => (each as { kind: string }).kind === 'ConfigMap') as {
    data: { 'tally.yaml': string };
  };
  const settings = toSettings(map.data['tally.yaml'].replaceAll('NODE_NAME', 'worker-7'), '/etc/tally/tally.yaml');
  expect(settings.sources.tetragon[0]?.node).toBe('worker-7');
  expect(settings.config.nodes['worker-7']).toBeDefined();
});

test('every folder that the DaemonSet’s configuration names is mounted, and the key is its owner’s alone', () => {
  interface Mount {
    name: string;
    mountPath: string;
  }
  const documents = parseAllDocuments(read('kubernetes/collector.yaml')).map((document) => document.toJS() as unknown);
  const set = documents.find((each) => (each as { kind: string }).kind === 'DaemonSet') as {
    spec: {
      template: {
        spec: {
          containers: { volumeMounts: Mount[]; securityContext: object }[];
          volumes: { name: string; secret?: { defaultMode: number } }[];
        };
      };
    };
  };
  const pod = set.spec.template.spec;
  const mounts = pod.containers[0]?.volumeMounts ?? [];
  const map = documents.find((each) => (each as { kind: string }).kind === 'ConfigMap') as {
    data: { 'tally.yaml': string };
  };
  const { sources, store, key, collector } = toSettings(map.data['tally.yaml'], '/etc/tally/tally.yaml');
  const [sensor] = sources.tetragon;
  const paths = [
    sensor?.address?.slice('unix://'.length),
    sensor?.export,
    store.path,
    key,
    collector.token,
    collector.declarations,
  ];
  for (const path of paths) {
    expect(
      mounts.some(({ mountPath }) => path?.startsWith(`${mountPath}/`)),
      path,
    ).toBe(true);
  }
  for (const { name } of mounts) expect(pod.volumes.map((volume) => volume.name)).toContain(name);
  expect(pod.volumes.find(({ name }) => name === 'key')?.secret?.defaultMode).toBe(0o400);
  expect(pod.containers[0]?.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  });
});

test('the AWS policy grants reading alone', () => {
  const policy = JSON.parse(read('aws/collector-policy.json')) as {
    Statement: { Effect: string; Action: string | string[] }[];
  };
  const actions = policy.Statement.flatMap(({ Action }) => Action);
  expect(actions.every((action) => /^(s3|cloudtrail):(Get|List|Describe|Lookup)[A-Za-z]+$/.test(action))).toBe(true);
  expect(actions).toEqual(
    expect.arrayContaining([
      's3:GetObject',
      's3:ListBucket',
      'cloudtrail:GetEventSelectors',
      'cloudtrail:ListPublicKeys',
    ]),
  );
});

test('the trail that the script makes logs everything that a proof needs', () => {
  const json = /--advanced-event-selectors '(\[[^']*\])'/.exec(read('aws/trail.sh'))?.[1] ?? '';
  const coverage = toCoverage(selectorsSchema.parse({ AdvancedEventSelectors: JSON.parse(json) as unknown }));
  expect(coverage).toMatchObject({ management: 'all', excluded: [] });
  expect(coverage.data.length).toBeGreaterThan(0);
  for (const { prefixes, read_write } of coverage.data) expect([prefixes, read_write]).toEqual([null, 'all']);
  expect(read('aws/trail.sh')).toMatch(
    /--is-multi-region-trail --include-global-service-events --enable-log-file-validation/,
  );
  expect(() => execFileSync('bash', ['-n', new URL('aws/trail.sh', deploy).pathname])).not.toThrow();
});

test('the unit restarts without end, seals on SIGTERM, and leaves open what sensor and canaries need', () => {
  const lines = read('systemd/tally-collect.service').split('\n');
  const value = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  expect(value('Restart')).toBe('always');
  expect(value('KillSignal')).toBe('SIGTERM');
  expect(value('ExecStart')).toContain(' collect --config ');
  expect(value('RestrictAddressFamilies')?.split(' ')).toEqual(
    expect.arrayContaining(['AF_UNIX', 'AF_INET', 'AF_INET6']),
  );
  expect(value('ProtectSystem')).toBe('strict');
  expect(value('NoNewPrivileges')).toBe('yes');
  for (const key of ['PrivateNetwork', 'PrivateUsers', 'MemoryDenyWriteExecute'])
    expect(value(key), key).toBeUndefined();
});

const analyze = '/usr/bin/systemd-analyze';
test.runIf(existsSync(analyze) && existsSync('/usr/bin/node'))('systemd finds nothing amiss in the unit', () => {
  const unit = new URL('systemd/tally-collect.service', deploy).pathname;
  expect(() => execFileSync(analyze, ['verify', '--man=no', unit], { stdio: 'pipe' })).not.toThrow();
});

test('the image holds what the command needs at run time', () => {
  const text = read('Containerfile');
  for (const folder of ['queries', 'proto', 'demo', 'deploy/tetragon']) expect(text).toContain(`COPY ${folder} `);
  expect(text).toMatch(/npm ci --omit=dev --ignore-scripts/);
  expect(text).toMatch(/^USER 65532:0$/m);
});
