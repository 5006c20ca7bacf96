import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import type { Report } from '../../src/model/report.ts';
import { reportSchema } from '../../src/model/report-schema.ts';
import { caseNames, casesFolder } from '../cases/shared-case.ts';
import { pending, proven, unproven, violated } from '../report/fixture.ts';
import { schemaNames, toJsonSchema } from './json-schemas.ts';
import { readSchema, schemaMistakes } from './validate.ts';

type Written = z.output<typeof reportSchema>;
type KeysOf<T> = T extends readonly (infer U)[] ? KeysOf<U> : T extends object ? { [K in keyof T]-?: KeysOf<T[K]> } : 0;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** The compiler refuses this where type and schema of the report differ, in fields or in what they hold. */
const sameFields: Same<KeysOf<Required<Report>>, KeysOf<Required<Written>>> = true;
const fits: Written extends Report ? true : false = true;

const examples = join(import.meta.dirname, '../../deploy/examples');
const demo = join(import.meta.dirname, '../../demo');
const places = [...caseNames.map((name) => join(casesFolder, name)), examples, demo];

/** As an editor reads it: numbers and booleans as such. */
const read = (file: string): unknown => parse(readFileSync(file, 'utf8')) as unknown;
const filesNamed = (...names: string[]): string[] =>
  places.flatMap((folder) => names.map((name) => join(folder, name))).filter((file) => existsSync(file));

describe('the published schemas', () => {
  it.each(schemaNames)('of %s is what the code gives: npm run schemas', (name) => {
    expect(readSchema(name)).toEqual(JSON.parse(JSON.stringify(toJsonSchema(name))));
  });

  it.each(schemaNames)('of %s has a stable id, and lets no unknown field through', (name) => {
    const schema = readSchema(name);
    expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema['$id']).toBe(`https://tallystick.dev/schemas/${name}.schema.json`);
    const open: string[] = [];
    const walk = (value: unknown, at: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('properties' in value && !('additionalProperties' in value)) open.push(at);
      for (const [key, part] of Object.entries(value)) walk(part, `${at}/${key}`);
    };
    walk(schema, '');
    expect(open).toEqual([]);
  });

  it('of the report knows the fields of its type', () => {
    expect([sameFields, fits]).toEqual([true, true]);
  });
});

describe('a report', () => {
  it.each([proven, violated, unproven, pending])('of the fixture fits: $verdict', (report) => {
    expect(schemaMistakes('report', report)).toEqual([]);
    expect(reportSchema.safeParse(report).success).toBe(true);
  });

  const broken: [string, object, string][] = [
    ['another verdict', { verdict: 'fine' }, '/verdict must be equal to one of the allowed values'],
    ['an unknown field', { extra: 1 }, '/ must NOT have additional properties'],
    ['no claims', { claims: undefined }, "/ must have required property 'claims'"],
    ['another version', { schema: 'tallystick/report/v2' }, '/schema must be equal to constant'],
    ['a time without a zone', { window: { start: '2026-03-01T10:00:00' } }, '/window/start must match pattern'],
    ['a claim of no name', { claims: [{ ...proven.claims[0], id: 'x' }] }, '/claims/0/id must be equal to one of'],
    ['a count below zero', { sessions: [{ ...proven.sessions[0], uses: -1 }] }, '/sessions/0/uses must be >= 0'],
    ['a gap without a why', { gaps: [{ stream: 'a', origin: 'b' }] }, "/gaps/0 must have required property 'why'"],
  ];
  it.each(broken)('with %s does not', (_what, change, mistake) => {
    const value: unknown = JSON.parse(JSON.stringify({ ...proven, ...change }));
    expect(schemaMistakes('report', value).join('\n')).toContain(mistake);
    expect(reportSchema.safeParse(value).success).toBe(false);
  });
});

