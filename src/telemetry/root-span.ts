import type { Report } from '../model/report.ts';
import { toAttributes, toText } from './hostile-text.ts';
import { events, otel, own } from './names.ts';
import type { Sample } from './sample.ts';
import type { Attributes, SpanEvent, TaskSpan } from './span.ts';
import type { TaskGraph } from './task-graph.ts';

/** Where the parent of the root span comes from. */
export type ParentFrom = 'declaration' | 'process' | 'none';

export function toRootAttributes(report: Report, graph: TaskGraph, kept: Sample, parentFrom: ParentFrom): Attributes {
  const { task, claims } = report;
  const { leftOut } = kept;
  const whose = (result: string): string[] => claims.filter((claim) => claim.result === result).map(({ id }) => id);
  const trigger = Object.entries(task.trigger ?? {}).filter(([name]) => name !== 'traceparent');
  const isSampled = kept.kept < graph.size;
  const some = (count: number): number | undefined => (count === 0 ? undefined : count);
  return toAttributes({
    [own.kind]: 'task',
    [own.taskId]: task.id,
    [own.taskType]: task.type,
    [own.taskAgent]: task.agent,
    [own.trigger]: trigger.map(([name, value]) => `${name}=${value}`),
    [otel.runId]: task.trigger?.['run'],
    [otel.commit]: task.trigger?.['commit'],
    [own.verdict]: report.verdict,
    [own.summary]: report.summary,
    [own.pendingUntil]: report.pendingUntil,
    [own.claimsViolated]: whose('violated'),
    [own.claimsUnproven]: whose('unproven'),
    [own.claimsHolding]: whose('holds'),
    [own.assumptions]: report.assumptions.map(({ name }) => name),
    [own.parentFrom]: parentFrom,
    [own.processes]: report.processes.length,
    [own.connections]: report.connections.length,
    [own.uses]: report.uses.length,
    [own.sessions]: report.sessions.length,
    [own.findings]: claims.reduce((sum, { findings }) => sum + findings.length, 0),
    [own.gapsOutside]: some(report.gaps.length - graph.gaps.length),
    [own.spansTotal]: isSampled ? graph.size : undefined,
    [own.spansLeftOut]: isSampled ? graph.size - kept.kept : undefined,
    [own.leftOutProcesses]: some(leftOut.process),
    [own.leftOutSessions]: some(leftOut.session),
    [own.leftOutGaps]: some(leftOut.gap),
    [own.leftOutConnections]: some(leftOut.connection),
    [own.leftOutUses]: some(leftOut.use),
  });
}

/** Says on the time line too that spans are missing from it. */
export function toSampledEvent({ size }: TaskGraph, { kept }: Sample, time: bigint): SpanEvent {
  const attributes = { [own.spansTotal]: size, [own.spansLeftOut]: size - kept };
  return { name: events.sampled, time, attributes };
}

/** `unproven` and `pending` are no errors: the verdict's attribute tells them. */
export function toRootStatus({ verdict, summary }: Report): TaskSpan['status'] {
  if (verdict === 'violated') return { code: 'error', message: toText(summary) };
  return { code: verdict === 'proven' ? 'ok' : 'unset' };
}
