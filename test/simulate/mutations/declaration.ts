import { sessionMutations } from './declaration-session.ts';
import type { EvidenceMutation, Expected, Mutation, WorldMutation } from './mutation.ts';
import { isAddress } from './places.ts';
import { byTime, lastExpiry, lifeOf, second } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };

const ofWorlds: readonly WorldMutation[] = [
  {
    id: 'declared-after-first-egress',
    group: 'declaration',
    about: 'The task was declared after its first egress.',
    changes: 'world',
    apply(world, random) {
      const { acts, task } = lifeOf(world);
      const times = acts.filter(({ kind }) => kind === 'tcp' || kind === 'lookup').map(({ at }) => at);
      const first = times.sort(byTime)[0];
      if (first === undefined) return undefined;
      task.declaration.declared = first + BigInt(random.int(4, 600)) * second;
      return { truth: 'violation', codes: ['late-declaration'], names: [task.id] };
    },
  },
  {
    id: 'declared-after-the-end',
    group: 'declaration',
    about: 'The task was declared once all was over.',
    changes: 'world',
    apply(world) {
      const life = lifeOf(world);
      if (life.calls.length === 0) return undefined;
      life.task.declaration.declared = lastExpiry(life) + second;
      return { truth: 'violation', codes: ['late-declaration'], names: [life.task.id] };
    },
  },
  {
    id: 'window-ends-before-last-use',
    group: 'declaration',
    about: 'The declared window ends before the last use.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const uses = life.calls.filter(({ logged, source }) => logged && isAddress(source));
      const last = uses.sort((a, b) => byTime(a.at, b.at)).at(-1);
      if (last === undefined) return undefined;
      life.task.declaration.window = { end: last.at - BigInt(random.int(4, 30)) * second };
      const names = [last.key, ...life.sessions.filter(({ key }) => key === last.key).map(({ name }) => name)];
      return { truth: 'violation', codes: ['use-after-task'], names };
    },
  },
  {
    id: 'window-generous',
    group: 'harmless',
    about: 'The declared window is no shorter than the task.',
    changes: 'world',
    apply(world) {
      const { task, from, until } = lifeOf(world);
      if (task.declaration.window !== undefined) return undefined;
      task.declaration.window = { start: from - second / 20n, end: until + second / 20n };
      return harmless;
    },
  },
  {
    id: 'selector-matches-nothing',
    group: 'declaration',
    about: 'No process matches what the declaration says of its workload.',
    changes: 'world',
    apply(world, random) {
      const { task } = lifeOf(world);
      task.declaration.workload = [{ env: { TASK_ID: `none-${random.hex(8)}` } }];
      return {
        truth: 'violation',
        codes: ['unknown-parent', 'foreign-use', 'no-health-evidence'],
        names: [task.id],
        unshown: 'Whose the uses were nothing tells: no process is known to be the task’s.',
      };
    },
  },
  {
    id: 'selector-matches-another-task',
    group: 'declaration',
    about: "The declaration's selectors match another task's processes too, which reached other places.",
    changes: 'world',
    apply(world, random) {
      const { task } = lifeOf(world);
      const others = world.tasks.slice(1).flatMap((other) => {
        const root = world.processes.find(({ id }) => id === other.root);
        const [name, value] = Object.entries(root?.env ?? {})[0] ?? [];
        const beyond = other.declaration.endpoints.some((one) => !task.declaration.endpoints.includes(one));
        return name !== undefined && value !== undefined && value !== task.id && beyond ? [{ name, value }] : [];
      });
      const other = random.maybe(others);
      if (other === undefined) return undefined;
      task.declaration.workload = [...task.declaration.workload, { env: { [other.name]: other.value } }];
      return {
        truth: 'violation',
        codes: ['undeclared-endpoint', 'unexplained-connection', 'undeclared-lookup', 'contested-process'],
        names: [],
        unshown: 'The other task may have reached nothing that this one did not declare.',
      };
    },
  },
  {
    id: 'image-differs',
    group: 'declaration',
    about: 'The containers had another image than the declared one.',
    changes: 'world',
    apply(world, random) {
      const { task, tree } = lifeOf(world);
      const container = tree.find((process) => process.container?.imageId.includes('sha256:') === true)?.container;
      if (container === undefined) return undefined;
      task.declaration.image = `sha256:${random.hex(64)}`;
      return { truth: 'violation', codes: ['image-mismatch'], names: [container.id.slice(0, 12), container.imageId] };
    },
  },
  {
    id: 'endpoints-wild',
    group: 'harmless',
    about: 'Every host under amazonaws.com is declared.',
    changes: 'world',
    apply(world) {
      const plan = world.tasks[0].declaration;
      const hosts = plan.endpoints.filter((one) => one.endsWith('.amazonaws.com:443'));
      const known = new Set(world.services.map(({ host }) => host));
      const other = lifeOf(world).acts.some(
        (act) => act.kind === 'lookup' && act.name.endsWith('.amazonaws.com') && !known.has(act.name),
      );
      if (other) return undefined;
      // What was granted says then where the log has to be complete.
      if (hosts.length === 0 || plan.granted.length === 0) return undefined;
      plan.endpoints = ['*.amazonaws.com:443', ...plan.endpoints.filter((one) => !hosts.includes(one))];
      return harmless;
    },
  },
  {
    id: 'endpoint-not-declared',
    group: 'declaration',
    about: 'A host that the task reached is not declared.',
    changes: 'world',
    apply(world, random) {
      const { acts } = lifeOf(world);
      const plan = world.tasks[0].declaration;
      const reached = plan.endpoints.filter((endpoint) => {
        const service = world.services.find(({ host }) => endpoint === `${host}:443`);
        const sole = service?.addresses.every(
          (address) => world.services.filter(({ addresses }) => addresses.includes(address)).length === 1,
        );
        const used = acts.some(
          (act) =>
            act.kind === 'tcp' &&
            act.outcome === 'up' &&
            act.tuple.remotePort === 443 &&
            service?.addresses.includes(act.tuple.remote) === true,
        );
        return sole === true && used;
      });
      const endpoint = random.maybe(reached);
      if (endpoint === undefined || plan.endpoints.some((one) => one.startsWith('*'))) return undefined;
      plan.endpoints = plan.endpoints.filter((one) => one !== endpoint);
      return { truth: 'violation', codes: ['undeclared-endpoint'], names: [endpoint.replace(':443', '')] };
    },
  },
  {
    id: 'action-not-declared',
    group: 'declaration',
    about: 'An action that the task used is not declared.',
    changes: 'world',
    apply(world, random) {
      const { calls } = lifeOf(world);
      const plan = world.tasks[0].declaration;
      const exact = plan.actions.filter((one) => calls.some(({ action, logged }) => logged && action === one));
      const action = random.maybe(exact);
      const left = plan.actions.filter((one) => one !== action);
      if (action === undefined || left.length === 0 || left.some((one) => matches(one, action))) return undefined;
      plan.actions = left;
      return { truth: 'violation', codes: ['undeclared-action'], names: [action] };
    },
  },
  {
    id: 'node-address-not-configured',
    group: 'declaration',
    about: "The configuration does not say which address providers see for the task's node.",
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const uses = life.calls.filter(({ logged, source }) => logged && isAddress(source));
      if (uses.length === 0) return undefined;
      for (const name of Object.keys(world.configuration.nodes)) {
        world.configuration.nodes[name] = [`198.51.100.${random.int(1, 254)}`];
      }
      return { truth: 'violation', codes: ['foreign-use'], names: uses.flatMap(({ eventId, key }) => [eventId, key]) };
    },
  },
];

const required: EvidenceMutation = {
  id: 'required-context-missing',
  group: 'declaration',
  about: 'The declaration requires evidence of the commit or the run, and none speaks of them.',
  changes: 'evidence',
  apply(evidence, _, random) {
    if (/^require:/m.test(evidence.declaration)) return undefined;
    const what = random.pick(['commit', 'run']);
    evidence.declaration = `${evidence.declaration.trimEnd()}\nrequire: [${what}]\n`;
    return { truth: 'doubt', codes: ['context-missing'], names: [what] };
  },
};

/**
 * What the declaration may lack or have too much of. A declaration widened afterwards has no place here: with files there is
 * one, and what it says of its own time is all that is known (a live store keeps the first one).
 */
export const declarationMutations: readonly Mutation[] = [...ofWorlds, ...sessionMutations, required];

function matches(pattern: string, action: string): boolean {
  const text = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${text}$`, 'i').test(action);
}
