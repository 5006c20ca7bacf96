import { type Finding, type FindingKind, verdictExitCodes } from '../model/claim.ts';
import type { Report } from '../model/report.ts';
import { codeMeaning } from './finding-codes.ts';
import { counter, identityOverRuns } from './finding-identity.ts';
import { type FormOptions, openInReport, type PlacedFinding } from './form.ts';
import { groupBy } from './group-by.ts';
import { toJsonText } from './json-text.ts';
import { baseName, type Place, toPlaces } from './places.ts';
import { clip, visible } from './visible.ts';
import { claimSentence, noteFindings, verdictLook, verdictMeaning } from './words.ts';

/** GitHub refuses a run with more. */
const maxResults = 25_000;
const maxPlaces = 20;
const maxMessage = 1000;

const levels: Record<FindingKind, 'error' | 'warning' | 'note'> = {
  counterexample: 'error',
  doubt: 'warning',
  wait: 'warning',
  note: 'note',
};
/** What comes first when not all fits. */
const ranks = { error: 0, warning: 1, note: 2 } as const;

/** The report as SARIF 2.1.0: one run, a rule for each code, a result for each finding. */
export function renderSarif(report: Report, options: FormOptions): string {
  const all = placed(report);
  const kept = all.slice(0, maxResults);
  const codes = [...new Set(kept.map(({ finding }) => finding.code))].sort();
  const run = {
    tool: { driver: driverOf(report, codes, kept) },
    automationDetails: { id: `tallystick/${encodeURIComponent(visible(report.task.type))}/` },
    invocations: [invocationOf(report, all.length - kept.length)],
    artifacts: [
      { location: { uri: 'report.json' }, mimeType: 'application/json', description: message('The report.') },
    ],
    results: resultsOf(report, kept, codes, options),
    columnKind: 'utf16CodeUnits',
    properties: {
      verdict: report.verdict,
      summary: clip(report.summary, maxMessage),
      meaning: verdictMeaning(report),
      task: report.task,
      window: report.window,
      ...(report.pendingUntil === undefined ? {} : { pendingUntil: report.pendingUntil }),
      claims: Object.fromEntries(report.claims.map((claim) => [claim.id, claim.result])),
      assumptions: report.assumptions.map(({ name }) => name),
      verification: options.verification ?? [],
      notVerified: options.notVerified ?? [],
    },
  };
  const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
  return toJsonText({ $schema: schema, version: '2.1.0', runs: [run] }, 2);
}

/** What is open first, then notes; errors before warnings. */
function placed(report: Report): PlacedFinding[] {
  const told = report.claims.flatMap((claim) => noteFindings(claim).map((finding) => ({ claim, finding })));
  const rank = ({ finding }: PlacedFinding): number => ranks[levelOf(finding)];
  return [...openInReport(report), ...told].sort((a, b) => rank(a) - rank(b));
}

function levelOf(finding: Finding): 'error' | 'warning' | 'note' {
  return Object.hasOwn(levels, finding.kind) ? levels[finding.kind] : 'warning';
}

function driverOf(report: Report, codes: readonly string[], kept: readonly PlacedFinding[]): object {
  const byCode = groupBy(kept, ({ finding }) => finding.code);
  return {
    name: 'tallystick',
    version: visible(report.tool.version),
    informationUri: 'https://tallystick.dev',
    rules: codes.map((code) => ruleOf(code, byCode.get(code) ?? [])),
  };
}

function ruleOf(code: string, kept: readonly PlacedFinding[]): object {
  const claims = [...new Set(kept.map((one) => one.claim.id))].sort();
  const promises = claims.map((id) => `${id} (${claimSentence(id).toLowerCase()})`);
  const help = `${codeMeaning(code)} Under the claim ${promises.join(', ')}. The page docs/claims.md tells what every code means.`;
  return {
    id: visible(code),
    shortDescription: message(codeMeaning(code)),
    fullDescription: message(help),
    help: message(help),
    defaultConfiguration: { level: 'warning' },
    properties: { claims, tags: ['security', 'tallystick'] },
  };
}

