import type { Claim } from '../model/claim.ts';
import { assumptions, type Config } from '../model/config.ts';
import type { Declaration } from '../model/declaration.ts';
import type {
  Report,
  ReportAddress,
  ReportBlindSpot,
  ReportConnection,
  ReportCoverage,
  ReportEgress,
  ReportGap,
  ReportProcess,
  ReportSession,
  ReportUse,
} from '../model/report.ts';
import type { Database, Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { decideVerdict } from '../proof/verdict.ts';

/** What evidence of this kind can't show whatever is in it (design 11); printed and signed in every report. */
const limits: readonly string[] = [
  'The sensor and the collector’s host kernel are trusted: root on the node can lie before the evidence is sealed.',
  'CloudTrail’s digests prove that log files were delivered unchanged, not that every call was logged: classes of events that are off, calls refused before authentication, and URLs signed on the client leave no record.',
  'Digest files say when log files were delivered. One that is delayed is named by a later digest, or by a backfill digest; the newest digests of a chain could be removed together, which only the trail’s own status bounds.',
  'A region’s records are only seen where its digest chain was handed in: list the regions that the credentials can be used in under trails: in the configuration.',
  'The public keys of the digests were handed in with the evidence; whether AWS lists them has to be asked of AWS.',
  'The hash of a CloudTrail file is taken when it is read, before secrets in it are masked and it is sealed.',
  'Ways out that use no socket (pipes to the agent’s runtime, files, shared memory, a job left for cron) are not seen.',
  'Inside a TLS connection to a declared host nothing is seen: other credentials and other data on it can’t be ruled out.',
  'An address behind which many services live needs a name from a resolution or the provider’s record.',
  'Session names are chosen by the caller; the issuance record and the access key are what proves.',
];

/** What the configuration asserts without evidence; the verdict leans on it. */
function assertions({ nodes, tolerance }: Config): string[] {
  const named = Object.entries(nodes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { egress }]) => `${name} (${[...egress].sort().join(', ')})`);
  return [
    ...(named.length === 0
      ? []
      : [`The configuration asserts that nothing else uses the nodes’ egress addresses: ${named.join(', ')}.`]),
    `Times of the two halves match within ${tolerance} s either way.`,
  ];
}

export interface ReportInput {
  readonly declaration: Declaration;
  readonly config: Config;
  readonly claims: readonly Claim[];
  readonly version: string;
}

/** Builds the predicate from the canonical tables; the same tables give the same bytes. */
export async function buildReport(
  database: Database,
  { declaration, config, claims, version }: ReportInput,
): Promise<Report> {
  const [task] = await rowsOf(database, 'window');
  const decision = decideVerdict(claims);
  const start = textOf(task, 'window_start');
  const end = textOf(task, 'window_end');
  return {
    schema: 'tallystick/report/v1',
    verdict: decision.verdict,
    summary: decision.summary,
    task: {
      id: declaration.task.id,
      type: declaration.task.type,
      ...optional('agent', declaration.task.agent),
      ...optional('trigger', declaration.trigger),
    },
    window: { ...optional('start', start), ...optional('end', end) },
    ...optional('pendingUntil', decision.pendingUntil),
    claims,
    sessions: (await rowsOf(database, 'sessions')).map(toSession),
    egress: (await rowsOf(database, 'egress')).map(toEgress),
    processes: (await rowsOf(database, 'processes')).map(toProcess),
    connections: (await rowsOf(database, 'connections')).map(toConnection),
    uses: (await rowsOf(database, 'uses')).map(toUse),
    coverage: (await rowsOf(database, 'coverage')).map(toCoverage),
    assumptions: config.assume.map((name) => ({ name, detail: assumptions[name] })),
    gaps: (await rowsOf(database, 'gaps')).map(toGap),
    blindSpots: (await rowsOf(database, 'blind-spots')).map(toBlindSpot),
    limits: [...limits, ...assertions(config)],
    tool: { name: 'tallystick', version },
  };
}

async function rowsOf(database: Database, name: string): Promise<Row[]> {
  return database.all(readQuery(`report/${name}`));
}

function textOf(row: Row | undefined, column: string): string | undefined {
  const value = row?.[column];
  return value === null || value === undefined ? undefined : String(value);
}

function numberOf(row: Row, column: string): number | undefined {
  const text = textOf(row, column);
  return text === undefined ? undefined : Number(text);
}

function listOf(row: Row, column: string): string[] {
  const text = textOf(row, column);
  return text === undefined || text === '' ? [] : (JSON.parse(text) as string[]);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V });
}

