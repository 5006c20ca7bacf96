import type { Row } from '../../src/query/database.ts';
import type { Action, Tables } from './lab.ts';

/** What became of the true actions of a scenario in table flow. */
export interface Comparison {
  /** Actions with a row of their own: right process, channel, far end and time. */
  readonly seen: number;
  /** Actions that no row shows, by the reason that the recording gives. */
  readonly unseen: Readonly<Record<string, number>>;
  /** Actions that no row shows though nothing excuses it: none may be. */
  readonly missed: readonly string[];
}

/** A stretch in which a scenario's recording is known to lack connections, or a kind of action that is none. */
export interface Excuse {
  readonly reason: string;
  readonly from?: string;
  readonly until?: string;
  readonly action?: string;
  readonly dest?: string;
}

/** What a process did that is no way out: it leaves no row in table flow, and need not. */
const noEgress: ReadonlySet<string> = new Set([
  'task_root_start',
  'task_root_end',
  'daemon_start',
  'root_exit',
  'loop_start',
  'loop_end',
  'spawn_long_child',
  'long_child_start',
  'socketpair',
  'setns',
  'ptrace',
  'summary',
]);

interface Flow {
  readonly channel: string;
  readonly pid: number;
  readonly ancestors: readonly number[];
  readonly opened: number;
  readonly closed: number;
  readonly address: string | null;
  readonly port: number | null;
  readonly path: string | null;
  used: boolean;
}

/** How far a row's time may lie outside that of its action's log line. Milliseconds. */
const slack = 100;
/** A program that the action starts connects some time after, a deferred connect at its first write; and some logs were written after all of their actions. */
const startingProgram = 2500;
const writtenLater = 10_000;

/** Finds a row for every true action (one for each of `count` connections); a connection's row is used once. */
export async function compareEgress(
  tables: Tables,
  truth: readonly Action[],
  excuses: readonly Excuse[],
): Promise<Comparison> {
  const flows = await readFlows(tables);
  const wanted = truth.filter((action) => !noEgress.has(action.action) && action.dest !== null);
  const left = new Map(wanted.map((action) => [action, action.count ?? 1]));
  // first the rows of the very process, then those of processes that it started
  for (const own of [true, false]) {
    for (const [action, count] of left) {
      if (count === 0) continue;
      const by = flows.filter((flow) => (own ? flow.pid === action.pid : flow.ancestors.includes(action.pid)));
      left.set(action, count - take(by, action, count));
    }
  }
  const unseen: Record<string, number> = {};
  const missed: string[] = [];
  let seen = 0;
  for (const [action, count] of left) {
    seen += (action.count ?? 1) - count;
    if (count === 0) continue;
    const excuse = excuses.find((one) => isExcusedBy(one, action));
    if (excuse === undefined) missed.push(`${action.start} ${action.action} ${action.dest ?? ''} by ${action.pid}`);
    else unseen[excuse.reason] = (unseen[excuse.reason] ?? 0) + count;
  }
  return { seen, unseen, missed };
}

function isExcusedBy({ action, dest, from, until }: Excuse, tried: Action): boolean {
  return (
    (action === undefined || action === tried.action) &&
    (dest === undefined || dest === tried.dest) &&
    (from === undefined || tried.start >= from) &&
    (until === undefined || tried.start <= until)
  );
}

/** Takes up to `count` rows that the action can have made. A row of datagrams, paths or writes may hold several actions. */
function take(flows: readonly Flow[], action: Action, count: number): number {
  const channel = channelOf(action);
  const note = action.note ?? '';
  const from = Date.parse(action.start) - (note.includes('when the log was written') ? writtenLater : slack);
  const until = Date.parse(action.end ?? action.start) + (/exec|curl|later/.test(note) ? startingProgram : slack);
  const fit = flows.filter(
    (flow) => flow.channel === channel && flow.opened <= until && flow.closed >= from && reaches(flow, action),
  );
  if (channel !== 'tcp') return fit.length > 0 ? count : 0;
  const taken = fit.filter((flow) => !flow.used && flow.opened >= from).slice(0, count);
  for (const flow of taken) flow.used = true;
  return taken.length;
}

function channelOf({ action, dest, proto }: Action): string {
  if (action.startsWith('raw')) return 'raw';
  if (action.startsWith('ping')) return 'icmp';
  if (action.startsWith('packet')) return 'packet';
  if (action.startsWith('sctp')) return 'sctp';
  if (action.startsWith('vsock')) return 'vsock';
  if (dest?.startsWith('unix:') === true) return 'unix';
  if (proto === 'udp') return 'udp'; // a datagram is the process's own, whoever connected the socket
  return action.endsWith('_inherited') ? 'inherited' : 'tcp';
}

function reaches(flow: Flow, { action, dest }: Action): boolean {
  if (dest === null || flow.channel === 'packet') return flow.address === null; // the frame's destination is in no event
  if (dest.startsWith('unix:')) return flow.path === dest.slice('unix:'.length);
  if (dest.startsWith('vsock:')) return `vsock:${flow.address?.replace('cid ', '') ?? ''}:${flow.port ?? ''}` === dest;
  return dest.split(' or ').some((one) => {
    const match = /^\[(.+)\]:(\d+)$|^([\d.]+):(\d+)$/.exec(one);
    const address = (match?.[1] ?? match?.[3] ?? one).replace('::ffff:', '');
    const port = match?.[2] ?? match?.[4];
    // a raw socket has no port: what stands in its own header is not read
    return flow.address === address && (port === undefined || action.startsWith('raw') || String(flow.port) === port);
  });
}

async function readFlows(tables: Tables): Promise<Flow[]> {
  const processes = await tables.all('SELECT exec_id, parent_exec_id, pid::INTEGER AS pid FROM process');
  const byId = new Map(processes.map((row) => [row['exec_id'] ?? null, row]));
  const ancestorsOf = (execId: Row[string] | undefined): number[] => {
    const pids: number[] = [];
    for (
      let at = byId.get(execId ?? null);
      at !== undefined && pids.length < 20;
      at = byId.get(at['parent_exec_id'] ?? null)
    ) {
      pids.push(Number(at['pid']));
    }
    return pids;
  };
  const rows = await tables.all(`
    SELECT channel, exec_id, pid::INTEGER AS pid, epoch_ms(opened)::DOUBLE AS opened, epoch_ms(coalesce(closed, opened))::DOUBLE AS closed,
      remote_address AS address, remote_port::INTEGER AS port, path
    FROM flow ORDER BY opened, evidence`);
  return rows.map((row) => ({
    channel: String(row['channel']),
    pid: Number(row['pid']),
    ancestors: ancestorsOf(row['exec_id']),
    opened: Number(row['opened']),
    closed: Number(row['closed']),
    address: row['address'] as string | null,
    port: row['port'] as number | null,
    path: row['path'] as string | null,
    used: false,
  }));
}
