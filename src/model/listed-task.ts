import type { TaskState, TaskSummary } from './task-summary.ts';

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
}
