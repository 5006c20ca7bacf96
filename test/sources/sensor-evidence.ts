import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Database, type Row, openDatabase } from '../../src/query/database.ts';
import { readQuery } from '../../src/query/queries.ts';
import { readHooks } from '../../src/sources/hooks.ts';

export type Cell = string | number | boolean | null;
export type Cells = Readonly<Record<string, Cell>>;

/** One line about the sensor, open for changes. */
export interface Line {
  kind: string;
  node: string;
  time: string;
  error?: string;
  n?: number;
  port?: number;
  state?: string;
  why?: string;
  policies?: Policy[];
  metrics?: Record<string, number>;
  specs?: { name: string; sha256: string }[];
}

export interface Policy {
  id: string;
  name: string;
  sensors: string[];
  state: string;
  stats?: { action_counters: { post?: string } };
  hook_statuses?: { state: string; hook_description: string }[];
}

/** What a test lays before the queries: lines about the sensor, and rows that other queries would have made. */
export interface Evidence {
  readonly lines: readonly (Line | string)[];
  readonly events: readonly Cells[];
  readonly processes: readonly Cells[];
  readonly egress?: readonly Cells[];
  readonly gaps?: readonly Cells[];
  readonly task?: Cells;
  readonly streams?: readonly string[];
}

/** Evidence whose lines can all be read. */
export interface Recording extends Evidence {
  readonly lines: Line[];
  readonly events: Cells[];
  readonly task: Cells;
}

interface Recorded {
  time: string;
  node_name: string;
  process_kprobe?: {
    function_name: string;
    process: { exec_id?: string };
    args: {
      sockaddr_arg?: { addr?: string; port?: number };
      sock_arg?: { daddr?: string; dport?: number };
      int_arg?: number;
    }[];
  };
  process_exec?: RecordedProcess;
  process_exit?: RecordedProcess;
}

interface RecordedProcess {
  process: { exec_id?: string; start_time: string; environment_variables?: { Key: string; Value: string }[] };
}

const shared = process.env['TALLY_SHARED'] ?? new URL('../../../shared', import.meta.url).pathname;

function caseFile(folder: string, name: string): string {
  const file = `${shared}/cases/${folder}/${name}`;
  if (!existsSync(file)) throw new Error(`${file} is missing: set TALLY_SHARED to the folder that holds cases/.`);
  return (name.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString('utf8');
}

/** A recorded case: its lines about the sensor as they are, its connects and sockets, and its task's processes. */
export function readCase(folder: string): Recording {
  const taskId = /id: (\w+)/.exec(caseFile(folder, 'task.yaml'))?.[1] ?? '';
  const events = parseLines<Recorded>(caseFile(folder, 'tetragon.jsonl.gz'));
  const processes = new Map<string, { node: string; started: string; ended: string | null }>();
  for (const event of events) {
    const own = (event.process_exec ?? event.process_exit)?.process;
    const mine = own?.environment_variables?.some(({ Key, Value }) => Key === 'TASK_ID' && Value === taskId) ?? false;
    if (own?.exec_id === undefined || !mine) continue;
    const known = processes.get(own.exec_id)?.ended ?? null;
    const ended = event.process_exit === undefined ? known : event.time;
    processes.set(own.exec_id, { node: event.node_name, started: own.start_time, ended });
  }
  const starts = [...processes.values()].map(({ started }) => started).sort();
  const ends = [...processes.values()].flatMap(({ ended }) => ended ?? []).sort();
  return {
    lines: parseLines<Line>(caseFile(folder, 'sensor.jsonl.gz')),
    events: events.flatMap((event, seq) => toEvent(event, seq)),
    processes: [...processes].map(([execId, { node, started }]) =>
      // a process that execs again has no exit of its own: what counts here is the last end of all
      toProcess(node, execId, taskId, started, ends.at(-1) ?? null),
    ),
    task: toTask(starts[0] ?? null, ends.at(-1) ?? null, '2030-01-01T00:00:00Z'),
  };
}

function parseLines<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function toEvent(event: Recorded, seq: number): Cells[] {
  const call = event.process_kprobe;
  const hooks = ['tcp_connect', 'security_socket_connect', 'security_socket_create'];
  if (call === undefined || !hooks.includes(call.function_name)) return [];
  const address = call.args.find((arg) => arg.sockaddr_arg)?.sockaddr_arg;
  const socket = call.args.find((arg) => arg.sock_arg)?.sock_arg;
  return [
    {
      node: event.node_name,
      time: event.time,
      kind: 'kprobe',
      hook: call.function_name,
      exec_id: call.process.exec_id ?? null,
      a_addr: address?.addr ?? null,
      a_port: address?.port ?? 0,
      s_daddr: socket?.daddr ?? null,
      s_dport: socket?.dport ?? 0,
      i0: call.args[0]?.int_arg ?? null,
      i1: call.args[1]?.int_arg ?? null,
      i2: call.args[2]?.int_arg ?? null,
      i3: call.args[3]?.int_arg ?? null,
      evidence: `tetragon/node/${seq}`,
    },
  ];
}

/** Second `at` of the minute in which the tests' own evidence lies. */
export function second(at: number): string {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, 0) + at * 1000).toISOString();
}

