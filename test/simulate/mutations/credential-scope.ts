import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { addCall, addSession, freshAddress } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { taskCalls } from './places.ts';

/* The task's own credential used for more than it was given for, or where no log tells of it. */

/** Requests of the services that good tasks ask for, with the action that each needs. */
const temptations: Readonly<Record<string, readonly (readonly [string, string, boolean])[]>> = {
  'route53.amazonaws.com': [
    ['DeleteHostedZone', 'route53:DeleteHostedZone', false],
    ['ChangeResourceRecordSets', 'route53:ChangeResourceRecordSets', false],
  ],
  'iam.amazonaws.com': [
    ['AttachRolePolicy', 'iam:AttachRolePolicy', false],
    ['ListUsers', 'iam:ListUsers', true],
  ],
  's3.amazonaws.com': [
    ['PutBucketPolicy', 's3:PutBucketPolicy', false],
    ['DeleteBucket', 's3:DeleteBucket', false],
  ],
  'dynamodb.amazonaws.com': [['DeleteTable', 'dynamodb:DeleteTable', false]],
  'ec2.amazonaws.com': [
    ['RunInstances', 'ec2:RunInstances', false],
    ['DescribeSnapshots', 'ec2:DescribeSnapshots', true],
  ],
  'secretsmanager.amazonaws.com': [
    ['DeleteSecret', 'secretsmanager:DeleteSecret', false],
    ['ListSecrets', 'secretsmanager:ListSecrets', true],
  ],
  'ssm.amazonaws.com': [['SendCommand', 'ssm:SendCommand', false]],
  'kms.amazonaws.com': [['ScheduleKeyDeletion', 'kms:ScheduleKeyDeletion', false]],
  'lambda.amazonaws.com': [['DeleteFunction20150331', 'lambda:DeleteFunction', false]],
  'ecr.amazonaws.com': [['DeleteRepository', 'ecr:DeleteRepository', false]],
  'monitoring.amazonaws.com': [['DeleteAlarms', 'cloudwatch:DeleteAlarms', false]],
};

function covers(pattern: string, action: string): boolean {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'i').test(action);
}

/** Over the task's own connection, in the second of a use that it was given. */
function useUndeclared(world: World, random: Random, outcome: 'ok' | 'denied'): Expected | undefined {
  const { actions, granted } = world.tasks[0].declaration;
  if (
    !world.trails.every(({ snapshots }) =>
      snapshots.every(({ management, excluded }) => management === 'all' && excluded.length === 0),
    )
  )
    return undefined;
  const fitting = taskCalls(world).flatMap(({ call }) =>
    (temptations[call.service] ?? []).flatMap((one) =>
      [...actions, ...granted].some((pattern) => covers(pattern, one[1])) ? [] : [{ call, one }],
    ),
  );
  const pick = random.maybe(fitting);
  if (pick === undefined) return undefined;
  const [eventName, action, readOnly] = pick.one;
  const { connection } = pick.call;
  addCall(world, random, pick.call, { eventName, action, readOnly, data: false, resources: [], outcome, connection });
  return { truth: 'violation', codes: ['undeclared-action'], names: [action] };
}

/** In a region that no trail watches: it leaves no record here. */
function useInUnwatchedRegion(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world).filter(({ call }) => call.host.includes(call.region)))?.call;
  const watched = new Set(world.trails.flatMap(({ account, region }) => (account === like?.account ? [region] : [])));
  if (like === undefined || world.trails.some(({ multiRegion }) => multiRegion)) return undefined;
  const region = random.pick(['eu-north-1', 'sa-east-1', 'ca-central-1'].filter((one) => !watched.has(one)));
  const host = like.host.replaceAll(like.region, region);
  addCall(world, random, like, { region, host, source: freshAddress(world, random), logged: false });
  return {
    truth: 'violation',
    codes: ['class-off', 'digest-missing', 'trail-changed'],
    names: [region],
    unshown: 'No trail of the region exists: the record is nowhere.',
  };
}

/** In another region that a trail does watch, with the region's own endpoint. */
function useInOtherRegion(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskCalls(world).filter(({ call }) => call.host.includes(call.region)))?.call;
  const other = random.maybe(
    world.trails.filter(({ account, region }) => account === like?.account && region !== like.region),
  );
  if (like === undefined || other === undefined) return undefined;
  const host = like.host.replaceAll(like.region, other.region);
  const source = freshAddress(world, random);
  addCall(world, random, like, { region: other.region, host, source, logged: true });
  return { truth: 'violation', codes: ['foreign-use'], names: [source] };
}

/** With a session of the task in another account that has a log here: an account that no declaration speaks of. */
function useInOtherAccount(world: World, random: Random): Expected | undefined {
  const one = random.maybe(taskCalls(world));
  const other = random.maybe(world.trails.filter(({ account }) => account !== one?.session.account));
  if (one === undefined || other === undefined) return undefined;
  const session = addSession(world, random, one.session, {
    name: `cross-${random.hex(6)}`,
    account: other.account,
    role: `arn:aws:iam::${other.account}:role/shared-${random.hex(3)}`,
    roleId: `AROA${random.base32(17)}`,
    issuer: { kind: 'session', key: one.session.key },
    region: other.region,
    task: world.tasks[0].id,
    issued: one.call.at,
  });
  return { truth: 'violation', codes: ['undeclared-session'], names: [session.name] };
}

export const credentialScopeMutations: readonly WorldMutation[] = [
  {
    id: 'undeclared-action',
    group: 'credential',
    about: 'The task used its credential for an action that was neither declared nor granted.',
    changes: 'world',
    apply: (world, random) => useUndeclared(world, random, 'ok'),
  },
  {
    id: 'undeclared-action-denied',
    group: 'credential',
    about: 'The task tried an action that was neither declared nor granted, and was denied.',
    changes: 'world',
    apply: (world, random) => useUndeclared(world, random, 'denied'),
  },
  {
    id: 'use-in-other-region',
    group: 'credential',
    about: 'The credential was used from elsewhere in another region whose trail is here.',
    changes: 'world',
    apply: useInOtherRegion,
  },
  {
    id: 'use-in-other-account',
    group: 'credential',
    about: 'The task assumed a role in another account whose trail is here.',
    changes: 'world',
    apply: useInOtherAccount,
  },
];

/**
 * What section 7 does not claim to see: chains are required where trail snapshots tell of a region, and nothing tells of the
 * others. The verdict stays proven, so these belong to no list of what must be found.
 */
export const credentialLimits: readonly WorldMutation[] = [
  {
    id: 'use-in-unwatched-region',
    group: 'credential',
    about: 'The credential was used from elsewhere in a region without a trail.',
    changes: 'world',
    apply: useInUnwatchedRegion,
  },
];
