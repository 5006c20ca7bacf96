import { cloudServices } from '../good/catalogue.ts';
import { makeCalls } from '../good/calls.ts';
import { type Broker, issueSessions, makeRole, type Role } from '../good/credentials.ts';
import { visit } from '../good/connections.ts';
import type { Draft } from '../good/draft.ts';
import { fill, type Target } from '../good/names.ts';
import type { Machine } from '../good/nodes.ts';
import type { Place } from '../good/place.ts';
import { begin, end, interpreters, tools } from '../good/processes.ts';
import { sizes } from '../good/size.ts';
import { minute, second, stretch } from '../good/time.ts';
import type { Random } from '../random.ts';
import type { Act, Call, Ns, Process, Session, Task } from '../world.ts';

/** A piece of a task's work, whole in itself: some processes, what they did, and what was asked meanwhile. */
export interface Piece {
  readonly processes: readonly Process[];
  /** Whose lines are this piece's; the others are here as parents. */
  readonly own: ReadonlySet<string>;
  readonly acts: readonly Act[];
  readonly calls: readonly Call[];
  readonly sessions: readonly Session[];
  readonly until: Ns;
}

/** A running task of a fleet, of which nothing is kept but its root and the session at hand. */
export interface FleetTask {
  readonly task: Task;
  readonly machine: Machine;
  readonly root: Process;
  readonly left: number;
  /** The newest expiry of its credentials. */
  readonly expires: Ns;
  /** One more worker, with so many connections at most. */
  work(from: Ns, most: number): Piece;
  /** The root's exit. */
  finish(after: Ns): Piece;
}

const size = { ...sizes.small, calls: [1, 2], variety: 0.2 } as const;

/** Names that every task of a fleet talks to, recorded in one region. */
export const fleetTargets: readonly Target[] = cloudServices
  .filter(({ host }) => !host.startsWith('sts.'))
  .slice(0, 6)
  .map((cloud, index) => ({
    host: fill(cloud.host, 'us-east-1', 'fleet-data'),
    addresses: [`192.0.2.${100 + index}`, `198.51.100.${100 + index}`],
    cloud,
    region: 'us-east-1',
    bucket: 'fleet-data',
    shared: false,
    configured: false,
    through: [],
  }));

interface Start {
  readonly draft: Draft;
  readonly machine: Machine;
  readonly broker: Broker;
  readonly at: Ns;
  readonly connections: number;
  readonly number: number;
}

export function startTask(random: Random, start: Start): FleetTask {
  const { draft, machine, broker, at, number } = start;
  const id = `f${number}-${random.hex(6)}`;
  const place = openPlace(draft, machine, id);
  const root = begin(place, random, {
    parent: machine.runtime,
    at,
    program: random.pick(interpreters),
    env: place.env,
  });
  const role = makeRole(random, broker.account);
  const declared = at - stretch(random, 2000, 20_000);
  const name = `sess-${id}-${random.hex(4)}`;
  const sessions: Session[] = [];
  let left = start.connections;
  let calls = 0;
  const renew = (from: Ns): Session[] => {
    if (sessions.some(({ issued }) => issued > from - 40n * minute)) return [];
    const issued = issue(random, {
      role,
      broker,
      id,
      name,
      declared: sessions.length === 0 ? declared : from - 2n * second,
      from,
    });
    sessions.splice(0, sessions.length, issued);
    return [issued];
  };
  return {
    task: {
      id,
      type: 'fleet',
      node: machine.node.name,
      root: root.id,
      declaration: {
        declared,
        workload: [{ env: { TASK_ID: id } }],
        credentials: [{ session: name, role: role.arn }],
        granted: actions,
        endpoints: fleetTargets.map(({ host }) => `${host}:443`),
        infrastructure: [`${place.resolver}:53/udp`, 'unix:/var/run/nscd/socket'],
        actions,
        relays: [],
      },
    },
    machine,
    root,
    get left() {
      return left;
    },
    get expires() {
      return sessions.at(-1)?.expires ?? at;
    },
    work: (from, most) => {
      const issued = renew(from);
      const worker = begin(place, random, {
        parent: root,
        at: from + stretch(random, 20, 60),
        program: random.pick(tools),
      });
      let now = worker.started + stretch(random, 2, 20);
      let last = now;
      const count = Math.min(left, most);
      left -= count;
      for (let index = 0; index < count; index += 1) {
        const { opened, closed } = visit(place, random, { process: worker }, now, {
          target: random.pick(fleetTargets),
        });
        if (closed > last) last = closed;
        now = opened + stretch(random, 2, 38);
      }
      const until = end(random, worker, last);
      const requests = place.requests.splice(0);
      const made = makeCalls(random, `c-${id}-${(calls += 1)}-`, { requests, sessions, variety: size.variety });
      const acts = draft.acts.splice(0);
      draft.processes.splice(0);
      return { processes: [root, worker], own: new Set([worker.id]), acts, calls: made, sessions: issued, until };
    },
    finish: (after) => {
      const until = end(random, root, after);
      return { processes: [root], own: new Set([root.id]), acts: [], calls: [], sessions: [], until };
    },
  };
}

const actions = [
  ...new Set(fleetTargets.flatMap(({ cloud }) => cloud?.operations.map(({ action }) => action) ?? [])),
].sort();

function issue(
  random: Random,
  {
    role,
    broker,
    id,
    name,
    declared,
    from,
  }: { role: Role; broker: Broker; id: string; name: string; declared: Ns; from: Ns },
): Session {
  const wanted = {
    task: id,
    template: name,
    broker,
    role,
    declared,
    started: from,
    ended: from + 59n * minute,
    requests: [],
    variety: 0,
  };
  const [session] = issueSessions(random, wanted);
  if (session === undefined) throw new Error('No session was issued.');
  return session;
}

function openPlace(draft: Draft, machine: Machine, id: string): Place {
  const { node } = machine;
  return {
    draft,
    machine,
    size,
    address: node.address,
    netns: node.netns,
    resolver: node.resolver,
    targets: fleetTargets,
    searchDomain: undefined,
    infrastructure: [],
    env: { TASK_ID: id },
    container: undefined,
    learned: new Map(),
    sent: new Map(),
    requests: [],
  };
}
