import { expect, test } from 'vitest';
import { judgeClaim, second, task, type Tables, use, way } from '../judge/claim-tables.ts';

const judge = (declared: string | null, tables: Tables) =>
  judgeClaim('declared-first', { task: [task({ declared })], ...tables });
const late = ['late-declaration counterexample 7b3f'];

test('a declaration made before the first egress and the first use gives nothing', async () => {
  expect(await judge(second(9), { egress: [way()], use: [use()] })).toEqual([]);
  expect(await judge(second(9), {})).toEqual([]);
});

test('one made after the first egress convicts, beyond the tolerance', async () => {
  expect(await judge(second(12.1), { egress: [way()] })).toEqual(late);
  expect(await judge(second(12), { egress: [way()] })).toEqual([]);
});

test('one made after the first use convicts, beyond the tolerance and the provider’s whole second', async () => {
  expect(await judge(second(14.1), { use: [use()] })).toEqual(late);
  expect(await judge(second(14), { use: [use()] })).toEqual([]);
});

test('it is the first that counts, whatever the order of rows', async () => {
  const ways = [way({ id: 'tetragon/n1/99', opened: second(50) }), way()];
  expect(await judge(second(30), { egress: ways })).toEqual(late);
});

test('what stays inside the tree, another tree’s egress and a record of an unlisted file do not count', async () => {
  const none = { egress: [way({ inside: true }), way({ task_id: null })], use: [use({ listed: 'unlisted' })] };
  expect(await judge(second(30), none)).toEqual([]);
  expect(await judge(second(30), { use: [use({ listed: 'pending' })] })).toEqual(late);
});

test('without a time it is a doubt, also where nothing was done yet', async () => {
  expect(await judge(null, {})).toEqual(['late-declaration doubt 7b3f']);
});
