import type { CloudFile, Evidence } from '../evidence.ts';
import type { Ns, World } from '../world.ts';
import { digestsOf } from './resign.ts';
import { firstIssue, isoSecond, lastExpiry, lifeOf, type TaskLife } from './task-life.ts';

export type Fields = Record<string, unknown>;

/** The objects of a trail that the judged task's credentials left records in. */
export interface TaskFiles {
  readonly life: TaskLife;
  /** First issuance and last expiry. */
  readonly from: Ns;
  readonly until: Ns;
  /** Logs with records of the task: of its calls, or of its sessions' issuance. */
  readonly own: CloudFile[];
  /** Logs of the same accounts and regions without any, with records from within the time. */
  readonly others: CloudFile[];
  /** One chain for each account and region with own logs, in order of time. Only where there is one trail. */
  readonly chains: CloudFile[][];
}

export function taskFiles(evidence: Evidence, world: World): TaskFiles {
  const life = lifeOf(world);
  const [from, until] = [firstIssue(life), lastExpiry(life)];
  const marks = life.sessions.map(({ key }) => key);
  const logs = evidence.cloudtrail.filter(({ kind }) => kind === 'log');
  const own = logs.filter(({ text }) => marks.some((mark) => text.includes(mark)));
  const called = own.filter(({ text }) => life.calls.some(({ eventId }) => text.includes(eventId)));
  const places = new Set((called.length > 0 ? called : own).map(placeOf));
  const chains = [...places].flatMap((place) => {
    const chain = digestsOf(evidence).filter((digest) => placeOf(digest) === place);
    const names = new Set(
      chain.map(({ path }) =>
        path
          .replace(/_\d{8}T\d+Z\.json\.gz$/, '')
          .split('/')
          .at(-1),
      ),
    );
    return names.size === 1 ? [chain] : [];
  });
  // what one trail lacks another may have
  const others = logs.filter(
    (log) =>
      chains.length === places.size && !own.includes(log) && places.has(placeOf(log)) && overlaps(log, from, until),
  );
  return { life, from, until, own, others, chains };
}

/** AWSLogs/<account>/CloudTrail…/<region>/… */
function placeOf({ path }: CloudFile): string {
  const parts = path.split('/');
  return `${parts[1] ?? ''}/${parts[3] ?? ''}`;
}

export function nameOf({ path }: CloudFile): string {
  return path.split('/').at(-1) ?? path;
}

export function recordsOf({ text }: CloudFile): Fields[] {
  return (JSON.parse(text) as { Records: Fields[] }).Records;
}

export function toLog(records: readonly Fields[]): string {
  return JSON.stringify({ Records: records });
}

function overlaps(log: CloudFile, from: Ns, until: Ns): boolean {
  const [first, last] = [isoSecond(from), isoSecond(until)];
  return recordsOf(log).some(({ eventTime }) => String(eventTime) >= first && String(eventTime) <= last);
}
