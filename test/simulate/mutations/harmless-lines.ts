import type { Evidence } from '../evidence.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { treeIds } from './places.ts';
import { second } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };

/** How lines of evidence may come otherwise than usual. */
export const lineMutations: readonly EvidenceMutation[] = [
  {
    id: 'lines-shuffled',
    group: 'harmless',
    about: 'Lines stand in another order, as those of rotated files that are read in any order.',
    changes: 'evidence',
    apply(evidence, _, random) {
      evidence.tetragon = random.shuffle(evidence.tetragon);
      evidence.sensor = random.shuffle(evidence.sensor);
      evidence.cloudtrail = random.shuffle(evidence.cloudtrail);
      return harmless;
    },
  },
  {
    id: 'lines-repeated',
    group: 'harmless',
    about: 'Lines stand in the evidence more than once.',
    changes: 'evidence',
    apply(evidence, _, random) {
      const share = random.int(1, 100) / 100;
      evidence.tetragon = evidence.tetragon.flatMap((line) => (random.chance(share) ? [line, { ...line }] : [line]));
      evidence.sensor = evidence.sensor.flatMap((line) => (random.chance(share) ? [line, { ...line }] : [line]));
      return harmless;
    },
  },
  {
    id: 'events-of-one-cpu-late',
    group: 'harmless',
    about: 'Some events came 30 s after the others, as those that the sensor held back do.',
    changes: 'evidence',
    apply(evidence, _, random) {
      const when = new Map(
        evidence.tetragon.map((line) => [line, line.at + (random.chance(0.3) ? 30n * second : 0n)] as const),
      );
      evidence.tetragon = [...evidence.tetragon].sort((a, b) => Number((when.get(a) ?? 0n) - (when.get(b) ?? 0n)));
      return harmless;
    },
  },
  {
    id: 'fields-unknown',
    group: 'harmless',
    about: 'Lines have fields that nobody knows.',
    changes: 'evidence',
    apply(evidence, _, random) {
      for (const line of [...evidence.tetragon, ...evidence.sensor]) {
        if (random.chance(0.3))
          line.text = line.text.replace(/\}$/, `,"x_${random.hex(4)}":{"time":"x","node_name":[1]}}`);
      }
      return harmless;
    },
  },
  {
    id: 'events-of-other-kinds',
    group: 'harmless',
    about: 'Events of kinds and hooks that no claim needs, of processes outside the task.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const tree = treeIds(world);
      const others = evidence.tetragon.filter(
        ({ process, hook }) => process !== undefined && !tree.has(process) && hook === 'exec',
      );
      const line = random.maybe(others);
      if (line === undefined) return undefined;
      const { process_exec, ...rest } = JSON.parse(line.text) as { process_exec: { process: object; parent: object } };
      const { process, parent } = process_exec;
      const loader = { process, path: '/usr/lib/libssl.so.3', buildid: 'qrvM3Q==' };
      const hooked = { process, parent, function_name: 'security_bprm_check', policy_name: 'other', args: [] };
      for (const event of [{ process_loader: loader }, { process_kprobe: hooked }]) {
        const hook = Object.keys(event)[0] ?? '';
        evidence.tetragon.push({ ...line, hook, text: JSON.stringify({ ...event, ...rest }) });
      }
      return harmless;
    },
  },
  {
    id: 'lines-with-carriage-return',
    group: 'harmless',
    about: 'Lines end as on another system.',
    changes: 'evidence',
    apply(evidence: Evidence) {
      for (const line of [...evidence.tetragon, ...evidence.sensor]) line.text = `${line.text}\r`;
      return harmless;
    },
  },
];
