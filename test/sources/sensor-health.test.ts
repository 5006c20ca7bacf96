import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sourcesSchema, type TetragonSource } from '../../src/model/collector.ts';
import { parsePolicySpecs, readPolicySpecs } from '../../src/sources/policy-specs.ts';
import { type HealthLine, watchHealth } from '../../src/sources/sensor-health.ts';
import { openServer } from '../collect/tetragon-server.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import {
  type Cells,
  healthLine,
  quiet,
  readFindings,
  readGaps,
  second,
  toProcess,
  withEvidence,
} from './sensor-evidence.ts';
import { keepRecords } from './kept-records.ts';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');
const scenario = (name: string): string => join(shared, 'lab/scenarios', name);
const lab = {
  rpc: join(scenario('s01-benign'), 'rpc-before.json'),
  metrics: join(scenario('s01-benign'), 'metrics-before.txt'),
};
const policyFolder = join(shared, 'lab/policy');

function sourceOf(settings: Record<string, unknown>): TetragonSource {
  const [source] = sourcesSchema.parse({ tetragon: [{ node: 'n1', ...settings }] }).tetragon;
  if (source === undefined) throw new Error('no source');
  return source;
}

async function ask(settings: Record<string, unknown>): Promise<HealthLine> {
  const records = keepRecords();
  const watch = watchHealth(sourceOf(settings), records);
  const line = await watch.now();
  expect(records.lines('sensor', 'n1')).toEqual([JSON.parse(JSON.stringify(line))]); // what it answers is what it kept
  const stopped = new AbortController();
  stopped.abort();
  await watch.run(stopped.signal);
  return line;
}

const rows = (lines: object[], sql: string) =>
  withEvidence({ lines: lines.map((line) => JSON.stringify(line)), events: [], processes: [] }, (database) =>
    database.all(sql),
  );

