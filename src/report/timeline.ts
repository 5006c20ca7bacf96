import type { Report, ReportGap } from '../model/report.ts';
import { kernelLanes, providerLanes } from './timeline-halves.ts';
import { foldLanes, type FoldLimits, type Lane } from './timeline-lanes.ts';
import { showSpan, toMillis } from './times.ts';

export interface Timeline {
  readonly from: number;
  readonly until: number;
  readonly kernel: readonly Lane[];
  readonly provider: readonly Lane[];
  readonly gaps: readonly { readonly half: 'kernel' | 'provider'; readonly gap: ReportGap }[];
  readonly joins: readonly { readonly connection: string; readonly use: string; readonly shared: boolean }[];
  readonly window: { readonly start: number | undefined; readonly end: number | undefined };
  /** How long each source watched; a time that is none is left to the ends of the axis. */
  readonly coverage: readonly {
    readonly name: string;
    readonly title: string;
    readonly from: number | undefined;
    readonly until: number | undefined;
  }[];
  /** Sources for which there was no room. */
  readonly coverageLeft: number;
  /** Connections, uses and processes without a usable time, which can't be drawn. */
  readonly undated: number;
}

const kernelLimits: FoldLimits = {
  lanes: 40,
  rows: 70,
  laneNoun: ['process', 'processes'],
  rowNoun: ['endpoint', 'endpoints'],
  markNoun: ['connection', 'connections'],
};
const providerLimits: FoldLimits = {
  lanes: 16,
  rows: 40,
  laneNoun: ['session', 'sessions'],
  rowNoun: ['action', 'actions'],
  markNoun: ['use', 'uses'],
};

/** More sources than this are in the table of coverage alone. */
const maxCoverage = 12;

/** Folded to what a page can show without a script. */
export function foldTimeline(whole: Timeline): Timeline {
  return {
    ...whole,
    kernel: foldLanes(whole.kernel, kernelLimits),
    provider: foldLanes(whole.provider, providerLimits),
  };
}

/** The two halves on one axis; undefined when nothing has a time. */
export function toTimeline(report: Report): Timeline | undefined {
  const { processes, connections, uses, window } = report;
  const dated = {
    processes: processes.filter((row) => toMillis(row.started) !== undefined),
    connections: connections.filter((row) => toMillis(row.opened) !== undefined),
    uses: uses.filter((row) => toMillis(row.time) !== undefined),
  };
  const times = [
    ...[window.start, window.end],
    ...dated.processes.flatMap((row) => [row.started, row.exited]),
    ...dated.connections.flatMap((row) => [row.opened, row.closed]),
    ...dated.uses.map((row) => row.time),
  ].flatMap((time) => toMillis(time) ?? []);
  const from = times.reduce((a, b) => Math.min(a, b), Infinity);
  const end = times.reduce((a, b) => Math.max(a, b), -Infinity);
  if (from > end) return undefined;
  const until = Math.max(end, from + 1);
  return {
    from,
    until,
    kernel: kernelLanes(report, dated, until),
    provider: providerLanes(report, dated.uses, until),
    gaps: report.gaps.map((gap) => ({ half: /^(tetragon|sensor)/.test(gap.stream) ? 'kernel' : 'provider', gap })),
    joins: dated.uses.flatMap(({ id, connection, strength }) =>
      connection === undefined ? [] : [{ connection, use: id, shared: strength === 'shared' }],
    ),
    coverage: report.coverage
      .slice(0, maxCoverage)
      .map(({ source, subject, from: start, until: end, basis, detail }) => ({
        name: `${source} ${subject}`,
        title: `${showSpan(start, end)}, ${basis}: ${detail}`,
        from: toMillis(start),
        until: toMillis(end),
      })),
    coverageLeft: Math.max(report.coverage.length - maxCoverage, 0),
    window: { start: toMillis(window.start), end: toMillis(window.end) },
    undated:
      processes.length +
      connections.length +
      uses.length -
      (dated.processes.length + dated.connections.length + dated.uses.length),
  };
}
