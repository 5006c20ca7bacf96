import type { Random } from '../random.ts';
import type { Act, Process, TcpAct, World } from '../world.ts';
import { addConnection, freshAddress } from './additions.ts';
import type { WorldMutation } from './mutation.ts';
import { pickActor } from './places.ts';
import { lifeOf, second, type TaskLife } from './task-life.ts';

const never = 1n << 62n;
const connects = ['security_socket_connect', '__sys_connect_file', 'tcp_connect'];
const tcpHooks = ['security_socket_create', ...connects, 'tcp_sendmsg', 'tcp_sendmsg_locked', 'tcp_close'];

/** Events that never arrived, though no counter moved and every canary was seen. */
export const silentMutations: readonly WorldMutation[] = [
  {
    id: 'exit-lost',
    group: 'sensor',
    about: 'The exit of a process of the task never arrived.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      // that its id was given again proves that it had ended
      const taken = (one: Process): boolean =>
        world.processes.some(({ node, pid, forked }) => node === one.node && pid === one.pid && forked > one.forked);
      const process = random.maybe(life.tree.filter((one) => one.exited !== undefined && !taken(one)));
      if (process === undefined) return undefined;
      blindNode(world, process).push({ from: 0n, until: never, hooks: ['exit'], processes: [process.id] });
      return {
        truth: 'doubt',
        codes: ['still-running', 'escaped-process'],
        names: [`pid ${process.pid}`, process.binary],
      };
    },
  },
  {
    id: 'child-lost',
    group: 'sensor',
    about: 'Of a child that the task forked, nothing but the fork arrived.',
    changes: 'world',
    apply(world, random) {
      const { tree, acts, task } = lifeOf(world);
      const parents = new Set(world.processes.map(({ parent }) => parent));
      const carried = new Set(world.calls.map(({ connection }) => connection));
      const leaves = tree.filter(
        ({ id, how }) => id !== task.root && !parents.has(id) && (how === 'exec' || how === 'fork'),
      );
      const quiet = leaves.filter(({ id }) => !acts.some((act) => act.process === id && carried.has(act.id)));
      const process = random.maybe(quiet);
      if (process === undefined) return undefined;
      blindNode(world, process).push({ from: 0n, until: never, processes: [process.id] });
      // a name that the child alone had looked up is missing where another process used the answer
      const codes = ['escaped-process', 'still-running', 'unattributed-address'];
      const learned = acts.flatMap((act) => (act.process === process.id && act.kind === 'lookup' ? act.answers : []));
      return { truth: 'doubt', codes, names: [`pid ${process.pid}`, ...learned.map(({ address }) => address)] };
    },
  },
  {
    id: 'exec-lost',
    group: 'harmless',
    about: 'The exec of a process of the task never arrived; its exit and all else did, and name it in full.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const process = random.maybe(life.tree.filter(({ how, exited }) => how === 'exec' && exited !== undefined));
      if (process === undefined) return undefined;
      blindNode(world, process).push({ from: 0n, until: never, hooks: ['exec'], processes: [process.id] });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'own-connection-lost',
    group: 'sensor',
    about: "No event of a connection of the task arrived; the provider's record shows a use that nothing carried.",
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const all = tcpActs(life);
      const lonely = life.calls.filter((call) => {
        const act = all.find(({ id }) => id === call.connection);
        return act !== undefined && call.logged && /^[\d.:a-f]+$/.test(call.source) && alone(act, all);
      });
      const call = random.maybe(lonely);
      const act = all.find(({ id }) => id === call?.connection);
      const process = life.tree.find(({ id }) => id === act?.process);
      if (call === undefined || act === undefined || process === undefined) return undefined;
      const until = (act.closed ?? life.until) + second / 10n;
      blindNode(world, process).push({ from: act.at - second / 10n, until, hooks: tcpHooks, processes: [process.id] });
      return { truth: 'violation', codes: ['foreign-use'], names: [call.eventId, call.key, call.action] };
    },
  },
  {
    id: 'undeclared-connection-half-lost',
    group: 'sensor',
    about: 'The task reached an address that is not declared, and all but one kind of event of it was lost.',
    changes: 'world',
    apply(world, random) {
      const made = connectElsewhere(world, random);
      if (made === undefined) return undefined;
      const kept = random.pick(connects);
      const hooks = tcpHooks.filter((hook) => hook !== kept);
      blindNode(world, made.process).push({
        from: made.act.at - second / 100n,
        until: (made.act.closed ?? never) + second / 100n,
        hooks,
        processes: [made.process.id],
      });
      return { truth: 'violation', codes: ['undeclared-endpoint'], names: [made.act.tuple.remote] };
    },
  },
  {
    id: 'undeclared-connection-sends-left',
    group: 'sensor',
    about: 'The task reached an address that is not declared; only what it sent there arrived.',
    changes: 'world',
    apply(world, random) {
      const made = connectElsewhere(world, random);
      if (made === undefined) return undefined;
      blindNode(world, made.process).push({
        from: made.act.at - second / 100n,
        until: (made.act.closed ?? never) + second / 100n,
        hooks: ['security_socket_create', ...connects],
        processes: [made.process.id],
      });
      return {
        truth: 'violation',
        codes: ['undeclared-endpoint', 'inherited-socket'],
        names: [made.act.tuple.remote],
        unshown: 'Nothing shows that the task opened the connection itself.',
      };
    },
  },
  {
    id: 'undeclared-connection-in-loss',
    group: 'sensor',
    about: 'The task reached an address that is not declared; every event of it was lost, and the counter says so.',
    changes: 'world',
    apply(world, random) {
      const made = connectElsewhere(world, random);
      if (made === undefined) return undefined;
      const until = (made.act.closed ?? never) + second / 100n;
      const node = world.nodes.find(({ name }) => name === made.process.node);
      const metric = 'tetragon_bpf_missed_events_total';
      blindNode(world, made.process).push({
        from: made.act.at - second / 100n,
        until,
        hooks: tcpHooks,
        processes: [made.process.id],
      });
      node?.sensor.losses.push({ at: made.act.at, metric, labels: 'error="EAGAIN",msg_op="13"', by: random.int(1, 9) });
      return { truth: 'doubt', codes: ['sensor-loss'], names: [metric] };
    },
  },
  {
    id: 'dns-answers-lost',
    group: 'sensor',
    about: 'No answer of a resolver arrived in the evidence: nothing ties the addresses to their names.',
    changes: 'world',
    apply(world) {
      const life = lifeOf(world);
      const told = new Set([...Object.values(world.configuration.hosts).flat(), ...life.task.declaration.endpoints]);
      const looked = life.acts.flatMap((act) =>
        act.kind === 'lookup' ? act.answers.map(({ address }) => address) : [],
      );
      const untied = tcpActs(life)
        .map(({ tuple }) => tuple.remote)
        .filter((address) => looked.includes(address) && ![...told].some((one) => one.includes(address)));
      if (untied.length === 0) return undefined;
      for (const node of life.nodes) {
        node.sensor.blind.push({ from: 0n, until: never, hooks: ['skb_consume_udp'] });
      }
      return { truth: 'doubt', codes: ['unattributed-address'], names: untied };
    },
  },
];