export function connectEvents(address: string, port: number, at: number, execId: string | null = 'collector'): Cells[] {
  const event = { node: 'n1', time: second(at), kind: 'kprobe', exec_id: execId, evidence: `tetragon/n1/${at}` };
  return [
    { ...event, hook: 'security_socket_connect', a_addr: address, a_port: port, s_daddr: '0.0.0.0', s_dport: 0 },
    { ...event, hook: 'tcp_connect', a_port: 0, s_daddr: address, s_dport: port },
  ];
}

export function socketEvent(family: number, type: number, protocol: number, execId = 'task'): Cells {
  const call = { i0: family, i1: type, i2: protocol, i3: 0 };
  const event = { node: 'n1', time: second(25), kind: 'kprobe', hook: 'security_socket_create', exec_id: execId };
  return { ...event, ...call, evidence: 'tetragon/n1/socket' };
}

/** One policy that has every hook of hooks.json that must be there, loaded. */
export function fullPolicies(): Policy[] {
  const hooks = new Set(readHooks().requiredHook.flatMap(([, hook, role]) => (role === 'optional' ? [] : [hook])));
  const statuses = [...hooks, 'udp_sendmsg'].map((hook) => ({ state: 'STATUS_LOADED', hook_description: hook }));
  return [
    {
      id: '2',
      name: 'all',
      sensors: ['generic_kprobe'],
      state: 'TP_STATE_ENABLED',
      stats: { action_counters: { post: '100' } },
      hook_statuses: statuses,
    },
  ];
}

export function healthLine(at: number, metrics: Record<string, number> = {}): Line {
  return {
    kind: 'health',
    node: 'n1',
    time: second(at),
    policies: fullPolicies(),
    metrics: {
      process_start_time_seconds: 1000,
      tetragon_event_cache_entries: 0,
      tetragon_observer_ringbuf_queue_events_lost_total: 0,
      tetragon_notify_overflowed_events_total: 0,
      ...metrics,
    },
  };
}

/** A task from second 20 to 40 on node n1, with nothing amiss: the stream, health every 10 s, a canary every 5 s. */
export function quiet(): Recording {
  const canaries = Array.from({ length: 13 }, (_, index) => ({ n: index + 1, at: index * 5 }));
  return {
    lines: [
      { kind: 'stream', node: 'n1', time: second(-1), state: 'connected' },
      ...canaries.map(({ n, at }): Line => ({ kind: 'canary', node: 'n1', time: second(at), n, port: 1 })),
      ...[0, 10, 20, 30, 40, 50, 60].map((at) => healthLine(at)),
    ],
    events: canaries.flatMap(({ n, at }) => connectEvents(`127.0.0.${n}`, 1, at + 0.1)),
    processes: [
      toProcess('n1', 'task', '7b3f', second(20), second(40)),
      toProcess('n1', 'collector', null, second(-100), null),
    ],
    task: toTask(second(20), second(40), second(3600)),
  };
}

/** The health line of that second, to be changed. */
export function lineAt(lines: readonly Line[], at: number, kind = 'health'): Line {
  const found = lines.find((line) => line.kind === kind && line.time === second(at));
  if (found === undefined) throw new Error(`No ${kind} line at ${at}.`);
  return found;
}

