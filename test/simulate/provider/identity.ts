import { sha256, toBase32, toSeconds } from './text.ts';
import type { Session, World } from '../world.ts';

export type Fields = Record<string, unknown>;
type User = Extract<Session['issuer'], { kind: 'user' }>;

/** Account in an ARN. */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

/** userIdentity of what a session itself asked (facts/cloudtrail.md 2). */
export function sessionIdentity(session: Session): Fields {
  return {
    type: 'AssumedRole',
    principalId: principalOf(session),
    arn: assumedArn(session),
    accountId: session.account,
    accessKeyId: session.key,
    sessionContext: sessionContext(session),
  };
}

/**
 * userIdentity of what a service asked on a session's behalf. Services do that under keys of their own; some records show
 * such a key, some the session's, some none.
 */
export function delegatedIdentity(session: Session, service: string, eventId: string): Fields {
  const { accessKeyId, ...identity } = sessionIdentity(session);
  const shown = [{ accessKeyId }, { accessKeyId: `ASIA${toBase32(`forward ${eventId}`, 16)}` }, {}];
  const key = shown[parseInt(sha256(eventId).slice(0, 4), 16) % shown.length];
  return { ...identity, ...key, invokedBy: service };
}

export function userIdentity({ arn, key }: User): Fields {
  return {
    type: 'IAMUser',
    principalId: `AIDA${toBase32(arn, 17)}`,
    arn,
    accountId: accountOf(arn),
    accessKeyId: key,
    userName: lastPart(arn),
  };
}

/** The caller of AssumeRoleWithWebIdentity has a token, no key. */
export function webIdentity(session: Session, provider: string, subject: string): Fields {
  const identityProvider = providerArn(session, provider);
  return {
    type: 'WebIdentityUser',
    principalId: `${identityProvider}:${audience}:${subject}`,
    userName: subject,
    identityProvider,
  };
}

/** All that the account of a role shows of a caller from another one. */
export function foreignIdentity({ accountId, principalId }: Fields): Fields {
  return { type: 'AWSAccount', principalId, accountId };
}

export const audience = 'sts.amazonaws.com';

export function principalOf({ roleId, name }: Session): string {
  return `${roleId}:${name}`;
}

/** A session's ARN has the role's name without its path. */
export function assumedArn({ account, role, name }: Session): string {
  return `arn:aws:sts::${account}:assumed-role/${lastPart(role)}/${name}`;
}

/** Providers are named by ARN or by their address. */
export function providerArn({ account }: Session, provider: string): string {
  if (provider.startsWith('arn:')) return provider;
  return `arn:aws:iam::${account}:oidc-provider/${provider.replace(/^https:\/\//, '')}`;
}

/** Who has which key. */
export interface KeyHolders {
  readonly sessions: ReadonlyMap<string, Session>;
  /** Those that issue credentials. */
  readonly users: ReadonlyMap<string, User>;
}

export function findKeyHolders({ sessions }: World): KeyHolders {
  const users = sessions.flatMap(({ issuer }) => (issuer.kind === 'user' ? [issuer] : []));
  return {
    sessions: new Map(sessions.map((session) => [session.key, session])),
    users: new Map(users.map((user) => [user.key, user])),
  };
}

function sessionContext(session: Session): Fields {
  const { issuer, role, roleId, account, sourceIdentity } = session;
  const federation =
    issuer.kind === 'oidc' ? { federatedProvider: providerArn(session, issuer.provider), attributes: {} } : {};
  return {
    sessionIssuer: { type: 'Role', principalId: roleId, arn: role, accountId: account, userName: lastPart(role) },
    webIdFederationData: federation,
    attributes: { creationDate: toSeconds(session.issued), mfaAuthenticated: 'false' },
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  };
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
