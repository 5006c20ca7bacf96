import type { Act, Node, Ns, Process, Task, Tuple, World } from '../world.ts';

/** Half past ten on the day of the recordings. */
export const noon: Ns = 1_795_257_000_000_000_000n;
const second = 1_000_000_000n;

/** ns from the beginning of the small world's story, given in seconds. */
export function after(seconds: number): Ns {
  return noon + BigInt(Math.round(seconds * 1000)) * 1_000_000n;
}

/** An act without its id. */
export type Done = Act extends infer Each ? (Each extends Act ? Omit<Each, 'id'> : never) : never;

/** A node whose sensor runs since long, asked every 3 s, with a canary each second, from 5 s before the story to 60 s into it. */
export function smallNode(name = 'tetlab', skew: Ns = 0n): Node {
  return {
    name,
    address: '192.0.2.10',
    egress: '203.0.113.7',
    booted: noon - 600n * second,
    netns: 4_026_531_840,
    resolver: '192.0.2.53',
    skew,
    sensor: {
      started: noon - 300n * second,
      restarts: [],
      health: Array.from({ length: 21 }, (_, n) => after(-4.5 + 3 * n)),
      canaries: Array.from({ length: 60 }, (_, n) => ({
        n: n + 1,
        at: after(-4 + n),
        port: 1,
        told: true,
        made: true,
      })),
      streams: [{ at: after(-5), state: 'connected' }],
      policyStates: [],
      losses: [],
      blind: [],
      cached: [],
    },
  };
}

/** A process with what most have; times in seconds of the story. */
export function process(
  id: string,
  pid: number,
  rest: Partial<Process> & { readonly from: number; readonly until?: number },
): Process {
  const { from, until, ...own } = rest;
  const started = after(from);
  const how = own.how ?? 'exec';
  return {
    id,
    node: 'tetlab',
    pid,
    parent: undefined,
    how,
    forked: how === 'exec' ? started - 20_000_000n : started,
    started,
    exited: until === undefined ? undefined : after(until),
    binary: '/usr/bin/python3',
    arguments: '/lab/scn/b01.py',
    cwd: '/lab/scn',
    uid: 0,
    env: {},
    netns: 4_026_531_840,
    adopted: false,
    ...own,
  };
}

export function tuple(remote: string, remotePort: number, localPort: number, local = '192.0.2.10'): Tuple {
  return { local, localPort, remote, remotePort, socket: `184466132576${String(localPort).padStart(8, '0')}` };
}

/**
 * A world of one node and one task with the given acts. Processes of the task: `root` (python), its child `curl`, `fork` (a
 * child without exec), `daemon` (its parent had exited before its exec) and `image` (curl turned into another program).
 */
export function smallWorld(acts: readonly Done[], change: (world: World) => void = () => undefined): World {
  const env = { TASK_ID: '7b3f', AWS_ROLE_SESSION_NAME: 'sess-7b3f-a1c8' };
  const task: Task = {
    id: '7b3f',
    type: 'dns-validation',
    node: 'tetlab',
    root: 'root',
    declaration: {
      declared: after(-60),
      workload: [{ env: { TASK_ID: '7b3f' } }],
      credentials: [{ session: 'sess-7b3f-a1c8', role: 'arn:aws:iam::111122223333:role/route53-reader' }],
      granted: [],
      endpoints: ['route53.amazonaws.com:443'],
      infrastructure: ['192.0.2.53:53/udp', 'unix:/var/run/nscd/socket'],
      actions: [],
      relays: [],
    },
  };
  const world: World = {
    seed: 'hand-made',
    nodes: [smallNode()],
    tasks: [task],
    processes: [
      process('init', 1, {
        how: 'procfs',
        from: -599,
        binary: '/usr/bin/bash',
        arguments: '/sbin/guest-init',
        cwd: '/',
      }),
      process('sshd', 205, {
        how: 'procfs',
        parent: 'init',
        from: -590,
        binary: '/usr/sbin/sshd',
        arguments: '',
        cwd: '/',
      }),
      process('server', 794, {
        ...{
          how: 'procfs',
          parent: 'init',
          from: -580,
          binary: '/usr/bin/python3.11',
          arguments: '/lab/scn/services.py',
        },
      }),
      process('login', 421, { parent: 'sshd', from: 0, binary: '/bin/bash', arguments: '-c "python3 /lab/launch.py"' }),
      process('root', 422, { parent: 'login', from: 1, until: 40, env }),
      process('curl', 424, {
        ...{ parent: 'root', from: 2, until: 30, env, binary: '/usr/bin/curl' },
        arguments: '-sk --max-time 15 https://route53.amazonaws.com:443/',
      }),
      process('fork', 425, { parent: 'root', how: 'fork', from: 3, until: 31, env }),
      process('shell', 426, { parent: 'root', from: 4, binary: '/bin/sh', arguments: '-c "exec cat"', env }),
      process('image', 426, {
        parent: 'shell',
        how: 'image',
        from: 4.5,
        until: 32,
        binary: '/usr/bin/cat',
        arguments: '',
        env,
      }),
      process('daemon', 427, { parent: 'fork', from: 5, until: 33, adopted: true, cwd: '/', env }),
    ],
    acts: acts.map((act, n) => ({ ...act, id: `a${n + 1}` })),
    sessions: [],
    calls: [],
    trails: [],
    configuration: {
      nodes: { tetlab: ['203.0.113.7'] },
      resolvers: ['192.0.2.53'],
      sessionNames: [],
      issuers: [],
      hosts: {},
      assume: [],
      infrastructure: [],
      searchDomains: [],
    },
    services: [{ host: 'route53.amazonaws.com', addresses: ['192.0.2.10'] }],
  };
  change(world);
  return world;
}

