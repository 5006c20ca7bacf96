import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const text = read('docs/collector.md');

/** Keys of the objects in a schema's source: a name and what it must be, on a line of its own. */
function keysOf(source: string): string[] {
  const key = /(?:^ {2,}|\{ )(\w+): *(z\b|text\b|bytes\b|duration\b|httpUrl\b|listen\b|chain\b|$)/gm;
  return [...new Set([...source.matchAll(key)].flatMap(([, name]) => name ?? []))];
}

describe('docs/collector.md', () => {
  test('tells every key that a collector can be configured by', () => {
    const keys = keysOf(read('src/model/collector.ts'));
    expect(keys).toEqual(expect.arrayContaining(['node', 'canary', 'bucket', 'chains', 'sealAge', 'signing', 'judge']));
    for (const key of keys) expect(text, key).toMatch(new RegExp(`\`([a-z]+\\.)?${key}\``));
  });

  test('tells every metric, and none that is not there', () => {
    const names = [...read('src/collect/metrics.ts').matchAll(/'(tally_\w+)'/g)].flatMap(([, name]) => name ?? []);
    const told = [...text.matchAll(/`(tally_\w+)/g)].flatMap(([, name]) => name ?? []);
    expect(names.length).toBeGreaterThan(5);
    expect(told.toSorted()).toEqual(names.toSorted());
  });

  test('tells every request that is answered', () => {
    const routes = [...read('src/collect/control.ts').matchAll(/'((?:GET|POST) \/\w[\w/]*)'/g)].flatMap(
      ([, route]) => route ?? [],
    );
    expect(routes.length).toBeGreaterThan(4);
    for (const route of routes) expect(text).toContain(`\`${route}`);
  });

  test('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].flatMap(([, link]) => link ?? []);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) expect(existsSync(new URL(link, new URL('docs/', root))), link).toBe(true);
  });
});
