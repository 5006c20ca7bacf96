import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import type { TaskSpan } from '../../src/telemetry/span.ts';
import { toTaskTrace } from '../../src/telemetry/task-trace.ts';
import { bigReport, judgedReport, spansOf } from './reports.ts';

const names = [
  'c01-benign',
  'c02-undeclared-endpoint',
  'c03-daemon',
  'c12-foreign-use',
  'c13-undeclared-session',
  'c19-sensor-loss',
];

const kindOf = ({ attributes }: TaskSpan): unknown => attributes['tally.kind'];
const ofKind = (spans: readonly TaskSpan[], kind: string): TaskSpan[] => spans.filter((span) => kindOf(span) === kind);
const codesOf = ({ events }: TaskSpan): unknown[] => events.map(({ attributes }) => attributes['tally.finding.code']);

function byId(spans: readonly TaskSpan[]): Map<string, TaskSpan> {
  return new Map(spans.map((span) => [span.spanId, span]));
}

function withFirstProcess(report: Report, changed: Partial<Report['processes'][number]>): Report {
  return { ...report, processes: report.processes.map((one, n) => (n === 0 ? { ...one, ...changed } : one)) };
}

describe.each(names)('the trace of %s', (name) => {
  test('has a span for every part of the task, once', async () => {
    const report = await judgedReport(name);
    const spans = spansOf(report);
    expect(ofKind(spans, 'task')).toHaveLength(1);
    expect(ofKind(spans, 'process')).toHaveLength(report.processes.length);
    expect(ofKind(spans, 'connection')).toHaveLength(report.connections.length);
    expect(ofKind(spans, 'use')).toHaveLength(report.uses.length);
    expect(ofKind(spans, 'session')).toHaveLength(report.sessions.length);
    expect(ofKind(spans, 'gap')).toHaveLength(report.gaps.length);
    expect(byId(spans).size).toBe(spans.length);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    for (const { traceId, spanId } of spans) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  test('hangs together: processes under their parents, connections under theirs, uses linked', async () => {
    const report = await judgedReport(name);
    const spans = spansOf(report);
    const ids = byId(spans);
    const [root] = spans;
    const execIds = new Map(ofKind(spans, 'process').map((span) => [span.attributes['tally.process.exec_id'], span]));
    for (const { execId, parentExecId } of report.processes) {
      const parent = execIds.get(parentExecId ?? '') ?? root;
      expect(execIds.get(execId)?.parent?.spanId).toBe(parent?.spanId);
    }
    const connections = new Map(
      ofKind(spans, 'connection').map((span) => [span.attributes['tally.connection.id'], span]),
    );
    for (const { id, execId } of report.connections)
      expect(connections.get(id)?.parent?.spanId).toBe(execIds.get(execId)?.spanId);
    const uses = new Map(ofKind(spans, 'use').map((span) => [span.attributes['tally.use.id'], span]));
    for (const { id, connection, key } of report.uses) {
      const span = uses.get(id);
      expect(span?.kind).toBe('client');
      const links = span?.links.map(({ spanId }) => spanId) ?? [];
      if (connection !== undefined) expect(links).toContain(connections.get(connection)?.spanId);
      const session = ofKind(spans, 'session').find((one) => one.attributes['tally.session.key'] === key);
      if (session !== undefined) expect(links).toContain(session.spanId);
    }
    for (const span of spans.slice(1)) expect(ids.has(span.parent?.spanId ?? ''), span.name).toBe(true);
    for (const span of spans) for (const { spanId } of span.links) expect(ids.has(spanId)).toBe(true);
  });

  test('has an event for every finding, once, and times in order', async () => {
    const report = await judgedReport(name);
    const spans = spansOf(report);
    const findings = report.claims.flatMap((claim) => claim.findings.map(({ code }) => code));
    expect(spans.flatMap(codesOf).toSorted()).toEqual(findings.toSorted());
    for (const span of spans) expect(span.end).toBeGreaterThanOrEqual(span.start);
    expect(spans[0]?.attributes['tally.verdict']).toBe(report.verdict);
    const status = { violated: 'error', proven: 'ok', unproven: 'unset', pending: 'unset' }[report.verdict];
    expect(spans[0]?.status.code).toBe(status);
  });

  test('is the same when made again, also from the report as it is written', async () => {
    const report = await judgedReport(name);
    const written = JSON.parse(JSON.stringify(report)) as Report;
    expect(spansOf(written)).toEqual(spansOf(report));
  });
});

describe('a finding', () => {
  test.each([
    ['c02-undeclared-endpoint', 'undeclared-endpoint', 'connection'],
    ['c12-foreign-use', 'foreign-use', 'use'],
    ['c13-undeclared-session', 'undeclared-session', 'session'],
    ['c19-sensor-loss', 'sensor-loss', 'task'],
  ])('of %s is on the span that its evidence names', async (name, code, kind) => {
    const span = spansOf(await judgedReport(name)).find((one) => codesOf(one).includes(code));
    expect(span).toBeDefined();
    if (span === undefined) return;
    expect(kindOf(span)).toBe(kind);
    expect(span.status.code).toBe(code === 'sensor-loss' ? 'unset' : 'error');
  });

  test('has room on spans of its own when there are too many for one', async () => {
    const report = await judgedReport('c12-foreign-use');
    const finding = { code: 'x', kind: 'doubt', subject: 's', detail: 'd', evidence: [] } as const;
    const [first, ...claims] = report.claims;
    if (first === undefined) throw new Error('a report has claims');
    const many = { ...report, claims: [{ ...first, findings: Array.from({ length: 200 }, () => finding) }, ...claims] };
    const spans = spansOf(many);
    expect(spans.flatMap(codesOf).filter((code) => code === 'x')).toHaveLength(200);
    expect(Math.max(...spans.map(({ events }) => events.length))).toBeLessThanOrEqual(64);
    expect(ofKind(spans, 'findings').every(({ parent }) => parent?.spanId === spans[0]?.spanId)).toBe(true);
  });
});

describe('the parent of a task', () => {
  const declared = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const seen = '00-11111111111111111111111111111111-2222222222222222-01';
  const withTrigger = (report: Report, traceparent: string): Report => ({
    ...report,
    task: { ...report.task, trigger: { ...report.task.trigger, traceparent } },
  });

  test('is the declared one before all others', async () => {
    const report = withTrigger(withFirstProcess(await judgedReport('c01-benign'), { traceparent: seen }), declared);
    const [root] = spansOf(report);
    expect(root?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(root?.parent).toEqual({ spanId: 'b7ad6b7169203331', remote: true });
    expect(root?.attributes['tally.parent_from']).toBe('declaration');
    expect(spansOf(report, { trustedParent: 'none' })[0]?.parent).toBeUndefined();
  });

  test('is else what the first process was started with', async () => {
    const report = withFirstProcess(await judgedReport('c01-benign'), { traceparent: seen });
    expect(spansOf(report)[0]?.parent).toEqual({ spanId: '2222222222222222', remote: true });
    expect(spansOf(report).every(({ traceId }) => traceId === '1'.repeat(32))).toBe(true);
    expect(spansOf(report, { trustedParent: 'declaration' })[0]?.parent).toBeUndefined();
  });

  test('is never what a later process says of itself', async () => {
    const report = await judgedReport('c01-benign');
    const processes = report.processes.map((one, n) => (n === 0 ? one : { ...one, traceparent: seen }));
    const late = { node: 'n', execId: 'late', pid: 1, binary: '/x', arguments: '', tiedBy: 'selector' };
    const started = report.window.end ?? '';
    const changed = { ...report, processes: [...processes, { ...late, started, traceparent: seen }] };
    const [root] = spansOf(changed);
    expect(root?.parent).toBeUndefined();
    expect(root?.traceId).not.toBe('1'.repeat(32));
  });

  test.each([
    '',
    'x',
    declared.toUpperCase(),
    `${declared}-x`,
    declared.replace(/^00/, 'ff'),
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('is none where %j is no traceparent', async (text) => {
    expect(spansOf(withTrigger(await judgedReport('c01-benign'), text))[0]?.parent).toBeUndefined();
  });
});

test('ids do not move when a later report knows more', async () => {
  const report = await judgedReport('c01-benign');
  const less = { ...report, connections: report.connections.slice(3), uses: report.uses.slice(1) };
  const ids = byId(spansOf(report));
  for (const { spanId, name } of spansOf(less)) expect(ids.get(spanId)?.name).toBe(name);
});

test('arguments are told by length and fingerprint only', async () => {
  const report = withFirstProcess(await judgedReport('c01-benign'), { arguments: '--pin 1234-hunter2' });
  const text = JSON.stringify(spansOf(report), (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(text).not.toContain('hunter2');
  expect(text).toContain('"tally.process.arguments.length":18');
});

test('hostile text stays text: no control or bidi characters, no lone surrogates, bounded', async () => {
  const evil = `\u001b[2J\u202e\ud800\u0000${'a'.repeat(100_000)}`;
  const report = await judgedReport('c12-foreign-use');
  const spans = spansOf({
    ...report,
    summary: evil,
    task: { ...report.task, type: evil, trigger: { [evil]: evil } },
    processes: report.processes.map((one) => ({ ...one, binary: evil, arguments: evil, container: evil })),
    connections: report.connections.map((one) => ({ ...one, endpoint: evil, host: evil })),
    uses: report.uses.map((one) => ({ ...one, action: evil, event: evil, source: evil })),
    claims: report.claims.map((claim) => ({
      ...claim,
      findings: claim.findings.map((one) => ({ ...one, subject: evil, detail: evil })),
    })),
  });
  const texts: string[] = [];
  const gather = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(gather);
  };
  gather(spans);
  for (const text of texts) {
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(text.length).toBeLessThanOrEqual(1024);
  }
  expect(spans.every(({ name }) => name.length <= 128)).toBe(true);
});

test('a report with circles, doubles and nonsense in it still ends', async () => {
  const report = await judgedReport('c01-benign');
  const [one] = report.processes;
  if (one === undefined) throw new Error('the case has processes');
  const processes = ['a', 'b', 'c'].map((execId, n) => ({ ...one, execId, parentExecId: ['b', 'c', 'a'][n] ?? '' }));
  const spans = spansOf({
    ...report,
    processes: [...processes, { ...one, execId: 'self', parentExecId: 'self', started: 'never' }],
    connections: [...report.connections, ...report.connections],
    sessions: report.sessions.map((session) => ({ ...session, parentKey: session.key })),
  });
  const ids = byId(spans);
  expect(ids.size).toBe(spans.length);
  for (const span of spans) {
    let steps = 0;
    for (let at: TaskSpan | undefined = span; at !== undefined; at = ids.get(at.parent?.spanId ?? '')) steps += 1;
    expect(steps).toBeLessThan(10);
  }
});

test('a task of which nothing was seen has no trace', async () => {
  const report = await judgedReport('c01-benign');
  const nothing = { ...report, window: {}, processes: [], connections: [], uses: [] };
  expect(() => toTaskTrace(nothing, { maxSpans: 10, trustedParent: 'process' })).toThrow('was seen yet');
});

describe('a task too big', () => {
  test('keeps every finding and its neighbours, and says what it left out', async () => {
    const base = bigReport(await judgedReport('c12-foreign-use'), 3000);
    const far = 'tetragon/node-1/2990';
    const found = { code: 'far', kind: 'counterexample', subject: 's', detail: 'd', evidence: [far] } as const;
    const report = {
      ...base,
      claims: base.claims.map((claim, n) => (n === 0 ? { ...claim, findings: [found] } : claim)),
    };
    const trace = toTaskTrace(report, { maxSpans: 200, trustedParent: 'process' });
    const spans = [...trace.spans()];
    const ids = byId(spans);
    expect(spans.length).toBeLessThanOrEqual(200);
    expect(spans.length).toBeGreaterThan(150);
    expect(spans.length + trace.leftOut).toBe(trace.total);
    const kept = spans.find(({ attributes }) => attributes['tally.connection.id'] === far);
    expect(kept?.status.code).toBe('error');
    expect(spans.some(({ links }) => links.some(({ spanId }) => spanId === kept?.spanId))).toBe(true);
    for (const span of spans.slice(1)) expect(ids.has(span.parent?.spanId ?? '')).toBe(true);
    for (const span of spans) for (const { spanId } of span.links) expect(ids.has(spanId)).toBe(true);
    const [root] = spans;
    expect(root?.attributes['tally.spans.left_out']).toBe(trace.leftOut);
    expect(root?.attributes['tally.spans.left_out.connections']).toBeGreaterThan(2500);
    expect(root?.events.some(({ name }) => name === 'tally.sampled')).toBe(true);
    const all = byId(spansOf(report));
    for (const { spanId } of spans) expect(all.has(spanId)).toBe(true);
  });

  test('keeps all findings even where they alone are more than the limit', async () => {
    const base = bigReport(await judgedReport('c12-foreign-use'), 500);
    const findings = base.connections.map(
      ({ id }) => ({ code: 'each', kind: 'doubt', subject: 's', detail: 'd', evidence: [id] }) as const,
    );
    const report = { ...base, claims: base.claims.map((claim, n) => (n === 0 ? { ...claim, findings } : claim)) };
    const spans = spansOf(report, { maxSpans: 50 });
    expect(spans.flatMap(codesOf).filter((code) => code === 'each')).toHaveLength(500);
  });

  test('is not made bigger by a finding on what everything is linked with', async () => {
    const base = bigReport(await judgedReport('c12-foreign-use'), 3000);
    const evidence = base.sessions.flatMap((session) => session.evidence ?? []);
    const found = { code: 'on-session', kind: 'counterexample', subject: 's', detail: 'd', evidence } as const;
    const claims = base.claims.map((claim, n) => (n === 0 ? { ...claim, findings: [found] } : claim));
    const spans = spansOf({ ...base, claims }, { maxSpans: 100 });
    expect(spans.find((span) => codesOf(span).includes('on-session'))?.attributes['tally.kind']).toBe('session');
    expect(spans.length).toBeLessThanOrEqual(110);
    expect(ofKind(spans, 'use').length).toBeGreaterThan(10);
  });
});
