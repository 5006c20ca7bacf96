import type { Trail, World } from '../world.ts';
import { lifeOf } from './task-life.ts';

/** Trails of the accounts whose roles the task's sessions are of, in every region. */
export function ownTrails(world: World): Trail[] {
  const account = lifeOf(world).sessions[0]?.account;
  const own = world.trails.filter((trail) => trail.account === account);
  // Where a second trail carries the proof, what ails one of them matters little.
  const names = new Set(own.map(({ name, region, multiRegion }) => (multiRegion ? name : `${name} ${region}`)));
  return names.size === 1 || new Set(own.map(({ region }) => region)).size === own.length ? own : [];
}

/** 111122223333/us-east-1, as subjects have it. */
export function placesOf(trails: readonly Trail[]): string[] {
  return trails.map(({ account, region }) => `${account}/${region}`);
}
