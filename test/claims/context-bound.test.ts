import { expect, test } from 'vitest';
import { judgeClaim, proc, type Tables, task } from '../judge/claim-tables.ts';

const image = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const declared = { kind: 'context', name: 'image', value: 'image' };
const required = { kind: 'require', name: 'image', value: 'image' };
const judge = (tables: Tables) =>
  judgeClaim('context-bound', { task: [task({ image })], setting: [declared], process: [proc()], ...tables });

test('nothing declared, nothing found', async () => {
  expect(await judge({ task: [task()], setting: [] })).toEqual([]);
});

test('image-mismatch: another digest than the declared one, by image id or by name', async () => {
  const ran = (fields: object) => judge({ process: [proc({ container: 'c1', ...fields })] });
  expect(await ran({ image_id: `docker.io/agent@${image}` })).toEqual([]);
  expect(await ran({ image: `agent@${image}`, image_id: other })).toEqual([]); // manifest and configuration digest
  expect(await ran({ image_id: `docker.io/agent@${other}` })).toEqual(['image-mismatch counterexample c1']);
  expect(await ran({ image: `agent@${other}` })).toEqual(['image-mismatch counterexample c1']);
  expect(await ran({ image_id: other, task_id: null })).toEqual(['context-missing note image']);
  expect(await judge({ task: [task()], setting: [], process: [proc({ image_id: other })] })).toEqual([]);
});

test('context-missing: told where no evidence speaks of it, a doubt only where required', async () => {
  expect(await judge({})).toEqual(['context-missing note image']);
  expect(await judge({ setting: [declared, required] })).toEqual(['context-missing doubt image']);
  expect(await judge({ setting: [required], task: [task()] })).toEqual(['context-missing doubt image']);
  const run = { kind: 'context', name: 'run', value: 'run' };
  expect(await judge({ setting: [run] })).toEqual(['context-missing note run']);
  expect(await judge({ setting: [run, { ...run, kind: 'require' }] })).toEqual(['context-missing doubt run']);
});

// What holds for one container says nothing of the other.
test('a second container of which no digest is known is told', async () => {
  const known = proc({ container: 'c1', image_id: image });
  const unknown = proc({ exec_id: 'second', pid: 101, container: 'c2', image: 'agent:latest' });
  expect(await judge({ process: [known, unknown], setting: [declared, required] })).toEqual([
    'context-missing doubt image',
  ]);
});
