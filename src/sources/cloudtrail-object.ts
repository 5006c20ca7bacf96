import { createHash } from 'node:crypto';
import { classify } from './cloudtrail-shape.ts';
import { gunzipFirstMember, isGzip } from './gzip-member.ts';

export type CloudTrailKind = 'log' | 'digest' | 'backfill' | 'public-keys' | 'trails';

/**
 * What was found about one object before secrets in its text were masked: sealed as a record of its own, since
 * masking changes the bytes that a digest's hash covers.
 */
export interface CloudTrailInventory {
  readonly object: string;
  readonly kind: CloudTrailKind;
  /** Over the uncompressed bytes, lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes follow the gzip stream. */
  readonly trailing: boolean;
  /** The S3 object's metadata, keys `x-amz-meta-…` in lower case; empty when it was not kept. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CloudTrailObject {
  readonly kind: 'object';
  readonly stream: 'cloudtrail' | 'cloudtrail-digest' | 'cloudtrail-config';
  readonly object: string;
  /** Empty where neither name nor content tells. */
  readonly account: string;
  readonly region: string;
  readonly text: string;
  readonly inventory: CloudTrailInventory;
}

/** A file that gave no object: becomes a gap. `unknown-file` is readable JSON of no known form. */
export interface CloudTrailProblem {
  readonly kind: 'problem';
  readonly object: string;
  readonly code: 'truncated-file' | 'unreadable-file' | 'unknown-file' | 'object-missing';
  readonly why: string;
}

export type CloudTrailItem = CloudTrailObject | CloudTrailProblem;

/** What was found: the bytes as they came, and the metadata (keys in lower case) where it was kept. */
export interface FoundObject {
  /** The last part of its key or path. */
  readonly object: string;
  readonly bytes: Buffer;
  /** Undefined when what was kept is broken. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Bytes that its content may have. */
  readonly limit: number;
}

/**
 * What an object is, its content tells: layout and names are trusted for nothing. Gives the object, a problem, or, where
 * only the metadata is broken, both. Never throws: a bucket may hold anything.
 */
export function parseObject({ object, bytes, metadata, limit }: FoundObject): CloudTrailItem[] {
  const problem = (code: CloudTrailProblem['code'], why: string): CloudTrailProblem => ({
    kind: 'problem',
    object,
    code,
    why,
  });
  const content = decompress(bytes, limit);
  if (content === 'too-large') return [problem('unreadable-file', `it has more than ${limit} bytes`)];
  if ('why' in content) return [problem('truncated-file', `it can't be decompressed: ${content.why}`)];
  const text = content.bytes.toString('utf8');
  const value = parseJson(text);
  if (value === undefined) return [problem('unreadable-file', 'it is not JSON')];
  const shape = classify(value, object);
  if (shape === undefined) return [problem('unknown-file', 'its JSON is no form of CloudTrail’s that is known here')];
  const { kind, stream, account, region } = shape;
  const inventory = {
    object,
    kind,
    sha256: createHash('sha256').update(content.bytes).digest('hex'),
    bytes: content.bytes.length,
    trailing: content.trailing,
    metadata: metadata ?? {},
  };
  const item = { kind: 'object', stream, object, account, region, text, inventory } as const;
  if (metadata !== undefined) return [item];
  return [problem('unreadable-file', 'the metadata file beside it is not a JSON object of strings'), item];
}

/** The content, or why there is none. */
function decompress(
  bytes: Buffer,
  limit: number,
): { bytes: Buffer; trailing: boolean } | { why: string } | 'too-large' {
  if (!isGzip(bytes)) return bytes.length > limit ? 'too-large' : { bytes, trailing: false };
  try {
    const { content, trailing } = gunzipFirstMember(bytes, limit);
    return { bytes: content, trailing };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : { why: cause.message };
  }
}

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
