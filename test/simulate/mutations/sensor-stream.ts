import type { Random } from '../random.ts';
import type { Node, Ns, World } from '../world.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { byTime, later, lifeOf, second } from './task-life.ts';

export const streamMutations: readonly WorldMutation[] = [
  {
    id: 'stream-cut',
    group: 'sensor',
    about: 'The stream broke within the window and what came meanwhile is lost.',
    changes: 'world',
    apply(world, random) {
      const { node, from, until } = cut(world, random);
      node.sensor.streams.push({ at: from, state: 'disconnected', why: 'Unavailable: error reading from server: EOF' });
      node.sensor.streams.push({ at: until, state: 'connected' });
      return lost(node, from, until);
    },
  },
  {
    id: 'stream-cut-end-untold',
    group: 'sensor',
    about: 'The stream broke within the window; only that it was connected again is told.',
    changes: 'world',
    apply(world, random) {
      const { node, from, until } = cut(world, random);
      if (node.sensor.streams.length === 0) return undefined;
      node.sensor.streams.push({ at: until, state: 'connected' });
      return lost(node, from, until);
    },
  },
  {
    id: 'stream-cut-for-good',
    group: 'sensor',
    about: 'The stream broke within the window and never came back.',
    changes: 'world',
    apply(world, random) {
      const { node, from } = cut(world, random);
      node.sensor.streams.push({ at: from, state: 'disconnected', why: 'Unavailable: error reading from server: EOF' });
      return lost(node, from, 1n << 62n);
    },
  },
  {
    id: 'stream-late',
    group: 'sensor',
    about: 'The stream was connected only after the task had begun.',
    changes: 'world',
    apply(world, random) {
      const { node, until } = cut(world, random);
      if (node.sensor.streams.some(({ at }) => at >= until)) return undefined;
      node.sensor.streams = [{ at: until, state: 'connected' }];
      return {
        ...lost(node, 0n, until),
        codes: ['stream-gap', 'unknown-parent'],
        names: [node.name, world.tasks[0].id],
      };
    },
  },
  {
    id: 'stream-line-lost',
    group: 'harmless',
    about: 'No line tells when the stream was connected; canaries and health lines are all there.',
    changes: 'world',
    apply(world, random) {
      const node = random.pick(lifeOf(world).nodes);
      if (node.sensor.streams.length !== 1) return undefined;
      node.sensor.streams = [];
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'sensor-restart',
    group: 'sensor',
    about: 'The sensor was started anew within the window; what came until its policies were loaded is lost.',
    changes: 'world',
    apply(world, random) {
      const { node, from, until } = cut(world, random);
      node.sensor.restarts = [...node.sensor.restarts, from].sort(byTime);
      node.sensor.streams.push({ at: from, state: 'disconnected', why: 'Unavailable: error reading from server: EOF' });
      node.sensor.streams.push({ at: until, state: 'connected' });
      return { ...lost(node, from, until), codes: ['sensor-restart', 'stream-gap'] };
    },
  },
  {
    id: 'sensor-restart-nothing-lost',
    group: 'sensor',
    about: 'The sensor was started anew within the window; only its start time tells.',
    changes: 'world',
    apply(world, random) {
      const { node, from } = cut(world, random);
      node.sensor.restarts = [...node.sensor.restarts, from].sort(byTime);
      return { truth: 'doubt', codes: ['sensor-restart'], names: [node.name] };
    },
  },
];

function cut(world: World, random: Random): { node: Node; from: Ns; until: Ns } {
  const life = lifeOf(world);
  const node = random.pick(life.nodes);
  const length = later(life.until - life.from, 2n);
  const from = life.from + (length * BigInt(random.int(1, 80))) / 100n;
  return { node, from, until: from + BigInt(random.int(20, 300)) * (second / 100n) };
}

function lost(node: Node, from: Ns, until: Ns): Expected {
  node.sensor.streams.sort((a, b) => byTime(a.at, b.at));
  node.sensor.blind.push({ from, until });
  return { truth: 'doubt', codes: ['stream-gap'], names: [node.name] };
}
