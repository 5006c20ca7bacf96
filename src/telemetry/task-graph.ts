import type { Report, ReportGap } from '../model/report.ts';
import { namedEvidence, type PlacedFinding, placeFindings } from './finding-places.ts';
import { type Bounds, toTime } from './times.ts';

/** Parts of a task that become spans, in the order in which they are numbered. */
export const parts = ['process', 'session', 'gap', 'connection', 'use'] as const;
export type Part = (typeof parts)[number];

/** How the spans of a task hang together, by number: the root is 0, then come those of each part. Small: it holds no span. */
export interface TaskGraph {
  /** Spans in all. */
  readonly size: number;
  /** First number of each part. */
  readonly first: Readonly<Record<Part, number>>;
  readonly count: Readonly<Record<Part, number>>;
  /** Gaps that touch the task's time. */
  readonly gaps: readonly ReportGap[];
  /** The root's is -1. No circles. */
  readonly parent: Int32Array;
  /** The connection that each use was matched with, its session's span; 0 for none. */
  readonly connectionOf: Int32Array;
  readonly sessionOf: Int32Array;
  readonly findings: ReadonlyMap<number, readonly PlacedFinding[]>;
}

export function toGraph(report: Report, bounds: Bounds): TaskGraph {
  const gaps = report.gaps.filter((gap) => touches(gap, bounds));
  const count = {
    process: report.processes.length,
    session: report.sessions.length,
    gap: gaps.length,
    connection: report.connections.length,
    use: report.uses.length,
  };
  const first = { process: 1, session: 0, gap: 0, connection: 0, use: 0 };
  let size = 1;
  for (const part of parts) {
    first[part] = size;
    size += count[part];
  }
  const parent = new Int32Array(size);
  parent[0] = -1;
  const processes = numbersOf(report.processes, first.process, ({ execId }) => execId);
  const sessions = numbersOf(report.sessions, first.session, ({ key, session }) => key || session);
  const connections = numbersOf(report.connections, first.connection, ({ id }) => id);
  report.processes.forEach(({ parentExecId }, index) => {
    parent[first.process + index] = processes.get(parentExecId ?? '') ?? 0;
  });
  report.sessions.forEach(({ parentKey }, index) => {
    parent[first.session + index] = sessions.get(parentKey ?? '') ?? 0;
  });
  report.connections.forEach(({ execId }, index) => {
    parent[first.connection + index] = processes.get(execId) ?? 0;
  });
  const connectionOf = new Int32Array(count.use);
  const sessionOf = new Int32Array(count.use);
  report.uses.forEach(({ connection, key, session }, index) => {
    const through = connections.get(connection ?? '') ?? 0;
    connectionOf[index] = through;
    sessionOf[index] = sessions.get(key || session) ?? 0;
    parent[first.use + index] = through === 0 ? 0 : (parent[through] ?? 0);
  });
  cutCircles(parent);
  const findings = placeFindings(report.claims, recordSpans(report, first));
  return { size, first, count, gaps, parent, connectionOf, sessionOf, findings };
}

/** What has no time may be any time. */
function touches({ from, until }: ReportGap, { start, end }: Bounds): boolean {
  return (toTime(from) ?? start) <= end && (toTime(until) ?? end) >= start;
}

/** The first of several with one key is meant; without a key none is. */
function numbersOf<T>(rows: readonly T[], first: number, keyOf: (row: T) => string): Map<string, number> {
  const map = new Map<string, number>();
  rows.forEach((row, index) => {
    const key = keyOf(row);
    if (key !== '' && !map.has(key)) map.set(key, first + index);
  });
  return map;
}

/** A report comes from a file: parents that go round in a circle would hang the walk to the root. */
function cutCircles(parent: Int32Array): void {
  const done = new Uint8Array(parent.length);
  for (let number = 1; number < parent.length; number += 1) {
    const walked: number[] = [];
    let at = number;
    while (at > 0 && done[at] === 0) {
      done[at] = 2;
      walked.push(at);
      const next = parent[at] ?? 0;
      if (done[next] === 2 && next > 0) parent[at] = 0;
      at = parent[at] ?? 0;
    }
    for (const one of walked) done[one] = 1;
  }
}

/** Finds the span of a record among those that findings name: uses, then connections, sessions, processes. */
function recordSpans(report: Report, first: TaskGraph['first']): (evidence: string) => number | undefined {
  const named = namedEvidence(report.claims);
  const spans = new Map<string, number>();
  const note = (evidence: string | undefined, number: number): void => {
    for (const id of (evidence ?? '').split(' ')) if (named.has(id) && !spans.has(id)) spans.set(id, number);
  };
  report.uses.forEach(({ evidence }, index) => note(evidence, first.use + index));
  report.connections.forEach(({ id }, index) => note(id, first.connection + index));
  report.sessions.forEach(({ evidence }, index) => note(evidence, first.session + index));
  report.processes.forEach(({ evidence }, index) => note(evidence, first.process + index));
  return (evidence) => spans.get(evidence);
}
