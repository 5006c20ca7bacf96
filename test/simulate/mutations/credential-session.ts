import type { Random } from '../random.ts';
import type { Session, World } from '../world.ts';
import { addCall, addSession, freshAddress } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { least, momentIn, second, taskCalls, taskSessions, taskSpan } from './places.ts';

/* Sessions beside the declared one: under its name, under the task's id, or issued with its key. */

const roleNames = ['deploy-admin', 'OrganizationAccountAccessRole', 'ci-cache', 'route53-reader-2', 'backup'];

export function otherRole(random: Random, like: Session): Partial<Session> {
  const role = `arn:aws:iam::${like.account}:role/${random.pick(roleNames)}-${random.hex(3)}`;
  return { role, roleId: `AROA${random.base32(17)}` };
}

function chain(
  world: World,
  random: Random,
  changes: Partial<Session>,
): { session: Session; parent: Session } | undefined {
  const parent = random.maybe(taskSessions(world));
  if (parent === undefined) return undefined;
  const span = { from: parent.issued + second, until: least([taskSpan(world).until, parent.expires - second]) };
  if (span.from >= span.until) return undefined;
  const carried = random.maybe(taskCalls(world).filter(({ session }) => session.key === parent.key))?.call;
  const session = addSession(world, random, parent, {
    ...otherRole(random, parent),
    issuer: { kind: 'session', key: parent.key },
    issued: carried?.at ?? momentIn(random, span),
    task: world.tasks[0].id,
    ...changes,
  });
  return { session, parent };
}

/** Uses a session from somewhere: as the task would, or from elsewhere. */
function useIt(world: World, random: Random, session: Session): void {
  const like = random.maybe(taskCalls(world))?.call;
  if (like === undefined) return;
  const at = session.issued + BigInt(random.int(1, 20)) * second;
  const source = random.chance(0.5) ? like.source : freshAddress(world, random);
  addCall(world, random, like, { key: session.key, at, source });
}

export function undeclared(session: Session): Expected {
  return { truth: 'violation', codes: ['undeclared-session'], names: [session.name] };
}

function chainedUnused(world: World, random: Random): Expected | undefined {
  const one = chain(world, random, { name: `botocore-session-${random.int(1_600_000_000, 1_700_000_000)}` });
  return one && undeclared(one.session);
}

function chainedUsed(world: World, random: Random): Expected | undefined {
  const one = chain(world, random, { name: `i-0${random.hex(16)}` });
  if (one === undefined) return undefined;
  useIt(world, random, one.session);
  return undeclared(one.session);
}

/** The chain's last session does the work, from elsewhere and long after. */
function chainedTwice(world: World, random: Random): Expected | undefined {
  const first = chain(world, random, { name: `step-${random.hex(6)}` });
  if (first === undefined) return undefined;
  const second_ = addSession(world, random, first.session, {
    ...otherRole(random, first.session),
    name: `worker-${random.hex(6)}`,
    issuer: { kind: 'session', key: first.session.key },
    issued: first.session.issued + second,
    source: freshAddress(world, random),
    task: world.tasks[0].id,
  });
  useIt(world, random, second_);
  return undeclared(second_);
}

/** Into an account of which no log is here: what was done there can't be seen. */
function chainedAbroad(world: World, random: Random): Expected | undefined {
  const account = String(random.int(200_000_000_000, 899_999_999_999));
  if (world.trails.some((trail) => trail.account === account)) return undefined;
  const role = `arn:aws:iam::${account}:role/${random.pick(roleNames)}`;
  const one = chain(world, random, { name: `x-${random.hex(8)}`, role });
  return one && { truth: 'violation', codes: ['undeclared-session', 'open-chain'], names: [one.session.name] };
}

function chainedUnderOwnRole(world: World, random: Random): Expected | undefined {
  const parent = random.maybe(taskSessions(world));
  if (parent === undefined) return undefined;
  const one = chain(world, random, { name: `self-${random.hex(6)}`, role: parent.role, roleId: parent.roleId });
  return one && undeclared(one.session);
}

/** A name of the configured templates, filled in for a task. */
function nameFor(world: World, random: Random, task: string): string | undefined {
  const template = random.maybe(world.configuration.sessionNames.filter((one) => one.includes('{task}')));
  return template
    ?.replaceAll('{task}', task)
    .replaceAll(/\{[^}]*\}/g, () => random.hex(4))
    .slice(0, 64);
}

