import { TallyError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { eventsPerSpan, toFindingEvent } from './finding-events.ts';
import type { PlacedFinding } from './finding-places.ts';
import { toText } from './hostile-text.ts';
import { toSpanId, toTraceId } from './ids.ts';
import { own } from './names.ts';
import { type PartSpan, toConnectionSpan, toGapSpan, toProcessSpan, toSessionSpan, toUseSpan } from './part-spans.ts';
import { toRootAttributes, toRootStatus, toSampledEvent } from './root-span.ts';
import { sample, type Sample } from './sample.ts';
import type { SpanLink, TaskSpan } from './span.ts';
import { toSpanIds } from './span-ids.ts';
import { type TaskGraph, toGraph } from './task-graph.ts';
import { decideParent, type TaskParent, type TrustedParent } from './task-parent.ts';
import { type Bounds, boundsOf } from './times.ts';

export interface TraceOptions {
  /** Spans beyond this are left out, but never one with a finding. */
  readonly maxSpans: number;
  readonly trustedParent: TrustedParent;
}

/** A judged task as a trace. */
export interface TaskTrace {
  readonly traceId: string;
  /** Spans of the whole task, and how many of them are left out. */
  readonly total: number;
  readonly leftOut: number;
  /** Made one by one, the root first: a big task's are never in memory together. The same report gives the same spans. */
  readonly spans: () => Generator<TaskSpan, void>;
}

/** Throws TallyError `input` where nothing of the task was seen: it has no time. */
export function toTaskTrace(report: Report, { maxSpans, trustedParent }: TraceOptions): TaskTrace {
  const bounds = boundsOf(report);
  if (bounds === undefined) throw nothingSeen(report);
  const graph = toGraph(report, bounds);
  const kept = sample(graph, maxSpans);
  const parent = decideParent(report, trustedParent);
  const traceId = parent.context?.traceId ?? toTraceId(report.task.id);
  const plan = { report, bounds, graph, ids: toSpanIds(report, graph), kept, parent, traceId };
  return { traceId, total: graph.size, leftOut: graph.size - kept.kept, spans: () => spansOf(plan) };
}

/** All that spans are made from. */
interface Plan {
  readonly report: Report;
  readonly bounds: Bounds;
  readonly graph: TaskGraph;
  /** By number. */
  readonly ids: readonly string[];
  readonly kept: Sample;
  readonly parent: TaskParent;
  readonly traceId: string;
}

function* spansOf(plan: Plan): Generator<TaskSpan, void> {
  const { report, bounds, graph, ids, kept, traceId } = plan;
  const idOf = (number: number): string => ids[number] ?? '';
  const task = report.task.id;
  yield* withFindings(task, toRootSpan(plan), graph.findings.get(0));
  for (let number = 1; number < graph.size; number += 1) {
    if (!kept.has(number)) continue;
    const { failed, ...part } = toPartSpan(report, graph, bounds, number);
    const span: TaskSpan = {
      traceId,
      spanId: idOf(number),
      parent: { spanId: idOf(graph.parent[number] ?? 0), remote: false },
      ...part,
      events: [],
      links: toLinks(graph, number, idOf),
      status: failed === undefined ? { code: 'unset' } : { code: 'error', message: toText(failed) },
    };
    yield* withFindings(task, span, graph.findings.get(number));
  }
}

function toRootSpan({ report, bounds, graph, ids, kept, parent, traceId }: Plan): TaskSpan {
  const above = parent.context;
  return {
    traceId,
    spanId: ids[0] ?? '',
    parent: above === undefined ? undefined : { spanId: above.spanId, remote: true },
    name: toText(`task ${report.task.type}`, 128),
    kind: 'internal',
    ...bounds,
    attributes: toRootAttributes(report, graph, kept, parent.from),
    events: kept.kept < graph.size ? [toSampledEvent(graph, kept, bounds.end)] : [],
    links: [],
    status: toRootStatus(report),
  };
}

function nothingSeen({ task }: Report): TallyError {
  const message = `Nothing of task ${task.id} was seen yet, so there is no trace of it; try again once it has run.`;
  return new TallyError('input', message, { retryable: true });
}

function toPartSpan(report: Report, { first, gaps }: TaskGraph, bounds: Bounds, number: number): PartSpan {
  const use = report.uses[number - first.use];
  if (use !== undefined) return toUseSpan(use, bounds);
  const connection = report.connections[number - first.connection];
  if (connection !== undefined) return toConnectionSpan(connection, bounds);
  const gap = gaps[number - first.gap];
  if (gap !== undefined) return toGapSpan(gap, bounds);
  const session = report.sessions[number - first.session];
  if (session !== undefined) return toSessionSpan(session, bounds);
  const process = report.processes[number - first.process];
  if (process !== undefined) return toProcessSpan(report.task.id, process, bounds);
  throw new RangeError(`no span has number ${number}`);
}

/** Of a use: the connection it was matched with, and its credential session. */
function toLinks(graph: TaskGraph, number: number, idOf: (number: number) => string): SpanLink[] {
  const use = number - graph.first.use;
  const links: SpanLink[] = [];
  for (const [kind, targets] of [
    ['connection', graph.connectionOf],
    ['session', graph.sessionOf],
  ] as const) {
    const target = targets[use] ?? 0;
    if (target !== 0) links.push({ spanId: idOf(target), attributes: { [own.link]: kind } });
  }
  return links;
}

/**
 * A span with an event for each of its findings, and an error where one of them convicts. Those that are too many for one
 * span go to children of it.
 */
function* withFindings(
  task: string,
  span: TaskSpan,
  findings: readonly PlacedFinding[] = [],
): Generator<TaskSpan, void> {
  const convicting = findings.find(({ kind }) => kind === 'counterexample');
  const isError = convicting !== undefined && span.status.code === 'unset';
  const eventsOf = (from: number): TaskSpan['events'] =>
    findings.slice(from, from + eventsPerSpan).map((finding) => toFindingEvent(finding, span.end));
  yield {
    ...span,
    events: [...span.events, ...eventsOf(0)],
    status: isError ? { code: 'error', message: toText(`${convicting.code}: ${convicting.detail}`) } : span.status,
  };
  for (let from = eventsPerSpan; from < findings.length; from += eventsPerSpan) {
    yield {
      ...span,
      spanId: toSpanId(task, ['findings', span.spanId, from]),
      parent: { spanId: span.spanId, remote: false },
      name: 'findings',
      kind: 'internal',
      attributes: { [own.kind]: 'findings' },
      events: eventsOf(from),
      links: [],
      status: { code: 'unset' },
    };
  }
}
