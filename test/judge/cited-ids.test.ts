import { expect, test } from 'vitest';
import { chooseCited } from '../../src/judge/cited-ids.ts';
import type { Finding, FindingKind } from '../../src/model/claim.ts';
import { claims, proven } from '../report/fixture.ts';

const finding = (kind: FindingKind, n: number): Finding => ({
  code: 'unattributed-address',
  kind,
  subject: 's',
  detail: 'd',
  evidence: [`tetragon/${kind}/${String(n)}`],
});

test('many doubts of an earlier claim do not push out what convicts', () => {
  const doubts = Array.from({ length: 250 }, (_, n) => finding('doubt', n));
  const breaches = Array.from({ length: 5 }, (_, n) => finding('counterexample', n));
  const { ids, more } = chooseCited({
    ...proven,
    claims: claims({
      'egress-attributed': { result: 'unproven', findings: doubts },
      'uses-matched': { result: 'violated', findings: breaches },
    }),
  });
  expect(ids.slice(0, 5)).toEqual(breaches.flatMap(({ evidence }) => evidence));
  expect([ids.length, more]).toEqual([200, 55]);
});