/** What a curl of the task does: two questions on one socket, then a TLS connection. */
export function curlActs(process = 'curl', at = 6): Done[] {
  const lookup = {
    ...({ kind: 'lookup', process, name: 'route53.amazonaws.com', server: '192.0.2.53', localPort: 52_558 } as const),
    ...{ socket: '18446613258216871552', answered: 15_000_000n, through: [] },
  };
  return [
    { ...lookup, at: after(at), type: 'A', answers: [{ address: '192.0.2.10', ttl: 5 }], messageId: 3223 },
    { ...lookup, at: after(at + 0.004), type: 'AAAA', answers: [], messageId: 35_805 },
    {
      ...{
        kind: 'tcp',
        process,
        at: after(at + 0.03),
        tuple: tuple('192.0.2.10', 443, 6957),
        closed: after(at + 0.25),
      },
      ...{ outcome: 'up', blocking: false, sends: [after(at + 0.1)] },
      hello: { form: 'whole', name: 'route53.amazonaws.com' },
    },
  ];
}

/** Every kind of act once or more. */
export function everyAct(): Done[] {
  const failed = { kind: 'tcp' as const, process: 'root', sends: [] as Ns[], hello: { form: 'none' as const } };
  const refused = (at: number, blocking: boolean): Done => ({
    ...{ ...failed, blocking, outcome: 'refused' as const, at: after(at), closed: after(at + 0.02) },
    tuple: tuple('203.0.113.67', 443, 21_736 + Math.round(at * 8)),
  });
  const timeout = (at: number, blocking: boolean): Done => ({
    ...{ ...failed, blocking, outcome: 'timeout' as const, at: after(at), closed: after(at + 3) },
    tuple: tuple('203.0.113.99', 443, 31_408 + Math.round(at * 8)),
  });
  return [
    ...curlActs(),
    refused(8, false),
    refused(8.5, true),
    timeout(9, false),
    timeout(9.5, true),
    {
      kind: 'udp',
      process: 'root',
      at: after(10),
      tuple: tuple('203.0.113.66', 5353, 6940),
      connected: false,
      payload: 'AAEC',
    },
    {
      kind: 'udp',
      process: 'root',
      at: after(10.5),
      tuple: tuple('203.0.113.66', 443, 34_398),
      connected: true,
      payload: 'AAEC',
    },
    {
      kind: 'udp',
      process: 'fork',
      at: after(11),
      tuple: tuple('2001:db8::66', 443, 37_670, '2001:db8::66'),
      connected: false,
      payload: 'AA==',
    },
    {
      kind: 'udp',
      process: 'fork',
      at: after(11.5),
      tuple: tuple('2001:db8::66', 443, 26_963, '2001:db8::66'),
      connected: true,
    },
    { kind: 'icmp', process: 'root', at: after(12), remote: '203.0.113.66', socket: '18446615562398445568' },
    { kind: 'icmp', process: 'root', at: after(12.5), remote: '2001:db8::66', socket: '18446615562180729984' },
    { kind: 'raw', process: 'root', at: after(13), remote: '203.0.113.66', socket: '18446615564124583936' },
    { kind: 'raw', process: 'root', at: after(13.5), remote: '2001:db8::66', socket: '18446615561864055168' },
    { kind: 'packet', process: 'root', at: after(14), socket: '18446615561873440768' },
    { kind: 'unix', process: 'root', at: after(14.5), path: '/run/relay.sock', socket: '18446615561864120320' },
    { kind: 'unix', process: 'root', at: after(14.6), path: '@lab-relay', socket: '18446615561864118272' },
    {
      kind: 'listen',
      process: 'root',
      at: after(15),
      local: '192.0.2.12',
      localPort: 9443,
      socket: '18446615561879643328',
    },
    {
      kind: 'accept',
      process: 'root',
      at: after(16),
      tuple: tuple('192.0.2.99', 40_001, 9443, '192.0.2.12'),
      until: after(17),
    },
    {
      kind: 'receive',
      process: 'root',
      at: after(17.5),
      tuple: tuple('203.0.113.66', 443, 60_000),
      from: 'server',
      by: 'scm',
      sends: [after(18)],
    },
    {
      kind: 'receive',
      process: 'root',
      at: after(18.5),
      tuple: tuple('203.0.113.66', 443, 60_001),
      from: 'server',
      by: 'pidfd',
      sends: [],
    },
    { kind: 'inherited', process: 'fork', at: after(19), tuple: tuple('203.0.113.66', 8080, 7294), sends: [after(19)] },
    { kind: 'thread', process: 'curl', at: after(19.5), tid: 4288 },
    { kind: 'ptrace', process: 'root', at: after(20), target: 'server' },
    { kind: 'vm-write', process: 'root', at: after(20.5), target: 'server' },
    { kind: 'pidfd-getfd', process: 'root', at: after(21), target: 'server' },
    { kind: 'setns', process: 'root', at: after(21.5), netns: 4_026_532_000 },
    { kind: 'unshare', process: 'root', at: after(22), netns: 4_026_532_001 },
    { kind: 'io-uring', process: 'root', at: after(22.5) },
  ];
}
