import { claimIds, type Basis, type Claim, type ClaimId, type Finding } from '../../src/model/claim.ts';
import type { CitedRecords } from '../../src/model/cited-record.ts';
import type {
  Report,
  ReportConnection,
  ReportEgress,
  ReportProcess,
  ReportSession,
  ReportUse,
} from '../../src/model/report.ts';

/** RFC 3339, so many seconds after the start of the task. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 2, 1, 10, 0, 0) + Math.round(seconds * 1000)).toISOString();
}

const bases: Partial<Record<ClaimId, Basis>> = {
  'declared-first': 'collector',
  'sessions-known': 'provider-signed',
  'audit-complete': 'provider-signed',
  'uses-matched': 'provider-signed',
  'actions-declared': 'provider-signed',
  'lifetime-bounded': 'provider-signed',
  'context-bound': 'self-reported',
  'evidence-intact': 'collector',
};

export function claims(changed: Partial<Record<ClaimId, Pick<Claim, 'result' | 'findings'>>> = {}): Claim[] {
  return claimIds.map((id) => ({
    id,
    basis: bases[id] ?? 'kernel',
    ...(changed[id] ?? { result: 'holds', findings: [] }),
  }));
}

function process(n: number, parent: number | undefined, from: number, until: number, line: string): ReportProcess {
  const [binary = '', ...args] = line.split(' ');
  return {
    node: 'node-1',
    execId: `bm9kZS0x${String(n)}`,
    ...(parent === undefined ? {} : { parentExecId: `bm9kZS0x${String(parent)}` }),
    pid: 4700 + n,
    binary,
    arguments: args.join(' '),
    started: at(from),
    exited: at(until),
    tiedBy: parent === undefined ? 'selector' : 'parent',
  };
}

function connection(
  n: number,
  of: number,
  endpoint: string,
  from: number,
  until: number,
  uses: string[] = [],
): ReportConnection {
  const id = `tetragon/node-1/${String(18_200 + n)}`;
  const channel = endpoint.endsWith(':53') ? 'udp' : 'tcp';
  return { id, execId: `bm9kZS0x${String(of)}`, endpoint, channel, opened: at(from), closed: at(until), uses };
}

const key = 'ASIAEXAMPLE7B3FA1C8X';
const session = 'ironclaw-task-7b3f-a1c8';
const route53 = 'route53.amazonaws.com:443';
const resolver = '10.0.0.10:53';

function use(id: string, seconds: number, action: string, matched?: ReportConnection): ReportUse {
  return {
    id,
    time: at(seconds),
    key,
    session,
    action,
    host: 'route53.amazonaws.com',
    source: '203.0.113.7',
    outcome: 'ok',
    ...(matched === undefined ? {} : { connection: matched.id, strength: 'only' }),
  };
}

const list = '2f0c5d1e-8a7b-4c1d-9e2f-3a4b5c6d7e8f';
const get = '7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const sts = connection(2, 3, 'sts.amazonaws.com:443', 5.2, 6.4);
const first = connection(4, 5, route53, 11.1, 14.9, [list]);
const second = connection(6, 5, route53, 18.4, 19.6, [get]);
const connections = [
  connection(1, 3, resolver, 5.0, 5.05),
  sts,
  connection(3, 5, resolver, 10.9, 10.95),
  first,
  connection(5, 5, resolver, 18.2, 18.25),
  second,
];

const sessionRow: ReportSession = {
  provider: 'aws',
  key,
  session,
  declared: true,
  role: 'arn:aws:iam::111122223333:role/route53-reader',
  issued: at(-4),
  expires: at(3596),
  issuedBy: 'arn:aws:iam::111122223333:role/ironclaw-broker',
  uses: 2,
  denied: 0,
  actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'],
  firstUse: at(12),
  lastUse: at(19),
  granted: [
    'route53:GetHostedZone',
    'route53:ListResourceRecordSets',
    'route53:ListHostedZones',
    'route53:ChangeResourceRecordSets',
    'route53:GetChange',
  ],
};

function egress(endpoint: string, count: number, basis: string, address: string, declared = true): ReportEgress {
  const channel = endpoint.endsWith(':53') ? 'udp' : 'tcp';
  return { endpoint, channel, connections: count, declared, basis, addresses: [address], first: at(5), last: at(19.6) };
}

/** The task of the design's first paragraph, all of it accounted for. */
export const proven: Report = {
  schema: 'tallystick/report/v1',
  verdict: 'proven',
  summary:
    'All 15 claims hold: the 2 uses of credential session ironclaw-task-7b3f-a1c8 match the 3 connections that the task’s 7 processes made to declared endpoints, and nothing was lost.',
  task: {
    id: '7b3f',
    type: 'dns-validation',
    agent: 'ironclaw',
    trigger: { kind: 'github-actions', run: '9123', commit: '0f3a9c1' },
  },
  window: { start: at(0), end: at(42) },
  claims: claims({
    'context-bound': {
      result: 'holds',
      findings: [
        {
          code: 'context-missing',
          kind: 'note',
          subject: 'commit 0f3a9c1',
          detail: 'No evidence speaks of the commit: it is self-reported by the declaration.',
          evidence: [],
        },
      ],
    },
  }),
  sessions: [sessionRow],
  egress: [
    egress(resolver, 3, 'address', '10.0.0.10'),
    egress(route53, 2, 'dns+sni', '205.251.195.12'),
    egress('sts.amazonaws.com:443', 1, 'dns+sni', '67.220.240.20'),
  ],
  processes: [
    process(1, undefined, 0, 41.8, '/usr/local/bin/ironclaw run --task 7b3f'),
    process(2, 1, 0.8, 40.2, '/usr/bin/bash -c ./validate.sh'),
    process(3, 2, 4.6, 7.1, '/usr/local/bin/aws sts get-caller-identity'),
    process(4, 2, 7.9, 8.3, '/usr/bin/jq -r .Account'),
    process(5, 2, 10.2, 20.4, '/usr/local/bin/aws route53 list-resource-record-sets --hosted-zone-id Z0EXAMPLE'),
    process(6, 2, 21.0, 21.2, '/usr/bin/grep -c _acme-challenge'),
    process(7, 1, 40.6, 41.5, '/usr/bin/tar cf out.tar results'),
  ],
  connections,
  uses: [use(list, 12, 'route53:ListResourceRecordSets', first), use(get, 19, 'route53:GetHostedZone', second)],
  coverage: [
    {
      source: 'tetragon',
      subject: 'node-1',
      from: at(-120),
      until: at(180),
      basis: 'kernel',
      detail: '9 policies loaded, 12 canaries of 12 seen, no loss counter moved',
    },
    {
      source: 'cloudtrail',
      subject: '111122223333/us-east-1',
      from: at(-3600),
      until: at(7200),
      basis: 'provider-signed',
      detail: '3 digests, chain valid, management events on',
    },
  ],
  assumptions: [],
  gaps: [],
  blindSpots: [{ channel: 'vsock', detail: 'no hook is loaded for AF_VSOCK', touched: false }],
  limits: [
    'The sensor and the kernel of the collector’s host are trusted: root on the node can lie before the seal.',
    'CloudTrail’s digests prove delivery, not that every call was logged.',
    'Ways out that use no socket (pipes to the agent’s runtime, files, shared memory, a job left for cron) are not seen.',
    'Other credentials and data on a declared host can’t be told apart from outside TLS.',
  ],
  tool: { name: 'tallystick', version: '0.1.0' },
};

