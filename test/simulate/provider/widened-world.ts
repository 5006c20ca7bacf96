import { handMadeWorld } from './hand-made-world.ts';
import type { Call, Ns, Session, Trail, World } from '../world.ts';

const second: Ns = 1_000_000_000n;
const other = '222233334444';

/**
 * The hand-made world with every kind of record: sessions by web identity, chained, and into another account; calls that were
 * denied, made by services, through an endpoint of a network, on data, late; trails of two regions, two accounts, two names.
 */
export function widenedWorld(): World {
  const world = handMadeWorld();
  const [first] = world.sessions;
  const [call] = world.calls;
  const [trail] = world.trails;
  if (first === undefined || call === undefined || trail === undefined) throw new Error('The world is empty.');
  world.sessions.push(...moreSessions(first));
  world.calls.push(...moreCalls(call));
  world.trails.push(...moreTrails(trail));
  return world;
}

function moreSessions(first: Session): Session[] {
  const role = (account: string, name: string): string => `arn:aws:iam::${account}:role/agents/${name}`;
  return [
    {
      ...first,
      ...{ id: 's1', key: 'ASIAEXAMPLEOIDCXXXXX', name: 'sess-7b3f-web', role: role(first.account, 'deploy') },
      ...{ eventId: 'event-web', requestId: 'request-web', roleId: 'AROAEXAMPLEROLEID0002' },
      issuer: { kind: 'oidc', provider: 'token.actions.githubusercontent.com', subject: 'repo:example/dns:ref:main' },
      ...{ source: '198.51.100.9', region: 'eu-west-1', sourceIdentity: 'example' },
    },
    {
      ...first,
      ...{ id: 's2', key: 'ASIAEXAMPLECHAINEDXX', name: 'chained', role: role(first.account, 'reader') },
      ...{ eventId: 'event-chained', requestId: 'request-chained', roleId: 'AROAEXAMPLEROLEID0003' },
      ...{ issuer: { kind: 'session', key: first.key }, source: '203.0.113.7' },
      ...{ issued: first.issued + 20n * second, sourceIdentity: 'task-7b3f' },
    },
    {
      ...first,
      ...{ id: 's3', key: 'ASIAEXAMPLEFOREIGNXX', name: 'across', role: role(other, 'reader'), account: other },
      ...{ eventId: 'event-across', requestId: 'request-across', roleId: 'AROAEXAMPLEROLEID0004' },
      ...{ issuer: { kind: 'session', key: first.key }, source: '203.0.113.7', issued: first.issued + 21n * second },
    },
    { ...first, id: 's4', key: 'ASIAEXAMPLEUNLOGGEDX', eventId: 'event-unlogged', logged: false },
  ];
}

function moreCalls(call: Call): Call[] {
  const object = { arn: 'arn:aws:s3:::example-bucket/zones/a.json', type: 'AWS::S3::Object' };
  const bucket = {
    service: 's3.amazonaws.com',
    host: 'example-bucket.s3.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
  };
  const data = { ...bucket, eventName: 'GetObject', action: 's3:GetObject', data: true, resources: [object] };
  const made = (id: string, seconds: number, fields: Partial<Call>): Call => ({
    ...call,
    ...{ id, eventId: `event-${id}`, requestId: `request-${id}`, at: call.at + BigInt(seconds) * second },
    ...fields,
  });
  return [
    made('data', 1, data),
    made('network', 1, { ...data, source: '10.0.0.5', vpcEndpoint: 'vpce-0a1b2c3d' }),
    made('denied', 2, { eventName: 'ListHostedZones', action: 'route53:ListHostedZones', outcome: 'denied' }),
    made('change', 2, {
      eventName: 'ChangeResourceRecordSets',
      action: 'route53:ChangeResourceRecordSets',
      readOnly: false,
    }),
    ...['1', '2', '3', '4', '5', '6'].map((n) =>
      made(`service${n}`, 3, {
        ...{
          service: 'kms.amazonaws.com',
          host: 'kms.us-east-1.amazonaws.com',
          eventName: 'Decrypt',
          action: 'kms:Decrypt',
        },
        source: n === '1' ? 'AWS Internal' : 'secretsmanager.amazonaws.com',
        resources: [{ arn: 'arn:aws:kms:us-east-1:111122223333:key/1', type: 'AWS::KMS::Key' }],
      }),
    ),
    made('hostless', 4, { tellsHost: false }),
    made('late', 5, { delay: 9_000 }),
    made('after', 6, { delay: 20_000 }),
    made('abroad', 7, { key: 'ASIAEXAMPLEFOREIGNXX', account: other }),
    made('global', 8, { region: 'eu-west-1' }),
    made('unlogged', 9, { logged: false }),
  ];
}

function moreTrails(trail: Trail): Trail[] {
  const snapshots = trail.snapshots.map((one) => ({ ...one, data: ['AWS::S3::Object'] }));
  const network = trail.snapshots.map((one) => ({ ...one, data: ['AWS::S3::Object', 'AWS::SQS::Queue'] }));
  return [
    { ...trail, region: 'eu-west-1', snapshots },
    { ...trail, account: other, bucket: 'other-org-cloudtrail' },
    { ...trail, name: 'second-trail', multiRegion: false, bucket: 'second-cloudtrail', snapshots: network },
  ];
}
