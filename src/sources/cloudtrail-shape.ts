import { parseDigestName, parseLogName } from './cloudtrail-names.ts';
import type { CloudTrailKind, CloudTrailObject } from './cloudtrail-object.ts';

/** What a document is, and where it is from. */
export type Shape = Pick<CloudTrailObject, 'stream' | 'account' | 'region'> & { readonly kind: CloudTrailKind };
type Json = Readonly<Record<string, unknown>>;

/** Undefined for JSON of no known form. */
export function classify(value: unknown, object: string): Shape | undefined {
  if (Array.isArray(value))
    return isRecord(value[0]) ? logShape(value, object) : configShape(value, 'trails', isSnapshot);
  if (!isJson(value)) return undefined;
  if (Array.isArray(value['Records'])) return logShape(value['Records'], object);
  if (typeof value['digestStartTime'] === 'string' || 'digestS3Object' in value) return digestShape(value, object);
  if (Array.isArray(value['PublicKeyList'])) return configShape([value], 'public-keys', () => true);
  return configShape([value], 'trails', isSnapshot);
}

function logShape(records: readonly unknown[], object: string): Shape {
  const name = parseLogName(object);
  const first = records.find(isRecord);
  return {
    kind: 'log',
    stream: 'cloudtrail',
    account: name?.account ?? text(first?.['recipientAccountId']),
    region: name?.region ?? text(first?.['awsRegion']),
  };
}

function digestShape(digest: Json, object: string): Shape {
  const name = parseDigestName(object);
  return {
    kind: name?.backfill === true ? 'backfill' : 'digest',
    stream: 'cloudtrail-digest',
    account: name?.account ?? text(digest['awsAccountId']),
    region:
      name?.region ?? /\/CloudTrail-Digest\/([a-z0-9-]{1,32})\//.exec(String(digest['digestS3Object']))?.[1] ?? '',
  };
}

function configShape(
  values: readonly unknown[],
  kind: 'trails' | 'public-keys',
  fits: (value: Json) => boolean,
): Shape | undefined {
  const [first] = values;
  if (!isJson(first) || !values.every((value) => isJson(value) && fits(value))) return undefined;
  return { kind, stream: 'cloudtrail-config', account: text(first['account']), region: text(first['region']) };
}

/** Records of a log file; also those of bare lists, as they are shared without the envelope. */
function isRecord(value: unknown): value is Json {
  return isJson(value) && typeof value['eventName'] === 'string' && typeof value['eventSource'] === 'string';
}

function isSnapshot(value: Json): boolean {
  return ['trails', 'trailList', 'IsLogging', 'EventSelectors', 'AdvancedEventSelectors'].some((key) => key in value);
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names from content become parts of record ids: only what an account id or region can be. */
function text(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9-]{1,32}$/.test(value) ? value : '';
}