const foreign = 'c0ffee11-2222-4333-8444-555566667777';
const evil = connection(7, 6, 'collector.evil.example:443', 21.05, 21.18);
const undeclared: Finding = {
  code: 'undeclared-endpoint',
  kind: 'counterexample',
  subject: 'collector.evil.example:443',
  detail: 'Process grep (4706) connected to collector.evil.example:443, which the declaration does not name.',
  from: at(21.05),
  until: at(21.18),
  evidence: [evil.id],
};

export const violated: Report = {
  ...proven,
  verdict: 'violated',
  summary:
    'The task connected to collector.evil.example:443, which is not declared, and its credential was used once from 198.51.100.23, where none of its processes ran.',
  claims: claims({
    'egress-declared': { result: 'violated', findings: [undeclared] },
    'uses-matched': {
      result: 'violated',
      findings: [
        {
          code: 'foreign-use',
          kind: 'counterexample',
          subject: 'route53:ListHostedZones',
          detail: 'The credential was used from 198.51.100.23, which is no egress address of a node of this task.',
          from: at(33),
          until: at(33),
          evidence: [`cloudtrail/111122223333-us-east-1/7#${foreign}`],
        },
      ],
    },
    'actions-declared': {
      result: 'violated',
      findings: ['ListHostedZones', 'GetChange', 'ListTagsForResource'].map((name, i) => ({
        code: 'undeclared-action',
        kind: 'counterexample' as const,
        subject: `route53:${name}`,
        detail: `The action route53:${name} was used and is not declared.`,
        from: at(33 + i),
        until: at(33 + i),
        evidence: [`cloudtrail/111122223333-us-east-1/${String(7 + i)}`],
      })),
    },
  }),
  sessions: [
    { ...sessionRow, uses: 3, actions: [...sessionRow.actions, 'route53:ListHostedZones'], lastUse: at(33) },
    {
      provider: 'aws',
      key: 'ASIAEXAMPLECHAINED09',
      session: 'ironclaw-task-7b3f-zz01',
      declared: false,
      parentKey: key,
      uses: 1,
      denied: 1,
      actions: ['s3:GetObject'],
      firstUse: at(35),
      lastUse: at(35),
    },
  ],
  egress: [...proven.egress, egress('collector.evil.example:443', 1, 'dns+sni', '198.51.100.99', false)],
  connections: [...connections, evil],
  uses: [
    ...proven.uses,
    { ...use(foreign, 33, 'route53:ListHostedZones'), source: '198.51.100.23' },
    {
      ...use('d00d0000-0000-4000-8000-000000000001', 35, 's3:GetObject'),
      key: 'ASIAEXAMPLECHAINED09',
      session: 'ironclaw-task-7b3f-zz01',
      host: 's3.amazonaws.com',
      outcome: 'denied',
    },
  ],
  assumptions: [
    { name: 'co-tenants-isolated', detail: 'Tasks on the same node can’t read each other’s credentials.' },
    { name: 'nodes-exclusive', detail: 'Nothing else uses the egress address 203.0.113.7 of node-1.' },
  ],
};

