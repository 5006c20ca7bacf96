import type { Random } from '../random.ts';
import type { Call, TcpAct, World } from '../world.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { lifeOf, second, type TaskLife } from './task-life.ts';

/** What the configuration's tolerance is when it says nothing, and the second that a provider's time leaves open. */
const tolerance = 2n * second;

export const clockMutations: readonly WorldMutation[] = [
  {
    id: 'clock-within-tolerance',
    group: 'harmless',
    about: "A node's clock was off by less than the tolerance.",
    changes: 'world',
    apply(world, random) {
      for (const node of lifeOf(world).nodes) node.skew = BigInt(random.int(-950, 950)) * 1_000_000n;
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'clock-off-by-seconds',
    group: 'sensor',
    about: "A node's clock was off by more than the tolerance.",
    changes: 'world',
    apply: (world, random) => shift(world, random, 6, 40),
  },
  {
    id: 'clock-off-by-minutes',
    group: 'sensor',
    about: "A node's clock was off by minutes.",
    changes: 'world',
    apply: (world, random) => shift(world, random, 120, 1500),
  },
];

/**
 * Nothing in the evidence tells which clock is wrong: uses lie beside the connections that carried them, as they would if
 * someone else had made them.
 */
function shift(world: World, random: Random, low: number, high: number): Expected | undefined {
  const life = lifeOf(world);
  const skew = BigInt(random.int(low, high) * (random.chance(0.5) ? 1 : -1)) * second;
  const stray = life.calls.filter((call) => call.logged && !fits(call, life, skew));
  if (stray.length === 0) return undefined;
  for (const node of life.nodes) node.skew = skew;
  return {
    truth: 'violation',
    codes: ['foreign-use', 'use-after-task', 'late-declaration', 'unexplained-connection', 'ambiguous-use'],
    names: stray.flatMap(({ eventId, key, action }) => [eventId, key, action]).concat(life.task.id),
    unshown: "What a wrong clock leaves behind is the same as someone else's use; a doubt is no less right.",
  };
}

/** A connection of the task to the same host, as its node's clock has it, was open then. */
function fits(call: Call, life: TaskLife, skew: bigint): boolean {
  const near = life.acts.filter((act): act is typeof act & TcpAct => act.kind === 'tcp');
  const own = near.find(({ id }) => id === call.connection);
  return near.some(
    (act) =>
      (own === undefined || act.tuple.remotePort === own.tuple.remotePort) &&
      call.at >= act.at + skew - tolerance - second &&
      call.at <= (act.closed ?? life.until) + skew + tolerance + second,
  );
}
