import type { Evidence, KernelLine } from '../evidence.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { lifeOf } from './task-life.ts';

const lostLine = ['stream-gap', 'sensor-loss'];

/** What may happen to the sensor's export on its way. */
export const exportMutations: readonly EvidenceMutation[] = [
  {
    id: 'export-line-cut',
    group: 'sensor',
    about: 'A line of the export was cut.',
    changes: 'evidence',
    apply: (evidence, _, random) =>
      changeLine(evidence, random, anyNode, ({ text }) => text.slice(0, random.int(1, text.length - 2))),
  },
  {
    id: 'export-line-garbled',
    group: 'sensor',
    about: 'A line of the export is no JSON any more.',
    changes: 'evidence',
    apply: (evidence, _, random) =>
      changeLine(evidence, random, anyNode, ({ text }) => {
        const at = random.int(0, Math.floor(text.length / 2));
        return `${text.slice(0, at)}\u0000{"${text.slice(at + 9)}`;
      }),
  },
  {
    id: 'export-line-no-event',
    group: 'sensor',
    about: 'A line of the export is JSON, but no event.',
    changes: 'evidence',
    apply: (evidence, _, random) =>
      changeLine(evidence, random, anyNode, () => random.pick(['{}', '[]', '{"time":"x"}', '0'])),
  },
  {
    id: 'export-without-time',
    group: 'sensor',
    about: 'A line of the export bears no time that can be read.',
    changes: 'evidence',
    apply: (evidence, world, random) =>
      changeLine(evidence, random, ofTask(world), ({ text }) =>
        text.replaceAll(/"time":\s*"[^"]*"/g, `"time":"${random.pick(['', 'never', '2026-13-45T99:00:00Z'])}"`),
      ),
  },
  {
    id: 'export-tail-missing',
    group: 'sensor',
    about: 'The export ends while the task still ran.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const until = life.from + ((life.until - life.from) * BigInt(random.int(10, 90))) / 100n;
      const codes = ['canary-missed', 'still-running', 'stream-gap', 'escaped-process', 'unknown-parent'];
      return keep(evidence, codes, [life.nodes[0].name, 'pid'], ({ at }) => at < until);
    },
  },
  {
    id: 'export-tail-after-exit-missing',
    group: 'sensor',
    about: 'The export ends with the last exit: no later canary is in it.',
    changes: 'evidence',
    apply(evidence, world) {
      const life = lifeOf(world);
      const codes = ['canary-missed', 'stream-gap'];
      return keep(evidence, codes, [life.nodes[0].name], ({ at }) => at <= life.until);
    },
  },
  {
    id: 'export-head-missing',
    group: 'sensor',
    about: 'The export begins after the task did.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const from = life.from + ((life.until - life.from) * BigInt(random.int(1, 40))) / 100n;
      const codes = ['canary-missed', 'stream-gap', 'unknown-parent', 'escaped-process', 'anonymous-event'];
      return keep(evidence, codes, [life.nodes[0].name, life.task.id, 'pid'], ({ at }) => at > from);
    },
  },
  {
    id: 'export-missing',
    group: 'sensor',
    about: 'There is no export at all.',
    changes: 'evidence',
    apply(evidence, world) {
      evidence.tetragon = [];
      return { truth: 'doubt', codes: ['unknown-parent'], names: [world.tasks[0].id] };
    },
  },
  {
    id: 'events-without-process',
    group: 'sensor',
    about: 'The sensor did not know whose some events were.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const process = random.maybe(world.processes.filter(({ node }) => node === life.nodes[0].name));
      const own = evidence.tetragon.filter(
        (line) =>
          line.process === process?.id &&
          line.at > life.from &&
          line.at < life.until &&
          !['exec', 'exit', 'wake_up_new_task'].includes(line.hook),
      );
      if (process === undefined || own.length === 0) return undefined;
      for (const line of own) line.text = stripProcess(line.text);
      return { truth: 'doubt', codes: ['anonymous-event'], names: [`pid ${process.pid}`] };
    },
  },
  {
    id: 'throttled',
    group: 'sensor',
    about: 'The sensor held back events of a busy group of processes for a time.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const from = life.from + ((life.until - life.from) * BigInt(random.int(5, 60))) / 100n;
      const until = from + (life.until - from) / 2n;
      add(evidence, life.nodes[0], from, { process_throttle: { type: 'THROTTLE_START', cgroup: 'task.slice' } });
      if (random.chance(0.7)) {
        add(evidence, life.nodes[0], until, { process_throttle: { type: 'THROTTLE_STOP', cgroup: 'task.slice' } });
      }
      return { truth: 'doubt', codes: ['throttled'], names: [life.nodes[0].name] };
    },
  },
  {
    id: 'export-rate-limited',
    group: 'sensor',
    about: "The rate limit of the sensor's export dropped events.",
    changes: 'evidence',
    apply(evidence, world, random) {
      const life = lifeOf(world);
      const at = life.from + ((life.until - life.from) * BigInt(random.int(5, 100))) / 100n;
      const dropped = String(random.int(1, 999));
      add(evidence, life.nodes[0], at, { rate_limit_info: { number_of_dropped_process_events: dropped } });
      return { truth: 'doubt', codes: ['throttled', 'sensor-loss'], names: [life.nodes[0].name] };
    },
  },
  {
    id: 'bystander-node-missing',
    group: 'sensor',
    about: "There is no evidence of another node behind the task's egress address.",
    changes: 'evidence',
    apply(evidence, world) {
      const life = lifeOf(world);
      const home = life.nodes[0];
      const { nodes, assume } = world.configuration;
      const other = world.nodes.find(
        (node) => !life.nodes.includes(node) && node.egress === home.egress && node.name in nodes,
      );
      if (other === undefined || assume.includes('co-tenants-isolated')) return undefined;
      if (!life.calls.some(({ source, logged }) => logged && source === home.egress)) return undefined;
      evidence.tetragon = evidence.tetragon.filter(({ node }) => node !== other.name);
      evidence.sensor = evidence.sensor.filter(({ node }) => node !== other.name);
      return { truth: 'doubt', codes: ['ambiguous-use'], names: [other.name] };
    },
  },
];

