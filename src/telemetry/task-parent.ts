import type { Report } from '../model/report.ts';
import type { ParentFrom } from './root-span.ts';
import { parseTraceparent, type TraceParent } from './trace-context.ts';

/** Whose word on the parent is taken: `process` takes both, the declaration's first. */
export type TrustedParent = 'process' | 'declaration' | 'none';

export interface TaskParent {
  readonly from: ParentFrom;
  readonly context: TraceParent | undefined;
}

/**
 * The span that a task hangs under: the declaration's `trigger.traceparent`, else the environment of the task's first
 * process, which whoever started the task gave it. Never a later process's: the task itself sets those, and could hang
 * itself under a trace of others.
 */
export function decideParent({ task, processes }: Report, trusted: TrustedParent): TaskParent {
  if (trusted === 'none') return { from: 'none', context: undefined };
  const declared = parseTraceparent(task.trigger?.['traceparent'] ?? '');
  if (declared !== undefined) return { from: 'declaration', context: declared };
  if (trusted === 'declaration') return { from: 'none', context: undefined };
  const execIds = new Set(processes.map(({ execId }) => execId));
  const [first] = processes
    .filter(({ parentExecId }) => !execIds.has(parentExecId ?? ''))
    .toSorted((a, b) => compare(a.started, b.started) || compare(a.execId, b.execId));
  const context = parseTraceparent(first?.traceparent ?? '');
  return { from: context === undefined ? 'none' : 'process', context };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
