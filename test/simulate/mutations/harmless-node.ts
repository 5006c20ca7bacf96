import type { EvidenceMutation, Expected, Mutation, WorldMutation } from './mutation.ts';
import type { Node, World } from '../world.ts';
import { lifeOf, second } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };

const hostile = [
  `'; DROP TABLE process; --`,
  '\u001b[2J\u202e<script>alert(1)</script>',
  `$(rm -rf /) "\\" {"node_name":"x","time":"2020-01-01T00:00:00Z"}`,
  'é'.repeat(3000),
];

const ofWorlds: readonly WorldMutation[] = [
  {
    id: 'other-node-lossy',
    group: 'harmless',
    about: 'On a node behind another address, where the task never was, events were lost and the sensor restarted.',
    changes: 'world',
    apply(world, random) {
      const node = otherNode(world);
      if (node === undefined) return undefined;
      const { from, until } = lifeOf(world);
      const at = from + (until - from) / 2n;
      const metric = 'tetragon_bpf_missed_events_total';
      node.sensor.losses.push({ at, metric, labels: 'error="EAGAIN",msg_op="13"', by: random.int(1, 999) });
      node.sensor.restarts.push(at);
      node.sensor.blind.push({ from: at - second, until: at + second });
      return harmless;
    },
  },
  {
    id: 'collector-ran-before',
    group: 'harmless',
    about: 'Canaries from before the task are of an earlier run of the collector: numbers begin anew.',
    changes: 'world',
    apply(world, random) {
      const { nodes, window } = lifeOf(world);
      const { sensor } = nodes[0];
      const before = sensor.canaries.filter(({ at }) => at < window.from);
      if (before.length === 0) return undefined;
      const more = random.int(1000, 90_000);
      sensor.canaries = sensor.canaries.map((one) => (before.includes(one) ? { ...one, n: one.n + more } : one));
      return harmless;
    },
  },
  {
    id: 'arguments-hostile',
    group: 'harmless',
    about: 'Processes were started with arguments that try to break what reads them.',
    changes: 'world',
    apply(world, random) {
      for (const [place, process] of world.processes.entries()) {
        if (random.chance(0.5)) world.processes[place] = { ...process, arguments: random.pick(hostile) };
      }
      return harmless;
    },
  },
];

const ofEvidence: readonly EvidenceMutation[] = [
  {
    id: 'other-node-unseen',
    group: 'harmless',
    about: 'There is no evidence of a node behind another address, where the task never was.',
    changes: 'evidence',
    apply(evidence, world) {
      const other = otherNode(world);
      if (other === undefined) return undefined;
      const gone = evidence.tetragon.filter(({ node }) => node === other.name);
      // a line that does not tell its node may be of the task's
      if (gone.some(({ text }) => (JSON.parse(text) as { node_name?: string }).node_name !== other.name))
        return undefined;
      evidence.tetragon = evidence.tetragon.filter(({ node }) => node !== other.name);
      evidence.sensor = evidence.sensor.filter(({ node }) => node !== other.name);
      return harmless;
    },
  },
  {
    id: 'policies-of-others',
    group: 'harmless',
    about: 'Policies of others came and went, with a hook that a required one has too.',
    changes: 'evidence',
    apply(evidence, _, random) {
      for (const line of evidence.sensor) {
        if (line.kind !== 'health' || random.chance(0.5)) continue;
        const health = JSON.parse(line.text) as { policies: object[] };
        const other = {
          ...{ id: String(random.int(50, 99)), name: 'others-watch', sensors: ['generic_kprobe'] },
          ...{ enabled: random.chance(0.5), namespace: 'others', domain: 'grpc', mode: 'TP_MODE_MONITOR_ONLY' },
          stats: { action_counters: { post: String(random.int(1, 99)) } },
          hook_statuses: [{ section: 'kprobes', state: 'STATUS_LOADED', hook_description: 'tcp_connect' }],
        };
        const state = other.enabled ? 'TP_STATE_ENABLED' : 'TP_STATE_DISABLED';
        line.text = JSON.stringify({ ...health, policies: random.shuffle([...health.policies, { ...other, state }]) });
      }
      return harmless;
    },
  },
];

export const harmlessNodeMutations: readonly Mutation[] = [...ofWorlds, ...ofEvidence];

/** One where the task never was, and whose address providers don't take for one of its nodes'. */
function otherNode(world: World): Node | undefined {
  const { nodes } = lifeOf(world);
  const own = new Set(nodes.flatMap(({ name }) => world.configuration.nodes[name] ?? []));
  return world.nodes.find(
    (node) =>
      !nodes.includes(node) && !(world.configuration.nodes[node.name] ?? []).some((address) => own.has(address)),
  );
}
