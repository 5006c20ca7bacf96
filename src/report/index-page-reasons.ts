import type { ListedTask } from '../model/listed-task.ts';
import type { OpenReason } from '../model/task-summary.ts';
import { compare } from './index-page-counts.ts';

/** One finding code under one claim, over many tasks. */
export interface Reason {
  readonly code: string;
  readonly kind: string;
  readonly tasks: number;
  /** Tasks that nothing else keeps from being proven. */
  readonly alone: number;
  readonly findings: number;
  /** The newest of those tasks. */
  readonly example: ListedTask;
}

export interface OpenClaim {
  readonly claim: string;
  readonly tasks: number;
  readonly reasons: readonly Reason[];
}

export interface Reasons {
  /** What keeps most tasks open comes first. */
  readonly claims: readonly OpenClaim[];
  /** Tasks that were judged and not proven. */
  readonly counted: number;
  /** As many more of them whose findings no summary keeps. */
  readonly untold: number;
}

type Growing = { -readonly [K in keyof Reason]: Reason[K] };

/** What keeps tasks from being proven; `tasks` in the order in which they were declared. */
export function toReasons(tasks: readonly ListedTask[]): Reasons {
  const open = tasks.filter(({ verdict }) => verdict !== null && verdict !== 'proven');
  const told = open.flatMap((task) => (task.open === null ? [] : [{ task, reasons: distinct(task.open) }]));
  const claims = new Map<string, { tasks: number; codes: Map<string, Growing> }>();
  for (const { task, reasons } of told) {
    for (const claim of new Set(reasons.map((reason) => reason.claim))) {
      const known = claims.get(claim) ?? { tasks: 0, codes: new Map<string, Growing>() };
      claims.set(claim, { ...known, tasks: known.tasks + 1 });
    }
    for (const { claim, code, kind, findings } of reasons) {
      const codes = claims.get(claim)?.codes ?? new Map<string, Growing>();
      const key = JSON.stringify([code, kind]);
      const known = codes.get(key) ?? { code, kind, tasks: 0, alone: 0, findings: 0, example: task };
      known.tasks += 1;
      known.alone += reasons.length === 1 ? 1 : 0;
      known.findings += findings;
      known.example = task;
      codes.set(key, known);
    }
  }
  const ranked = [...claims].map(([claim, { tasks: count, codes }]) => ({
    claim,
    tasks: count,
    reasons: [...codes.values()].sort(
      (a, b) => b.tasks - a.tasks || compare(a.code, b.code) || compare(a.kind, b.kind),
    ),
  }));
  ranked.sort((a, b) => b.tasks - a.tasks || compare(a.claim, b.claim));
  return { claims: ranked, counted: told.length, untold: open.length - told.length };
}

/** A summary names each code once; one that does not must not count its task twice. */
function distinct(reasons: readonly OpenReason[]): OpenReason[] {
  const known = new Map<string, OpenReason>();
  for (const reason of reasons) known.set(JSON.stringify([reason.claim, reason.code, reason.kind]), reason);
  return [...known.values()];
}
