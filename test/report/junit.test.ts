import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { claims, pending, proven, unproven, violated } from './fixture.ts';
import { formOptions } from './form-options.ts';
import { hostileReport, hostileText } from './hostile-report.ts';
import { type Element, parseXml } from './parse-xml.ts';
import { contradictory } from './unexplained.ts';

const render = (report: Report): string => renderJunit(report, formOptions);

function parseOne(text: string): Element {
  const [root] = parseXml([text]);
  if (root === undefined) throw new Error('no document');
  return root;
}

/** Name of each test with what became of it. */
function outcomes(root: Element): Record<string, string> {
  const tests = root.children[0]?.children.filter(({ tag }) => tag === 'testcase') ?? [];
  return Object.fromEntries(
    tests.map(({ attributes, children }) => [
      attributes['name'] ?? '',
      children.find(({ tag }) => tag !== 'system-out')?.tag ?? 'passed',
    ]),
  );
}

describe('the suite', () => {
  it('passes where all is proven, with notes in the output', () => {
    const root = parseOne(render(proven));
    expect(root).toMatchObject({
      tag: 'testsuites',
      attributes: { name: 'tallystick', tests: '16', failures: '0', errors: '0', skipped: '0' },
    });
    expect(root.children[0]?.attributes).toMatchObject({
      name: 'dns-validation: 7b3f',
      timestamp: '2026-03-01T10:00:00',
      time: '42',
    });
    expect(new Set(Object.values(outcomes(root)))).toEqual(new Set(['passed']));
    expect(render(proven)).toContain('<system-out>note context-missing: commit 0f3a9c1: No evidence');
  });

  it('fails what is violated', () => {
    const root = parseOne(render(violated));
    expect(root.attributes).toMatchObject({ tests: '16', failures: '4', errors: '0' });
    expect(outcomes(root)).toMatchObject({
      verdict: 'failure',
      'egress-declared': 'failure',
      'uses-matched': 'failure',
      'actions-declared': 'failure',
      'evidence-intact': 'passed',
    });
    expect(render(violated)).toContain(
      '<failure type="violated" message="undeclared-endpoint: collector.evil.example:443: Process grep',
    );
    expect(render(violated)).toContain('evidence tetragon/node-1/18207</failure>');
  });

  it.each([
    ['unproven', unproven, ['sensor-continuity', 'egress-explained']],
    ['pending', pending, ['audit-complete']],
  ] as const)('has errors for what is %s: never passed, never skipped', (type, report, open) => {
    const root = parseOne(render(report));
    const told = outcomes(root);
    expect(['verdict', ...open].map((name) => told[name])).toEqual(['verdict', ...open].map(() => 'error'));
    expect(Object.values(told).filter((outcome) => outcome !== 'passed')).toHaveLength(open.length + 1);
    expect(root.attributes).toMatchObject({ errors: String(open.length + 1), skipped: '0' });
    expect(render(report)).toContain(`<error type="${type}"`);
  });

  it('fails closed: a claim without reasons, a verdict that is none', () => {
    const bare = { ...violated, claims: claims({ 'tree-closed': { result: 'unproven', findings: [] } }) };
    expect(outcomes(parseOne(render(bare)))).toMatchObject({ verdict: 'failure', 'tree-closed': 'error' });
    const odd = { ...proven, verdict: 'fine' as 'proven' };
    expect(outcomes(parseOne(render(odd)))).toMatchObject({ verdict: 'error' });
  });

  it('fails a claim that says it holds above a counterexample', () => {
    expect(outcomes(parseOne(render(contradictory)))).toMatchObject({ 'egress-declared': 'failure' });
  });

  it('tells what was verified, and what was not', () => {
    const told = { ...formOptions, verification: ['the bundle'], notVerified: ['the evidence'] };
    expect(renderJunit(proven, told)).toContain('verified: the bundle\nnot verified: the evidence</system-out>');
  });

  it('is the same for the same report', () => {
    expect(render(violated)).toBe(render(structuredClone(violated)));
  });
});

describe('hostile text', () => {
  it('is told by the parser where it is not escaped', () => {
    expect(() => parseXml(['<a>\u0001</a>'])).toThrow(/not well-formed|invalid/);
    expect(spawnSync('python3', ['--version']).status).toBe(0);
  });

  it('gives well-formed XML 1.0 with the same tests', () => {
    const samples = fc.sample(hostileText, { numRuns: 60, seed: 7 });
    const roots = parseXml(samples.map((text) => render(hostileReport(text))));
    expect(roots).toHaveLength(60);
    const wanted = Object.keys(outcomes(parseOne(render(violated))));
    for (const root of roots) expect(Object.keys(outcomes(root))).toEqual(wanted);
  }, 120_000);
});
