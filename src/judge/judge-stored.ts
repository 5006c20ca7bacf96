import { readStore } from '../evidence/store-read.ts';
import type { TaskState } from '../model/task-summary.ts';
import type { Manifest, Segment } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { type Database, openDatabase } from '../query/database.ts';
import { checkFiles } from './check-files.ts';
import { judgeCase } from './judge.ts';
import { ownStream } from './own-records.ts';
import { chooseSegments, holesOf, isInRange, lookSince } from './store-segments.ts';
import { type DeclaredTask, findTask, readConfig, type StoredConfig } from './store-tasks.ts';

export interface StoredInput {
  /** Folder of the live store. */
  readonly store: string;
  readonly task: string;
  readonly version: string;
  readonly step?: (what: string) => void;
}

/** One task judged from what a live store had sealed at one moment. */
export interface StoredJudgement {
  readonly report: Report;
  readonly state: TaskState;
  /** Newest time in the evidence, RFC 3339; undefined where there is none. */
  readonly judgedUntil: string | undefined;
  readonly task: DeclaredTask;
  readonly config: StoredConfig;
  /** What the report leans on, by file name. */
  readonly segments: readonly Segment[];
  readonly ledger: Manifest['ledger'];
  /** Entries of the ledger at that moment. */
  readonly size: number;
}

/**
 * Judges one declared task from a live store, also while a collector writes it. Throws TallyError `usage` for a task that was
 * not declared, `integrity` naming the file where the store is not what its ledger says.
 */
export async function judgeStored({
  store,
  task,
  version,
  step = () => undefined,
}: StoredInput): Promise<StoredJudgement> {
  step('reading the ledger');
  const { segments: all, checkpoint, vkey, size } = await readStore(store);
  const database = await openDatabase();
  try {
    const own = all.filter(({ stream }) => stream === ownStream);
    await checkFiles(store, own);
    const declared = await findTask(database, store, own, task);
    const stored = await readConfig(database, store, own);
    const since = lookSince(declared, stored.config);
    const segments = await chooseSegments(database, store, all, since, stored.config);
    step('checking segments');
    await checkFiles(
      store,
      segments.filter(({ stream }) => stream !== ownStream),
    );
    step('judging');
    const judged = await judgeSegments(database, store, segments, task, version);
    return { ...judged, segments, ledger: { vkey, checkpoint }, size };
  } finally {
    await database.close();
  }
}

type JudgedSegments = Pick<StoredJudgement, 'report' | 'state' | 'judgedUntil' | 'task' | 'config'>;

/** Judges a task from chosen segments of a live store: the same segments give the same report. */
export async function judgeSegments(
  database: Database,
  store: string,
  segments: readonly Segment[],
  id: string,
  version: string,
): Promise<JudgedSegments> {
  const task = await findTask(database, store, segments, id);
  const config = await readConfig(database, store, segments);
  const since = lookSince(task, config.config);
  const report = await judgeCase(database, store, segments, version, {
    declaration: task.declaration,
    config: config.config,
    policies: task.record.policies,
    declared: { time: task.time, basis: 'collector' },
    evidence: { declaration: task.evidence, config: config.evidence },
    live: {
      holes: holesOf(segments),
      redeclared: task.again.map(({ time, evidence }) => [time, evidence]),
      isPartial: (segment) => !isInRange(segment, since),
    },
  });
  const [row] = await database.all(
    `SELECT strftime(newest, '%Y-%m-%dT%H:%M:%S.%fZ') AS newest, newest >= window_end + INTERVAL 60 SECONDS AS settled FROM task`,
  );
  const newest = row?.['newest'];
  const judgedUntil = typeof newest === 'string' ? newest : undefined;
  return { report, state: stateOf(report, row?.['settled'] === true), judgedUntil, task, config };
}

/** `settled`: there is evidence from so long after the end that none of the sensor's is still on its way. */
function stateOf({ claims, window, processes }: Report, settled: boolean): TaskState {
  if (processes.length === 0) return 'declared';
  if (window.end === undefined) return 'running';
  const waits = claims.some(({ findings }) => findings.some(({ kind }) => kind === 'wait'));
  return waits || !settled ? 'ended' : 'final';
}
