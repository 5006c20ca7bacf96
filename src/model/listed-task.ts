import type { OpenReason, TaskState, TaskSummary } from './task-summary.ts';

/** A declared task with what its last report said. */
export interface ListedTask {
  readonly id: string;
  readonly type: string;
  /** When it was declared, RFC 3339. */
  readonly declared: string;
  readonly state: TaskState;
  /** Null: not judged yet. */
  readonly verdict: TaskSummary['verdict'] | null;
  readonly window: TaskSummary['window'];
  readonly counts: TaskSummary['counts'] | null;
  readonly pendingUntil: string | null;
  /** Who runs it, where the declaration says so. */
  readonly agent: string | null;
  /** Newest time in the evidence that it was judged by; null where there is none. */
  readonly judgedUntil: string | null;
  /** What keeps it from being proven; null where that was not kept: not judged yet, or by an older version. */
  readonly open: readonly OpenReason[] | null;
}
