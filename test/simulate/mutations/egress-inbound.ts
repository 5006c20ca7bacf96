import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addAct, addBystander, addConnection, freshAddress, freshPort, freshSocket } from './additions.ts';
import { channelDoubt, isTaken } from './egress-channel.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { millisecond, nodeOf, pickActor, second } from './places.ts';

/* Connections that others open towards the task. */

function inbound(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const { address } = nodeOf(world, process.node);
  const port = random.pick([8080, 4444, 2222, 31_337]);
  if (isTaken(world, port)) return undefined;
  const remote = freshAddress(world, random);
  addAct(world, {
    kind: 'listen',
    process: process.id,
    at,
    local: '0.0.0.0',
    localPort: port,
    socket: freshSocket(world, random),
  });
  addAct(world, {
    kind: 'accept',
    process: process.id,
    at: at + 5n * millisecond,
    tuple: {
      local: address,
      localPort: port,
      remote,
      remotePort: freshPort(world, random),
      socket: freshSocket(world, random),
    },
    until: at + 150n * millisecond,
  });
  return channelDoubt('inbound-connection', remote);
}

/** From a program on the same node: over loopback, so that no address tells. */
function inboundFromBystander(world: World, random: Random): Expected | undefined {
  const actor = pickActor(world, random, 200n * millisecond);
  if (actor === undefined) return undefined;
  const { process, at } = actor;
  const other = addBystander(world, random, process.node, at - 100n * millisecond, at + second);
  const port = random.int(1100, 9999);
  if (other === undefined || isTaken(world, port)) return undefined;
  other.netns = process.netns;
  addAct(world, {
    kind: 'listen',
    process: process.id,
    at,
    local: '127.0.0.1',
    localPort: port,
    socket: freshSocket(world, random),
  });
  const opened = at + 5n * millisecond;
  const made = addConnection(world, random, other, opened, {
    remote: '127.0.0.1',
    port,
    hello: { form: 'none' },
    lasts: 50n * millisecond,
  });
  if (made.kind !== 'tcp') return undefined;
  const { local, localPort } = made.tuple;
  addAct(world, {
    kind: 'accept',
    process: process.id,
    at: opened + 100_000n,
    tuple: {
      local: '127.0.0.1',
      localPort: port,
      remote: local,
      remotePort: localPort,
      socket: freshSocket(world, random),
    },
    until: opened + 50n * millisecond,
  });
  return channelDoubt('inbound-connection', `${local}:${localPort}`);
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  ['inbound-connection', 'took a connection from outside', inbound],
  ['inbound-from-bystander', 'took a connection from another program of the node', inboundFromBystander],
];

export const egressInboundMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'egress',
  about: `The task ${what}.`,
  changes: 'world',
  apply,
}));