export function toProcess(
  node: string,
  execId: string,
  taskId: string | null,
  started: string,
  ended: string | null,
): Cells {
  return {
    node,
    exec_id: execId,
    started,
    exited: ended,
    image_until: ended,
    announced: true,
    seen: true,
    task_id: taskId,
    evidence: `tetragon/${node}/0`,
  };
}

export function toTask(start: string | null, end: string | null, newest: string): Cells {
  return {
    task_id: '7b3f',
    type: 'test',
    declared_basis: 'self-reported',
    window_start: start,
    window_end: end,
    last_exit: end,
    tolerance: '2 seconds',
    newest,
    has_policy: false,
    evidence: 'tally/declaration/0',
  };
}

const tables = [
  ...['record', 'kernel_event', 'process', 'egress', 'gap', 'task', 'required_hook', 'channel_touch'],
  ...['blind_spot', 'sensor', 'sensor_hook', 'sensor_metric', 'sensor_canary', 'own_gap', 'way_reach', 'stream_break'],
];

const chain = [
  ['sensor', 'sensor'],
  ['sensor_hook', 'sensor-policy'],
  ['sensor_metric', 'sensor-metric'],
  ['sensor_canary', 'sensor-canary'],
  ['stream_break', 'stream-break'],
  ['gap', 'sensor-broken'],
  ['gap', 'sensor-gap-health'],
  ['gap', 'sensor-gap-stream'],
  ['gap', 'sensor-gap-policy'],
  ['gap', 'sensor-gap-canary'],
] as const;

/** Runs the sensor's queries over the evidence in a database of its own and hands it to `judge`. */
export async function withEvidence<T>(evidence: Evidence, judge: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase();
  try {
    for (const table of tables)
      await database.run(readQuery(`tables/${table}`).replace(/^ {2}binary /m, '  "binary" '));
    const hooks = readHooks();
    await database.insert('required_hook', hooks.requiredHook);
    await database.insert('channel_touch', hooks.channelTouch);
    await database.insert('blind_spot', hooks.blindSpot);
    await put(database, 'record', [
      ...evidence.lines.map((line, seq) => ({
        stream: 'sensor',
        origin: 'file',
        seq,
        received_at: 0,
        evidence: `sensor/file/${String(seq).padStart(4, '0')}`,
        raw: typeof line === 'string' ? line : JSON.stringify(line),
      })),
      ...(evidence.streams ?? ['tetragon']).map((stream) => ({
        stream,
        origin: 'file',
        seq: 0,
        received_at: 0,
        evidence: `${stream}/file/0`,
        raw: '{}',
      })),
    ]);
    await put(database, 'kernel_event', evidence.events);
    await put(database, 'process', evidence.processes);
    await put(database, 'egress', evidence.egress ?? []);
    await put(database, 'gap', evidence.gaps ?? []);
    await put(database, 'task', evidence.task === undefined ? [] : [evidence.task]);
    for (const [table, query] of chain) await database.run(`INSERT INTO ${table} ${readQuery(`sources/${query}`)}`);
    return await judge(database);
  } finally {
    await database.close();
  }
}

export function readGaps(evidence: Evidence): Promise<Row[]> {
  return withEvidence(evidence, (database) =>
    database.all('SELECT * FROM gap ORDER BY why, from_time NULLS FIRST, until, detail'),
  );
}

export function readFindings(evidence: Evidence): Promise<Row[]> {
  return withEvidence(evidence, async (database) => {
    const findings: Row[] = [];
    for (const claim of ['sensor-coverage', 'sensor-continuity']) {
      findings.push(
        ...(await database.all(`SELECT '${claim}' AS claim, f.* FROM (${readQuery(`claims/${claim}`)}) f`)),
      );
    }
    return findings;
  });
}

async function put(database: Database, table: string, rows: readonly Cells[]): Promise<void> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const list = columns.map((column) => `"${column}"`).join(', ');
  for (let start = 0; start < rows.length; start += 50) {
    const part = rows.slice(start, start + 50);
    const values = part.map(() => `(${columns.map(() => '?').join(', ')})`).join(', ');
    const cells = part.flatMap((row) => columns.map((column) => row[column] ?? null));
    await database.run(`INSERT INTO ${table} (${list}) VALUES ${values}`, cells);
  }
}