describe('a health line', () => {
  it('tells policies, hooks and counters so that the tables hold what the agent answered', async () => {
    const server = await openServer(lab);
    const line = await ask({ address: server.address, metrics: server.metrics, policies: policyFolder });
    expect(line.error).toBeUndefined();

    const answers = JSON.parse(readFileSync(lab.rpc, 'utf8')) as {
      ListTracingPolicies: { policies: { stats: object }[] };
      GetVersion: { version: string };
    };
    // the recorder's own JSON of the same answer is the measure; counters per selector are read by no one
    const recorded = answers.ListTracingPolicies.policies.map(({ stats, ...rest }) => ({
      ...rest,
      stats: Object.fromEntries(Object.entries(stats).filter(([name]) => name === 'action_counters')),
    }));
    expect(line.policies).toEqual(recorded);
    expect(line.version).toBe(answers.GetVersion.version);

    const hooks = 'SELECT policy_id, policy, enabled, state, posts, hook, hook_state FROM sensor_hook ORDER BY ALL';
    const mine = await rows([line], hooks);
    const given = await rows([{ ...line, policies: answers.ListTracingPolicies.policies }], hooks);
    expect(mine).toEqual(given);
    expect(mine.length).toBeGreaterThan(40);
    const told = 'SELECT node, kind, why, version, started, cache_entries FROM sensor';
    expect(await rows([line], told)).toEqual([
      {
        node: 'n1',
        kind: 'health',
        why: null,
        version: 'snapshot-4fbfe2d74ecb',
        started: 1795254037.26,
        cache_entries: '0',
      },
    ]);
    const lost = "SELECT count(*) AS counters, sum(value) AS lost FROM sensor_metric WHERE metric <> 'x'";
    const [counters] = await rows([line], lost);
    expect(Number(counters?.['counters'])).toBeGreaterThan(4); // those without a label: the others are 0
    const specs = 'SELECT DISTINCT policy, spec IS NOT NULL AS told FROM sensor_hook ORDER BY policy';
    expect(await rows([line], specs)).toContainEqual({ policy: 'egress-audit', told: true });
  });

  it('shows what was lost between two of them, and a restart', async () => {
    const server = await openServer(lab);
    const source = { address: server.address, metrics: server.metrics };
    const first = await ask(source);
    server.setCounter('tetragon_bpf_missed_events_total{error="ENOSPC",msg_op="13"}', 7);
    const second = await ask(source);
    const gaps = (
      await readGaps({ lines: [first, second].map((line) => JSON.stringify(line)), events: [], processes: [] })
    ).filter(({ why }) => why === 'sensor-loss');
    expect(gaps).toMatchObject([{ count: '7', detail: expect.stringContaining('error="ENOSPC"') as string }]);
    server.restart();
    const third = await ask(source);
    const restarts = await readGaps({
      lines: [second, third].map((line) => JSON.stringify(line)),
      events: [],
      processes: [],
    });
    expect(restarts.map(({ why }) => why)).toContain('sensor-restart');
  });

  it('bears the time before the first question, and when the last answer was there', async () => {
    const server = await openServer(lab);
    const times = [5n, 6n, 7n, 8n];
    const watch = watchHealth(sourceOf({ address: server.address, metrics: server.metrics }), keepRecords(), {
      clock: () => times.shift() ?? 9n,
    });
    const line = await watch.now();
    expect(line).toMatchObject({
      time: '1970-01-01T00:00:00.000000005Z',
      answered: '1970-01-01T00:00:00.000000006Z',
      interval: 10,
    });
  });

  it("tells the agent's settings by digest, and what its export leaves out", async () => {
    const server = await openServer({ ...lab, rpc: join(shared, 'lab/rpc-full.json') });
    const source = { address: server.address, metrics: server.metrics };
    const line = await ask(source);
    expect(line.missing).toBeUndefined();
    expect(line.export).toEqual({ allowList: '', denyList: '', rateLimit: -1 });
    expect(line.conf).toMatch(/^[0-9a-f]{64}$/);
    expect(line.info).toMatchObject({ build: { go_version: 'go1.26.10', modified: 'false' } });
    const { GetInfo: info } = JSON.parse(readFileSync(join(shared, 'lab/rpc-full.json'), 'utf8')) as {
      GetInfo: { conf: { key: string; value: { '@type': string; value: unknown } }[] };
    };
    server.setInfo({ ...info, conf: info.conf.toReversed() }); // a Go map has no order
    expect((await ask(source)).conf).toBe(line.conf);
    const limited = info.conf.map(({ key, value }) => {
      if (key === 'export-rate-limit') return { key, value: { ...value, value: '1000' } };
      return { key, value: key === 'export-denylist' ? { ...value, value: '{"namespace":[""]}' } : value };
    });
    server.setInfo({ ...info, conf: limited });
    const changed = await ask(source);
    expect(changed.conf).not.toBe(line.conf);
    expect(changed.export).toEqual({ allowList: '', denyList: '{"namespace":[""]}', rateLimit: 1000 });
  });

  it('without an account of its settings is one all the same, and says so', async () => {
    const server = await openServer(lab);
    const line = await ask({ address: server.address, metrics: server.metrics, policies: '/nowhere' });
    expect(line.error).toBeUndefined();
    expect(line.missing).toEqual({
      info: expect.stringMatching(/^GetInfo: UNIMPLEMENTED/) as string,
      specs: expect.stringMatching(/\/nowhere can't be read/) as string,
    });
    expect(line).not.toHaveProperty('conf');
  });

  const failures: Record<string, [(server: Awaited<ReturnType<typeof openServer>>) => object, RegExp]> = {
    'the agent is away': [(server) => (server.refuse(), {}), /^ListTracingPolicies: UNAVAILABLE/],
    'there is no metrics address': [() => ({ metrics: undefined }), /no metrics address is configured/],
    'the metrics page is away': [(server) => (server.setMetricsUp(false), {}), /^metrics: fetch failed/],
    'the metrics page is another one': [
      (server) => (server.setPage('<html>\n'), {}),
      /^metrics: line 1 of the metrics/,
    ],
    'the metrics page is another program': [
      (server) => (server.setPage('process_start_time_seconds 7\n'), {}),
      /no counter of Tetragon/,
    ],
    'a counter has no value': [
      (server) => (server.setCounter('tetragon_notify_overflowed_events_total', Number.NaN), {}),
      /tetragon_notify_overflowed_events_total has no number/,
    ],
  };

  it.each(Object.keys(failures))('vouches for nothing when %s', async (name) => {
    const server = await openServer(lab);
    const [break_, why] = failures[name] ?? [() => ({}), /./];
    const settings = { address: server.address, metrics: server.metrics, ...break_(server) };
    const line = await ask(JSON.parse(JSON.stringify(settings)) as Record<string, unknown>);
    expect(line.error).toMatch(why);
    expect(line.error).toMatch(/^[\x20-\x7e]+$/);
    const [row] = await rows([line], 'SELECT why FROM sensor');
    expect(row?.['why']).toBe(line.error);
    expect(await rows([line], 'FROM sensor_metric')).toEqual([]);
  });

  it('is made even when nothing answers at all', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const watch = watchHealth(
      sourceOf({ address: `127.0.0.1:${port}`, metrics: `http://127.0.0.1:${port}/metrics` }),
      keepRecords(),
    );
    const line = await watch.now();
    expect(line.error).toMatch(/ListTracingPolicies: DEADLINE_EXCEEDED.*; metrics: .*(timeout|aborted)/i);
  });

  it('is wrong about no policy that is gone or off', async () => {
    const server = await openServer(lab);
    server.setPolicies(
      server.policies.map((policy) => ({
        ...policy,
        ...(policy['name'] === 'egress-audit' ? { state: 'TP_STATE_DISABLED' } : {}),
      })),
    );
    const line = await ask({ address: server.address, metrics: server.metrics });
    const states = await rows([line], 'SELECT DISTINCT policy, enabled FROM sensor_hook ORDER BY policy');
    expect(states).toContainEqual({ policy: 'egress-audit', enabled: false });
    expect(states).toContainEqual({ policy: 'lineage-audit', enabled: true });
  });
});

