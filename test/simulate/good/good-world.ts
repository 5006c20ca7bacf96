import { surround, newAccount } from './bystanders.ts';
import { regions } from './catalogue.ts';
import { makeBroker } from './credentials.ts';
import { openDraft } from './draft.ts';
import { makeNames, type Target } from './names.ts';
import { makeNodes, type Machine } from './nodes.ts';
import { reusePids } from './pids.ts';
import { watch } from './sensor.ts';
import { type Size, sizes } from './size.ts';
import { runTask, type Done } from './tasks.ts';
import { earliest, latest, second, stretch } from './time.ts';
import { layTrails } from './trail.ts';
import { openRandom, type Random } from '../random.ts';
import type { Configuration, Ns, Task, Trail, World } from '../world.ts';

export { type Size, sizes };

const templates = [
  'ironclaw-task-{task}-{suffix}',
  'sess-{task}-{suffix}',
  '{sub}-{task}',
  'task-{task}@ironclaw',
  'agent.{task}.{suffix}',
];

/**
 * A good world: the judged task does only what was declared, and evidence of it is complete. What would leave doubt does not
 * happen, or the assumption that settles it is accepted. The same seed and size give the same world.
 */
export function makeGoodWorld(seed: string, size: Size = sizes.small): World {
  const random = openRandom(seed);
  const clock = random.fork('clock');
  const start = 1_767_225_600n * second + BigInt(clock.int(0, 320 * 86_400)) * second + stretch(clock, 0, 1000);
  const draft = openDraft(random.fork('draft'));
  const machines = makeNodes(draft, random.fork('nodes'), size, start);
  const home = random.fork('home').pick(machines);
  const named = random.fork('names');
  const names = makeNames(named, {
    count: named.int(...size.hosts),
    variety: size.variety,
    block: 0,
    taken: new Set(),
  });
  const credentials = random.fork('credentials');
  const broker = makeBroker(credentials, newAccount(credentials), credentials.pick(regions));
  const template = credentials.pick(templates);
  const searchDomain = named.chance(0.2 * size.variety) ? named.pick(['svc.cluster.local', 'corp.example']) : undefined;
  const { targets } = names;
  const judged = runTask(random.fork('task'), {
    draft,
    size,
    machine: home,
    targets,
    broker,
    template,
    searchDomain,
    start,
  });
  const isolated = random.fork('assumptions').chance(0.4 * size.variety);
  const from = start - 2n * second;
  const others = surround(random.fork('others'), {
    draft,
    size,
    machines,
    home,
    targets,
    broker,
    template,
    from,
    until: judged.end,
    isolated,
  });
  const all: [Done, ...Done[]] = [judged, ...others.done];
  reusePids(random.fork('pids'), draft.processes, draft.acts, 0.2 * size.variety);
  const span = windowOf(all);
  for (const { node } of machines) watch(random.fork(`sensor ${node.name}`), node, size, span.from, span.until);
  const sessions = all.flatMap((one) => one.sessions);
  const calls = all.flatMap((one) => one.calls);
  const configured = [...targets, ...others.names.targets].filter((target) => target.configured);
  const issuers = [...new Set([broker, ...others.brokers].map(({ pattern }) => pattern))];
  return {
    seed,
    nodes: machines.map(({ node }) => node),
    tasks: all.map(({ task }) => task) as [Task, ...Task[]],
    processes: draft.processes,
    acts: draft.acts.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
    sessions,
    calls,
    trails: trailsOf(random.fork('trails'), all),
    configuration: configure(random.fork('configuration'), {
      machines,
      home,
      configured,
      isolated,
      searchDomain,
      template,
      issuers,
    }),
    services: [...names.services, ...others.names.services],
  };
}

/** What the sensors have to show: every task from its fork, or its declared window, to its end. */
function windowOf(all: readonly [Done, ...Done[]]): { from: Ns; until: Ns } {
  const windows = all.map(({ task }) => task.declaration.window);
  const starts = [...all.map(({ start }) => start), ...windows.flatMap((window) => window?.start ?? [])];
  const ends = [...all.map(({ end }) => end), ...windows.flatMap((window) => window?.end ?? [])];
  return { from: earliest(starts, all[0].start), until: latest(ends, all[0].end) };
}

function trailsOf(random: Random, all: readonly Done[]): Trail[] {
  const sessions = all.flatMap((one) => one.sessions);
  const calls = all.flatMap((one) => one.calls);
  return layTrails(random, {
    places: new Set(
      [...sessions, ...calls, ...all.flatMap(declaredPlaces)].map(({ account, region }) => `${account}/${region}`),
    ),
    from: earliest(
      all.map(({ declared }) => declared),
      all[0]?.declared ?? 0n,
    ),
    until: latest([...sessions.map(({ expires }) => expires), ...all.map(({ end }) => end + 2n * second)], 0n),
    data: new Set(all.flatMap(({ data }) => data)),
  });
}

/** A trail is where a credential may be used, also where it was not. */
function declaredPlaces({ sessions, task }: Done): { account: string; region: string }[] {
  const declared = regions.filter((region) => task.declaration.endpoints.some((host) => host.includes(`.${region}.`)));
  return sessions.flatMap(({ account }) => declared.map((region) => ({ account, region })));
}

interface Settled {
  readonly machines: readonly Machine[];
  readonly home: Machine;
  readonly configured: readonly Target[];
  readonly isolated: boolean;
  readonly searchDomain: string | undefined;
  readonly template: string;
  readonly issuers: string[];
}

function configure(random: Random, settled: Settled): Configuration {
  const { machines, home, configured, searchDomain } = settled;
  const resolvers = [...new Set(machines.map(({ node }) => node.resolver))];
  return {
    nodes: Object.fromEntries(machines.map(({ node, egress6 }) => [node.name, [node.egress, egress6]])),
    // a task's own declaration names the resolver of its node alone
    resolvers: random.chance(0.6) || resolvers.length > 1 ? resolvers : [],
    sessionNames: random.chance(0.5) ? [settled.template] : templates,
    issuers: random.chance(0.6) ? settled.issuers : [],
    hosts: Object.fromEntries(configured.map(({ host, addresses }) => [host, [...addresses]])),
    assume: settled.isolated ? ['co-tenants-isolated'] : [],
    infrastructure: random.chance(0.3) ? [`${home.node.resolver}:53/udp`] : [],
    searchDomains: searchDomain === undefined ? [] : [searchDomain],
  };
}
