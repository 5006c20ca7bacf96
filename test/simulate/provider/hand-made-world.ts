import type { Act, Call, Configuration, Node, Ns, Process, Session, Task, Trail, World } from '../world.ts';

/** 2026-11-21T10:33:37Z, when the recording of the node begins. */
const begin: Ns = 1_795_257_217_000_000_000n;
const second: Ns = 1_000_000_000n;
const hour: Ns = 3600n * second;
const node = 'node-1';
const host = 'route53.amazonaws.com';
const address = '203.0.113.66';
const resolver = '192.0.2.53';
const account = '111122223333';
const key = 'ASIAEXAMPLE7B3FXXXXX';

/**
 * The smallest good world: a task of a root and one child, which looked a name up once, had two connections to it, and asked
 * once over each.
 */
export function handMadeWorld(): World {
  return {
    seed: 'hand-made',
    nodes: [makeNode()],
    tasks: [makeTask()],
    processes: makeProcesses(),
    acts: [makeLookup(), makeConnection('a2', 49_152, 6_200), makeConnection('a3', 49_153, 8_200)],
    sessions: [makeSession()],
    calls: [makeCall('c1', 'a2', 'ListResourceRecordSets', 6_700), makeCall('c2', 'a3', 'GetHostedZone', 8_700)],
    trails: [makeTrail()],
    configuration: makeConfiguration(),
    services: [{ host, addresses: [address] }],
  };
}

function at(milliseconds: number): Ns {
  return begin + BigInt(milliseconds) * 1_000_000n;
}

function makeNode(): Node {
  const seconds = Array.from({ length: 22 }, (_, index) => index + 1);
  return {
    name: node,
    address: '10.0.0.5',
    egress: '203.0.113.7',
    booted: begin - 2n * hour,
    netns: 4_026_531_840,
    resolver,
    skew: -850_000_000n,
    sensor: {
      started: begin - hour,
      restarts: [],
      health: [1, 4, 7, 10, 13, 16, 19, 22, 25].map((time) => at(time * 1000 + 10)),
      canaries: seconds.map((n) => ({ n, at: at(n * 1000 + 220), port: 1, told: true, made: true })),
      streams: [
        { at: at(650), state: 'connected' },
        { at: at(60_000), state: 'disconnected', why: 'the collector was stopped' },
      ],
      policyStates: [],
      losses: [],
      blind: [],
      cached: [],
    },
  };
}

function makeTask(): Task {
  return {
    id: '7b3f',
    type: 'dns-validation',
    node,
    root: 'p2',
    declaration: {
      declared: at(-45_000),
      workload: [{ env: { TASK_ID: '7b3f' } }],
      credentials: [{ session: 'sess-7b3f-a1c8', role: `arn:aws:iam::${account}:role/route53-reader` }],
      granted: ['route53:List*', 'route53:Get*'],
      endpoints: [`${host}:443`],
      // The C library asks a caching daemon first, whether or not there is one.
      infrastructure: [`${resolver}:53/udp`, 'unix:/var/run/nscd/socket'],
      actions: ['route53:ListResourceRecordSets', 'route53:GetHostedZone'],
      relays: [],
    },
  };
}

function makeProcesses(): Process[] {
  const common = { node, cwd: '/root', uid: 0, netns: 4_026_531_840, adopted: false } as const;
  const env = { TASK_ID: '7b3f', AWS_ROLE_SESSION_NAME: 'sess-7b3f-a1c8' };
  return [
    {
      ...common,
      ...{ id: 'p1', pid: 1, parent: undefined, how: 'procfs', env: {} },
      ...{ forked: begin - 2n * hour, started: begin - 2n * hour, exited: undefined },
      ...{ binary: '/usr/lib/systemd/systemd', arguments: '', cwd: '/' },
    },
    {
      ...common,
      ...{ id: 'p2', pid: 501, parent: 'p1', how: 'exec', env },
      ...{ forked: at(5_000), started: at(5_002), exited: at(10_000) },
      ...{ binary: '/usr/bin/bash', arguments: '/opt/validate.sh' },
    },
    {
      ...common,
      ...{ id: 'p3', pid: 502, parent: 'p2', how: 'exec', env },
      ...{ forked: at(5_500), started: at(5_503), exited: at(9_500) },
      ...{ binary: '/usr/bin/aws', arguments: 'route53 list-resource-record-sets' },
    },
  ];
}

function makeLookup(): Act {
  return {
    ...{ id: 'a1', process: 'p3', at: at(6_000), kind: 'lookup' },
    ...{ name: host, type: 'A', server: resolver, localPort: 40_001, socket: '18446613257655674496' },
    ...{ answered: 12_000_000n, answers: [{ address, ttl: 60 }], through: [], messageId: 4711 },
  };
}

function makeConnection(id: string, localPort: number, milliseconds: number): Act {
  return {
    ...{ id, process: 'p3', at: at(milliseconds), kind: 'tcp' },
    tuple: {
      ...{ local: '10.0.0.5', localPort, remote: address, remotePort: 443 },
      socket: `184466132581377${localPort}`,
    },
    ...{ closed: at(milliseconds + 900), outcome: 'up', blocking: true },
    sends: [at(milliseconds + 20), at(milliseconds + 80)],
    hello: { form: 'whole', name: host },
  };
}

function makeSession(): Session {
  return {
    ...{ key, name: 'sess-7b3f-a1c8', role: `arn:aws:iam::${account}:role/route53-reader` },
    ...{ roleId: 'AROAEXAMPLEROLEID0001', account, issued: at(-14_000), expires: at(-14_000) + 901n * second },
    issuer: { kind: 'user', arn: `arn:aws:iam::${account}:user/broker`, key: 'AKIAEXAMPLEBROKER001' },
    ...{ source: '203.0.113.99', task: '7b3f', id: 'c0' },
    eventId: '2b8db697-ce8a-4c23-a470-968f6f8f420d',
    requestId: '5f5a21f8-3e25-4e81-bb24-ce43b94312df',
    ...{ logged: true, delay: 310, region: 'us-east-1' },
  };
}

function makeCall(id: string, connection: string, eventName: string, milliseconds: number): Call {
  return {
    ...{ id, at: at(milliseconds), key, host, service: 'route53.amazonaws.com', eventName },
    ...{ action: `route53:${eventName}`, account, region: 'us-east-1', source: '203.0.113.7', outcome: 'ok' },
    ...{ readOnly: true, data: false, resources: [], connection },
    eventId: `18ce15cd-e291-4e54-a1d0-0000000000${id}`,
    requestId: `52329dc3-aa4e-498b-b4fc-0000000000${id}`,
    ...{ userAgent: 'aws-cli/2.17.0', tellsHost: true, logged: true, delay: 290 },
  };
}

function makeTrail(): Trail {
  const first = begin - 4_880n * second;
  const taken = [begin - hour, begin + 11_687n * second];
  return {
    ...{ name: 'org-trail', account, region: 'us-east-1', multiRegion: true, bucket: 'example-org-cloudtrail' },
    digests: Array.from({ length: 6 }, (_, index) => first + BigInt(index) * hour),
    snapshots: taken.map((time) => ({
      ...{ at: time, logging: true, validated: true, management: 'all', data: [], excluded: [] },
    })),
  };
}

function makeConfiguration(): Configuration {
  return {
    nodes: { [node]: ['203.0.113.7'] },
    ...{ resolvers: [], sessionNames: ['sess-{task}-{suffix}'], issuers: [], hosts: {}, assume: [] },
    ...{ infrastructure: [], searchDomains: [] },
  };
}
