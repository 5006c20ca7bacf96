import type { Evidence, SensorLine } from '../evidence.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { least } from './places.ts';
import { byTime, lifeOf, second, type TaskLife, usualSpacing } from './task-life.ts';

const code = 'no-health-evidence';

/** What may be missing of the lines that tell how the sensor was. */
export const healthMutations: readonly EvidenceMutation[] = [
  {
    id: 'health-hole',
    group: 'sensor',
    about: 'For much longer than usual no health line was taken.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const lines = healthOf(evidence, life);
      const first = lines.findIndex(({ at }) => at > life.from);
      const last = random.int(first, first + 8);
      const [before, behind] = [lines[first - 1], lines[last + 1]];
      if (before === undefined || behind === undefined) return undefined;
      const left = lines.filter((_, place) => place < first || place > last).map(({ at }) => at);
      // What is usual is told by the lines that are left: of few of them, nothing is.
      const usual = usualSpacing(left);
      if (left.length < 6 || behind.at - before.at < 3n * usual + 6n * second) return undefined;
      return without(evidence, life, ({ at }) => at > before.at && at < behind.at);
    },
  },
  {
    id: 'health-line-lost',
    group: 'harmless',
    about: 'One health line is missing between two others: counters are cumulative.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const lines = healthOf(evidence, life);
      const usual = usualSpacing(lines.map(({ at }) => at));
      const spare = lines.filter(({ at }, place) => {
        const [before, behind] = [lines[place - 1], lines[place + 1]];
        if (before === undefined || behind === undefined || at < life.from || at > life.until) return false;
        // no usual spacing excuses more than two minutes
        return behind.at - before.at < least([(22n * usual) / 10n, 115_000_000_000n]);
      });
      const line = random.maybe(spare);
      if (line === undefined) return undefined;
      evidence.sensor = evidence.sensor.filter((one) => one !== line);
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'health-none',
    group: 'sensor',
    about: 'No line tells how the sensor was.',
    changes: 'evidence',
    apply: (evidence, world) => without(evidence, lifeOf(world), () => true),
  },
  {
    id: 'sensor-file-missing',
    group: 'sensor',
    about: 'There are no lines about the sensor at all.',
    changes: 'evidence',
    apply(evidence, world) {
      evidence.sensor = [];
      return { truth: 'doubt', codes: [code, 'canary-missed'], names: [lifeOf(world).nodes[0].name] };
    },
  },
  {
    id: 'health-ends-early',
    group: 'sensor',
    about: 'The last health line was taken before the last exit.',
    changes: 'evidence',
    apply(evidence, world) {
      const life = lifeOf(world);
      return without(evidence, life, ({ at }) => at >= life.until - second);
    },
  },
  {
    id: 'health-begins-late',
    group: 'sensor',
    about: 'The first health line was taken after the task had begun.',
    changes: 'evidence',
    apply(evidence, world) {
      const life = lifeOf(world);
      return without(evidence, life, ({ at }) => at <= life.from + second);
    },
  },
  {
    id: 'health-error',
    group: 'sensor',
    about: 'When a health line was due, the sensor could not be asked.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const line = random.maybe(healthOf(evidence, life).filter(({ at }) => at > life.from && at < life.until));
      if (line === undefined) return undefined;
      const { node, time } = JSON.parse(line.text) as { node: string; time: string };
      line.text = JSON.stringify({ kind: 'health', node, time, error: 'Unavailable: connection refused' });
      return { truth: 'doubt', codes: [code], names: [node] };
    },
  },
  {
    id: 'health-without-counters',
    group: 'sensor',
    about: 'From within the window on, health lines tell no counters.',
    changes: 'evidence',
    apply(evidence, world) {
      const life = lifeOf(world);
      const lines = healthOf(evidence, life).filter(({ at }) => at > life.from);
      if (lines.length === 0) return undefined;
      for (const line of lines) line.text = JSON.stringify({ ...(JSON.parse(line.text) as object), metrics: {} });
      return { truth: 'doubt', codes: [code], names: [life.nodes[0].name] };
    },
  },
  {
    id: 'health-without-policies',
    group: 'sensor',
    about: 'Health lines tell no policies.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const policies = random.chance(0.5) ? [] : undefined;
      for (const line of healthOf(evidence, life)) {
        line.text = JSON.stringify({ ...(JSON.parse(line.text) as object), policies });
      }
      return { truth: 'doubt', codes: [code, 'policy-missing'], names: [life.nodes[0].name] };
    },
  },
];

/** Health lines of the node where the task began, in order of time. */
function healthOf(evidence: Evidence, life: TaskLife): SensorLine[] {
  const node = life.nodes[0].name;
  return evidence.sensor
    .filter((line) => line.kind === 'health' && line.node === node)
    .sort((a, b) => byTime(a.at, b.at));
}

function without(evidence: Evidence, life: TaskLife, gone: (line: SensorLine) => boolean): Expected | undefined {
  const lines = new Set(healthOf(evidence, life).filter(gone));
  if (lines.size === 0) return undefined;
  evidence.sensor = evidence.sensor.filter((line) => !lines.has(line));
  return { truth: 'doubt', codes: [code], names: [life.nodes[0].name] };
}
