import { readFileSync } from 'node:fs';
import * as stable from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, test } from 'vitest';
import { events, otel, own, schemaUrl } from '../../src/telemetry/names.ts';
import { judgedReport, spansOf } from './reports.ts';

const modules = new URL('../../node_modules/@opentelemetry/semantic-conventions/', import.meta.url);
const published = new Set(
  [...Object.entries(stable), ...Object.entries(incubating)].flatMap(([key, value]) =>
    key.startsWith('ATTR_') && typeof value === 'string' ? [value] : [],
  ),
);

/** Names that the conventions keep but advise against. */
function deprecatedNames(): Set<string> {
  const source = readFileSync(new URL('dist/experimental_attributes.d.mts', modules), 'utf8');
  const declared = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export )?declare const ATTR_\w+: "([^"]+)"/g);
  return new Set(
    [...declared].flatMap(([, comment = '', name = '']) => (comment.includes('@deprecated') ? [name] : [])),
  );
}

describe('names of attributes', () => {
  test('are of the published conventions, and none that is advised against', () => {
    const deprecated = deprecatedNames();
    expect(deprecated.has('rpc.system')).toBe(true);
    for (const name of Object.values(otel)) {
      expect(published.has(name), name).toBe(true);
      expect(deprecated.has(name), name).toBe(false);
    }
  });

  test('are else our own, and none that the conventions have', () => {
    for (const name of [...Object.values(own), ...Object.values(events)]) {
      expect(name).toMatch(/^tally(\.[a-z][a-z_]*)+$/);
      expect(published.has(name)).toBe(false);
    }
  });

  test('are no others on any span, event or link', async () => {
    const known = new Set<string>([...Object.values(otel), ...Object.values(own)]);
    for (const name of ['c01-benign', 'c12-foreign-use', 'c19-sensor-loss']) {
      for (const span of spansOf(await judgedReport(name), { maxSpans: 12 })) {
        const all = [span, ...span.events, ...span.links].flatMap(({ attributes }) => Object.keys(attributes));
        for (const key of all) expect(known.has(key), key).toBe(true);
      }
    }
  });

  test('have the schema of the version that is installed', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', modules), 'utf8')) as { version: string };
    expect(schemaUrl).toBe(`https://opentelemetry.io/schemas/${version}`);
  });

  test('are told in docs/traces.md, each once, and no others', () => {
    const text = readFileSync(new URL('../../docs/traces.md', import.meta.url), 'utf8');
    const table = /<!-- attributes:.*?-->(.*)<!-- end of attributes -->/s.exec(text)?.[1] ?? '';
    const told = [...table.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, name]) => name ?? []);
    expect(told.toSorted()).toEqual([...Object.values(otel), ...Object.values(own)].toSorted());
    for (const name of Object.values(events)) expect(text).toContain(`\`${name}\``);
  });
});
