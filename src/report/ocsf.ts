import type { FindingKind } from '../model/claim.ts';
import type { Report, ReportSession } from '../model/report.ts';
import { codeMeaning } from './finding-codes.ts';
import { counter, identityInTask } from './finding-identity.ts';
import { type FormOptions, openInReport, type PlacedFinding } from './form.ts';
import { groupBy } from './group-by.ts';
import { toJsonText } from './json-text.ts';
import { type Evidence, toEvidence, toObservables } from './ocsf-evidence.ts';
import { toPlaces } from './places.ts';
import { toMillis } from './times.ts';
import { clip } from './visible.ts';
import { claimSentence, type Look, verdictLook, verdictMeaning } from './words.ts';

/** Version of the schema that the events keep to. */
const schemaVersion = '1.9.0';
const maxEvidence = 20;
const maxSessions = 50;

interface Severity {
  readonly severity_id: 1 | 2 | 3 | 4;
  readonly severity: string;
}
const informational: Severity = { severity_id: 1, severity: 'Informational' };
const low: Severity = { severity_id: 2, severity: 'Low' };
const medium: Severity = { severity_id: 3, severity: 'Medium' };
const high: Severity = { severity_id: 4, severity: 'High' };

const ofKind: Record<FindingKind, Severity> = { counterexample: high, doubt: medium, wait: low, note: informational };
const ofLook: Record<Look, Severity> = { violated: high, unproven: medium, pending: low, proven: informational };

/** The report as OCSF Detection Findings (class 2004), one JSON object a line: the verdict, then each open finding. */
export function renderOcsf(report: Report, options: FormOptions): string {
  const base = toBase(report, options);
  const placesOf = toPlaces(report);
  const sessionsOf = toSessions(report);
  const nth = counter();
  const findings = openInReport(report).map((one) => {
    const identity = identityInTask(report, one);
    const evidences = placesOf(one.finding, maxEvidence).map(toEvidence);
    return base({
      ...aboutFinding(one),
      key: `${identity}#${nth(identity)}`,
      evidences,
      sessions: sessionsOf(evidences),
    });
  });
  return [verdictEvent(report, base, options), ...findings].map((event) => toJsonText(event)).join('');
}

interface About {
  /** What names the finding within everything that is ever sent. */
  readonly key: string;
  readonly title: string;
  readonly desc: string;
  readonly types: readonly string[];
  readonly analytic: { readonly name: string; readonly uid: string; readonly desc: string };
  readonly severity: Severity;
  readonly open: boolean;
  readonly from: string | undefined;
  readonly until: string | undefined;
  readonly evidences: readonly Evidence[];
  readonly sessions: readonly ReportSession[];
  readonly unmapped: object;
}

function aboutFinding({ claim, finding }: PlacedFinding): Omit<About, 'key' | 'evidences' | 'sessions'> {
  return {
    title: clip(`${finding.code}: ${finding.subject}`, 300),
    desc: clip(`${codeMeaning(finding.code)} ${finding.detail}`, 4000),
    types: [claim.id],
    analytic: { name: finding.code, uid: `${claim.id}/${finding.code}`, desc: claimSentence(claim.id) },
    severity: Object.hasOwn(ofKind, finding.kind) ? ofKind[finding.kind] : medium,
    open: true,
    from: finding.from,
    until: finding.until,
    unmapped: {
      claim: claim.id,
      claim_result: claim.result,
      claim_basis: claim.basis,
      kind: finding.kind,
      records: finding.evidence.length,
    },
  };
}

