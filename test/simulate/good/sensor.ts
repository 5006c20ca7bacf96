import type { Size } from './size.ts';
import { second, stretch } from './time.ts';
import type { Random } from '../random.ts';
import type { Node, Ns } from '../world.ts';

/**
 * A healthy sensor, watched from some time before the window to some time behind it: regular health lines and canaries, and
 * one canary at least behind the last exit, with a health line after it.
 */
export function watch(random: Random, node: Node, size: Size, from: Ns, until: Ns): void {
  const { sensor } = node;
  const begin = from - stretch(random, 3000, 20_000);
  sensor.streams.push({ at: begin - stretch(random, 500, 5000), state: 'connected' });
  const length = Number((until - from) / second);
  // The longer a window, the rarer: what is to be shown is that they are regular.
  const healthEvery = Math.min(60, Math.max(random.int(10, 60), Math.ceil(length / 40)));
  const canaryEvery = Math.max(random.int(10, 60), Math.ceil(length / (size.variety === 0 ? 3 : 6)));
  const canaries = regular(random, begin, until + stretch(random, 1000, 4000), canaryEvery);
  const first = random.int(1, 70_000);
  const port = random.pick([1, 9, 4095]);
  sensor.canaries.push(...canaries.map((at, index) => ({ n: first + index, at, port, told: true, made: true })));
  const last = canaries.at(-1) ?? until;
  sensor.health.push(
    ...regular(random, begin - stretch(random, 100, 2000), last + stretch(random, 2200, 4000), healthEvery),
  );
  if (random.chance(0.3 * size.variety))
    sensor.cached.push({ from: begin, entries: random.int(1, 40) }, { from: last, entries: 0 });
  if (random.chance(0.4))
    sensor.streams.push({ at: last + 200n * second, state: 'disconnected', why: 'the collector was stopped' });
}

/** Times from the first to one at or past the last, each so many seconds after the other, a tenth more or less. */
function regular(random: Random, from: Ns, until: Ns, every: number): Ns[] {
  const times = [from];
  let now = from;
  while (now < until) {
    now += stretch(random, every * 930, every * 1070);
    times.push(now);
  }
  return times;
}
