import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Claim, claimIds, type Finding, type FindingKind, verdictExitCodes } from '../../src/model/claim.ts';
import { claimBasis, decideClaim, decideVerdict } from '../../src/proof/verdict.ts';

const finding = (kind: FindingKind, until?: string): Finding => ({
  code: `code-${kind}`,
  kind,
  subject: 's',
  detail: 'd.',
  ...(until === undefined ? {} : { until }),
  evidence: [],
});
/** The first claims with these findings, the others with none. */
const claims = (...findings: (readonly Finding[])[]): Claim[] =>
  claimIds.map((id, index) => decideClaim(id, findings[index] ?? []));
const of = (...kinds: (readonly FindingKind[])[]): Claim[] =>
  claims(...kinds.map((some) => some.map((kind) => finding(kind))));

test.each<[readonly FindingKind[], string]>([
  [[], 'holds'],
  [['note'], 'holds'],
  [['wait'], 'unproven'],
  [['doubt'], 'unproven'],
  [['note', 'wait', 'doubt'], 'unproven'],
  [['counterexample'], 'violated'],
  [['doubt', 'wait', 'note', 'counterexample'], 'violated'],
])('a claim with %j: %s', (kinds, result) => {
  expect(
    decideClaim(
      'tree-closed',
      kinds.map((kind) => finding(kind)),
    ).result,
  ).toBe(result);
});

test.each<[string, readonly (readonly FindingKind[])[], string]>([
  ['nothing found', [], 'proven'],
  ['only notes', [['note'], ['note', 'note']], 'proven'],
  ['one counterexample', [['counterexample']], 'violated'],
  ['a counterexample inside a gap', [['doubt'], ['counterexample'], ['wait']], 'violated'],
  ['one doubt', [['doubt']], 'unproven'],
  ['a doubt beside a wait', [['wait'], ['doubt']], 'unproven'],
  ['a doubt beside a wait in one claim', [['wait', 'doubt']], 'unproven'],
  ['only waits', [['wait'], ['wait', 'note']], 'pending'],
])('%s: %s', (_what, kinds, verdict) => {
  expect(decideVerdict(of(...kinds)).verdict).toBe(verdict);
});

describe('pending', () => {
  test('tells the latest time until which to wait', () => {
    const waits = claims([finding('wait', '2026-01-02T00:00:00Z')], [finding('wait', '2026-01-03T00:00:00Z')]);
    expect(decideVerdict(waits).pendingUntil).toBe('2026-01-03T00:00:00Z');
    expect(decideVerdict(of(['wait'])).pendingUntil).toBeUndefined();
  });

  test('no other verdict tells one', () => {
    const both = claims([finding('wait', '2026-01-02T00:00:00Z')], [finding('doubt')]);
    expect(decideVerdict(both).pendingUntil).toBeUndefined();
  });
});

test('the summary names the finding that decides, and how many more', () => {
  const summary = (...kinds: (readonly FindingKind[])[]): string => decideVerdict(of(...kinds)).summary;
  expect(summary(['note'], ['doubt', 'doubt'], ['counterexample'])).toContain('code-counterexample');
  expect(summary(['note'], ['doubt', 'doubt'], ['counterexample'])).not.toContain('more');
  expect(summary(['doubt'], ['wait', 'note'])).toMatch(/code-doubt.* One more finding\./);
  expect(summary(['doubt', 'doubt', 'doubt'])).toContain('2 more findings.');
});

const anyClaims = fc
  .array(fc.array(fc.constantFrom<FindingKind>('counterexample', 'doubt', 'wait', 'note'), { maxLength: 3 }), {
    maxLength: claimIds.length,
  })
  .map((kinds) => of(...kinds));

test('proven means that nothing but notes was found; notes and order change nothing', () => {
  fc.assert(
    fc.property(anyClaims, (some) => {
      const { verdict } = decideVerdict(some);
      const kinds = new Set(some.flatMap(({ findings }) => findings.map(({ kind }) => kind)));
      kinds.delete('note');
      expect(verdict === 'proven').toBe(kinds.size === 0);
      expect(verdict === 'violated').toBe(kinds.has('counterexample'));
      expect(verdict === 'pending').toBe(kinds.size === 1 && kinds.has('wait'));
      expect(decideVerdict([...some].reverse()).verdict).toBe(verdict);
      const noted = some.map(({ id, findings }) => decideClaim(id, [...findings, finding('note')]));
      expect(decideVerdict(noted).verdict).toBe(verdict);
    }),
  );
});

test('only proven exits with 0, only violated with 1', () => {
  expect(verdictExitCodes).toEqual({ proven: 0, violated: 1, unproven: 3, pending: 3 });
});

test('every claim says what it leans on', () => {
  expect(Object.keys(claimBasis).sort()).toEqual([...claimIds].sort());
});

// Fewer claims than there are is missing evidence.
test('no claims prove nothing', () => {
  expect(decideVerdict([]).verdict).toBe('unproven');
});
