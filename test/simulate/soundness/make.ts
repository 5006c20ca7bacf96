import type { Evidence } from '../evidence.ts';
import { makeGoodWorld, type Size } from '../good/good-world.ts';
import type { Expected, Mutation } from '../mutations/mutation.ts';
import { NothingToPick, openRandom } from '../random.ts';
import { renderWorld } from '../render-world.ts';
import type { World } from '../world.ts';
import type { Planned } from './plan.ts';

/** A mutated world's evidence, and what each of its mutations wants to be said of it. */
export interface Made {
  readonly planned: Planned;
  /** The seed of the good world beneath. */
  readonly seed: string;
  readonly evidence: Evidence;
  readonly expected: readonly { readonly id: string; readonly expected: Expected }[];
}

/** Seeds that are tried until a world has a place for all mutations. */
const tries = 16;

/** Undefined when no world tried has a place for every mutation. */
export function makeWorld(planned: Planned, known: ReadonlyMap<string, Mutation>, size?: Size): Made | undefined {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const seed = attempt === 0 ? planned.seed : `${planned.seed}/${attempt}`;
    const made = mutate(makeGoodWorld(seed, size), planned.mutations, known);
    if (made !== undefined) return { planned, seed, ...made };
  }
  return undefined;
}

/** Changes the world in place: first what happened, then what its evidence says of it. Undefined: no place for one of them. */
export function mutate(
  world: World,
  ids: readonly string[],
  known: ReadonlyMap<string, Mutation>,
): Pick<Made, 'evidence' | 'expected'> | undefined {
  const wanted = ids.map((id) => {
    const mutation = known.get(id);
    if (mutation === undefined) throw new Error(`There is no mutation ${id}.`);
    return mutation;
  });
  const expected: { id: string; expected: Expected }[] = [];
  for (const mutation of wanted) {
    if (mutation.changes !== 'world') continue;
    const found = unlessBroken(() => mutation.apply(world, openRandom(`${world.seed}/${mutation.id}`)));
    if (found === undefined) return undefined;
    expected.push({ id: mutation.id, expected: found });
  }
  const evidence = renderWorld(world);
  for (const mutation of wanted) {
    if (mutation.changes !== 'evidence') continue;
    const found = unlessBroken(() => mutation.apply(evidence, world, openRandom(`${world.seed}/${mutation.id}`)));
    if (found === undefined) return undefined;
    expected.push({ id: mutation.id, expected: found });
  }
  return { evidence, expected };
}

/** A mutation that can't read or find what one before it broke or took away has no place in the world. */
function unlessBroken<T>(apply: () => T): T | undefined {
  try {
    return apply();
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof NothingToPick) return undefined;
    throw cause;
  }
}
