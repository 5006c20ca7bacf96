import type { Evidence } from '../evidence.ts';
import { makeGoodWorld } from '../good/good-world.ts';
import { renderWorld } from '../render-world.ts';
import type { World } from '../world.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';

/** Evidence that is sound in itself, but of another task or another day. Swapped files of a sealed store: test/cases/tamper.test.ts. */
function another(world: World): Evidence {
  return renderWorld(makeGoodWorld(`${world.seed}/another`));
}

function kernelOfAnother(evidence: Evidence, world: World): Expected {
  const { tetragon, sensor } = another(world);
  Object.assign(evidence, { tetragon, sensor });
  return { truth: 'doubt', codes: ['unknown-parent'], names: [world.tasks[0].id] };
}

function providerOfAnother(evidence: Evidence, world: World): Expected {
  evidence.cloudtrail = another(world).cloudtrail;
  const names = world.tasks[0].declaration.credentials.map(({ session }) => session);
  return { truth: 'doubt', codes: ['unknown-issuance'], names };
}

const day = 86_400_000;

/** The recording of the day before in place of today's: by it the task had ended before its credentials were used. */
function kernelOfDayBefore(evidence: Evidence, world: World): Expected | undefined {
  const [task] = world.tasks;
  const keys = new Set(world.sessions.filter((session) => session.task === task.id).map(({ key }) => key));
  const used = world.calls.filter(({ key, logged, action }) => logged && keys.has(key) && action !== '');
  if (used.length === 0) return undefined;
  for (const line of [...evidence.tetragon, ...evidence.sensor])
    line.text = line.text.replace(/"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/g, earlier);
  return { truth: 'violation', codes: ['use-after-task'], names: used.map(({ action }) => action) };
}

function earlier(_: string, second: string): string {
  return `"${new Date(Date.parse(`${second}Z`) - day).toISOString().slice(0, 19)}`;
}

const about: readonly [string, string, EvidenceMutation['apply']][] = [
  ['kernel-half-of-another-task', 'The recording of another task was handed in.', kernelOfAnother],
  ['provider-half-of-another-task', 'The provider’s log of another account and time was handed in.', providerOfAnother],
  ['kernel-half-of-day-before', 'The recording was replayed from the day before.', kernelOfDayBefore],
];

export const swapMutations: readonly EvidenceMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'evidence',
  about: what,
  changes: 'evidence',
  apply,
}));