describe('a declaration', () => {
  const files = filesNamed('task.yaml');
  it('is in every case and in the examples', () => expect(files.length).toBeGreaterThan(caseNames.length));

  it.each(files)('%s fits', (file) => {
    expect(schemaMistakes('declaration', read(file))).toEqual([]);
    expect(parseDeclaration(readFileSync(file, 'utf8'), file).kind).toBe('Task');
  });

  const good = {
    apiVersion: 'tally/v1',
    kind: 'Task',
    task: { id: 17, type: 'x' },
    declared: '2026-03-01T10:00:00+01:00',
    workload: [{ env: { TASK_ID: 17 } }],
    credentials: [{ provider: 'aws', key: 'ASIAEXAMPLE' }],
    endpoints: ['*.example.com:443', '[2001:db8::1]:53/udp', '192.0.2.0/24:443', 'unix:@name'],
    actions: ['*', 's3:Get*'],
    window: { start: '2026-03-01T10:00:00Z' },
  };
  it('of every kind of value fits both', () => {
    expect(schemaMistakes('declaration', good)).toEqual([]);
    expect(() => parseDeclaration(JSON.stringify(good), 'good')).not.toThrow();
  });

  it.each<[string, object]>([
    ['an unknown field', { tasks: 1 }],
    ['no workload', { workload: [] }],
    ['a selector of nothing', { workload: [{}] }],
    ['no variable', { workload: [{ env: {} }] }],
    ['a number for a container', { workload: [{ container: 12345678 }] }],
    ['an id with a path', { task: { id: '../x', type: 'x' } }],
    ['an unknown provider', { credentials: [{ provider: 'azure', key: 'x' }] }],
    ['a credential without a name', { credentials: [{ provider: 'aws', role: 'x' }] }],
    ['an endpoint without a port', { endpoints: ['example.com'] }],
    ['a relative socket', { endpoints: ['unix:run/x'] }],
    ['an action without a service', { actions: ['GetObject'] }],
    ['a local time', { declared: '2026-03-01T10:00:00' }],
    ['another kind', { kind: 'Job' }],
    ['an image without a digest', { image: 'nginx:latest' }],
    ['a requirement of no name', { require: ['user'] }],
  ])('with %s is refused by both', (_what, change) => {
    const value = { ...good, ...change };
    expect(schemaMistakes('declaration', value)).not.toEqual([]);
    expect(() => parseDeclaration(JSON.stringify(value), 'broken')).toThrow(/mistake/);
  });
});

describe('a configuration', () => {
  const files = filesNamed('config.yaml', 'tally.yaml');
  it('is in every case and in the examples', () => expect(files.length).toBeGreaterThan(caseNames.length));

  it.each(files)('%s fits', (file) => {
    expect(schemaMistakes('config', read(file) ?? {})).toEqual([]);
    expect(parseConfig(readFileSync(file, 'utf8'), file).kind).toBe('Config');
  });

  const good = {
    nodes: { 'node-1': { egress: ['203.0.113.7', '198.51.100.0/24'] } },
    trails: [{ account: '111122223333', region: 'us-east-1' }],
    assume: ['co-tenants-isolated'],
    tolerance: '2.5s',
    sources: { tetragon: [{ node: 'node-1', export: '/var/log/x', interval: '500ms', canary: { port: 9 } }] },
    store: { path: '/var/lib/x', sealBytes: '16mib', sealAge: '5m' },
    traces: { otlp: 'http://127.0.0.1:4318' },
  };
  it('of every kind of value fits both', () => {
    expect(schemaMistakes('config', good)).toEqual([]);
    expect(() => parseConfig(JSON.stringify(good), 'good')).not.toThrow();
    expect(schemaMistakes('config', { trails: 'trails.json', store: '/x', tolerance: 2 })).toEqual([]);
  });

  it.each<[string, object]>([
    ['an unknown field', { node: {} }],
    ['one address for a list', { resolvers: '192.0.2.53' }],
    ['an assumption of no name', { assume: ['all-is-well'] }],
    ['seconds of another unit', { tolerance: '2m' }],
    ['a trail without a region', { trails: [{ account: '111122223333' }] }],
    ['an endpoint without a port', { infrastructure: ['10.0.0.10'] }],
    ['an unknown log level', { collector: { log: 'loud' } }],
    ['a duration in words', { collector: { judge: 'soon' } }],
    ['a bucket without chains', { sources: { cloudtrail: [{ bucket: 'b', region: 'r', chains: [] }] } }],
  ])('with %s is refused by both', (_what, change) => {
    expect(schemaMistakes('config', { ...good, ...change })).not.toEqual([]);
    expect(() => parseConfig(JSON.stringify({ ...good, ...change }), 'broken')).toThrow(/mistake/);
  });
});
