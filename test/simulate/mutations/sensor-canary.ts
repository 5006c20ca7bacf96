import type { Canary, Node, World } from '../world.ts';
import type { WorldMutation } from './mutation.ts';
import { healthSteps, lifeOf, second, type TaskLife, usualSpacing } from './task-life.ts';

export const canaryMutations: readonly WorldMutation[] = [
  {
    id: 'canary-unseen',
    group: 'sensor',
    about: 'A canary was made and told, but the sensor never showed it.',
    changes: 'world',
    apply(world, random) {
      const { node, within } = canariesOf(world);
      const canary = random.maybe(within);
      if (canary === undefined) return undefined;
      canary.made = false;
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canary-number-missing',
    group: 'sensor',
    about: 'Neither line nor event of a canary is there: its number is missing between two others.',
    changes: 'world',
    apply(world, random) {
      const { node, within } = canariesOf(world);
      const canary = random.maybe(within);
      const numbers = new Set(node.sensor.canaries.map(({ n }) => n));
      // the first and the last of a run of the collector are missed by nobody
      if (canary === undefined || !numbers.has(canary.n - 1) || !numbers.has(canary.n + 1)) return undefined;
      canary.made = false;
      canary.told = false;
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canaries-after-exit-unseen',
    group: 'sensor',
    about: 'No canary that was made after the last exit has arrived.',
    changes: 'world',
    apply(world) {
      const { node, life } = canariesOf(world);
      const after = node.sensor.canaries.filter(({ at }) => at > life.until);
      if (after.length === 0) return undefined;
      for (const canary of after) canary.made = false;
      return { truth: 'doubt', codes: ['canary-missed', 'stream-gap'], names: [node.name] };
    },
  },
  {
    id: 'canaries-before-start-unseen',
    group: 'sensor',
    about: 'No canary that was made before the task began has arrived.',
    changes: 'world',
    apply(world) {
      const { node, life } = canariesOf(world);
      const before = node.sensor.canaries.filter(({ at }) => at < life.from);
      if (before.length === 0) return undefined;
      for (const canary of before) canary.made = false;
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canaries-none',
    group: 'sensor',
    about: 'The collector made no canaries.',
    changes: 'world',
    apply(world) {
      const { node } = canariesOf(world);
      if (node.sensor.canaries.length === 0) return undefined;
      node.sensor.canaries = [];
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canary-forged-by-task',
    group: 'sensor',
    about: "The collector's canary was lost; a process of the task made the same connect.",
    changes: 'world',
    apply(world, random) {
      const { node, life, within } = canariesOf(world);
      const forged = random.shuffle(within).flatMap((canary) => {
        const alive = life.tree.filter(
          ({ node: name, started, exited }) =>
            name === node.name && started < canary.at && exited !== undefined && exited > canary.at,
        );
        const process = random.maybe(alive);
        return process === undefined ? [] : [{ canary, process }];
      })[0];
      if (forged === undefined) return undefined;
      forged.canary.by = forged.process.id;
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canaries-pause',
    group: 'sensor',
    about: 'The collector made canaries much more often before the task than while it ran.',
    changes: 'world',
    apply(world, random) {
      const { node, life } = canariesOf(world);
      const { canaries, streams } = node.sensor;
      const first = canaries[0];
      const pause = canaries.find(({ at }, place) => {
        const before = canaries[place - 1];
        return before !== undefined && at > life.from && before.at < life.until && at - before.at > 11n * second;
      });
      if (first === undefined || pause === undefined) return undefined;
      const count = 2 * canaries.length + random.int(3, 9);
      const often = Array.from({ length: count }, (_, k): Canary => {
        return { ...first, n: first.n + k, at: first.at - BigInt(count - k) * 3n * second };
      });
      const rest = canaries.map((canary): Canary => ({ ...canary, n: canary.n + count }));
      node.sensor.canaries = [...often, ...rest];
      node.sensor.streams = streams.map((line, place) =>
        place === 0 ? { ...line, at: first.at - BigInt(count) * 4n * second } : line,
      );
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'silent-loss-over-canary',
    group: 'sensor',
    about: 'For a moment within the window no event at all reached the evidence; no counter moved.',
    changes: 'world',
    apply(world, random) {
      const { node, within } = canariesOf(world);
      const canary = random.maybe(within);
      if (canary === undefined) return undefined;
      const half = BigInt(random.int(50, 900)) * 1_000_000n;
      node.sensor.blind.push({ from: canary.at - half, until: canary.at + half });
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'silent-loss-at-start',
    group: 'sensor',
    about: "Nothing reached the evidence from before the task's start to within it, over a canary; no counter moved.",
    changes: 'world',
    apply(world) {
      const { node, life } = canariesOf(world);
      const before = node.sensor.canaries.filter(({ at }) => at < life.from).at(-1);
      if (before === undefined) return undefined;
      const until = life.from + (life.until - life.from) / 4n;
      node.sensor.blind.push({ from: before.at - 1_000_000n, until });
      return { truth: 'doubt', codes: ['canary-missed'], names: [node.name] };
    },
  },
  {
    id: 'canary-line-lost',
    group: 'harmless',
    about: 'The line of one canary is lost; its event is there, and so are the lines around it.',
    changes: 'world',
    apply(world, random) {
      const { node, within } = canariesOf(world);
      const all = node.sensor.canaries;
      const canary = random.maybe(within.filter((one) => one !== all[0] && one !== all.at(-1)));
      if (canary === undefined) return undefined;
      canary.told = false;
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'canary-late-within-usual',
    group: 'harmless',
    about: 'A canary was made later than usual, but less than half a spacing.',
    changes: 'world',
    apply(world, random) {
      const { node, within } = canariesOf(world);
      const canary = random.maybe(within);
      if (canary === undefined) return undefined;
      const late = (usualSpacing(node.sensor.canaries.map(({ at }) => at)) * BigInt(random.int(5, 45))) / 100n;
      node.sensor.canaries = node.sensor.canaries.map((one) => (one === canary ? { ...one, at: one.at + late } : one));
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'cached-events-left',
    group: 'sensor',
    about: 'After the last exit the sensor still held events back, and the recording ends before 30 s have passed.',
    changes: 'world',
    apply(world, random) {
      const { node, life } = canariesOf(world);
      const step = healthSteps(node, life.until, life.until + 25_000_000_000n)[0];
      if (step === undefined || step.until <= life.until) return undefined;
      const end = life.until + 26_000_000_000n;
      node.sensor.health = node.sensor.health.filter((at) => at <= end);
      node.sensor.canaries = node.sensor.canaries.filter(({ at }) => at <= end);
      node.sensor.blind.push({ from: end, until: 1n << 62n });
      holdBack(node, life.until, random.int(1, 40));
      return { truth: 'doubt', codes: ['stream-gap'], names: [node.name] };
    },
  },
  {
    id: 'cached-events-outlasted',
    group: 'harmless',
    about: 'The sensor still held events back, but the recording goes on for longer than it ever holds one.',
    changes: 'world',
    apply(world, random) {
      const { node, life } = canariesOf(world);
      if (!node.sensor.canaries.some(({ at }) => at > life.until + 31_000_000_000n)) return undefined;
      holdBack(node, life.until, random.int(1, 40));
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
];

/** Canaries of the task's first node; those in its lifetime. */
function canariesOf(world: World): { node: Node; life: TaskLife; within: Canary[] } {
  const life = lifeOf(world);
  const node = life.nodes[0];
  return { node, life, within: node.sensor.canaries.filter(({ at }) => at > life.from && at < life.until) };
}

/** Whatever was said of a later time gives way. */
function holdBack(node: Node, from: bigint, entries: number): void {
  node.sensor.cached = [...node.sensor.cached.filter((one) => one.from < from), { from, entries }];
}
