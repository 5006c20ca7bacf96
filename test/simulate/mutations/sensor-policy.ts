import type { Random } from '../random.ts';
import type { Node, Ns, PolicyName, PolicyState, World } from '../world.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { healthSteps, later, lifeOf, second, usualSpacing } from './task-life.ts';

/** Hooks that are required whatever the task touches, by the policy that has them (queries/hooks.json). */
const required: Readonly<Record<Exclude<PolicyName, 'iouring-audit' | 'dns-libc'>, readonly string[]>> = {
  'egress-audit': [
    'tcp_connect',
    'security_socket_connect',
    'security_socket_create',
    'tcp_close',
    'tcp_sendmsg_locked',
    'udp_sendmsg',
    'unix_stream_connect',
    'inet_csk_accept',
    'raw_sendmsg',
    'sys_ptrace',
  ],
  'lineage-audit': ['wake_up_new_task'],
  'dns-audit': ['skb_consume_udp'],
  'tls-audit': ['tcp_sendmsg'],
};
const policies = Object.keys(required) as (keyof typeof required)[];

/** As health lines name it, and what it posts: where a policy is not there, only its hooks can be told. */
function namesOf(policy: PolicyName): string[] {
  const hooks = policies.find((one) => one === policy) === undefined ? [] : required[policy as keyof typeof required];
  return [policy, ...hooks, ...(policy === 'tls-audit' ? ['tls-hello'] : [])];
}

const longAgo = 0n;
const never: Ns = 1n << 62n;

export const policyMutations: readonly WorldMutation[] = [
  {
    id: 'policy-off-unseen',
    group: 'sensor',
    about: 'A policy was switched off for two seconds between two health lines, which resets what it posted.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      // Late in the window the counts of the line before are the highest that they can be.
      const step = healthSteps(node, life.from, life.until)
        .filter(({ from, until }) => until - from > 2n * second)
        .at(-1);
      if (step === undefined) return undefined;
      const from = step.until - 2n * second - BigInt(random.int(1, 400)) * 1_000_000n;
      if (from <= step.from) return undefined;
      return switchOff(node, { policy: random.pick(policies), from, until: from + 2n * second, state: 'disabled' });
    },
  },
  {
    id: 'policy-off-seen',
    group: 'sensor',
    about: 'A policy was switched off while a health line was taken.',
    changes: 'world',
    apply: (world, random) => aroundLine(world, random, 'disabled', ['policy-disabled']),
  },
  {
    id: 'policy-removed-seen',
    group: 'sensor',
    about: 'A policy was removed while a health line was taken, and added again.',
    changes: 'world',
    apply: (world, random) => aroundLine(world, random, 'absent', ['policy-missing', 'policy-disabled']),
  },
  {
    id: 'policy-reloaded',
    group: 'sensor',
    about: 'A policy was removed and added anew between two health lines: it has another id.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const step = random.maybe(healthSteps(node, life.from, life.until));
      if (step === undefined) return undefined;
      const from = step.from + (step.until - step.from) / 3n;
      const until = step.from + (2n * (step.until - step.from)) / 3n;
      const state = { policy: random.pick(policies), from, until, state: 'reloaded' } as const;
      return switchOff(node, state, ['policy-missing', 'policy-disabled']);
    },
  },
  {
    id: 'policy-off-throughout',
    group: 'sensor',
    about: 'A policy was never on.',
    changes: 'world',
    apply(world, random) {
      const state = { policy: random.pick(policies), from: longAgo, until: never, state: 'absent' } as const;
      return switchOff(random.pick(lifeOf(world).nodes), state, ['policy-missing', 'policy-disabled']);
    },
  },
  {
    id: 'policy-loaded-late',
    group: 'sensor',
    about: 'A policy was loaded only after the task had begun.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = life.nodes[0];
      const line = node.sensor.health.find((time) => time > life.from);
      if (line === undefined) return undefined;
      const state = { policy: random.pick(policies), from: longAgo, until: line - 1n, state: 'absent' } as const;
      return switchOff(node, state, ['policy-missing', 'policy-disabled']);
    },
  },
  {
    id: 'hook-not-loaded',
    group: 'sensor',
    about: 'One required hook of a policy was not loaded.',
    changes: 'world',
    apply(world, random) {
      const node = random.pick(lifeOf(world).nodes);
      const policy = random.pick(policies);
      const hook = random.pick(required[policy]);
      node.sensor.policyStates.push({ policy, from: longAgo, until: never, state: 'hook-missing', hook });
      node.sensor.blind.push({ from: longAgo, until: never, hooks: [hook], policies: [policy] });
      return { truth: 'doubt', codes: ['hook-missing'], names: [hook, ...namesOf(policy)] };
    },
  },
  {
    id: 'policy-renamed',
    group: 'harmless',
    about: 'A policy bears another name; its hooks are the same.',
    changes: 'world',
    apply(world, random) {
      const node = random.pick(world.nodes);
      node.sensor.policyStates.push({ policy: random.pick(policies), from: longAgo, until: never, state: 'renamed' });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'policy-narrowed',
    group: 'sensor',
    about: 'The text of a policy was another one from within the window on.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const step = random.maybe(healthSteps(node, life.from, life.until));
      if (step === undefined) return undefined;
      const policy = random.pick(policies);
      node.sensor.policyStates.push({ policy, from: step.from + 1n, until: never, state: 'narrowed' });
      return { truth: 'doubt', codes: ['hook-narrowed', 'policy-disabled'], names: namesOf(policy) };
    },
  },
  {
    id: 'optional-policy-off',
    group: 'harmless',
    about: 'A policy was switched off that has no required hook.',
    changes: 'world',
    apply(world, random) {
      const node = random.pick(world.nodes);
      switchOff(node, { policy: 'dns-libc', from: longAgo, until: never, state: 'disabled' });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'policy-off-before',
    group: 'harmless',
    about: 'A policy was switched off and on again long enough before the task.',
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const node = random.pick(life.nodes);
      const first = node.sensor.health[0];
      if (first === undefined || first > life.window.from) return undefined;
      const every = usualSpacing(node.sensor.health) || 10n * second;
      const earlier = [4n, 3n, 2n, 1n].map((count) => first - count * every);
      const line = earlier[1] ?? first;
      node.sensor.health = [...earlier, ...node.sensor.health];
      switchOff(node, { policy: random.pick(policies), from: line - second, until: line + second, state: 'disabled' });
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
];

function aroundLine(
  world: World,
  random: Random,
  state: 'disabled' | 'absent',
  codes: readonly string[],
): Expected | undefined {
  const life = lifeOf(world);
  const node = random.pick(life.nodes);
  const line = random.maybe(node.sensor.health.filter((time) => time > life.from && time < life.until));
  if (line === undefined) return undefined;
  const width = BigInt(random.int(200, 1500)) * 1_000_000n;
  return switchOff(
    node,
    { policy: random.pick(policies), from: later(line - width, 0n), until: line + width, state },
    codes,
  );
}

function switchOff(node: Node, state: PolicyState, codes: readonly string[] = ['policy-disabled']): Expected {
  node.sensor.policyStates.push(state);
  node.sensor.blind.push({ from: state.from, until: state.until, policies: [state.policy] });
  return { truth: 'doubt', codes, names: namesOf(state.policy) };
}