function toSession(row: Row): ReportSession {
  return {
    provider: String(row['provider']),
    key: textOf(row, 'key') ?? '',
    session: textOf(row, 'name') ?? '',
    declared: row['declared'] === true,
    ...optional('role', textOf(row, 'role')),
    ...optional('issued', textOf(row, 'issued')),
    ...optional('expires', textOf(row, 'expires')),
    ...optional('issuedBy', textOf(row, 'issued_by')),
    ...optional('parentKey', textOf(row, 'parent_key')),
    uses: Number(row['uses']),
    denied: Number(row['denied']),
    actions: listOf(row, 'actions'),
    ...optional('firstUse', textOf(row, 'first_use')),
    ...optional('lastUse', textOf(row, 'last_use')),
    granted: listOf(row, 'granted'),
    ...optional('account', textOf(row, 'account')),
    ...optional('requestId', textOf(row, 'request_id')),
    ...optional('evidence', textOf(row, 'evidence')),
  };
}

function toEgress(row: Row): ReportEgress {
  return {
    endpoint: String(row['endpoint']),
    channel: String(row['channel']),
    connections: Number(row['connections']),
    declared: row['declared'] === true,
    basis: String(row['basis']),
    addresses: listOf(row, 'addresses'),
    first: String(row['first']),
    last: String(row['last']),
  };
}

function toProcess(row: Row): ReportProcess {
  return {
    node: String(row['node']),
    execId: String(row['exec_id']),
    ...optional('parentExecId', textOf(row, 'parent')),
    pid: Number(row['pid']),
    binary: textOf(row, 'binary') ?? '',
    arguments: textOf(row, 'arguments') ?? '',
    started: textOf(row, 'started') ?? '',
    ...optional('exited', textOf(row, 'ended')),
    tiedBy: textOf(row, 'tied_by') ?? '',
    ...optional('uid', numberOf(row, 'uid')),
    ...optional('container', textOf(row, 'container')),
    ...optional('image', textOf(row, 'image')),
    ...optional('pod', toPod(row)),
    ...optional('traceparent', textOf(row, 'traceparent')),
    ...optional('evidence', textOf(row, 'evidence')),
  };
}

function toPod(row: Row): ReportProcess['pod'] {
  const name = textOf(row, 'pod_name');
  return name === undefined ? undefined : { ...optional('namespace', textOf(row, 'pod_namespace')), name };
}

function toAddress(row: Row, side: string): ReportAddress | undefined {
  const address = textOf(row, `${side}_address`);
  return address === undefined ? undefined : { address, ...optional('port', numberOf(row, `${side}_port`)) };
}

function toConnection(row: Row): ReportConnection {
  return {
    id: String(row['id']),
    execId: textOf(row, 'exec_id') ?? '',
    endpoint: String(row['endpoint']),
    channel: String(row['channel']),
    opened: String(row['opened']),
    ...optional('closed', textOf(row, 'closed')),
    uses: listOf(row, 'uses'),
    ...optional('node', textOf(row, 'node')),
    ...optional('local', toAddress(row, 'local')),
    ...optional('peer', toAddress(row, 'remote')),
    ...optional('outcome', textOf(row, 'outcome')),
    ...optional('carried', textOf(row, 'carried')),
    inside: row['inside'] === true,
    declared: row['declared'] === true,
    ...optional('basis', textOf(row, 'basis')),
    ...optional('host', textOf(row, 'host')),
  };
}

function toUse(row: Row): ReportUse {
  const strength = textOf(row, 'strength');
  return {
    id: String(row['event_id']),
    time: String(row['time']),
    key: textOf(row, 'key') ?? '',
    session: textOf(row, 'session') ?? '',
    action: String(row['action']),
    ...optional('host', textOf(row, 'host')),
    source: textOf(row, 'source') ?? '',
    outcome: String(row['outcome']),
    ...optional('connection', textOf(row, 'connection')),
    ...(strength === 'only' || strength === 'shared' ? { strength, alternatives: Number(row['alternatives']) } : {}),
    ...optional('provider', textOf(row, 'provider')),
    ...optional('service', textOf(row, 'service')),
    ...optional('event', textOf(row, 'event_name')),
    ...optional('account', textOf(row, 'account')),
    ...optional('region', textOf(row, 'region')),
    ...optional('requestId', textOf(row, 'request_id')),
    ...optional('evidence', textOf(row, 'evidence')),
  };
}

function toCoverage(row: Row): ReportCoverage {
  return {
    source: String(row['source']),
    subject: String(row['subject']),
    from: textOf(row, 'from') ?? '',
    until: textOf(row, 'until') ?? '',
    basis: String(row['basis']),
    detail: String(row['detail']),
  };
}

function toGap(row: Row): ReportGap {
  return {
    stream: String(row['stream']),
    origin: String(row['origin']),
    ...optional('from', textOf(row, 'from')),
    ...optional('until', textOf(row, 'until')),
    why: String(row['why']),
    ...optional('count', numberOf(row, 'count')),
  };
}

function toBlindSpot(row: Row): ReportBlindSpot {
  return { channel: String(row['channel']), detail: String(row['detail']), touched: row['touched'] === true };
}
