import type { Random } from '../random.ts';
import type { Ns } from '../world.ts';

export const millisecond = 1_000_000n;
export const second = 1_000_000_000n;
export const minute = 60n * second;
export const hour = 60n * minute;

/** A stretch of time between so many ms, to the ns. */
export function stretch(random: Random, leastMs: number, mostMs: number): Ns {
  const us = random.int(Math.round(leastMs * 1000), Math.round(mostMs * 1000));
  return BigInt(us) * 1000n + BigInt(random.int(0, 999));
}

export function latest(times: readonly Ns[], otherwise: Ns): Ns {
  return times.reduce((last, time) => (time > last ? time : last), otherwise);
}

export function earliest(times: readonly Ns[], otherwise: Ns): Ns {
  return times.reduce((first, time) => (time < first ? time : first), otherwise);
}

/** A time between the two, share 0 to 1. */
export function between(from: Ns, until: Ns, share: number): Ns {
  return from + ((until - from) * BigInt(Math.round(share * 1_000_000))) / 1_000_000n;
}
