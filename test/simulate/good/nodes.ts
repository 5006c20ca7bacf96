import type { Draft } from './draft.ts';
import type { Size } from './size.ts';
import { hour, minute, stretch } from './time.ts';
import type { Random } from '../random.ts';
import type { Node, Ns, Process } from '../world.ts';

export interface Machine {
  readonly node: Node;
  /** The address that providers see over IPv6. */
  readonly egress6: string;
  readonly address6: string;
  /** Pid 1 and the services under which tasks are started, all older than the sensor. */
  readonly init: Process;
  readonly runtime: Process;
  /** A service of the node that belongs to nobody. */
  readonly agent: Process;
}

const names = ['tetlab', 'node-1', 'ip-10-0-3-17.ec2.internal', 'worker-a', 'gke-pool-7', 'build07', 'runner-eu-2'];
const runtimes = [
  { binary: '/usr/bin/containerd-shim-runc-v2', arguments: '-namespace k8s.io -id sandbox' },
  { binary: '/usr/local/bin/ironclaw', arguments: 'serve --port 8080' },
  { binary: '/opt/actions-runner/bin/Runner.Listener', arguments: 'run --startuptype service' },
  { binary: '/usr/sbin/sshd', arguments: '-D' },
];
const agents = [
  { binary: '/usr/bin/node_exporter', arguments: '--web.listen-address=:9100' },
  { binary: '/usr/bin/python3.11', arguments: '/usr/share/unattended-upgrades/unattended-upgrade-shutdown' },
  { binary: '/usr/sbin/chronyd', arguments: '-F 1' },
];

/** Nodes whose sensor and services are older than `start`. Some share the address that providers see. */
export function makeNodes(draft: Draft, random: Random, size: Size, start: Ns): Machine[] {
  const count = random.int(...size.nodes);
  const name = random.shuffle(names);
  const machines: Machine[] = [];
  for (let index = 0; index < count; index += 1) {
    const own = random.fork(String(index));
    const before = own.maybe(machines);
    const shared = own.chance(0.4 * size.variety) && before !== undefined ? before : undefined;
    const node = makeNode(
      own,
      `${name[index % name.length] ?? 'node'}${index < name.length ? '' : `-${index}`}`,
      index,
      {
        start,
        egress: shared?.node.egress ?? `203.0.113.${10 + index * 7 + own.int(0, 6)}`,
        skewed: size.variety > 0,
      },
    );
    machines.push({
      node,
      egress6: shared?.egress6 ?? `2001:db8:${(0x100 + index).toString(16)}::${own.int(1, 9)}`,
      address6: `2001:db8:${(0x200 + index).toString(16)}::${own.int(10, 99)}`,
      ...olderThanSensor(draft, own, node),
    });
  }
  return machines;
}

function makeNode(
  random: Random,
  name: string,
  index: number,
  { start, egress, skewed }: { start: Ns; egress: string; skewed: boolean },
): Node {
  const booted = start - stretch(random, 86_400_000, 1_000_000_000);
  return {
    name,
    address: `10.${random.int(0, 9)}.${index}.${random.int(10, 250)}`,
    egress,
    booted,
    netns: 4_026_531_840 + random.int(0, 5),
    resolver: random.pick(['192.0.2.53', `10.${index}.0.2`, '169.254.169.253']),
    skew: skewed && random.chance(0.7) ? stretch(random, 0, 900) * (random.chance(0.5) ? 1n : -1n) : 0n,
    sensor: {
      started: start - hour - stretch(random, 0, 1_000_000) - 10n * minute,
      restarts: [],
      health: [],
      canaries: [],
      streams: [],
      policyStates: [],
      losses: [],
      blind: [],
      cached: [],
    },
  };
}

function olderThanSensor(draft: Draft, random: Random, node: Node): Pick<Machine, 'init' | 'runtime' | 'agent'> {
  const service = (pid: number, program: { binary: string; arguments: string }, after: Ns): Process =>
    draft.addProcess({
      node: node.name,
      pid,
      parent: undefined,
      how: 'procfs',
      forked: node.booted + after,
      started: node.booted + after,
      exited: undefined,
      ...program,
      cwd: '/',
      uid: 0,
      env: {},
      netns: node.netns,
      adopted: false,
    });
  return {
    init: service(1, { binary: '/usr/lib/systemd/systemd', arguments: '--system --deserialize=57' }, 0n),
    runtime: service(random.int(700, 999), random.pick(runtimes), stretch(random, 5000, 9000)),
    agent: service(random.int(1000, 1400), random.pick(agents), stretch(random, 10_000, 20_000)),
  };
}