/** Of a line that does not tell its node any more, nobody knows whether it concerns the task. */
const anyNode = (): boolean => true;

function ofTask(world: World): (line: KernelLine) => boolean {
  const nodes = new Set(lifeOf(world).nodes.map(({ name }) => name));
  return ({ node }) => nodes.has(node);
}

function changeLine(
  evidence: Evidence,
  random: Random,
  fits: (line: KernelLine) => boolean,
  change: (line: KernelLine) => string,
): Expected {
  const line = random.pick(evidence.tetragon.filter(fits));
  line.text = change(line);
  return { truth: 'doubt', codes: lostLine, names: [line.node, 'tetragon', 'unknown'] };
}

/** Keeps only lines of the export that pass, on every node. */
function keep(
  evidence: Evidence,
  codes: readonly string[],
  names: readonly string[],
  passes: (line: KernelLine) => boolean,
): Expected | undefined {
  const kept = evidence.tetragon.filter(passes);
  if (kept.length === evidence.tetragon.length) return undefined;
  evidence.tetragon = kept;
  return { truth: 'doubt', codes, names };
}

/** As the sensor writes events of processes whose exec it lost: pid and start time only (lab REPORT, s15). */
function stripProcess(text: string): string {
  const line = JSON.parse(text) as Record<string, Record<string, unknown>>;
  for (const event of Object.values(line)) {
    const process = event['process'] as { pid?: number; start_time?: string; tid?: number } | undefined;
    if (process === undefined) continue;
    event['process'] = { pid: process.pid, start_time: process.start_time, tid: process.tid };
    delete event['parent'];
    delete event['ancestors'];
  }
  return JSON.stringify(line);
}

function add(evidence: Evidence, { name: node, skew }: World['nodes'][number], at: bigint, event: object): void {
  const time = new Date(Number((at + skew) / 1_000_000n)).toISOString().replace('Z', '000000Z');
  const text = JSON.stringify({ ...event, node_name: node, time });
  evidence.tetragon.push({ node, at, hook: Object.keys(event)[0] ?? '', process: undefined, act: undefined, text });
}
