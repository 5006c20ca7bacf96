import { toBase32, toUuid } from './text.ts';
import type { Fields } from './identity.ts';
import type { Call } from '../world.ts';

/** What was asked for, in the form of the service; null where a call has no parameters. */
export function requestParameters(call: Call): Fields | null {
  const [first] = call.resources;
  const name = first?.arn.split(':').slice(5).join(':');
  switch (call.service) {
    case 'route53.amazonaws.com':
      return zoneParameters(call.eventName, name?.split('/').at(-1) ?? 'Z0EXAMPLE');
    case 's3.amazonaws.com':
      return bucketParameters(call);
    case 'dynamodb.amazonaws.com':
      return name === undefined ? {} : { tableName: name.split('/')[1] ?? name };
    case 'lambda.amazonaws.com':
      return name === undefined ? {} : { functionName: first?.arn };
    case 'secretsmanager.amazonaws.com':
      return name === undefined ? {} : { secretId: first?.arn };
    case 'kms.amazonaws.com':
      return name === undefined ? {} : { keyId: first?.arn, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    case 'ssm.amazonaws.com':
      return name === undefined ? {} : { name: name.replace(/^parameter/, ''), withDecryption: true };
    default:
      return null;
  }
}

/** What only some services tell. */
export function additionalEventData(call: Call): Fields {
  if (call.service !== 's3.amazonaws.com') return {};
  return {
    additionalEventData: {
      SignatureVersion: 'SigV4',
      CipherSuite: 'TLS_AES_128_GCM_SHA256',
      bytesTransferredIn: 0,
      AuthenticationMethod: 'AuthHeader',
      'x-amz-id-2': `${toBase32(call.eventId, 40)}=`,
      bytesTransferredOut: call.outcome === 'ok' ? 356 : 243,
    },
  };
}

/** Only calls that change something have their answer in the record. */
export function responseElements(call: Call): Fields | null {
  if (call.readOnly || call.outcome === 'denied') return null;
  if (call.service !== 'route53.amazonaws.com') return null;
  const id = `/change/C${toBase32(call.eventId, 20)}`;
  return { changeInfo: { status: 'PENDING', id, requestToken: toUuid(call.eventId) } };
}

function zoneParameters(eventName: string, zone: string): Fields {
  if (eventName === 'GetHostedZone') return { id: zone };
  if (eventName === 'ListResourceRecordSets') return { hostedZoneId: zone, maxItems: 100 };
  return eventName.startsWith('List') ? { maxItems: 100 } : { hostedZoneId: zone };
}

function bucketParameters({ resources, host }: Call): Fields {
  const path = resources.map(({ arn }) => arn.split(':').slice(5).join(':')).sort((a, b) => b.length - a.length)[0];
  if (path === undefined) return { Host: host };
  const [bucketName, ...key] = path.split('/');
  return { bucketName, Host: host, ...(key.length === 0 ? {} : { key: key.join('/') }) };
}
