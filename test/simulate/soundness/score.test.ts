import { expect, test } from 'vitest';
import type { Claim } from '../../../src/model/claim.ts';
import { claimIds } from '../../../src/model/claim.ts';
import { decideVerdict } from '../../../src/proof/verdict.ts';
import type { Evidence } from '../evidence.ts';
import type { Truth } from '../mutations/mutation.ts';
import { type Made } from './make.ts';
import { isWronglyAccused, isWronglyProven, type Outcome, toOutcome } from './outcome.ts';
import { planWorld } from './plan.ts';
import { faults, toScore } from './score.ts';
import { renderScore } from './table.ts';

const evidence: Evidence = { declaration: '', config: '', policies: [], tetragon: [], sensor: [], cloudtrail: [] };
const names = ['a', 'b', 'c', 'd', 'e'];

function made(truth: Truth, unshown?: string): Made {
  const expected = {
    truth,
    codes: ['foreign-use'],
    names: ['ListZones'],
    ...(unshown === undefined ? {} : { unshown }),
  };
  return { planned: planWorld('s', 1, names), seed: 's/1', evidence, expected: [{ id: 'a', expected }] };
}

/** All claims hold but those given, which have one finding of the kind. */
function claims(open: Readonly<Record<string, 'doubt' | 'counterexample'>>, subject = 'route53:ListZones'): Claim[] {
  return claimIds.map((id) => {
    const kind = open[id];
    const findings = kind === undefined ? [] : [{ code: 'foreign-use', kind, subject, detail: '', evidence: ['e/1'] }];
    return {
      id,
      basis: 'kernel',
      result: kind === undefined ? 'holds' : kind === 'doubt' ? 'unproven' : 'violated',
      findings,
    };
  });
}

function outcome(truth: Truth, open: Parameters<typeof claims>[0], subject?: string): Outcome {
  const found = claims(open, subject);
  return toOutcome(made(truth), decideVerdict(found).verdict, found);
}

test('proven is wrong of anything but a world with harmless changes alone; violated is wrong without a violation', () => {
  for (const truth of ['violation', 'doubt', 'wait'] as const) expect(isWronglyProven(outcome(truth, {}))).toBe(true);
  expect(isWronglyProven(outcome('harmless', {}))).toBe(false);
  expect(isWronglyProven(outcome('doubt', { 'tree-closed': 'doubt' }))).toBe(false);
  expect(isWronglyAccused(outcome('doubt', { 'uses-matched': 'counterexample' }))).toBe(true);
  expect(isWronglyAccused(outcome('violation', { 'uses-matched': 'counterexample' }))).toBe(false);
});

test('a mutation is told by an expected code, and named by a finding that bears its name', () => {
  expect(outcome('violation', { 'uses-matched': 'counterexample' }).mutations).toMatchObject([
    { told: true, named: true },
  ]);
  expect(outcome('violation', { 'uses-matched': 'doubt' }, 'x').mutations).toMatchObject([
    { told: true, named: false },
  ]);
  expect(outcome('violation', {}).mutations).toMatchObject([{ told: false, named: false }]);
});

test('what one claim alone holds back is counted for it', () => {
  expect(outcome('doubt', { 'tree-closed': 'doubt' }).heldBackBy).toEqual(['tree-closed']);
  expect(outcome('doubt', { 'tree-closed': 'doubt', 'uses-matched': 'doubt' }).heldBackBy).toEqual([]);
  const { heldBackBy } = toScore('s', [outcome('doubt', { 'tree-closed': 'doubt' })], []);
  expect(heldBackBy['tree-closed']).toEqual({ worlds: 1, mutations: ['a'] });
});

test('faults: a wrong proven, a wrong violated, too few good ones proven, a claim that nothing needs', () => {
  const needed = claimIds.map((id) => outcome('doubt', { [id]: 'doubt' }));
  const good = outcome('harmless', {});
  expect(faults(toScore('s', [...needed, good], []), true)).toEqual([]);
  expect(faults(toScore('s', [...needed, outcome('doubt', {})], []), true)).toEqual([
    '1 worlds are wrongly called proven.',
  ]);
  expect(faults(toScore('s', [outcome('doubt', { 'uses-matched': 'counterexample' })], []), false)).toEqual([
    '1 worlds are wrongly called violated.',
  ]);
  expect(faults(toScore('s', [good, outcome('harmless', { 'tree-closed': 'doubt' })], []), false)).toEqual([
    'Only 50.0 % of good worlds are called proven.',
  ]);
  expect(faults(toScore('s', needed.slice(1), []), true)).toEqual(['No mutation needs declared-first to be found.']);
});

test('recall counts the violations that the evidence can show', () => {
  const found = claims({ 'uses-matched': 'doubt' });
  const unshown = toOutcome(made('violation', 'no record tells'), 'unproven', found);
  const missed = toOutcome(made('violation'), 'unproven', found);
  const caught = outcome('violation', { 'uses-matched': 'counterexample' });
  const score = toScore('s', [unshown, missed, caught], []);
  expect(score.mutations).toMatchObject([{ id: 'a', worlds: 3, violated: 1, unshown: 1, told: 3 }]);
  expect(score.mutations[0]?.misses).toHaveLength(1);
  expect(renderScore(score)).toMatch(/^a +violation +3 +0 +1 +2 +50 %/m);
});

test('the plan is the same for the same seed, gives single mutations their turns, and has worlds with none, two and three', () => {
  const planned = Array.from({ length: 200 }, (_, index) => planWorld('s', index, names));
  expect(planned).toEqual(Array.from({ length: 200 }, (_, index) => planWorld('s', index, names)));
  const counts = [0, 1, 2, 3].map((count) => planned.filter(({ mutations }) => mutations.length === count).length);
  expect(counts).toEqual([10, 110, 40, 40]);
  const singles = planned.filter(({ mutations }) => mutations.length === 1).flatMap(({ mutations }) => mutations);
  for (const name of names) expect(singles.filter((one) => one === name)).toHaveLength(22);
});
