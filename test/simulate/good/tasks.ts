import { stsOperation } from './catalogue.ts';
import { makeCalls } from './calls.ts';
import { assumeRole, issueSessions, makeRole, type Broker } from './credentials.ts';
import type { Draft } from './draft.ts';
import type { Target } from './names.ts';
import type { Machine } from './nodes.ts';
import type { Place } from './place.ts';
import type { Size } from './size.ts';
import { stretch } from './time.ts';
import { errand, growTree, type Extra } from './tree.ts';
import type { Random } from '../random.ts';
import type { Call, DeclarationPlan, Ns, Process, Session, Task } from '../world.ts';

export interface Commission {
  readonly draft: Draft;
  readonly size: Size;
  readonly machine: Machine;
  readonly targets: readonly Target[];
  readonly broker: Broker;
  readonly template: string;
  readonly searchDomain: string | undefined;
  readonly start: Ns;
}

export interface Done {
  readonly task: Task;
  readonly sessions: Session[];
  readonly calls: Call[];
  readonly declared: Ns;
  readonly start: Ns;
  readonly end: Ns;
  /** Resource types whose data events it needs. */
  readonly data: string[];
}

/** A task from its declaration to its last exit: tree, connections, sessions, requests, all declared. */
export function runTask(random: Random, commission: Commission): Done {
  const { size, machine, targets, broker, template, start } = commission;
  const id = makeId(random);
  const place = openPlace(random, commission, id);
  const sts = targets.find(({ host }) => host.startsWith('sts.'));
  const chained = sts !== undefined && random.chance(0.5 * size.variety);
  const extras: Extra[] = chained
    ? [{ afterJobs: random.int(0, 2), step: errand({ target: sts, operation: assumeRole }) }]
    : [];
  const { root, end } = growTree(place, random.fork('tree'), start, extras);
  const declared = start - stretch(random, 3000, 600_000);
  const { requests } = place;
  const own = random.fork('credentials');
  const role = makeRole(own, broker.account);
  const wanted = {
    task: id,
    template,
    broker,
    role,
    declared,
    started: start,
    ended: end,
    requests,
    variety: size.variety,
  };
  const sessions = issueSessions(own, wanted);
  const calls = makeCalls(random.fork('calls'), `c-${id}-`, { requests, sessions, variety: size.variety });
  const task: Task = {
    id,
    type: random.pick(['dns-validation', 'dependency-update', 'triage', 'report']),
    node: machine.node.name,
    root: root.id,
    declaration: declare(random.fork('declaration'), place, {
      declared,
      sessions,
      requests: place.requests,
      end,
      start,
    }),
  };
  const data = [...new Set(requests.flatMap(({ operation }) => operation.data ?? []))];
  return { task, sessions, calls, declared, start, end, data };
}

function makeId(random: Random): string {
  return random.pick([
    () => random.hex(8),
    () => `t-${random.hex(6)}`,
    () => `run_${random.int(10_000, 99_999)}${random.hex(3)}`,
    () => `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-9${random.hex(3)}-${random.hex(12)}`,
  ])();
}

function openPlace(random: Random, { draft, size, machine, targets, searchDomain }: Commission, id: string): Place {
  const { node } = machine;
  const contained = random.chance(0.35 * size.variety);
  const digest = `sha256:${random.hex(64)}`;
  const container: Process['container'] = contained
    ? {
        id: random.hex(64),
        image: `docker.io/acme/agent:${random.int(1, 40)}`,
        imageId: `docker.io/acme/agent@${digest}`,
        namespace: random.pick(['agents', 'ci', 'default']),
        pod: `agent-${random.hex(5)}`,
        injected: false,
      }
    : undefined;
  const infrastructure: Place['infrastructure'] = [];
  if (random.chance(0.25 * size.variety))
    infrastructure.push({ address: `10.200.0.${random.int(2, 9)}`, port: 8125, protocol: 'udp' });
  if (random.chance(0.2 * size.variety))
    infrastructure.push({ address: `192.0.2.${random.int(60, 90)}`, port: 3142, protocol: 'tcp' });
  return {
    draft,
    machine,
    size,
    address: contained ? `10.244.0.${random.int(2, 250)}` : node.address,
    netns: contained ? 4_026_532_000 + random.int(100, 900) : node.netns,
    resolver: node.resolver,
    targets,
    searchDomain,
    infrastructure,
    env: contained && random.chance(0.5) ? {} : { [random.pick(['TASK_ID', 'AGENT_TASK'])]: id },
    container,
    learned: new Map(),
    sent: new Map(),
    requests: [],
  };
}

/** What the declaration says: all that the task did, sometimes in wider words. */
function declare(
  random: Random,
  place: Place,
  {
    declared,
    sessions,
    requests,
    start,
    end,
  }: { declared: Ns; sessions: Session[]; requests: Place['requests']; start: Ns; end: Ns },
): DeclarationPlan {
  const actions = [...new Set(requests.map(({ operation }) => operation.action))].sort();
  const window = random.chance(0.1 * place.size.variety)
    ? {
        window: {
          start: start - stretch(random, 100, 1500),
          ...(random.chance(0.5) ? { end: end + stretch(random, 10, 500) } : {}),
        },
      }
    : {};
  const image =
    place.container !== undefined && random.chance(0.5) ? { image: place.container.imageId.replace(/^.*@/, '') } : {};
  return {
    declared,
    workload: [select(random, place)],
    credentials: distinct(sessions.map(({ name, role }) => ({ session: name, role }))),
    granted: grant(random, actions),
    endpoints: [...new Set(place.targets.map(({ host }) => `${widenHost(random, host)}:443`))],
    infrastructure: [
      `${place.resolver}:53/udp`,
      // The C library asks this one first, whether anybody listens there or not.
      'unix:/var/run/nscd/socket',
      ...place.infrastructure.map(
        ({ address, port, protocol }) => `${address}:${port}${protocol === 'udp' ? '/udp' : ''}`,
      ),
    ],
    actions: random.chance(0.2 * place.size.variety) ? [] : actions,
    relays: [],
    ...image,
    ...window,
  };
}

/** Asking who one is needs no permission. Nothing granted would mean that nobody knows what was. */
function grant(random: Random, actions: readonly string[]): string[] {
  const granted = actions.filter((action) => action !== stsOperation.action || random.chance(0.5));
  return granted.length === 0 ? [stsOperation.action] : [...new Set(granted.map((action) => widen(random, action)))];
}

function select(random: Random, { container, env }: Place): DeclarationPlan['workload'][number] {
  if (container === undefined || (Object.keys(env).length > 0 && random.chance(0.3))) return { env: { ...env } };
  if (random.chance(0.5)) return { pod: { namespace: container.namespace, name: container.pod } };
  return { container: random.chance(0.5) ? container.id : container.id.slice(0, 12) };
}

/** Management actions may be granted by a pattern; one of data events would need more classes of them. */
function widen(random: Random, action: string): string {
  if (!/:(List|Describe)/.test(action) || action.startsWith('s3:') || !random.chance(0.3)) return action;
  return action.replace(/:(List|Describe).*/, ':$1*');
}

function widenHost(random: Random, host: string): string {
  return host.endsWith('.amazonaws.com') && host.split('.').length > 3 && random.chance(0.15)
    ? `*.${host.split('.').slice(1).join('.')}`
    : host;
}

function distinct<T extends object>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
