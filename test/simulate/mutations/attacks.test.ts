import { describe, expect, it } from 'vitest';
import { makeGoodWorld } from '../good/good-world.ts';
import { credentialLimits } from './credential-scope.ts';
import { credentialMutations } from './credential.ts';
import { egressMutations } from './egress.ts';
import { lifeOf } from './places.ts';
import { treeMutations } from './tree.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { openRandom } from '../random.ts';
import { renderWorld } from '../render-world.ts';
import type { World } from '../world.ts';

const mutations = [...credentialMutations, ...credentialLimits, ...egressMutations, ...treeMutations];
const seeds = Array.from({ length: 40 }, (_, index) => `attack-${index}`);

interface Applied {
  readonly seed: string;
  readonly world: World;
  readonly expected: Expected;
}

function apply(mutation: WorldMutation, seed: string): Applied | undefined {
  const world = makeGoodWorld(seed);
  const expected = mutation.apply(world, openRandom(`${seed}/${mutation.id}`));
  return expected && { seed, world, expected };
}

function applied(mutation: WorldMutation, most: number): Applied[] {
  const found: Applied[] = [];
  for (const seed of seeds) {
    const one = apply(mutation, seed);
    if (one !== undefined) found.push(one);
    if (found.length === most) break;
  }
  return found;
}

it('gives every mutation an id of its own', () => {
  expect(new Set(mutations.map(({ id }) => id)).size).toBe(mutations.length);
});

describe.each(mutations.map((mutation) => [mutation.id, mutation] as const))('%s', (_, mutation) => {
  const found = applied(mutation, 4);

  it('finds a place in a good world', () => {
    expect(found).not.toEqual([]);
  });

  it('does the same again for the same seed', () => {
    for (const { seed, world, expected } of found) expect(apply(mutation, seed)).toEqual({ seed, world, expected });
  });

  it('says what must come out', () => {
    for (const { expected } of found) {
      expect(expected.codes.length > 0).toBe(expected.truth !== 'harmless');
      expect(expected.names.length > 0).toBe(expected.truth !== 'harmless');
    }
  });

  it('leaves a world in which ids are unique and everyone acts while alive', () => {
    for (const { world } of found) {
      for (const ids of [
        world.processes.map(({ id }) => id),
        world.acts.map(({ id }) => id),
        world.calls.map(({ id }) => id),
        world.sessions.map(({ key }) => key),
        world.calls.map(({ eventId }) => eventId),
        world.sessions.map(({ eventId }) => eventId),
      ])
        expect(new Set(ids).size).toBe(ids.length);
      for (const act of world.acts) {
        const process = world.processes.find(({ id }) => id === act.process);
        if (process === undefined) throw new Error(`Nobody did ${act.id}.`);
        const { from, until } = lifeOf(world, process);
        expect(act.at >= from && act.at <= until, `${act.id} ${act.kind}`).toBe(true);
      }
      expect(pidsAtOnce(world)).toEqual([]);
    }
  });

  it('leaves a world that can be rendered', () => {
    for (const { world } of found.slice(0, 1)) expect(renderWorld(world).tetragon.length).toBeGreaterThan(0);
  });
});

/** Processes that have one process id at one time. */
function pidsAtOnce(world: World): string[] {
  const lives = world.processes
    .filter(({ how }) => how !== 'image')
    .map((process) => ({ process, from: process.forked, until: lastLife(world, process.id) }));
  return lives.flatMap(({ process, from, until }, index) =>
    lives.slice(index + 1).flatMap((other) => {
      const same = other.process.node === process.node && other.process.pid === process.pid;
      return same && other.from < until && from < other.until ? [`${process.id} ${other.process.id}`] : [];
    }),
  );
}

/** The end of a process through all its images. */
function lastLife(world: World, id: string): bigint {
  const next = world.processes.find(({ parent, how }) => parent === id && how === 'image');
  if (next !== undefined) return lastLife(world, next.id);
  const process = world.processes.find((one) => one.id === id);
  return process?.exited ?? 1n << 62n;
}