export const unproven: Report = {
  ...proven,
  verdict: 'unproven',
  summary:
    'Records of the sensor on node-1 may be missing from 10:00:15 to 10:00:27: the stream broke and 214 events were lost.',
  claims: claims({
    'sensor-continuity': {
      result: 'unproven',
      findings: [
        {
          code: 'stream-gap',
          kind: 'doubt',
          subject: 'node-1',
          detail: 'The stream from the sensor broke and was joined again 12 s later.',
          from: at(15),
          until: at(27),
          evidence: Array.from({ length: 9 }, (_, i) => `tetragon/node-1/${String(18_231 + i)}`),
        },
      ],
    },
    'egress-explained': {
      result: 'unproven',
      findings: [
        {
          code: 'unexplained-connection',
          kind: 'doubt',
          subject: route53,
          detail:
            'One connection to route53.amazonaws.com:443 has no use in the provider’s log; the sensor had a gap then.',
          from: at(18.4),
          until: at(19.6),
          evidence: [second.id],
        },
      ],
    },
  }),
  connections: connections.map((row) => (row === second ? { ...row, uses: [] } : row)),
  uses: proven.uses.filter((row) => row.id !== get),
  gaps: [{ stream: 'tetragon', origin: 'node-1', from: at(15), until: at(27), why: 'the stream broke', count: 214 }],
};

export const pending: Report = {
  ...proven,
  verdict: 'pending',
  summary: 'Everything seen so far agrees; the next CloudTrail digest is still to come.',
  pendingUntil: at(7200),
  claims: claims({
    'audit-complete': {
      result: 'unproven',
      findings: [
        {
          code: 'tail-open',
          kind: 'wait',
          subject: '111122223333/us-east-1',
          detail: 'The second digest that ends after the credential’s expiry has not been delivered yet.',
          until: at(7200),
          evidence: ['cloudtrail-digest/111122223333-us-east-1/3'],
        },
      ],
    },
  }),
};

/** Records as they would be read from evidence, for every id that the findings of a report cite. */
export function citedOf(report: Report): CitedRecords {
  const ids = new Set(report.claims.flatMap((claim) => claim.findings.flatMap(({ evidence }) => evidence)));
  const records = [...ids].map((id, i) => ({
    id,
    leaf: String(i % 10).repeat(64),
    time: at(i),
    file: 'segments/tetragon/2026-03-01/node-1-0-9.parquet',
    bytes: 2048,
    text: `{\n  "arguments": ${JSON.stringify(hostileText)}\n}`,
    left: '',
  }));
  return { records, more: 0 };
}

export const hostileText =
  `<script>alert(1)</script>"><img src=x onerror=1>'` +
  '\u001b[31m\u001b]8;;x\u0007\u0000\u007f\u009b2J\u202egnp.exe\u2066\u200b\u2028\ud800' +
  '\n  ✓ egress-declared      holds     kernel\r\n\tfine';

/** Every string that a report holds, also names that a type would never allow, replaced. */
export function hostile(report: Report, replace: (text: string) => string = () => hostileText): Report {
  const change = (value: unknown): unknown => {
    if (typeof value === 'string') return replace(value);
    if (Array.isArray(value)) return value.map(change);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner)]));
  };
  return {
    ...(change(report) as Report),
    task: { id: hostileText, type: hostileText, agent: hostileText, trigger: { [hostileText]: hostileText } },
  };
}

export function large(processCount: number, connectionCount: number): Report {
  const processes = Array.from({ length: processCount }, (_, i) =>
    process(
      i + 1,
      i === 0 ? undefined : 1 + Math.floor(i / 7),
      i / 10,
      400 + i / 10,
      `/usr/bin/worker-${String(i % 9)} --shard ${String(i)} --verbose`,
    ),
  );
  const made = Array.from({ length: connectionCount }, (_, i) => {
    const endpoint = `host-${String((i * 7) % 23)}.example.com:443`;
    return connection(
      i,
      1 + ((i * 13) % processCount),
      endpoint,
      i / 8,
      i / 8 + 3 + (i % 5),
      i % 3 === 0 ? [`use-${String(i)}`] : [],
    );
  });
  const uses = made
    .filter((row) => row.uses.length > 0)
    .map((row, i) => use(row.uses[0] ?? '', i * 0.375 + 1, `s3:Action${String(i % 12)}`, row));
  return { ...proven, processes, connections: made, uses, window: { start: at(0), end: at(460) } };
}
