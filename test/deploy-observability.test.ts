import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { openMetrics } from '../src/collect/metrics.ts';
import { toSettings } from '../src/collect/settings.ts';
import { own } from '../src/telemetry/names.ts';

const folder = new URL('../deploy/observability/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          record: z.string().optional(),
          alert: z.string().optional(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }).optional(),
          annotations: z.object({ summary: z.string() }).optional(),
        }),
      ),
    }),
  ),
});
const rules = rulesSchema.parse(parse(read('rules.yml'))).groups.flatMap((group) => group.rules);

const dashboard = z
  .object({
    annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
    templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
    panels: z.array(
      z.object({
        id: z.number(),
        title: z.string(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.object({ expr: z.string().optional(), query: z.string().optional() })),
      }),
    ),
  })
  .parse(JSON.parse(read('dashboard.json')));
const targets = dashboard.panels.flatMap((panel) => panel.targets);
const dashboardQueries = [...targets, ...dashboard.annotations.list].flatMap(({ expr }) => expr ?? []);

const { registry } = openMetrics();
const labels = new Map(
  registry
    .getMetricsAsArray()
    .map((metric) => [metric.name, (metric as unknown as { labelNames: string[] }).labelNames]),
);

test('rules and dashboard name metrics that there are, with labels that they have', () => {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const queries = [...rules.map(({ expr }) => expr), ...dashboardQueries];
  expect(queries.length).toBeGreaterThan(30);
  for (const query of queries) {
    const used = [...query.matchAll(/\btally[_:][\w:]+/g)].map(([name]) => name);
    for (const name of used) expect(labels.has(name) || recorded.has(name), name).toBe(true);
    for (const [, name = '', matchers = ''] of query.matchAll(/\b(tally_\w+)\{([^}]*)\}/g)) {
      const asked = [...matchers.matchAll(/(\w+)\s*=/g)].flatMap(([, label]) => label ?? []);
      expect(labels.get(name), name).toEqual(expect.arrayContaining(asked));
    }
  }
});

test('every metric that docs/collector.md gives an alert for has one', () => {
  const table = /<!-- metrics:.*?-->(.*)<!-- end of metrics -->/s.exec(
    readFileSync(new URL('../../docs/collector.md', folder), 'utf8'),
  )?.[1];
  const rows = [...(table ?? '').matchAll(/^\| (.*?) \|[^|]*\| *([^| ][^|]*?)? *\|$/gm)].slice(2);
  const wanted = rows.flatMap(([, names = '', when]) =>
    when === undefined ? [] : [...names.matchAll(/tally_\w+/g)].slice(0, 1).map(([name]) => name),
  );
  expect(wanted.length).toBeGreaterThan(8);
  const expressions = rules.map(({ expr }) => expr).join('\n');
  for (const name of wanted) expect(expressions, name).toContain(name);
});

test('every alert has a severity and says what happened', () => {
  const alerts = rules.filter(({ alert }) => alert !== undefined);
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { alert, labels: given, annotations } of alerts) {
    expect(given?.severity, alert).toBeDefined();
    expect(annotations?.summary, alert).toBeDefined();
    expect(read('rules.test.yml'), alert).toContain(`alertname: ${alert ?? ''}`);
  }
});

test('a counter by verdict is there before the first report, so that the first violated one is an increase', async () => {
  const page = await openMetrics().registry.metrics();
  for (const verdict of ['proven', 'violated', 'unproven', 'pending'])
    expect(page).toContain(`tally_reports_total{verdict="${verdict}"} 0\n`);
});

test('the dashboard finds traces by attributes that spans have, and its panels do not lie on each other', () => {
  const traceQueries = targets.flatMap(({ query }) => query ?? []);
  expect(traceQueries).toHaveLength(1);
  const names = traceQueries.flatMap((query) =>
    [...query.matchAll(/span\.(tally[\w.]+)/g)].flatMap(([, name]) => name ?? []),
  );
  expect(names).toContain(own.taskId);
  for (const name of names) expect(Object.values(own)).toContain(name);
  const variables = dashboard.templating.list.map(({ name }) => name);
  const used = [...read('dashboard.json').matchAll(/\$\{?([a-z]\w*)/g)].flatMap(([, name]) => name ?? []);
  for (const name of used) expect([...variables, 'prometheus']).toContain(name);
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const a of panels) {
    for (const b of panels) {
      if (a.id >= b.id) continue;
      const [p, q] = [a.gridPos, b.gridPos];
      const apart = p.x + p.w <= q.x || q.x + q.w <= p.x || p.y + p.h <= q.y || q.y + q.h <= p.y;
      expect(apart, `${a.title} and ${b.title}`).toBe(true);
    }
  }
});

test('the collector hands on what comes in, and the page that Prometheus reads is where the README says', () => {
  const config = z
    .object({
      receivers: z.record(z.string(), z.unknown()),
      processors: z.record(z.string(), z.unknown()),
      exporters: z.record(z.string(), z.unknown()),
      service: z.object({ pipelines: z.record(z.string(), z.record(z.string(), z.array(z.string()))) }),
    })
    .parse(parse(read('otel-collector.yaml')));
  expect(Object.keys(config.service.pipelines)).toEqual(['traces', 'metrics']);
  for (const pipeline of Object.values(config.service.pipelines))
    for (const part of ['receivers', 'processors', 'exporters'] as const)
      for (const name of pipeline[part] ?? []) expect(Object.keys(config[part])).toContain(name);
  // a refusal must reach who sent the trace
  expect(config.service.pipelines['traces']?.['processors']).not.toContain('batch');
  for (const name of config.service.pipelines['traces']?.['exporters'] ?? [])
    expect(config.exporters[name]).toMatchObject({
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    });
  const yaml = /```yaml\n(.*?)```/s.exec(read('README.md'))?.[1] ?? '';
  const settings = toSettings(`store: s\nsources: { resolutions: [r] }\n${yaml}`, '/etc/tally/tally.yaml');
  expect(settings.telemetry?.otlp).toBe(settings.traces?.otlp);
  expect(read('prometheus.yml')).toContain(`'${settings.collector.listen ?? ''}'`);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
test.runIf(hasPromtool)('promtool accepts configuration and rules, and their tests pass', () => {
  const promtool = (...args: string[]): unknown => execFileSync('promtool', args, { cwd: folder, stdio: 'pipe' });
  expect(() => promtool('check', 'config', 'prometheus.yml')).not.toThrow();
  expect(() => promtool('test', 'rules', 'rules.test.yml')).not.toThrow();
});
