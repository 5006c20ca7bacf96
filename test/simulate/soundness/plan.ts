import { openRandom } from '../random.ts';

/** One world to be judged: which of a seed's worlds, and what is done to it. */
export interface Planned {
  readonly index: number;
  readonly seed: string;
  /** Ids of mutations, in the order in which they are applied. */
  readonly mutations: readonly string[];
}

/** Of twenty worlds one is left good, eleven have one mutation, four have two, four have three. */
const shares: readonly number[] = [
  0,
  ...Array<number>(11).fill(1),
  ...Array<number>(4).fill(2),
  ...Array<number>(4).fill(3),
];

/** The world of an index: the same for the same seed and list of mutations. Single mutations take turns, so that each gets its share. */
export function planWorld(seed: string, index: number, mutations: readonly string[]): Planned {
  const random = openRandom(`${seed}/plan/${index}`);
  const count = shares[index % shares.length] ?? 1;
  const turn = Math.floor(index / shares.length) * 11 + (index % shares.length) - 1;
  const single = mutations[turn % mutations.length];
  const chosen =
    count === 0 ? [] : count === 1 && single !== undefined ? [single] : random.shuffle(mutations).slice(0, count);
  return { index, seed: `${seed}/${index}`, mutations: chosen };
}
