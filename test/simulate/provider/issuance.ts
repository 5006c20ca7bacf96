import {
  accountOf,
  assumedArn,
  audience,
  type Fields,
  foreignIdentity,
  type KeyHolders,
  principalOf,
  providerArn,
  sessionIdentity,
  userIdentity,
  webIdentity,
} from './identity.ts';
import { type AuditRecord, deliveryOf, tlsDetails } from './record.ts';
import { toBase32, toExpiration, toSeconds, toUuid } from './text.ts';
import type { Call, Session } from '../world.ts';

/**
 * The record of a session's issuance; two where the caller is of another account than the role, one for each account.
 * `call` is the request among the world's calls that the issuing was, where it is one.
 */
export function renderIssuance(holders: KeyHolders, session: Session, call: Call | undefined): AuditRecord[] {
  const caller = callerOf(holders, session);
  const callerAccount = caller['accountId'] ?? session.account;
  const own = { ...renderContent(session, call), recipientAccountId: session.account };
  if (callerAccount === session.account) return [toRecord(session, { ...own, userIdentity: caller })];
  const sharedEventID = toUuid(`shared ${session.eventId}`);
  const eventID = toUuid(`caller ${session.eventId}`);
  return [
    toRecord(session, { ...own, userIdentity: foreignIdentity(caller), sharedEventID }),
    toRecord(session, { ...own, userIdentity: caller, eventID, recipientAccountId: callerAccount, sharedEventID }),
  ];
}

function toRecord(session: Session, content: Fields): AuditRecord {
  return {
    id: String(content['eventID']),
    account: String(content['recipientAccountId']),
    region: session.region,
    at: session.issued,
    delivered: deliveryOf(session.issued, session.delay),
    content,
  };
}

function callerOf(holders: KeyHolders, session: Session): Fields {
  const { issuer } = session;
  if (issuer.kind === 'user') return userIdentity(issuer);
  if (issuer.kind === 'oidc') return webIdentity(session, issuer.provider, issuer.subject);
  const parent = holders.sessions.get(issuer.key);
  if (parent === undefined) throw new Error(`Session ${session.key} was issued by ${issuer.key}, which nobody has.`);
  return sessionIdentity(parent);
}

function renderContent(session: Session, call: Call | undefined): Fields {
  const { issuer, region } = session;
  const regional = `sts.${region}.amazonaws.com`;
  return {
    eventVersion: '1.11',
    // Filled in by account; here so that the record begins as AWS's do.
    userIdentity: {},
    eventTime: toSeconds(session.issued),
    eventSource: 'sts.amazonaws.com',
    eventName: issuer.kind === 'oidc' ? 'AssumeRoleWithWebIdentity' : 'AssumeRole',
    awsRegion: region,
    sourceIPAddress: session.source,
    userAgent: call?.userAgent ?? 'aws-cli/2.17.0',
    requestParameters: requestOf(session),
    responseElements: responseOf(session),
    requestID: session.requestId,
    eventID: session.eventId,
    readOnly: true,
    resources: [{ accountId: accountOf(session.role), type: 'AWS::IAM::Role', ARN: session.role }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: session.account,
    eventCategory: 'Management',
    ...(call?.tellsHost === false ? {} : tlsDetails(call?.host ?? regional)),
  };
}

function requestOf({ role, name, issued, expires, issuer, sourceIdentity }: Session): Fields {
  const seconds = Number((expires - issued + 500_000_000n) / 1_000_000_000n);
  const request = { roleArn: role, roleSessionName: name, durationSeconds: seconds };
  // A token brings its source identity along; others ask for one.
  return sourceIdentity === undefined || issuer.kind === 'oidc' ? request : { ...request, sourceIdentity };
}

function responseOf(session: Session): Fields {
  const { key, expires, issuer, sourceIdentity } = session;
  const web = (provider: string, subject: string): Fields => ({
    subjectFromWebIdentityToken: subject,
    provider: providerArn(session, provider),
    audience,
  });
  return {
    credentials: {
      accessKeyId: key,
      sessionToken: `IQoJb3JpZ2luX2VjE${toBase32(`token ${key}`, 60)}`,
      expiration: toExpiration(expires),
    },
    ...(issuer.kind === 'oidc' ? web(issuer.provider, issuer.subject) : {}),
    assumedRoleUser: { assumedRoleId: principalOf(session), arn: assumedArn(session) },
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  };
}
