import type { Process, TcpAct, World } from '../world.ts';

/** Which kinds of what may happen did happen in a world: what a count over many worlds has to find of each. */
export const varieties: Readonly<Record<string, (world: World) => boolean>> = {
  'fork without exec': (world) => own(world).some(({ how }) => how === 'fork'),
  'image without fork': (world) => own(world).some(({ how }) => how === 'image'),
  'thread that connects': (world) => tcp(world).some(({ tid }) => tid !== undefined),
  'nested shells': (world) => own(world).some((process) => depth(world, process) >= 3),
  container: (world) => own(world).some(({ container }) => container !== undefined),
  'pod selector': (world) => selects(world, 'pod'),
  'container selector': (world) => selects(world, 'container'),
  'env selector': (world) => selects(world, 'env'),
  'wiped environment': (world) =>
    own(world).some(({ env, container }) => Object.keys(env).length === 0 && container === undefined),
  'adopted daemon': (world) => own(world).some(({ adopted }) => adopted),
  'pid reuse': (world) => world.processes.some((process, index) => reuses(world, process, index)),
  'shared address': ({ services }) =>
    services.some((service) =>
      services.some((other) => other !== service && other.addresses.some((one) => service.addresses.includes(one))),
    ),
  'several addresses': ({ services }) => services.some(({ addresses }) => addresses.length > 1),
  'IPv6 connection': (world) =>
    tcp(world).some(({ tuple }) => tuple.remote.includes(':') && !tuple.remote.startsWith('::ffff:')),
  'IPv4-mapped connection': (world) => tcp(world).some(({ tuple }) => tuple.remote.startsWith('::ffff:')),
  CNAME: ({ acts }) => acts.some((act) => act.kind === 'lookup' && act.through.length > 0),
  'AAAA question': ({ acts }) => acts.some((act) => act.kind === 'lookup' && act.type === 'AAAA'),
  'lost answer': ({ acts }) => acts.some((act) => act.kind === 'lookup' && act.answered === undefined),
  'search domain': ({ configuration }) => configuration.searchDomains.length > 0,
  'configured hosts': ({ configuration }) => Object.keys(configuration.hosts).length > 0,
  'expired answer used again': usesExpired,
  'answer of another process': usesOthers,
  refused: (world) => tcp(world).some(({ outcome }) => outcome === 'refused'),
  'timed out': (world) => tcp(world).some(({ outcome }) => outcome === 'timeout'),
  'no data': (world) => tcp(world).some(({ outcome, sends }) => outcome === 'up' && sends.length === 0),
  'non-blocking': (world) => tcp(world).some(({ blocking }) => !blocking),
  'parallel connections': (world) => parallel(tcp(world)),
  'split ClientHello': (world) => tcp(world).some(({ hello }) => hello.form === 'split'),
  'old ClientHello': (world) => tcp(world).some(({ hello }) => hello.form === 'old'),
  'encrypted ClientHello': (world) => tcp(world).some(({ hello }) => hello.form === 'encrypted'),
  'infrastructure over UDP': ({ acts }) => acts.some(({ kind }) => kind === 'udp'),
  'infrastructure over TCP': (world) => tcp(world).some(({ tuple }) => tuple.remotePort === 3142),
  'loopback inside the tree': ({ acts }) => acts.some(({ kind }) => kind === 'accept'),
  'inherited connection': ({ acts }) => acts.some(({ kind }) => kind === 'inherited'),
  'broker user': ({ sessions }) => sessions.some(({ issuer }) => issuer.kind === 'user'),
  OIDC: ({ sessions }) => sessions.some(({ issuer }) => issuer.kind === 'oidc'),
  'declared issuers': ({ configuration }) => configuration.issuers.length > 0,
  'role chaining': ({ sessions }) => sessions.some(({ issuer }) => issuer.kind === 'session'),
  'renewed credential': ({ sessions, tasks: [{ id }] }) =>
    sessions.filter(({ task, issuer }) => task === id && issuer.kind !== 'session').length > 1,
  'several calls on a connection': ({ calls }) =>
    new Set(calls.map(({ connection }) => connection)).size < calls.length,
  'denied call': ({ calls }) => calls.some(({ outcome }) => outcome === 'denied'),
  'data event': ({ calls }) => calls.some(({ data }) => data),
  'regional endpoint': ({ calls }) => calls.some(({ host, region }) => host.includes(`.${region}.`)),
  'record without host': ({ calls }) => calls.some(({ tellsHost }) => !tellsHost),
  GetCallerIdentity: ({ calls }) => calls.some(({ eventName }) => eventName === 'GetCallerIdentity'),
  bystander: ({ tasks }) => tasks.length > 1,
  'bystander on the node': ({ tasks: [task, ...others] }) => others.some(({ node }) => node === task.node),
  'shared egress address': ({ nodes }) => new Set(nodes.map(({ egress }) => egress)).size < nodes.length,
  'assumption accepted': ({ configuration }) => configuration.assume.length > 0,
  'trail for all regions': ({ trails }) => trails.some(({ multiRegion }) => multiRegion),
  'trail by region': ({ trails }) => trails.some(({ multiRegion }) => !multiRegion),
  skew: ({ nodes }) => nodes.some(({ skew }) => skew !== 0n),
  'declared window': ({ tasks: [{ declaration }] }) => declaration.window !== undefined,
  'declared image': ({ tasks: [{ declaration }] }) => declaration.image !== undefined,
};