function invocationOf(report: Report, omitted: number): object {
  const text = `${omitted} findings are left out: a run has no place for more than ${maxResults}. All are in report.json.`;
  return {
    executionSuccessful: true,
    exitCode: verdictExitCodes[verdictLook(report.verdict)],
    exitCodeDescription: visible(report.verdict),
    ...(omitted === 0 ? {} : { toolExecutionNotifications: [{ level: 'warning', message: message(text) }] }),
  };
}

function resultsOf(
  report: Report,
  kept: readonly PlacedFinding[],
  codes: readonly string[],
  { sha256 }: FormOptions,
): object[] {
  const placesOf = toPlaces(report);
  const identityOf = identityOverRuns(report);
  const locationOf = toLocations(report);
  const nth = counter();
  const indexes = new Map(codes.map((code, index) => [code, index]));
  return kept.map((one) => {
    const { claim, finding } = one;
    const hash = sha256(identityOf(one)).slice(0, 32);
    // equal findings of one run are counted, as the dashboards that read this expect
    const fingerprint = `${hash}:${nth(hash)}`;
    return {
      ruleId: visible(finding.code),
      ruleIndex: indexes.get(finding.code),
      level: levelOf(finding),
      message: message(`${finding.subject}: ${finding.detail}`),
      locations: [locationOf(finding, placesOf(finding, maxPlaces))],
      // GitHub compares the one of this name alone
      partialFingerprints: { 'tallystick/v1': fingerprint, primaryLocationLineHash: fingerprint },
      properties: {
        claim: claim.id,
        claimResult: claim.result,
        basis: claim.basis,
        kind: finding.kind,
        task: report.task.id,
        ...(finding.from === undefined ? {} : { from: finding.from }),
        ...(finding.until === undefined ? {} : { until: finding.until }),
        evidence: finding.evidence.slice(0, maxPlaces),
        ...(finding.evidence.length > maxPlaces ? { evidenceCount: finding.evidence.length } : {}),
      },
    };
  });
}

interface Logical {
  readonly name: string;
  readonly fullyQualifiedName: string;
  readonly kind: string;
}

/** A task has no source file: the report stands for one, and processes, endpoints and sessions are places in it. */
function toLocations(report: Report): (finding: Finding, places: readonly Place[]) => object {
  const endpoints = new Set(report.egress.map((row) => row.endpoint));
  const sessions = new Set(report.sessions.map((row) => row.session));
  return ({ subject }, places) => {
    const kind = endpoints.has(subject) ? 'endpoint' : sessions.has(subject) ? 'session' : 'subject';
    const all = [logical(kind, subject), ...places.flatMap(logicalOf)];
    const unique = new Map(all.map((one) => [one.fullyQualifiedName, one]));
    return {
      physicalLocation: { artifactLocation: { uri: 'report.json', index: 0 }, region: { startLine: 1 } },
      logicalLocations: [...unique.values()],
    };
  };
}

function logicalOf({ process, connection, use }: Place): Logical[] {
  return [
    ...(process === undefined
      ? []
      : [logical('process', baseName(process.binary), `${process.node}/${process.execId}`)]),
    ...(connection === undefined ? [] : [logical('endpoint', connection.endpoint)]),
    ...(use === undefined ? [] : [logical('session', use.session), logical('action', use.action)]),
  ];
}

function logical(kind: string, name: string, path = name): Logical {
  return { name: clip(name, 200), fullyQualifiedName: `${kind}/${clip(path, 300)}`, kind };
}

/** Text in which nothing is a link or a placeholder (SARIF 3.11.5, 3.11.6). */
function message(text: string): { text: string } {
  return {
    text: clip(text, maxMessage)
      .replaceAll('](', '] (')
      .replace(/\{(\d+)\}/g, '($1)'),
  };
}