describe('health lines', () => {
  it('are made at the start, at every interval, on request and at the stop', async () => {
    const server = await openServer(lab);
    const records = keepRecords();
    const abort = new AbortController();
    const watch = watchHealth(sourceOf({ address: server.address, metrics: server.metrics, interval: 0.2 }), records);
    const running = watch.run(abort.signal);
    const count = (): number => records.of('sensor', 'n1').length;
    await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(3), { timeout: 30_000 });
    const before = new Date(Date.now() - 1).toISOString();
    const line = await watch.now();
    expect(line.time >= before).toBe(true);
    const had = count();
    abort.abort();
    await running;
    expect(count()).toBeGreaterThan(had);
    expect(records.lines('sensor', 'n1').every(({ error }) => error === undefined)).toBe(true);
  });

  it('that are asked for at once share one question, which none of them came after', async () => {
    const server = await openServer(lab);
    const records = keepRecords();
    const watch = watchHealth(sourceOf({ address: server.address, metrics: server.metrics }), records);
    const first = watch.now();
    await sleep(1);
    const [second, third] = await Promise.all([watch.now(), watch.now()]);
    expect(second).toBe(third);
    expect(second).not.toBe(await first);
    expect(second.time >= (await first).answered).toBe(true);
    expect(records.of('sensor', 'n1')).toHaveLength(2);
  });

  it('tell again how the sensor is once it is back', async () => {
    const server = await openServer(lab);
    const watch = watchHealth(sourceOf({ address: server.address, metrics: server.metrics }), keepRecords());
    expect((await watch.now()).error).toBeUndefined();
    server.refuse();
    expect((await watch.now()).error).toMatch(/UNAVAILABLE/);
    server.serve();
    expect((await watch.now()).error).toBeUndefined();
  });
});

describe('specs', () => {
  it('are the same for the same policy, however it is written', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'p'));
    const yaml =
      'metadata: {name: a}\nspec:\n  kprobes:\n  - call: f\n    syscall: false\n---\n---\nmetadata: {name: b}\nspec: {}\n';
    await writeFile(join(folder, 'p/1.yaml'), yaml);
    await writeFile(join(folder, 'p/readme.txt'), 'no policy');
    const json =
      '{"spec":{"kprobes":[{"syscall":false,"call":"f"}]},"metadata":{"labels":{},"name":"a"},"kind":"TracingPolicy"}';
    await writeFile(join(folder, 'a.json'), json);
    const [a, b] = await readPolicySpecs(join(folder, 'p'));
    expect(await readPolicySpecs(join(folder, 'a.json'))).toEqual([a]);
    expect(b).toEqual({ name: 'b', sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' });
  });

  it('are those of all policies or none', () => {
    expect(() => parsePolicySpecs('metadata: {name: a}\nspec: {}\n---\nfoo: bar\n', 'x.yaml')).toThrow(
      'no tracing policy',
    );
    expect(() => parsePolicySpecs('a: [', 'x.yaml')).toThrow('x.yaml is no YAML');
    expect(() => parsePolicySpecs('just text', 'x.yaml')).toThrow('no tracing policy');
  });

  it('of the lab are read', async () => {
    const names = (await readPolicySpecs(policyFolder)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['dns-audit', 'egress-audit', 'lineage-audit', 'tls-hello']));
  });
});

it('a task between lines made this way is covered like one between recorded lines', async () => {
  const server = await openServer(lab);
  const made = await ask({ address: server.address, metrics: server.metrics });
  const evidence = quiet();
  const lines = evidence.lines.map((line) =>
    line.kind === 'health' ? { ...made, ...healthLine(0), ...{ metrics: made.metrics ?? {} }, time: line.time } : line,
  );
  const processes: Cells[] = [
    toProcess('n1', 'task', '7b3f', second(20), second(40)),
    toProcess('n1', 'collector', null, second(-100), null),
  ];
  const doubts = (
    await readFindings({ ...evidence, lines: lines.map((line) => JSON.stringify(line)), processes })
  ).filter(({ kind }) => kind !== 'note');
  expect(doubts).toEqual([]);
});