function verdictEvent(report: Report, base: (about: About) => object, options: FormOptions): object {
  const look = verdictLook(report.verdict);
  return base({
    key: JSON.stringify([report.task.id, 'verdict']),
    title: clip(`Task ${report.task.id}: ${look}`, 300),
    desc: clip(`${report.summary} ${verdictMeaning(report)}`, 4000),
    types: ['verdict'],
    analytic: { name: 'verdict', uid: 'verdict', desc: 'All claims together' },
    severity: ofLook[look],
    open: look !== 'proven',
    from: report.window.start,
    until: report.window.end,
    evidences: [],
    sessions: report.sessions,
    unmapped: {
      verdict: report.verdict,
      ...(report.pendingUntil === undefined ? {} : { pending_until: report.pendingUntil }),
      claims: Object.fromEntries(report.claims.map((claim) => [claim.id, claim.result])),
      assumptions: report.assumptions.map(({ name }) => name),
      verification: options.verification ?? [],
      not_verified: options.notVerified ?? [],
    },
  });
}

function toBase(report: Report, { sha256 }: FormOptions): (about: About) => object {
  const time = newestTime(report);
  const product = { name: 'tallystick', vendor_name: 'tallystick', version: report.tool.version };
  return (about) => {
    const { severity, open, evidences } = about;
    const sessions = about.sessions.slice(0, maxSessions);
    const more = about.sessions.length - sessions.length;
    const uid = sha256(about.key).slice(0, 32);
    const [first, last] = [toMillis(about.from), toMillis(about.until ?? about.from)];
    const span = (start: string, end: string): object => ({
      ...(first === undefined ? {} : { [start]: first }),
      ...(last === undefined ? {} : { [end]: last }),
    });
    const observables = toObservables(evidences, sessions);
    return {
      activity_id: 1,
      activity_name: 'Create',
      category_uid: 2,
      category_name: 'Findings',
      class_uid: 2004,
      class_name: 'Detection Finding',
      type_uid: 200_401,
      type_name: 'Detection Finding: Create',
      ...severity,
      ...(open ? { status_id: 1, status: 'New' } : { status_id: 4, status: 'Resolved' }),
      is_alert: open,
      time,
      ...span('start_time', 'end_time'),
      message: about.title,
      metadata: {
        version: schemaVersion,
        product,
        correlation_uid: report.task.id,
        // the same judgement of the same evidence is the same event
        uid: sha256(JSON.stringify([about.key, report.verdict, time, about.desc])).slice(0, 32),
        event_code: about.analytic.name,
        log_name: 'report.json',
      },
      finding_info: {
        uid,
        title: about.title,
        desc: about.desc,
        types: about.types,
        analytic: { ...about.analytic, type_id: 1, type: 'Rule', version: report.tool.version },
        ...span('first_seen_time', 'last_seen_time'),
      },
      ...(evidences.length === 0 ? {} : { evidences }),
      ...(sessions.length === 0 ? {} : { resources: sessions.map(toResource) }),
      ...(observables.length === 0 ? {} : { observables }),
      unmapped: { task_type: report.task.type, ...(more > 0 ? { resources_left_out: more } : {}), ...about.unmapped },
    };
  };
}

function toResource({ key, session, provider, role }: ReportSession): object {
  return {
    uid: key,
    name: session,
    type: `${provider} credential session`,
    ...(role === undefined ? {} : { data: { role } }),
  };
}

/** Sessions whose uses the evidence shows. */
function toSessions(report: Report): (evidences: readonly Evidence[]) => ReportSession[] {
  const byKey = groupBy(report.sessions, ({ key }) => key);
  return (evidences) => {
    const keys = new Set(evidences.flatMap((evidence) => evidence.actor?.session?.credential_uid ?? []));
    return [...keys].flatMap((key) => byKey.get(key) ?? []);
  };
}

/** When this could be told: the end of the window, else the newest time in the report, never the clock. */
function newestTime(report: Report): number {
  const end = toMillis(report.window.end);
  if (end !== undefined) return end;
  const times = [
    report.window.start,
    ...report.claims.flatMap((claim) => claim.findings.flatMap(({ from, until }) => [from, until])),
    ...report.uses.map((row) => row.time),
    ...report.connections.map((row) => row.closed ?? row.opened),
    ...report.sessions.flatMap((row) => [row.issued, row.lastUse]),
  ];
  return times.reduce((newest, text) => Math.max(newest, toMillis(text) ?? 0), 0);
}
