import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderText } from '../../src/report/text.ts';
import { bare, contradictory, unexplained } from './unexplained.ts';
import { hostile, hostileText, large, pending, proven, unproven, violated } from './fixture.ts';

const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;
const reports: [string, Report][] = Object.entries({ proven, violated, unproven, pending });
const plain = (report: Report): string => renderText(report, { color: false });
/** Only the free text is hostile, so that the report keeps its shape. */
const shaped = hostile(violated, (text) =>
  /^(\d{4}-\d\d-.*Z|violated|holds|unproven|counterexample|[a-z]+-[a-z]+)$/.test(text) ? text : hostileText,
);

describe('renderText', () => {
  it.each([
    [proven, '✓ PROVEN  All 15 claims hold'],
    [violated, '✗ VIOLATED  The task connected to collector.evil.example:443'],
    [unproven, '? UNPROVEN  Records of the sensor'],
    [pending, '… PENDING  Everything seen so far agrees'],
  ])('begins with the verdict and why', (report, start) => {
    expect(plain(report).startsWith(start)).toBe(true);
  });

  it.each(reports)('keeps the rows of a %s report within 100 columns', (_, report) => {
    const tooLong = plain(report)
      .split('\n')
      .filter((line) => line.length > 100);
    expect(tooLong).toEqual([]);
  });

  it('puts findings with their evidence under the claim that does not hold', () => {
    expect(plain(violated)).toContain(`
  ✗ egress-declared    violated  kernel
      undeclared-endpoint  collector.evil.example:443
        Process grep (4706) connected to collector.evil.example:443, which the declaration does not
        name.
        2026-03-01 10:00:21.050 – 10:00:21.180
        evidence tetragon/node-1/18207
  ✓ no-side-channel    holds     kernel
`);
  });

  it('names the first evidence ids and counts the rest', () => {
    expect(plain(unproven)).toContain(
      'evidence tetragon/node-1/18231, tetragon/node-1/18232, tetragon/node-1/18233 and 6 more\n',
    );
  });

  it('lists the first findings and counts the rest', () => {
    const [finding] = violated.claims.find((claim) => claim.id === 'egress-declared')?.findings ?? [];
    const many = finding === undefined ? [] : Array.from({ length: 12 }, () => finding);
    const claims = violated.claims.map((claim) =>
      claim.id === 'egress-declared' ? { ...claim, findings: many } : claim,
    );
    expect(plain({ ...violated, claims })).toContain('      and 7 more findings, in report.json\n');
  });

  it('tells notes apart from what a verdict rests on', () => {
    expect(plain(proven)).toContain('\nNotes\n  context-bound  context-missing  commit 0f3a9c1: No evidence speaks');
  });

  it('marks a claim that only waits, and says until when', () => {
    expect(plain(pending)).toContain('  … audit-complete     unproven  provider-signed\n');
    expect(plain(pending)).toContain('  wait until  2026-03-01 12:00:00\n');
  });

  it('never looks clean where nothing is said of why', () => {
    expect(plain(bare)).toContain('unproven  kernel\n      unexplained-result  tree-closed\n');
    expect(plain(unexplained)).toContain('\nVerdict\n      unexplained-result  7b3f\n');
    expect(plain(contradictory)).toContain('14 of 15 hold\n');
    expect(plain(contradictory)).toContain('  ✗ egress-declared    violated  kernel\n      undeclared-endpoint');
  });

  it('prints what verification checked', () => {
    expect(renderText(proven, { color: false, verification: ['The signature is valid.'] })).toContain(
      '\nVerification\n  The signature is valid.\n',
    );
  });

  it('uses colour only when asked', () => {
    expect(plain(violated)).not.toContain('\u001b');
    expect(renderText(violated, { color: true })).toContain('\u001b[1;31m✗ VIOLATED\u001b[0m');
  });

  it.each([
    ['in every field', hostile(violated)],
    ['in every free text', shaped],
  ])('lets no control character through, hostile %s', (_, report) => {
    expect(plain(report)).not.toMatch(acting);
    const colours = /\u001b\[(?:\d;)?\d{1,2}m/g;
    expect(renderText(report, { color: true, verification: [hostileText] }).replace(colours, '')).not.toMatch(acting);
  });

  it('lets no text pass for a row', () => {
    const rows = plain(shaped)
      .split('\n')
      .filter((line) => /^ {0,4}\S egress-declared/.test(line));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(/^ {2}✗ egress-declared {4}violated/);
  });

  it('stays short for a large report', () => {
    expect(plain(large(500, 3000)).split('\n').length).toBeLessThan(100);
  });
});
