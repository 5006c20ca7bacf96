import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toJsonText } from '../../src/cli/json-text.ts';
import { audit, type Audited, minimal, run, workFolder } from './command-line.ts';

/** What can break out of SQL, HTML, a terminal, a line, a path or a pattern. */
const hostile = `'"<script>alert(1)</script>\u001b[31m\u009b2J\u202e\r\n../../x; DROP TABLE process; --%_*\\\u0000`;
/** The same where a file system or YAML takes no NUL. */
const text = hostile.replace('\u0000', '');

const event = (fields: object): object => ({ node_name: hostile, time: '2026-11-21T10:33:40.5Z', ...fields });
const process = {
  exec_id: hostile,
  pid: 100,
  start_time: '2026-11-21T10:33:40Z',
  parent_exec_id: `parent ${hostile}`,
  binary: hostile,
  arguments: hostile,
  cwd: hostile,
  flags: hostile,
  docker: hostile,
  pod: {
    namespace: hostile,
    name: hostile,
    pod_labels: [hostile],
    container: { id: hostile, image: { id: hostile, name: hostile } },
  },
  environment_variables: [
    { Key: 'TASK_ID', Value: '7b3f' },
    { Key: hostile, Value: hostile },
  ],
};
const call = (name: string, args: readonly object[]): object =>
  event({ process_kprobe: { process, function_name: name, args } });
const events = [
  event({ process_exec: { process, parent: { ...process, exec_id: 'p', environment_variables: [] } } }),
  call('tcp_connect', [
    { sock_arg: { family: 'AF_INET', saddr: hostile, daddr: hostile, dport: 443, cookie: hostile } },
  ]),
  call('tcp_connect', [{ sock_arg: { family: 'AF_INET', daddr: '192.0.2.1', dport: 443, cookie: '1' } }]),
  call('unix_stream_connect', [{ sockaddrun_arg: { family: 'AF_UNIX', path: hostile } }]),
  event({ process_uprobe: { process, symbol: 'getaddrinfo', args: [{ string_arg: hostile }] } }),
  call(hostile, [{ error_arg: { message: hostile } }, { bytes_arg: hostile }]),
];
const sensor = [
  { kind: 'health', node: hostile, time: '2026-11-21T10:33:41Z', error: hostile },
  {
    kind: 'health',
    node: hostile,
    time: '2026-11-21T10:33:42Z',
    version: hostile,
    policies: [{ id: hostile, name: hostile }],
  },
  { kind: 'stream', node: hostile, time: '2026-11-21T10:33:43Z', state: hostile, why: hostile },
];
const resolutions = [
  {
    time: '2026-11-21T10:33:39Z',
    address: '192.0.2.1',
    host: hostile,
    client: hostile,
    basis: hostile,
    origin: hostile,
  },
  { time: '2026-11-21T10:33:39Z', address: hostile, host: hostile },
];
const record = {
  eventVersion: hostile,
  eventID: hostile,
  eventTime: '2026-11-21T10:33:41Z',
  eventSource: hostile,
  eventName: hostile,
  awsRegion: hostile,
  sourceIPAddress: hostile,
  userAgent: hostile,
  errorCode: hostile,
  requestID: hostile,
  tlsDetails: { clientProvidedHostHeader: hostile },
  userIdentity: { type: 'AssumedRole', accessKeyId: 'K', principalId: `A:${hostile}`, arn: `arn:x/role/${hostile}` },
};
const declaration = `${minimal.replace('type: test', `type: ${JSON.stringify(text)}, agent: ${JSON.stringify(text)}`)}
trigger: { kind: ${JSON.stringify(text)}, ${JSON.stringify(text)}: ${JSON.stringify(text)} }
credentials: [ { provider: aws, session: ${JSON.stringify(text)}, key: K } ]
endpoints: [ ${JSON.stringify(`unix:/${text}`)} ]
`;
const config = `nodes: { ${JSON.stringify(text)}: { egress: [192.0.2.77] } }
issuers: [ ${JSON.stringify(text)} ]
sessionNames: [ ${JSON.stringify(`${text}{task}`)} ]
`;

const toLines = (lines: readonly object[]): string =>
  `${lines.map((line) => JSON.stringify(line)).join('\n')}\nnot JSON\n`;

