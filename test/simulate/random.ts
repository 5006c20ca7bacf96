import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Seeded randomness: the same seed gives the same numbers everywhere. */
export interface Random {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** True with the chance `share`, 0 to 1. */
  chance(share: number): boolean;
  /** One of the items; undefined of none. */
  maybe<T>(items: readonly T[]): T | undefined;
  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T;
  /** The items in another order. */
  shuffle<T>(items: readonly T[]): T[];
  /** So many lower-case hex digits. */
  hex(digits: number): string;
  /** So many characters of A-Z and 2-7, as AWS's ids have them. */
  base32(characters: number): string;
  /** Randomness of its own under a name: what one part draws changes nothing for another. */
  fork(name: string): Random;
}

/** Nothing is there to pick from: a mutation that needs it has no place in the world. */
export class NothingToPick extends Error {
  override readonly name = 'NothingToPick';
}

export function openRandom(seed: number | string): Random {
  const generator = xoroshiro128plus(typeof seed === 'number' ? seed : hash(seed));
  const int = (low: number, high: number): number => uniformInt(generator, low, high);
  const letters = (alphabet: string, count: number): string =>
    Array.from({ length: count }, () => alphabet[int(0, alphabet.length - 1)]).join('');
  const maybe = <T>(items: readonly T[]): T | undefined =>
    items.length === 0 ? undefined : items[int(0, items.length - 1)];
  return {
    int,
    chance: (share) => int(0, 999_999) < share * 1_000_000,
    maybe,
    pick: (items) => {
      if (items.length === 0) throw new NothingToPick('There is nothing to pick from.');
      return maybe(items) as (typeof items)[number];
    },
    shuffle: (items) => {
      const copy = [...items];
      for (let at = copy.length - 1; at > 0; at -= 1) {
        const other = int(0, at);
        [copy[at], copy[other]] = [copy[other] as (typeof items)[number], copy[at] as (typeof items)[number]];
      }
      return copy;
    },
    hex: (digits) => letters('0123456789abcdef', digits),
    base32: (characters) => letters('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', characters),
    fork: (name) => openRandom(`${seed}/${name}`),
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value | 0;
}
