import { expect, test } from 'vitest';
import { openSingleJudge } from '../judge-one.ts';
import { mutations } from '../mutations/all.ts';
import { makeWorld } from '../soundness/make.ts';
import { planWorld } from '../soundness/plan.ts';
import { openFleetJudge } from './fleet-judge.ts';

test('Simulated worlds, most of them mutated, are judged in one batch as each is alone', async () => {
  const known = new Map(mutations.map((mutation) => [mutation.id, mutation]));
  const plans = Array.from({ length: 16 }, (_, index) => planWorld('fleet-judge', index, [...known.keys()]));
  const made = plans.flatMap((plan) => makeWorld(plan, known) ?? []);
  expect(made.length).toBeGreaterThan(12);
  const fleet = await openFleetJudge();
  const judgements = await fleet.judge(made.map(({ evidence }) => evidence));
  const single = await openSingleJudge();
  try {
    for (const [at, { planned, evidence }] of made.entries()) {
      const { verdict, claims } = await single.judge(evidence);
      expect(judgements[at], planned.mutations.join(' + ')).toEqual({ verdict, claims });
    }
  } finally {
    await single.close();
    await fleet.close();
  }
});
