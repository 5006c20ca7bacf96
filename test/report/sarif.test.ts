import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/claim.ts';
import type { Report } from '../../src/model/report.ts';
import { renderSarif } from '../../src/report/sarif.ts';
import { claims, pending, proven, unproven, violated } from './fixture.ts';
import { formOptions } from './form-options.ts';
import { hostileReport, hostileText } from './hostile-report.ts';
import { parseSarif, type Run, sarifMistakes } from './sarif-log.ts';
import { contradictory, unexplained } from './unexplained.ts';

const render = (report: Report): Run => parseSarif(renderSarif(report, formOptions));
const levels = (run: Run): string[] => run.results.map(({ level }) => level);
const prints = (run: Run): string[] => run.results.map((one) => one.partialFingerprints['tallystick/v1'] ?? '');

function withFinding(finding: Partial<Finding>, changed: Partial<Report> = {}): Report {
  const base: Finding = { code: 'stream-gap', kind: 'doubt', subject: 'node-1', detail: 'It broke.', evidence: [] };
  return {
    ...proven,
    ...changed,
    verdict: 'unproven',
    claims: claims({ 'sensor-continuity': { result: 'unproven', findings: [{ ...base, ...finding }] } }),
  };
}

describe('results', () => {
  it('are findings: counterexamples errors, doubts and waits warnings, notes notes', () => {
    const run = render(violated);
    expect(run.results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual([
      'error undeclared-endpoint',
      'error foreign-use',
      'error undeclared-action',
      'error undeclared-action',
      'error undeclared-action',
    ]);
    expect(run.results[0]?.message.text).toMatch(/^collector\.evil\.example:443: Process grep/);
    expect(levels(render(unproven))).toEqual(['warning', 'warning']);
    expect(levels(render(pending))).toEqual(['warning']);
    expect(levels(render(proven))).toEqual(['note']);
  });

  it('stand in report.json, and in processes, endpoints and sessions', () => {
    const [first] = render(violated).results;
    const [location] = first?.locations ?? [];
    expect(location?.physicalLocation.artifactLocation.uri).toBe('report.json');
    expect(location?.logicalLocations.map(({ fullyQualifiedName }) => fullyQualifiedName)).toEqual([
      'endpoint/collector.evil.example:443',
      'process/node-1/bm9kZS0x6',
    ]);
  });

  it('have rules with help, and the claims under which they stand', () => {
    const run = render(violated);
    const rules = run.tool.driver.rules;
    expect(rules.map(({ id }) => id)).toEqual(['foreign-use', 'undeclared-action', 'undeclared-endpoint']);
    expect(rules[2]?.help.text).toContain('reached an endpoint that is not declared');
    expect(rules[2]?.properties).toMatchObject({ claims: ['egress-declared'] });
    for (const { ruleId, ruleIndex } of run.results) expect(rules[ruleIndex]?.id).toBe(ruleId);
  });

  it('are never missing where a claim does not hold', () => {
    const report = { ...violated, claims: claims({ 'egress-declared': { result: 'violated', findings: [] } }) };
    expect(levels(render(report))).toEqual(['error']);
  });

  it('are never missing where the report is not proven, or where a claim says it holds', () => {
    const [result] = render(unexplained).results;
    expect(result).toMatchObject({ ruleId: 'unexplained-result', level: 'warning', properties: { claim: 'verdict' } });
    expect(render({ ...unexplained, verdict: 'violated' }).results.map(({ level }) => level)).toEqual(['error']);
    const [breach] = render(contradictory).results;
    expect(breach).toMatchObject({
      ruleId: 'undeclared-endpoint',
      level: 'error',
      properties: { claim: 'egress-declared', claimResult: 'holds' },
    });
  });

  it('are cut at what GitHub takes, errors first, and it is said', () => {
    const many = (kind: 'doubt' | 'counterexample', count: number): Finding[] =>
      Array.from({ length: count }, (_, n) => ({
        code: 'stream-gap',
        kind,
        subject: `n${n}`,
        detail: '',
        evidence: [],
      }));
    const findings = [...many('doubt', 25_000), ...many('counterexample', 3)];
    const report = { ...violated, claims: claims({ 'sensor-continuity': { result: 'violated', findings } }) };
    const run = JSON.parse(renderSarif(report, formOptions)) as { runs: [Run] };
    const { results, invocations } = run.runs[0];
    expect(results).toHaveLength(25_000);
    expect(results.slice(0, 4).map(({ level }) => level)).toEqual(['error', 'error', 'error', 'warning']);
    expect(invocations[0].toolExecutionNotifications?.[0]?.message.text).toMatch(/^3 findings are left out/);
  }, 60_000);
});

describe('the run', () => {
  it('bears the verdict and how it ended, under a category for the type of task', () => {
    const run = render(violated);
    expect(run.properties).toMatchObject({ verdict: 'violated', task: { id: '7b3f' }, summary: violated.summary });
    expect(run.invocations[0]).toMatchObject({ executionSuccessful: true, exitCode: 1 });
    expect(run.automationDetails.id).toBe('tallystick/dns-validation/');
    const odd = render({ ...proven, task: { id: 'x', type: 'a/b c' } });
    expect(odd.automationDetails.id).toBe('tallystick/a%2Fb%20c/');
  });

  it('tells what was verified, and what was not', () => {
    const told = { ...formOptions, verification: ['the bundle'], notVerified: ['the evidence'] };
    expect(parseSarif(renderSarif(proven, told)).properties).toMatchObject({
      verification: ['the bundle'],
      notVerified: ['the evidence'],
    });
  });

  it('is the same for the same report', () => {
    expect(renderSarif(violated, formOptions)).toBe(renderSarif(structuredClone(violated), formOptions));
  });
});

describe('fingerprints', () => {
  it('are those of the same finding in another run of the type', () => {
    const one = withFinding({ from: '2026-03-01T10:00:00Z', evidence: ['tetragon/node-1/5'] });
    const other = withFinding(
      { from: '2026-04-01T10:00:00Z', evidence: ['tetragon/node-1/99'], detail: 'It broke at another time.' },
      { task: { ...proven.task, id: '9aa1' } },
    );
    expect(prints(render(other))).toEqual(prints(render(one)));
  });

  it('are not those of another subject, code, claim or type', () => {
    const base = prints(render(withFinding({})));
    expect(prints(render(withFinding({ subject: 'node-2' })))).not.toEqual(base);
    expect(prints(render(withFinding({ code: 'sensor-loss' })))).not.toEqual(base);
    expect(prints(render(withFinding({}, { task: { ...proven.task, type: 'other' } })))).not.toEqual(base);
  });

  it.each([
    ['the task', '7b3f', '9aa1'],
    ['a name with the task in it', 'ironclaw-7b3f/x', 'ironclaw-9aa1/x'],
    ['a process id', 'pid 17', 'pid 2045'],
    ['a time', 'org-trail_20261121T111217Z.json.gz', 'org-trail_20261122T111217Z.json.gz'],
    ['an object', 'log_f756ff3e8e26825c.json.gz', 'log_0756ff3e8e26825d.json.gz'],
    ['an event', '18ce15cd-e291-4e54-a1d0-e9f5485f3e56', '28ce15cd-e291-4e54-a1d0-e9f5485f3e57'],
  ])('pass over %s', (_what, subject, later) => {
    const other = withFinding({ subject: later }, { task: { ...proven.task, id: '9aa1' } });
    expect(prints(render(other))).toEqual(prints(render(withFinding({ subject }))));
  });

  it.each([
    ['another address', '203.0.113.7:443', '203.0.113.8:443'],
    ['another port', 'api.example.com:443', 'api.example.com:8443'],
    ['another account', '111122223333/us-east-1', '444455556666/us-east-1'],
  ])('tell %s', (_what, subject, other) => {
    expect(prints(render(withFinding({ subject: other })))).not.toEqual(prints(render(withFinding({ subject }))));
  });

  it('pass over the name of a declared session', () => {
    const [row] = proven.sessions;
    const session = { ...row, session: 'run-77-other' } as (typeof proven.sessions)[number];
    const one = withFinding({ subject: 'ironclaw-task-7b3f-a1c8' });
    const other = withFinding({ subject: 'run-77-other' }, { sessions: [session] });
    expect(prints(render(other))).toEqual(prints(render(one)));
  });

  it('find the longest of overlapping names, and none inside a word', () => {
    const sessions = ['agent', 'agent-9', 'agent-9-b'].flatMap((name, n) =>
      proven.sessions.map((row) => ({ ...row, session: name, key: `AKIAEXAMPLE${n}` })),
    );
    const printOf = (subject: string): string[] => prints(render(withFinding({ subject }, { sessions })));
    expect(printOf('role/agent-9-b')).toEqual(printOf('role/agent'));
    expect(printOf('role/agent AKIAEXAMPLE2')).toEqual(printOf('role/agent-9 AKIAEXAMPLE0'));
    expect(printOf('role/agents')).not.toEqual(printOf('role/agent'));
    expect(printOf('role/AKIAEXAMPLE0')).not.toEqual(printOf('role/agent'));
  });

  it('read the sessions once, however many findings there are', () => {
    let reads = 0;
    const sessions = proven.sessions.map((row) => ({
      ...row,
      get session() {
        reads += 1;
        return row.session;
      },
    }));
    const finding = { code: 'stream-gap', kind: 'doubt' as const, subject: 'x', detail: '', evidence: [] };
    const readsFor = (count: number): number => {
      reads = 0;
      const findings = Array.from({ length: count }, () => finding);
      renderSarif(
        { ...proven, sessions, claims: claims({ 'tree-closed': { result: 'unproven', findings } }) },
        formOptions,
      );
      return reads;
    };
    expect(readsFor(200)).toBe(readsFor(1));
  });

  it('count equal findings of one run', () => {
    const all = prints(
      render({
        ...violated,
        claims: claims({
          'tree-closed': {
            result: 'unproven',
            findings: [0, 1].map((n) => ({
              code: 'unknown-parent',
              kind: 'doubt',
              subject: 'x',
              detail: String(n),
              evidence: [],
            })),
          },
        }),
      }),
    );
    expect(all.map((print) => print.replace(/^[0-9a-f]{32}/, ''))).toEqual([':1', ':2']);
    expect(new Set(all.map((print) => print.slice(0, 32))).size).toBe(1);
  });
});

describe('hostile text', () => {
  it('stays within the official schema, safe on a terminal, without links or placeholders', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const printed = renderSarif(hostileReport(text), formOptions);
        expect(printed).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
        for (const { message } of parseSarif(printed).results) expect(message.text).not.toMatch(/\]\(|\{\d+\}/);
      }),
      { numRuns: 50 },
    );
  }, 60_000);

  it('would be told by the schema where it is not', () => {
    const log = JSON.parse(renderSarif(violated, formOptions)) as { runs: [{ results: Record<string, unknown>[] }] };
    Object.assign(log.runs[0].results[0] ?? {}, { level: 'fatal', extra: 1 });
    expect(sarifMistakes(log).join()).toContain('/runs/0/results/0/level');
  });
});
