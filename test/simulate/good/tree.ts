import { millisecond, stretch } from './time.ts';
import { jobs } from './jobs.ts';
import { begin, end, interpreters, shells } from './processes.ts';
import { report, visit } from './connections.ts';
import type { Place, Step } from './place.ts';
import type { Random } from '../random.ts';
import type { Ns, Process } from '../world.ts';

/** Job shapes and how often each comes. */
const shares: readonly (readonly [string, number])[] = [
  ['tool', 0.3],
  ['self', 0.16],
  ['fork', 0.1],
  ['image', 0.1],
  ['nested', 0.1],
  ['thread', 0.08],
  ['daemon', 0.08],
  ['handed', 0.04],
  ['loopback', 0.04],
];

/** What a task does besides what chance brings: at which point of its work, and what. */
export interface Extra {
  /** 0: before all else. */
  readonly afterJobs: number;
  readonly step: Step;
}

/** The tree of one task, from the fork of its root to the last exit. */
export function growTree(
  place: Place,
  random: Random,
  start: Ns,
  extras: readonly Extra[],
): { root: Process; end: Ns } {
  const { variety } = place.size;
  let root = begin(place, random, {
    parent: place.machine.runtime,
    at: start,
    program: random.pick(random.chance(0.3 * variety) ? shells : interpreters),
    env: place.env,
    inside: true,
  });
  const first = root;
  if (random.chance(0.2 * variety)) {
    const at = root.started + stretch(random, 5, 60);
    root = begin(place, random, { parent: root, at, program: random.pick(interpreters), how: 'image' });
  }
  const count = random.int(...place.size.jobs);
  // Now and then a task waits for somebody, long enough for its credential to be renewed.
  const pause: readonly [number, number] = random.chance(0.12 * variety) ? [30_000, 400_000] : place.size.pause;
  let now = root.started + stretch(random, 5, 100);
  let last = now;
  for (let index = 0; index <= count; index += 1) {
    for (const extra of extras.filter(
      ({ afterJobs }) => afterJobs === index || (index === count && afterJobs > count),
    )) {
      now = extra.step(place, random, { process: root }, now) + stretch(random, 1, 100);
      if (now > last) last = now;
    }
    if (index === count) break;
    const ended = draw(random, variety)(place, random, { process: root }, now);
    if (ended > last) last = ended;
    if (place.infrastructure.length > 0 && random.chance(0.3)) {
      const reported = report(place, random, { process: root }, now);
      if (reported > last) last = reported;
    }
    const parallel = random.chance(0.25 * variety);
    now = (parallel ? now + 5n * millisecond : ended) + stretch(random, ...pause);
  }
  return { root: first, end: end(random, root, last > now ? last : now) };
}

/** Does the named thing at the target first, whatever else it does on that connection. */
export function errand(target: Parameters<typeof visit>[4]): Step {
  return (place, random, actor, at) => visit(place, random, actor, at, target).closed;
}

function draw(random: Random, variety: number): Step {
  let left = variety === 0 ? 0 : random.int(0, 999_999) / 1_000_000;
  for (const [name, share] of shares) {
    const job = jobs[name];
    if (job !== undefined && left < share) return job;
    left -= share;
  }
  return jobs['self'] ?? ((_place, _random, _actor, at) => at);
}
