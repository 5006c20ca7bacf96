import { expect, test } from 'vitest';
import type { Evidence } from '../evidence.ts';
import type { Mutation } from '../mutations/mutation.ts';
import { shrink } from './shrink.ts';

/** The declared task does something that leaves no trace at all; a judge that calls everything proven is then wrong. */
const unseen: Mutation = {
  id: 'unseen',
  group: 'egress',
  about: 'Something happened that no evidence shows.',
  changes: 'world',
  apply: () => ({ truth: 'violation', codes: [], names: [] }),
};
const harmless: Mutation = {
  ...unseen,
  id: 'nothing',
  apply: () => ({ truth: 'harmless' as const, codes: [], names: [] }),
};
const known = new Map([unseen, harmless].map((mutation) => [mutation.id, mutation]));

const judging = (isProven: (evidence: Evidence) => boolean) => ({
  judge: (worlds: readonly Evidence[]) =>
    Promise.resolve(
      worlds.map((one) => ({ verdict: isProven(one) ? ('proven' as const) : ('unproven' as const), claims: [] })),
    ),
});

test('a wrongly proven world loses every part that it does not need, and the mutations that are not to blame', async () => {
  const small = await shrink(
    judging(() => true),
    's',
    ['nothing', 'unseen'],
    known,
  );
  expect(small?.mutations).toEqual(['unseen']);
  expect(small?.good).toMatchObject({ acts: [], calls: [] });
  expect(small?.good.tasks).toHaveLength(1);
});

test('what the judge needs to be fooled stays', async () => {
  const connects = ({ tetragon }: Evidence): number =>
    tetragon.filter(({ hook, act }) => hook === 'tcp_connect' && act !== undefined).length;
  const small = await shrink(
    judging((one) => connects(one) >= 1),
    's',
    ['unseen'],
    known,
  );
  expect(small === undefined ? 0 : connects(small.evidence)).toBe(1);
  expect(small?.good.acts).toHaveLength(1);
});

test('nothing is made of a world that no judge calls proven', async () => {
  expect(
    await shrink(
      judging(() => false),
      's',
      ['unseen'],
      known,
    ),
  ).toBeUndefined();
});
