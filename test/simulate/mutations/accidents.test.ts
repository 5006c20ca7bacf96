import { beforeAll, describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { makeGoodWorld } from '../good/good-world.ts';
import { auditMutations } from './audit.ts';
import { declarationMutations } from './declaration.ts';
import { harmlessMutations } from './harmless.ts';
import type { Expected, Mutation } from './mutation.ts';
import { sensorMutations } from './sensor.ts';
import { openRandom } from '../random.ts';
import { renderWorld } from '../render-world.ts';
import type { World } from '../world.ts';

const all: readonly Mutation[] = [...sensorMutations, ...auditMutations, ...declarationMutations, ...harmlessMutations];
const seeds = Array.from({ length: 40 }, (_, seed) => `accident-${seed}`);

describe('mutations of evidence and of what it was taken with', () => {
  const rendered = new Map<string, Evidence>();
  beforeAll(() => {
    rendered.clear();
  });

  /** Changing evidence leaves what was rendered for others as it was. */
  function evidenceOf(seed: string, world: World): Evidence {
    const evidence = rendered.get(seed) ?? renderWorld(world);
    rendered.set(seed, evidence);
    return structuredClone(evidence);
  }

  function apply(mutation: Mutation, seed: string): { expected: Expected | undefined; left: string } {
    const world = makeGoodWorld(seed);
    const random = openRandom(`${seed}/${mutation.id}`);
    if (mutation.changes === 'world') return { expected: mutation.apply(world, random), left: print(world) };
    const evidence = evidenceOf(seed, world);
    const expected = mutation.apply(evidence, world, random);
    return {
      expected,
      left: print(evidence.cloudtrail.map(({ path, text }) => [path, text])) + print(evidence.sensor),
    };
  }

  it('have ids of their own', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it.each(all.map((mutation) => [mutation.id, mutation] as const))('%s', (_, mutation) => {
    const seed = seeds.find((one) => apply(mutation, one).expected !== undefined);
    expect(seed, 'no world has a place for it').toBeDefined();
    if (seed === undefined) return;
    const [once, again] = [apply(mutation, seed), apply(mutation, seed)];
    expect(again.expected).toEqual(once.expected);
    expect(again.left === once.left, 'the same each time').toBe(true);
    const { truth, codes = [] } = once.expected ?? {};
    expect(codes.length > 0, 'what is no harm has no codes, all else has').toBe(truth !== 'harmless');
  });

  it.each(all.map((mutation) => [mutation.id, mutation] as const))('%s leaves what it does not fit', (_, mutation) => {
    if (mutation.changes !== 'world') return;
    for (const seed of seeds.slice(0, 12)) {
      const world = makeGoodWorld(seed);
      const before = print(world);
      if (mutation.apply(world, openRandom(seed)) !== undefined) continue;
      expect(print(world) === before, `${seed} is as it was`).toBe(true);
    }
  });
});

function print(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
}
