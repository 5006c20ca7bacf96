import type { openFleetJudge } from '../fleet-judge/fleet-judge.ts';
import { makeGoodWorld, sizes } from '../good/good-world.ts';
import type { Mutation } from '../mutations/mutation.ts';
import type { World } from '../world.ts';
import { type Made, mutate } from './make.ts';

type Judge = Pick<Awaited<ReturnType<typeof openFleetJudge>>, 'judge'>;

/** The smallest world found that is called proven and must not be. */
export interface Shrunk extends Pick<Made, 'evidence' | 'expected'> {
  readonly seed: string;
  readonly mutations: readonly string[];
  /** The good world beneath, after parts were taken away. */
  readonly good: World;
}

/** Seeds tried with a world of the smallest size and each part of the mutations. */
const tinySeeds = 40;

/**
 * Makes a wrongly proven world smaller: fewer mutations, then the smallest size of world, then part after part of the good world
 * taken away as long as it stays proven without the mutations, and wrongly proven with them.
 */
export async function shrink(
  judge: Judge,
  seed: string,
  mutations: readonly string[],
  known: ReadonlyMap<string, Mutation>,
): Promise<Shrunk | undefined> {
  const starts: { seed: string; ids: readonly string[]; tiny: boolean }[] = subsets(mutations).flatMap((ids) => [
    ...Array.from({ length: tinySeeds }, (_, at) => ({ seed: `${seed}/tiny/${at}`, ids, tiny: true })),
    { seed, ids, tiny: false },
  ]);
  let best: Shrunk | undefined;
  for (const { seed: tried, ids, tiny } of starts) {
    const good = makeGoodWorld(tried, tiny ? sizes.tiny : undefined);
    const shown = await findWrong(judge, [good], ids, known);
    if (shown === undefined) continue;
    best = shown;
    break;
  }
  while (best !== undefined) {
    const smaller = await findWrong(judge, withoutOne(best.good), best.mutations, known);
    if (smaller === undefined) return best;
    best = smaller;
  }
  return undefined;
}

/** Every non-empty choice, the smallest first. */
function subsets(ids: readonly string[]): (readonly string[])[] {
  const all = Array.from({ length: 2 ** ids.length - 1 }, (_, bits) => ids.filter((_id, at) => ((bits + 1) >> at) & 1));
  return all.sort((a, b) => a.length - b.length);
}

/** The first of the good worlds that is proven as it is, and wrongly proven when mutated. */
async function findWrong(
  judge: Judge,
  goods: readonly World[],
  ids: readonly string[],
  known: ReadonlyMap<string, Mutation>,
): Promise<Shrunk | undefined> {
  const candidates = goods.flatMap((good) => {
    const whole = mutate(structuredClone(good), [], known);
    const mutated = mutate(structuredClone(good), ids, known);
    if (whole === undefined || mutated === undefined) return [];
    if (mutated.expected.every(({ expected }) => expected.truth === 'harmless')) return [];
    return [{ good, whole, mutated }];
  });
  if (candidates.length === 0) return undefined;
  const verdicts = await judge.judge(candidates.flatMap(({ whole, mutated }) => [whole.evidence, mutated.evidence]));
  const at = candidates.findIndex(
    (_, index) => verdicts[2 * index]?.verdict === 'proven' && verdicts[2 * index + 1]?.verdict === 'proven',
  );
  const found = candidates[at];
  return found && { seed: found.good.seed, mutations: ids, good: found.good, ...found.mutated };
}

/** The world with one part less: a bystander task, a connection with its calls, another act, a process without acts, a health line … */
function withoutOne(world: World): World[] {
  const without = (change: (copy: World) => void): World => {
    const copy = structuredClone(world);
    change(copy);
    return copy;
  };
  const childless = world.processes.filter(
    ({ id }) =>
      !world.processes.some(({ parent }) => parent === id) && !world.acts.some(({ process }) => process === id),
  );
  return [
    ...world.tasks.slice(1).map(({ id }) =>
      without((copy) => {
        removeFrom(copy.tasks, (task) => task.id === id);
        removeFrom(copy.calls, (call) => copy.sessions.some(({ key, task }) => task === id && key === call.key));
        removeFrom(copy.sessions, ({ task }) => task === id);
      }),
    ),
    ...world.acts.map(({ id }) =>
      without((copy) => {
        removeFrom(copy.acts, (act) => act.id === id);
        removeFrom(copy.calls, ({ connection }) => connection === id);
      }),
    ),
    ...world.calls.map(({ id }) => without((copy) => removeFrom(copy.calls, (call) => call.id === id))),
    ...childless
      .filter(({ id }) => world.tasks.every(({ root }) => root !== id))
      .map(({ id }) => without((copy) => removeFrom(copy.processes, (process) => process.id === id))),
  ];
}

function removeFrom<T>(items: T[], isGone: (item: T) => boolean): void {
  const rest = items.filter((item) => !isGone(item));
  items.splice(0, items.length, ...rest);
}
