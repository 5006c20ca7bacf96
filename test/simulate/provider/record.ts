import { delegatedIdentity, type Fields, type KeyHolders, sessionIdentity, userIdentity } from './identity.ts';
import { additionalEventData, requestParameters, responseElements } from './parameters.ts';
import { toSeconds } from './text.ts';
import type { Call, Ns } from '../world.ts';

/** A record on its way to the trails of an account and region. */
export interface AuditRecord {
  readonly id: string;
  /** Whose trails it goes to. */
  readonly account: string;
  readonly region: string;
  readonly at: Ns;
  readonly delivered: Ns;
  readonly content: Fields;
}

/** Services whose events are recorded in us-east-1, wherever they were asked from (facts/cloudtrail.md 6). */
const globalServices = ['iam', 'route53', 'cloudfront', 'organizations', 'account', 'support', 'shield', 'health'];

/** The record of one request. Throws for a key that nobody in the world has. */
export function renderCall(holders: KeyHolders, call: Call): AuditRecord {
  const delegated = isService(call.source);
  const region = recordedIn(call);
  const denied = call.outcome === 'denied';
  const identity = identityOf(holders, call, delegated);
  const content = {
    eventVersion: '1.11',
    userIdentity: identity,
    eventTime: toSeconds(call.at),
    eventSource: call.service,
    eventName: call.eventName,
    awsRegion: region,
    sourceIPAddress: call.source,
    userAgent: delegated ? call.source : call.userAgent,
    ...(denied ? denial(call, identity) : {}),
    requestParameters: requestParameters(call),
    responseElements: responseElements(call),
    ...additionalEventData(call),
    requestID: call.requestId,
    eventID: call.eventId,
    readOnly: call.readOnly,
    ...resourcesOf(call),
    eventType: 'AwsApiCall',
    managementEvent: !call.data,
    recipientAccountId: call.account,
    ...(call.vpcEndpoint === undefined ? {} : { vpcEndpointId: call.vpcEndpoint }),
    eventCategory: call.data ? 'Data' : 'Management',
    ...(call.tellsHost && !delegated ? tlsDetails(call.host) : {}),
  };
  const delivered = deliveryOf(call.at, call.delay);
  return { id: call.eventId, account: call.account, region, at: call.at, delivered, content };
}

/** What is left out where a service proxies the call. */
export function tlsDetails(host: string): Fields {
  const cipherSuite = 'TLS_AES_128_GCM_SHA256';
  return { tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite, clientProvidedHostHeader: host } };
}

/** `delay` is in seconds. */
export function deliveryOf(at: Ns, delay: number): Ns {
  return at + BigInt(Math.round(delay * 1000)) * 1_000_000n;
}

function identityOf(holders: KeyHolders, call: Call, delegated: boolean): Fields {
  const session = holders.sessions.get(call.key);
  if (session !== undefined) {
    return delegated ? delegatedIdentity(session, call.source, call.eventId) : sessionIdentity(session);
  }
  const user = holders.users.get(call.key);
  if (user === undefined) throw new Error(`Call ${call.id} was made with ${call.key}, which nobody has.`);
  return { ...userIdentity(user), ...(delegated ? { invokedBy: call.source } : {}) };
}

/** The endpoint of STS that is not regional counts as global, too. */
function recordedIn({ service, host, region }: Call): string {
  const isGlobal = globalServices.includes(service.split('.')[0] ?? '') || host === 'sts.amazonaws.com';
  return isGlobal ? 'us-east-1' : region;
}

function isService(source: string): boolean {
  return /\.amazonaws\.com(\.cn)?$/.test(source) || source.startsWith('AWS Internal');
}

function denial({ service, action, resources }: Call, { arn }: Fields): Fields {
  const what = `User: ${String(arn)} is not authorized to perform: ${action}`;
  const where = resources[0] === undefined ? '' : ` on resource: ${resources[0].arn}`;
  return {
    errorCode: service === 'ec2.amazonaws.com' ? 'Client.UnauthorizedOperation' : 'AccessDenied',
    errorMessage: `${what}${where} because no identity-based policy allows the ${action} action`,
  };
}

function resourcesOf({ resources, account }: Call): Fields {
  if (resources.length === 0) return {};
  return { resources: resources.map(({ arn, type }) => ({ accountId: account, type, ARN: arn })) };
}
