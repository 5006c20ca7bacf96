import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, matchUses } from '../../src/proof/matching.ts';

/** Every use and connection of the graph, by trying all ways. */
function largest(candidates: readonly Candidate[], taken: ReadonlySet<string> = new Set()): number {
  const [first, ...rest] = candidates;
  if (first === undefined) return 0;
  const without = largest(rest, taken);
  const [use, connection] = [`u ${first.use}`, `c ${first.connection}`];
  if (taken.has(use) || taken.has(connection)) return without;
  return Math.max(without, 1 + largest(rest, new Set([...taken, use, connection])));
}

const graph = fc.uniqueArray(
  fc.record({
    use: fc.constantFrom('u1', 'u2', 'u3', 'u4', 'u5'),
    connection: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
  }),
  { maxLength: 12, selector: ({ use, connection }) => `${use} ${connection}` },
);

test('as many connections as possible are explained, each by a use of its own that fits', () => {
  fc.assert(
    fc.property(graph, (candidates) => {
      const matched = matchUses(candidates);
      expect(matched.size).toBe(largest(candidates));
      expect(new Set(matched.values()).size).toBe(matched.size);
      for (const [connection, use] of matched) expect(candidates).toContainEqual({ use, connection });
    }),
    { numRuns: 500 },
  );
});

test('the order and repeats of candidates change nothing', () => {
  const shuffled = graph.chain((candidates) =>
    fc.tuple(
      fc.constant(candidates),
      fc.shuffledSubarray([...candidates, ...candidates], { minLength: candidates.length * 2 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([candidates, others]) => {
      const sorted = (pairs: Map<string, string>): string[] => [...pairs].map((pair) => pair.join(' ')).sort();
      expect(sorted(matchUses(others))).toEqual(sorted(matchUses(candidates)));
    }),
  );
});

test('a long chain of swaps is followed to its end', () => {
  const length = 2000;
  // c0 fits u0 alone, each other connection its own use and the one before
  const chain = Array.from({ length }, (_, n): Candidate[] => [
    { use: `u${n}`, connection: `c${n}` },
    ...(n === 0 ? [] : [{ use: `u${n - 1}`, connection: `c${n}` }]),
  ]).flat();
  expect(matchUses(chain).size).toBe(length);
});

test('nothing fits, nothing matches', () => {
  expect(matchUses([]).size).toBe(0);
});
