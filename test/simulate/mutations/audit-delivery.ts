import type { Random } from '../random.ts';
import type { Call, Ns, Trail, World } from '../world.ts';
import { freshId, freshUuid } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { ownTrails } from './own-trails.ts';
import { firstIssue, lastExpiry, lifeOf, second } from './task-life.ts';

const harmless: Expected = { truth: 'harmless', codes: [], names: [] };

/** What the trail's own log may tell of it, and how late that may come. */
export const deliveryMutations: readonly WorldMutation[] = [
  switched('trail-stopped-and-started', ['StopLogging', 'StartLogging']),
  switched('selectors-changed-and-back', ['PutEventSelectors', 'PutEventSelectors']),
  switched('trail-updated', ['UpdateTrail']),
  {
    id: 'log-delivered-after-newest-digest',
    group: 'audit',
    about: 'A log file with a use of the task came after the newest digest.',
    changes: 'world',
    apply: (world, random) =>
      deliverAt(world, random, (digests) => (digests.at(-1) ?? 0n) + 90n * second, {
        truth: 'wait',
        codes: ['tail-open', 'log-file-unlisted'],
        names: [],
      }),
  },
  {
    id: 'log-delivered-two-hours-late',
    group: 'harmless',
    about: 'A log file with a use of the task came hours late; a later digest lists it.',
    changes: 'world',
    apply: (world, random) => deliverAt(world, random, (digests) => (digests.at(-1) ?? 0n) - 120n * second, harmless),
  },
];

/** Calls that change a trail, by whoever else has a key in the account; no snapshot shows that anything was different. */
function switched(id: string, names: readonly string[]): WorldMutation {
  return {
    id,
    group: 'audit',
    about: `The trail's own log tells of ${names.join(' and ')} in between.`,
    changes: 'world',
    apply(world, random) {
      const life = lifeOf(world);
      const issuer = life.sessions.map((session) => session.issuer).find((one) => one.kind === 'user');
      const trail = ownTrails(world).find(({ region }) => region === 'us-east-1');
      if (issuer?.kind !== 'user' || trail === undefined) return undefined;
      const [from, until] = [firstIssue(life), lastExpiry(life)];
      const start = from + ((until - from) * BigInt(random.int(5, 60))) / 100n;
      for (const [index, eventName] of names.entries()) {
        world.calls.push(
          trailCall(world, random, trail, { eventName, at: start + BigInt(index * 30) * second, issuer }),
        );
      }
      return { truth: 'doubt', codes: ['trail-changed'], names: [...names] };
    },
  };
}

function trailCall(
  world: World,
  random: Random,
  { account, region, name }: Trail,
  { eventName, at, issuer }: { eventName: string; at: Ns; issuer: { key: string } },
): Call {
  const arn = `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
  return {
    id: freshId(world, 'c'),
    at,
    key: issuer.key,
    host: `cloudtrail.${region}.amazonaws.com`,
    service: 'cloudtrail.amazonaws.com',
    eventName,
    action: `cloudtrail:${eventName}`,
    account,
    region,
    source: '192.0.2.200',
    outcome: 'ok',
    readOnly: false,
    data: false,
    resources: [{ arn, type: 'AWS::CloudTrail::Trail' }],
    connection: undefined,
    eventId: freshUuid(random),
    requestId: freshUuid(random),
    userAgent: 'aws-cli/2.17',
    tellsHost: true,
    logged: true,
    delay: random.int(60, 600),
  };
}

function deliverAt(
  world: World,
  random: Random,
  when: (digests: readonly Ns[]) => Ns,
  expected: Expected,
): Expected | undefined {
  const life = lifeOf(world);
  const issuing = new Set(world.sessions.map(({ id }) => id));
  const call = random.maybe(life.calls.filter(({ logged, id }) => logged && !issuing.has(id)));
  const digests = ownTrails(world)[0]?.digests;
  if (call === undefined || digests === undefined) return undefined;
  const delay = Number((when(digests) - call.at) / second);
  if (delay < call.delay) return undefined;
  world.calls[world.calls.indexOf(call)] = { ...call, delay };
  return { ...expected, names: expected.truth === 'harmless' ? [] : [call.account, call.eventId] };
}