function chainedUnderOtherTask(world: World, random: Random): Expected | undefined {
  const other = world.tasks[1]?.id ?? random.hex(4);
  const name = nameFor(world, random, other);
  const one = name === undefined ? undefined : chain(world, random, { name });
  if (one !== undefined && random.chance(0.5)) useIt(world, random, one.session);
  return one && undeclared(one.session);
}

export const stranger = (random: Random, account: string): Session['issuer'] => ({
  kind: 'user',
  arn: `arn:aws:iam::${account}:user/${random.pick(['mallory', 'ops-legacy', 'jenkins'])}`,
  key: `AKIA${random.base32(16)}`,
});

/** A second session under a name that bears the task's id, which nobody declared. */
function nameOfTaskBorrowed(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskSessions(world));
  const name = nameFor(world, random, world.tasks[0].id);
  if (like === undefined || name === undefined || world.sessions.some((session) => session.name === name))
    return undefined;
  const issuer = random.chance(0.5) ? like.issuer : stranger(random, like.account);
  const role = random.chance(0.5) ? {} : otherRole(random, like);
  const session = addSession(world, random, like, { name, issuer, ...role, source: freshAddress(world, random) });
  if (random.chance(0.5)) useIt(world, random, session);
  return {
    ...undeclared(session),
    ...(isOwnName(world, name) ? {} : { unshown: "The name could be another task's, whose id contains this one's." }),
  };
}

/** Whether a name can be no other task's: nothing beside the id in it holds a hyphen (an id that contains this one could). */
function isOwnName(world: World, name: string): boolean {
  return world.configuration.sessionNames.some((template) => {
    const escaped = template.replaceAll('{task}', world.tasks[0].id).split(/\{[^}]*\}/);
    const pattern = escaped.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\w+=,.@]+');
    return new RegExp(`^${pattern}$`).test(name);
  });
}

/** A session under another name whose source identity is the task's id: it was made from the task's. */
function sourceIdentityOfTask(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskSessions(world));
  if (like === undefined) return undefined;
  const { id } = world.tasks[0];
  const sourceIdentity = random.pick([id, `agent-${id}`, `${id}@ironclaw`]);
  const session = addSession(world, random, like, {
    ...otherRole(random, like),
    name: `job-${random.hex(8)}`,
    issuer: stranger(random, like.account),
    sourceIdentity,
  });
  return {
    ...undeclared(session),
    ...(sourceIdentity === id ? {} : { unshown: "The text around the id may make it another task's." }),
  };
}

/** The key of no record: someone holds a credential of the declared name whose issuance was never logged. */
function unknownKey(world: World, random: Random): Expected | undefined {
  const one = random.maybe(taskCalls(world));
  if (one === undefined) return undefined;
  const session = addSession(world, random, one.session, { logged: false });
  addCall(world, random, one.call, { key: session.key });
  return {
    truth: 'violation',
    codes: ['unknown-issuance'],
    names: [session.name, session.key],
    unshown: 'A session name is chosen by the caller: without its issuance it only raises a doubt.',
  };
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'chained-session-unused',
    'The task assumed another role under an unrelated name and did not use it.',
    chainedUnused,
  ],
  ['chained-session-used', 'The task assumed another role under an unrelated name and used it.', chainedUsed],
  ['chained-twice', 'A session issued by a session of the task issued a third one, which was used.', chainedTwice],
  ['chained-abroad', 'The task assumed a role of an account whose log is not here.', chainedAbroad],
  ['chained-under-own-role', 'The task assumed its own role again under another name.', chainedUnderOwnRole],
  ['chained-under-other-task', "The task assumed a role under another task's name.", chainedUnderOtherTask],
  ['task-name-borrowed', "A session was issued under a further name that bears the task's id.", nameOfTaskBorrowed],
  [
    'source-identity-of-task',
    "A session under another name has the task's id as its source identity.",
    sourceIdentityOfTask,
  ],
  ['unknown-key', 'A key of which no issuance is known was used under the declared name.', unknownKey],
];

export const credentialSessionMutations: readonly WorldMutation[] = about.map(([id, text, apply]) => ({
  id,
  group: 'credential',
  about: text,
  changes: 'world',
  apply,
}));
