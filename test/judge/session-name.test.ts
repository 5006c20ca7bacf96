import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionNameRegex } from '../../src/judge/declared.ts';

const matches = (template: string, id: string, name: string): boolean =>
  new RegExp(sessionNameRegex(template, id)).test(name);

test.each([
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f-a1c8', true],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f-', false],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3-a1c8', false],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f0-a1c8', false],
  ['ironclaw-task-{task}-{suffix}', 'xironclaw-task-7b3f-a1c8', false],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f-a1c8\n', false],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f-a 1', false],
  ['ironclaw-task-{task}-{suffix}', 'ironclaw-task-7b3f', false], // cut: never by its prefix
  ['{sub}-{task}', 'deploy-7b3f', true],
  ['{sub}-{task}', 'deploy-prod-7b3f', true],
  ['{sub}-{task}', '-7b3f', false],
  ['{sub}-{task}', 'deploy-7b3', false],
  ['{sub}-{task}', 'deploy-7b3f0', false],
  ['{sub}-{task}', 'deploy-a7b3f', false],
  ['task-{task}@ironclaw', 'task-7b3f@ironclaw', true],
  ['task-{task}@ironclaw', 'task-7b3f@ironclawx', false],
])('%s: %j is %s', (template, name, expected) => {
  expect(matches(template, '7b3f', name)).toBe(expected);
});

test('an id is text, never a pattern', () => {
  expect(matches('{sub}-{task}', 'a.c', 'x-abc')).toBe(false);
  expect(matches('{sub}-{task}', 'a+', 'x-aa')).toBe(false);
  expect(matches('{sub}-{task}', 'a.c', 'x-a.c')).toBe(true);
});

test('a name belongs to one of two ids, where neither holds what divides the parts', () => {
  const id = fc.stringMatching(/^[a-z0-9]{1,6}$/);
  const template = fc.constantFrom('ironclaw-task-{task}-{suffix}', '{sub}-{task}', 'task-{task}@ironclaw', '{task}');
  fc.assert(
    fc.property(template, id, id, id, (form, own, other, part) => {
      fc.pre(own !== other);
      const name = form.replace('{task}', other).replace(/\{(sub|suffix)\}/, part);
      expect(matches(form, other, name)).toBe(true);
      expect(matches(form, own, name)).toBe(false);
    }),
  );
});