function own({ processes }: World): Process[] {
  return processes.filter(({ how }) => how !== 'procfs');
}

function tcp({ acts }: World): TcpAct[] {
  return acts.filter((act) => act.kind === 'tcp');
}

function selects({ tasks }: World, kind: 'env' | 'container' | 'pod'): boolean {
  return tasks.some(({ declaration }) => declaration.workload.some((selector) => kind in selector));
}

function depth({ processes }: World, process: Process): number {
  let count = 0;
  let parent = processes.find(({ id }) => id === process.parent);
  while (parent !== undefined && parent.how !== 'procfs') {
    count += 1;
    const { parent: above } = parent;
    parent = processes.find(({ id }) => id === above);
  }
  return count;
}

function reuses({ processes }: World, { node, pid, how }: Process, index: number): boolean {
  return (
    how !== 'image' &&
    processes.some((other, at) => at !== index && other.node === node && other.pid === pid && other.how !== 'image')
  );
}

function usesExpired(world: World): boolean {
  return connectedLookups(world).some(
    ({ answers, connection }) => answers.length > 0 && answers.every(({ until }) => until < connection),
  );
}

function usesOthers(world: World): boolean {
  return connectedLookups(world).some(
    ({ answers, process }) => answers.length > 0 && answers.every((answer) => answer.process !== process),
  );
}

interface Told {
  readonly process: string;
  readonly until: bigint;
}

/** Each connection with the answers that told its address before it was opened, on its node. */
function connectedLookups({ acts, processes }: World): { process: string; connection: bigint; answers: Told[] }[] {
  const nodeOf = new Map(processes.map(({ id, node }) => [id, node]));
  return acts.flatMap((act) => {
    if (act.kind !== 'tcp') return [];
    const answers = acts.flatMap((other) =>
      other.kind !== 'lookup' ||
      other.answered === undefined ||
      other.at > act.at ||
      nodeOf.get(other.process) !== nodeOf.get(act.process)
        ? []
        : other.answers
            .filter(({ address }) => address === act.tuple.remote)
            .map(({ ttl }) => ({ process: other.process, until: other.at + BigInt(ttl) * 1_000_000_000n })),
    );
    return [{ process: act.process, connection: act.at, answers }];
  });
}

function parallel(connections: readonly TcpAct[]): boolean {
  return connections.some(({ tuple, sends, closed }) =>
    connections.some(
      (other) =>
        other.tuple !== tuple && (other.sends[0] ?? 0n) > (sends[0] ?? 0n) && (other.sends[0] ?? 0n) < (closed ?? 0n),
    ),
  );
}
