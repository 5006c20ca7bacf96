import { makeBroker, type Broker } from './credentials.ts';
import type { Draft } from './draft.ts';
import { makeNames, type Names, type Target } from './names.ts';
import type { Machine } from './nodes.ts';
import type { Place } from './place.ts';
import { begin, end, tools } from './processes.ts';
import { visit } from './connections.ts';
import type { Size } from './size.ts';
import { between, stretch } from './time.ts';
import { runTask, type Done } from './tasks.ts';
import type { Random } from '../random.ts';
import type { Ns } from '../world.ts';

/** What others do while the judged task runs. */
export interface Around {
  readonly draft: Draft;
  readonly size: Size;
  readonly machines: readonly Machine[];
  /** Where the judged task runs, with what, and when. */
  readonly home: Machine;
  readonly targets: readonly Target[];
  readonly broker: Broker;
  readonly template: string;
  readonly from: Ns;
  readonly until: Ns;
  /** `assume: [co-tenants-isolated]` is accepted: others may talk to the same hosts. */
  readonly isolated: boolean;
}

export interface Others {
  readonly done: Done[];
  readonly brokers: Broker[];
  readonly names: Names;
  /** One at least talked to a host of the judged task's from behind the same address. */
  readonly mixed: boolean;
}

/** Other declared tasks, on this node or others, and processes of nodes that belong to no task. */
export function surround(random: Random, around: Around): Others {
  const { draft, size, machines, home, from, until, isolated } = around;
  const done: Done[] = [];
  const brokers: Broker[] = [];
  const names: Names = { targets: [], services: [] };
  let mixed = false;
  const count = random.int(...size.bystanders);
  for (let index = 0; index < count; index += 1) {
    const own = random.fork(`task ${index}`);
    const machine = own.pick(machines);
    const apart = machine.node.egress !== home.node.egress;
    const same = (apart || isolated) && own.chance(0.6);
    const fresh = same ? undefined : freshNames(own, around, index, names);
    const targets = fresh?.targets ?? around.targets;
    if (same && !apart) mixed = true;
    const broker = own.chance(0.5)
      ? around.broker
      : makeBroker(own, own.chance(0.6) ? around.broker.account : newAccount(own), around.broker.region);
    brokers.push(broker);
    const start = between(from, until, own.int(0, 70) / 100);
    const { template } = around;
    done.push(
      runTask(own, {
        draft,
        size: { ...size, jobs: [1, size.jobs[1]] },
        machine,
        targets,
        broker,
        template,
        searchDomain: undefined,
        start,
      }),
    );
  }
  const strangers = random.int(...size.strangers);
  for (let index = 0; index < strangers; index += 1) {
    const own = random.fork(`stranger ${index}`);
    const { targets } = freshNames(own, around, count + index, names);
    disturb(own, around, targets);
  }
  return { done, brokers, names, mixed };
}

export function newAccount(random: Random): string {
  return `${random.int(1, 9)}${Array.from({ length: 11 }, () => random.int(0, 9)).join('')}`;
}

function freshNames(random: Random, { size, targets }: Around, index: number, names: Names): Names {
  const taken = new Set([...targets, ...names.targets].map(({ host }) => host));
  const fresh = makeNames(random, { count: random.int(...size.hosts), variety: size.variety, block: index + 1, taken });
  names.targets.push(...fresh.targets);
  names.services.push(...fresh.services);
  return fresh;
}

/** A service of a node, or what it starts, talks to hosts of its own, without a credential that any trail tells of. */
function disturb(random: Random, { draft, size, machines, from, until }: Around, targets: readonly Target[]): void {
  const machine = random.pick(machines);
  const { node, agent } = machine;
  const place: Place = {
    draft,
    machine,
    size,
    address: node.address,
    netns: node.netns,
    resolver: node.resolver,
    targets,
    searchDomain: undefined,
    infrastructure: [],
    env: {},
    container: undefined,
    learned: new Map(),
    sent: new Map(),
    requests: [],
  };
  const at = between(from, until, random.int(0, 80) / 100);
  if (random.chance(0.4)) {
    visit(place, random, { process: agent }, at, { target: random.pick(targets) });
    return;
  }
  const program = random.pick(tools);
  const job = begin(place, random, { parent: agent, at, program });
  const { closed } = visit(place, random, { process: job }, job.started + stretch(random, 2, 50), {
    target: random.pick(targets),
  });
  end(random, job, closed);
}
