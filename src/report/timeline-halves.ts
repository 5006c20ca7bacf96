import type { Report, ReportConnection, ReportProcess, ReportUse } from '../model/report.ts';
import { groupBy } from './group-by.ts';
import { toTree } from './process-tree.ts';
import type { Lane, Mark, Row, Standing } from './timeline-lanes.ts';
import { showSpan, showTime, toMillis } from './times.ts';
import { clipMiddle } from './visible.ts';
import { claimHolds, plural } from './words.ts';

interface Flags {
  readonly breach: ReadonlySet<string>;
  readonly doubt: ReadonlySet<string>;
  readonly holds: ReadonlySet<string>;
}

/** Evidence ids are `stream/origin/seq` or `…#id`; a connection or use may be named by either. */
function toFlags(report: Report): Flags {
  const evidenceOf = (isKind: (kind: string) => boolean): ReadonlySet<string> =>
    new Set(
      report.claims
        .flatMap((claim) => claim.findings.filter((finding) => isKind(finding.kind)))
        .flatMap((finding) => finding.evidence.flatMap((id) => [id, id.slice(id.indexOf('#') + 1)])),
    );
  return {
    breach: evidenceOf((kind) => kind === 'counterexample'),
    doubt: evidenceOf((kind) => kind === 'doubt' || kind === 'wait'),
    holds: new Set(report.claims.filter(claimHolds).map((claim) => claim.id)),
  };
}

/** One lane for each process in tree order. `dated` holds what has a time; `until` is where the axis ends. */
export function kernelLanes(
  report: Report,
  dated: { readonly processes: readonly ReportProcess[]; readonly connections: readonly ReportConnection[] },
  until: number,
): Lane[] {
  const flags = toFlags(report);
  const undeclared = new Set(
    report.egress.filter((row) => !row.declared).map((row) => `${row.channel} ${row.endpoint}`),
  );
  const hosts = new Set(report.uses.flatMap((use) => use.host ?? []));
  const exits = new Map(report.processes.map((process) => [process.execId, toMillis(process.exited)]));
  const standingOf = (connection: ReportConnection): Standing => {
    if (flags.breach.has(connection.id)) return 'breach';
    const isUndeclared = undeclared.has(`${connection.channel} ${connection.endpoint}`);
    if (flags.doubt.has(connection.id) || (isUndeclared && !flags.holds.has('egress-declared'))) return 'doubt';
    if (connection.uses.length > 0) return 'matched';
    const host = connection.endpoint.slice(0, connection.endpoint.lastIndexOf(':'));
    return hosts.has(host) && !flags.holds.has('egress-explained') ? 'doubt' : 'quiet';
  };
  const toMark = (connection: ReportConnection): Mark => {
    const { id, channel, endpoint, opened, closed, uses } = connection;
    const from = toMillis(opened) ?? 0;
    const end = toMillis(closed) ?? exits.get(connection.execId) ?? until;
    const standing = standingOf(connection);
    const span = `${showSpan(opened, closed)}${closed === undefined ? ', not seen to close' : ''}`;
    const title = `${channel} ${endpoint}, ${span}, ${tell(standing, plural(uses.length, 'use'))}`;
    const remark = [channel, ...(uses.length === 0 ? [] : [plural(uses.length, 'use')]), tellOutcome(connection)].join(
      ', ',
    );
    return { id, from, until: Math.max(from, end), standing, hollow: closed === undefined, title, remark };
  };
  const byProcess = groupBy(dated.connections, (connection) => connection.execId);
  const lanes = toTree(dated.processes).map(({ process, depth }): Lane => {
    const own = byProcess.get(process.execId) ?? [];
    byProcess.delete(process.execId);
    const from = toMillis(process.started) ?? 0;
    const exited = toMillis(process.exited);
    return {
      label: `${process.binary.slice(process.binary.lastIndexOf('/') + 1)} ${process.pid}`,
      title: `${clipMiddle(process.binary, 200)} ${clipMiddle(process.arguments, 200)}, ${showSpan(process.started, process.exited)}`,
      depth,
      life: { from, until: Math.max(from, exited ?? until), open: exited === undefined },
      rows: toRows(own, (connection) => connection.endpoint, toMark),
    };
  });
  const orphans = [...byProcess.values()].flat();
  if (orphans.length === 0) return lanes;
  const rows = toRows(orphans, (connection) => connection.endpoint, toMark);
  return [...lanes, { label: 'unknown process', title: 'Process not in the report', depth: 0, rows }];
}

/** One lane for each credential session, then one for each key that no session of the report has. */
export function providerLanes(report: Report, uses: readonly ReportUse[], until: number): Lane[] {
  const flags = toFlags(report);
  const standingOf = (use: ReportUse): Standing => {
    if (flags.breach.has(use.id)) return 'breach';
    if (flags.doubt.has(use.id)) return 'doubt';
    return use.connection !== undefined || flags.holds.has('uses-matched') ? 'matched' : 'doubt';
  };
  const toMark = (use: ReportUse): Mark => {
    const time = toMillis(use.time) ?? 0;
    const standing = standingOf(use);
    const strength = use.strength === 'shared' ? 'a connection that another tree had too' : 'its connection';
    const title = `${use.action}, ${showTime(use.time)}, from ${use.source}, ${use.outcome}, ${tell(standing, strength)}`;
    const remark = `from ${use.source}, ${use.outcome}`;
    return { id: use.id, from: time, until: time, standing, hollow: use.outcome !== 'ok', title, remark };
  };
  const byKey = groupBy(uses, (use) => use.key);
  const lanes = report.sessions.map((session): Lane => {
    const own = byKey.get(session.key) ?? [];
    byKey.delete(session.key);
    const issued = toMillis(session.issued);
    const expires = toMillis(session.expires);
    const life = { from: issued ?? 0, until: Math.max(issued ?? 0, expires ?? until), open: expires === undefined };
    return {
      label: session.session,
      title: `${session.provider} ${session.key}, valid ${showSpan(session.issued, session.expires)}`,
      depth: 0,
      ...(issued === undefined ? {} : { life }),
      rows: toRows(own, (use) => use.action, toMark),
    };
  });
  const strays = [...byKey].map(([key, own]): Lane => {
    return {
      label: key,
      title: `Session not in the report: ${key}`,
      depth: 0,
      rows: toRows(own, (use) => use.action, toMark),
    };
  });
  return [...lanes, ...strays];
}

function tellOutcome({ outcome, carried, closed }: ReportConnection): string {
  const state = outcome === 'failed' ? 'failed' : closed === undefined ? 'not seen to close' : 'closed';
  return carried === 'yes' ? `${state}, data was sent` : carried === 'no' ? `${state}, no data was sent` : state;
}

function tell(standing: Standing, matched: string): string {
  switch (standing) {
    case 'matched':
      return `matched with ${matched}`;
    case 'quiet':
      return 'needs no use';
    case 'doubt':
      return 'in doubt: see the claims';
    case 'breach':
      return 'part of a breach: see the claims';
  }
}

/** One row for each name, in order of first appearance. */
function toRows<T>(items: readonly T[], nameOf: (item: T) => string, toMark: (item: T) => Mark): Row[] {
  return [...groupBy(items, nameOf)].map(([name, group]) => ({
    name,
    label: group.length === 1 ? name : `${name} ×${group.length}`,
    marks: group.map(toMark),
  }));
}
