import type { Evidence } from '../evidence.ts';
import { makeGoodWorld, type Size } from '../good/good-world.ts';
import type { Expected, Mutation } from '../mutations/mutation.ts';
import { NothingToPick, openRandom, type Random } from '../random.ts';
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

/** Changes the world in place: what happened, then what the provider wrote of it, then the evidence. Undefined: no place for one. */
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
  const apply = (changes: Mutation['changes'], one: (mutation: Mutation) => Expected | undefined): boolean =>
    wanted.every((mutation) => {
      if (mutation.changes !== changes) return true;
      const found = unlessBroken(() => one(mutation));
      if (found !== undefined) expected.push({ id: mutation.id, expected: found });
      return found !== undefined;
    });
  const randomOf = ({ id }: Mutation): Random => openRandom(`${world.seed}/${id}`);
  if (!apply('world', (one) => (one.changes === 'world' ? one.apply(world, randomOf(one)) : undefined))) {
    return undefined;
  }
  const evidence = renderWorld(world);
  const onEvidence = (one: Mutation): Expected | undefined =>
    one.changes === 'world' ? undefined : one.apply(evidence, world, randomOf(one));
  return apply('records', onEvidence) && apply('evidence', onEvidence) ? { evidence, expected } : undefined;
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