function tcpActs(life: TaskLife): (Act & TcpAct)[] {
  return life.acts.filter((act): act is Act & TcpAct => act.kind === 'tcp');
}

/** No other connection to that port was open near it, and its process had no other one at all in that time. */
function alone(act: Act & TcpAct, all: readonly (Act & TcpAct)[]): boolean {
  const margin = 6n * second;
  return all.every(
    (other) =>
      other === act ||
      act.closed === undefined ||
      other.at > act.closed + margin ||
      (other.closed !== undefined && other.closed < act.at - margin),
  );
}

function blindNode(world: World, process: Process): World['nodes'][number]['sensor']['blind'] {
  const node = world.nodes.find(({ name }) => name === process.node);
  if (node === undefined) throw new Error(`The world ${world.seed} has no node ${process.node}.`);
  return node.sensor.blind;
}

/** A connection of the task to an address that serves nothing else, on a port that no declared endpoint has. */
function connectElsewhere(world: World, random: Random): { act: Act & TcpAct; process: Process } | undefined {
  const lasts = second / 10n;
  const actor = pickActor(world, random, lasts);
  if (actor === undefined) return undefined;
  const one = { remote: freshAddress(world, random), port: random.pick([4444, 6667, 8081, 9001]), lasts };
  const act = addConnection(world, random, actor.process, actor.at, { ...one, hello: { form: 'none' } });
  return act.kind === 'tcp' ? { act, process: actor.process } : undefined;
}
