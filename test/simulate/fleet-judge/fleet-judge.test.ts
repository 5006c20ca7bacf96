import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJudgedCase } from '../../cases/judged-case.ts';
import { caseNames } from '../../cases/shared-case.ts';
import { readCaseEvidence } from './case-evidence.ts';
import { type FleetJudge, type Judgement, openFleetJudge } from './fleet-judge.ts';

let fleet: FleetJudge;
const together = new Map<string, Judgement[]>();

// All recorded cases in one batch, and each a second time: tasks, nodes and keys of one name are in many worlds then.
beforeAll(async () => {
  fleet = await openFleetJudge({ threads: 2 });
  const names = [...caseNames, ...caseNames.toReversed()];
  const judgements = await fleet.judge(names.map(readCaseEvidence));
  for (const [at, name] of names.entries()) {
    const judgement = judgements[at];
    if (judgement !== undefined) together.set(name, [...(together.get(name) ?? []), judgement]);
  }
});
afterAll(() => fleet.close());

test.each(caseNames)('%s among other worlds is judged as it is alone', async (name) => {
  const alone = await openJudgedCase(name);
  try {
    const { verdict, claims } = await alone.judge({});
    expect(together.get(name)).toEqual([
      { verdict, claims },
      { verdict, claims },
    ]);
  } finally {
    await alone.close();
  }
});

test('No worlds give no judgements', async () => {
  expect(await fleet.judge([])).toEqual([]);
});
