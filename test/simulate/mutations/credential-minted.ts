import type { Random } from '../random.ts';
import type { Session, World } from '../world.ts';
import { addCall, addSession, freshAddress } from './additions.ts';
import { otherRole, stranger, undeclared } from './credential-session.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { taskCalls, taskSessions } from './places.ts';

/* The declared session's name, issued again by or for someone else. */

/** The declared name and role to the letter, issued by someone who is no broker. */
function declaredNameMinted(
  world: World,
  random: Random,
  issuer: (like: Session) => Session['issuer'],
): Expected | undefined {
  const like = random.maybe(taskSessions(world).filter(({ issuer: by }) => by.kind !== 'session'));
  if (like === undefined) return undefined;
  const calls = taskCalls(world);
  const closed = world.configuration.issuers.length > 0;
  if (!closed && calls.length === 0) return undefined;
  const source = freshAddress(world, random);
  const session = addSession(world, random, like, { issuer: issuer(like), source });
  const used = random.maybe(calls)?.call;
  if (used !== undefined && (!closed || random.chance(0.5))) {
    addCall(world, random, used, { key: session.key, source });
    return { truth: 'violation', codes: ['foreign-use', 'minted-outside'], names: [source, session.name] };
  }
  return {
    truth: 'violation',
    codes: ['minted-outside'],
    names: [session.name],
    unshown: 'Nothing but its issuer tells it from a renewal, and it was never used.',
  };
}

function declaredNameByStranger(world: World, random: Random): Expected | undefined {
  return declaredNameMinted(world, random, (like) => stranger(random, like.account));
}

function declaredNameByToken(world: World, random: Random): Expected | undefined {
  const known = taskSessions(world).flatMap(({ issuer }) => (issuer.kind === 'oidc' ? [issuer.provider] : []));
  const others = ['token.actions.githubusercontent.com', 'oidc.evil.example/id/7F3A'];
  return declaredNameMinted(world, random, () => ({
    kind: 'oidc',
    provider: random.pick(others.filter((one) => !known.includes(one))),
    subject: 'repo:mallory/fork:ref:refs/heads/main',
  }));
}

/** The declared name for another role. */
function declaredNameOtherRole(world: World, random: Random): Expected | undefined {
  const like = random.maybe(taskSessions(world));
  if (like === undefined || world.tasks[0].declaration.credentials.some(({ role }) => role === '')) return undefined;
  const issuer = random.chance(0.5) ? stranger(random, like.account) : like.issuer;
  return undeclared(addSession(world, random, like, { ...otherRole(random, like), issuer }));
}

const about: readonly [string, string, WorldMutation['apply']][] = [
  [
    'declared-name-by-stranger',
    'The declared name and role were issued by a principal that is no broker.',
    declaredNameByStranger,
  ],
  [
    'declared-name-by-token',
    'The declared name and role were issued for an OIDC token of someone else.',
    declaredNameByToken,
  ],
  ['declared-name-other-role', 'The declared name was issued for another role.', declaredNameOtherRole],
];

export const credentialMintedMutations: readonly WorldMutation[] = about.map(([id, what, apply]) => ({
  id,
  group: 'credential',
  about: what,
  changes: 'world',
  apply,
}));