async function auditHostile(): Promise<Audited> {
  const work = workFolder();
  const name = `we ird'"*<blink>\u001b[31m;\n.jsonl`;
  return audit(
    [
      ...['--tetragon', work.write(`t ${name}`, toLines(events)), '--sensor', work.write(`s ${name}`, toLines(sensor))],
      ...['--resolutions', work.write(`r ${name}`, toLines(resolutions))],
      ...[
        '--cloudtrail',
        work.write(`c ${name}`, JSON.stringify({ Records: [record] })),
        '--config',
        work.write('c.yaml', config),
      ],
    ],
    declaration,
  );
}

describe('text that an agent controls', () => {
  test('never acts on a terminal or in HTML, leaves the folder or breaks SQL, and is there to be read', async () => {
    const { code, out, err, folder, report } = await auditHostile();
    expect([1, 3]).toContain(code);
    // every input was taken in: nothing broke on the way
    expect(report.processes).toHaveLength(1);
    expect(report.processes[0]).toMatchObject({ node: hostile, binary: hostile, arguments: hostile });
    expect(report.egress.some(({ endpoint }) => endpoint === `unix:${hostile}`)).toBe(true);
    expect(
      report.gaps.filter(({ why }) => why.startsWith('broken-line: 1 line of ')).map(({ stream }) => stream),
    ).toEqual(['resolution', 'sensor', 'tetragon']);

    const acting = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
    expect(out.split('\n').filter((line) => acting.test(line))).toEqual([]);
    expect(err.split('\n').filter((line) => acting.test(line))).toEqual([]);
    expect(out).toContain('\\u{1b}[31m');

    const html = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<blink>');
    expect(html.split('\n').filter((line) => acting.test(line))).toEqual([]);

    // origins become names: below the evidence folder, of plain characters, where they belong
    const files = readdirSync(join(folder, 'evidence'), { recursive: true, encoding: 'utf8' });
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) expect(file).toMatch(/^[A-Za-z0-9._%=/-]+$/);
    const segments = files.filter((file) => /^segments\/tetragon\/\d{4}-\d\d-\d\d\/[^/]+\.parquet$/.test(file));
    expect(segments).toHaveLength(1);
    expect(basename(segments[0] ?? '')).toMatch(/^%27%22%3Cscript%3E/);
    expect(statSync(join(folder, 'evidence', segments[0] ?? '')).size).toBeGreaterThan(0);
  });

  test('verifies like any other', async () => {
    const { folder, report } = await auditHostile();
    const argv = ['verify', join(folder, 'report.sigstore.json'), '--key', join(folder, 'tally.pub.pem')];
    const { code, out, err } = await run([...argv, '--evidence', folder]);
    expect([code, err]).toEqual([report.verdict === 'violated' ? 1 : 3, '']);
    expect(out.split('\n').filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
  });

  // claims.ts joins and splits ids at spaces, and an origin may hold one.
  test('names records by ids that stay whole', async () => {
    const work = workFolder();
    const lines = toLines(events.map((line) => ({ ...line, node_name: 'node one' })));
    const { report } = await audit(['--tetragon', work.write('t.jsonl', lines)]);
    const ids = report.claims.flatMap(({ findings }) => findings.flatMap(({ evidence }) => evidence));
    expect(ids.filter((id) => !/^[^/]+\/.*\/\d+(#.*)?$/.test(id))).toEqual([]);
  });

  test('is escaped in what --json prints, and reads as the same text', () => {
    const printed = toJsonText({ hostile, tag: '\u{e0041}' }, 2);
    expect(/[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(printed)).toBe(false);
    expect(JSON.parse(printed)).toEqual({ hostile, tag: '\u{e0041}' });
  });
});

test('mistakes in a declaration are told without acting on a terminal', async () => {
  const work = workFolder();
  const task = work.write('t.yaml', `${minimal}endpoints: [ ${JSON.stringify(text)} ]\n${JSON.stringify(text)}: 1\n`);
  const { code, err } = await run(['audit', '--task', task, '--out', work.path('out')]);
  expect(code).toBe(2);
  expect(err.split('\n').filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
});
