import type { Random } from '../random.ts';
import type { Call, Process, World } from '../world.ts';
import { addAct, addBystander, addCall, addConnection, addLookup, freshAddress } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { carrierOf, millisecond, second, taskCalls, type TcpOf } from './places.ts';

/* The task's credential used by a neighbour behind the same address while the task was connected: as quietly as it can. */

interface Meeting {
  readonly like: Call;
  readonly carrier: { readonly act: TcpOf; readonly process: Process };
}

function meet(world: World, random: Random): Meeting | undefined {
  const met = taskCalls(world).flatMap(({ call }) => {
    const carrier = carrierOf(world, call);
    return carrier === undefined ? [] : [{ like: call, carrier }];
  });
  return random.maybe(met);
}

/** Who accepts that trees can't read each other's credentials has answered the question. */
function shared(world: World, { action, eventId }: Call): Expected {
  if (world.configuration.assume.includes('co-tenants-isolated')) return { truth: 'harmless', codes: [], names: [] };
  return {
    truth: 'violation',
    codes: ['ambiguous-use'],
    names: [action, eventId],
    unshown: 'Both trees had a connection to the host behind one address.',
  };
}

/** An address of the host that the task never saw. */
function otherAddress(world: World, random: Random, host: string): string {
  const address = freshAddress(world, random);
  const service = world.services.find((one) => one.host === host);
  if (service === undefined) world.services.push({ host, addresses: [address] });
  else service.addresses.push(address);
  return address;
}

type Quiet = 'looked-up' | 'named' | 'silent';

/** Over another address of the host; the neighbour looks it up, or names it in its ClientHello, or neither. */
function overOtherAddress(how: Quiet, elsewhere: boolean) {
  return (world: World, random: Random): Expected | undefined => {
    const met = meet(world, random);
    if (met === undefined) return undefined;
    const { process, act } = met.carrier;
    const own = world.configuration.nodes[process.node] ?? [];
    const near = world.nodes.filter(
      ({ name, egress }) => (name === process.node) !== elsewhere && (!elsewhere || own.includes(egress)),
    );
    const node = random.maybe(near);
    const at = met.like.at - 300n * millisecond;
    const thief = node && addBystander(world, random, node.name, at - 100n * millisecond, at + second);
    if (thief === undefined) return undefined;
    const remote = otherAddress(world, random, met.like.host);
    if (how === 'looked-up')
      addLookup(world, random, thief, at - 50n * millisecond, { name: met.like.host, addresses: [remote] });
    const connection = addConnection(world, random, thief, at, {
      remote,
      port: act.tuple.remotePort,
      hello: { form: how === 'named' ? 'whole' : 'old', name: met.like.host },
      lasts: 700n * millisecond,
    });
    return shared(world, addCall(world, random, met.like, { connection: connection.id }));
  };
}

/** Over a connection that was open before the recording: its sends alone are seen. */
function overOldConnection(world: World, random: Random): Expected | undefined {
  const met = meet(world, random);
  if (met === undefined) return undefined;
  const { process, act } = met.carrier;
  const at = met.like.at - 300n * millisecond;
  const thief = addBystander(world, random, process.node, at - second, at + 2n * second);
  if (thief === undefined) return undefined;
  const made = addConnection(world, random, thief, at, {
    remote: act.tuple.remote,
    port: act.tuple.remotePort,
    hello: { form: 'none' },
    lasts: second,
  });
  if (made.kind !== 'tcp') return undefined;
  world.acts.splice(world.acts.indexOf(made), 1);
  addAct(world, { kind: 'inherited', process: thief.id, at, tuple: made.tuple, sends: [at, at + 200n * millisecond] });
  return shared(world, addCall(world, random, met.like, {}));
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'neighbour-looked-up',
    'over another address of the host that it had looked up',
    overOtherAddress('looked-up', false),
  ],
  ['neighbour-named', 'over another address of the host that its ClientHello named', overOtherAddress('named', false)],
  ['neighbour-silent', 'over another address of the host, naming it nowhere', overOtherAddress('silent', false)],
  [
    'other-node-looked-up',
    'from another node, over an address that it had looked up',
    overOtherAddress('looked-up', true),
  ],
  [
    'other-node-named',
    'from another node, over an address that its ClientHello named',
    overOtherAddress('named', true),
  ],
  ['other-node-silent', 'from another node, over an address that it named nowhere', overOtherAddress('silent', true)],
  ['neighbour-old-connection', 'over a connection that was open before the recording', overOldConnection],
];

export const credentialNeighbourMutations: readonly WorldMutation[] = about.map(([id, how, apply]) => ({
  id: `use-by-${id}`,
  group: 'credential',
  about: `A neighbour behind the same address used the credential while the task was connected, ${how}.`,
  changes: 'world',
  apply,
}));
