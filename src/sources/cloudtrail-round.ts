import type { CloudTrailSource } from '../model/collector.ts';
import { AwsError } from './aws-error.ts';
import type { Span } from './cloudtrail-api.ts';
import type { Bucket } from './cloudtrail-bucket.ts';
import { readPointers } from './cloudtrail-digest-names.ts';
import type { Filer } from './cloudtrail-filer.ts';
import { folderOf, type Place } from './cloudtrail-folders.ts';
import type { PublicKeys } from './cloudtrail-keys.ts';
import { toBaseName } from './cloudtrail-names.ts';
import { type CloudTrailItem, type CloudTrailProblem, parseObject } from './cloudtrail-object.ts';
import type { Found } from './cloudtrail-place.ts';
import type { Taken } from './cloudtrail-taken.ts';
import { allOf, type Limiter } from './limiter.ts';
import { compareText } from './order.ts';

/** What a round needs; the same for every place. */
export interface RoundTools {
  readonly source: CloudTrailSource;
  readonly bucket: Bucket;
  readonly taken: Taken;
  readonly filer: Filer;
  readonly keys: PublicKeys;
  /** Bound how many requests are made at once, and how many large objects are in memory. */
  readonly limiter: Limiter;
  readonly largeLimiter: Limiter;
  /** Bytes that an object may have, stored or decompressed. */
  readonly limit: number;
  /** How often an object could not be read, by key. */
  readonly attempts: Map<string, number>;
  /** From the oldest day that is looked at to the time of the round. */
  readonly span: Span;
  readonly signal: AbortSignal;
}

export interface RoundResult {
  /** Objects taken in this round. */
  readonly taken: number;
  /** Objects that gave no record and will not be asked for again. */
  readonly refused: readonly CloudTrailProblem[];
  /** What could not be done in this round and is tried again in the next. */
  readonly failed: readonly AwsError[];
}

/** One round through one place. */
export interface Round {
  readonly result: RoundResult;
  /** Takes those that are new. Throws the retryable `input` of a store that has no room. */
  take(found: readonly Found[]): Promise<void>;
  /** The same in the order of their keys, one after the other; stops where something has to wait. */
  takeInOrder(found: readonly Found[]): Promise<void>;
}

const large = 4 << 20;
/** After so many rounds an object that can't be read holds up others no longer. */
const patience = 3;

export function openRound(place: Place, tools: RoundTools): Round {
  const { source, bucket, filer, keys, taken, attempts, limit, span, signal } = tools;
  const result = { taken: 0, refused: [] as CloudTrailProblem[], failed: [] as AwsError[] };
  const tried = new Set<string>();
  let held = false;

  const fail = (key: string, error: AwsError): void => {
    const count = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, count);
    result.failed.push(error);
    // Without the key of its encryption an object may stay unreadable for good.
    if (error.trouble !== 'forbidden' && count < patience) held = true;
  };

  const takeOne = async (found: Found): Promise<void> => {
    if (result.failed.some(({ trouble }) => trouble === 'credentials') || signal.aborted) {
      held = true;
      return;
    }
    tried.add(found.key);
    try {
      const { items, etag } = await readOne(found, bucket, limit, signal);
      for (const item of items) {
        if (item.kind === 'problem') {
          await filer.refuse(item, `${place.account}_${place.region}`);
          result.refused.push(item);
          continue;
        }
        if (item.stream === 'cloudtrail-digest' && !(await prepareDigest(item.text))) return;
        await filer.file(item, { key: found.key, etag });
        result.taken += 1;
      }
      taken.add(found.folder, found.key, etag);
      attempts.delete(found.key);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // Gone since it was listed: a digest that names it will tell.
      if (error.trouble !== 'not-found') fail(found.key, error);
    }
  };

  /** Gets the public key of a digest, and log files it names that lie outside the folders; false when it has to wait. */
  const prepareDigest = async (text: string): Promise<boolean> => {
    const pointers = readPointers(text, source, place.account);
    if (pointers === undefined) return true;
    const from = Math.min(span.from, Math.max(pointers.end, span.from - 400 * 86_400_000));
    // Without its key a digest proves nothing yet, but it may be gone tomorrow. The key is asked for again in each round.
    await keys.refresh(place.region, { ...span, from }, [pointers.fingerprint], signal).catch((error: unknown) => {
      if (!(error instanceof AwsError)) throw error;
    });
    for (const key of pointers.logs) {
      if (!tried.has(key) && !taken.knows(key)) {
        await takeOne({ key, etag: '', size: 0, folder: folderOf(key, span.until) });
      }
    }
    return !held;
  };

  const freshOf = (found: readonly Found[]): Found[] =>
    found.filter(({ folder, key, etag }) => !taken.has(folder, key, etag));
  const limited = (one: Found): Promise<void> =>
    (one.size > large ? tools.largeLimiter : tools.limiter)(() => takeOne(one));
  const take = async (found: readonly Found[]): Promise<void> => {
    await allOf(freshOf(found).map(limited));
  };
  const takeInOrder = async (found: readonly Found[]): Promise<void> => {
    for (const one of freshOf(found).sort((a, b) => compareText(a.key, b.key))) if (!held) await limited(one);
  };
  return { result, take, takeInOrder };
}

async function readOne(
  found: Found,
  bucket: Bucket,
  limit: number,
  signal: AbortSignal,
): Promise<{ items: CloudTrailItem[]; etag: string }> {
  const object = toBaseName(found.key);
  const fetched = found.size > limit ? 'too-large' : await bucket.fetch(found.key, limit, signal);
  if (fetched === 'too-large') {
    const why = `it has more than ${limit} bytes`;
    return { items: [{ kind: 'problem', object, code: 'unreadable-file', why }], etag: found.etag };
  }
  const { bytes, etag, metadata } = fetched;
  if (etag === found.etag && bytes.length !== found.size) {
    throw new AwsError('unreachable', `reading ${found.key}`, new Error(`${bytes.length} of ${found.size} bytes came`));
  }
  return { items: parseObject({ object, bytes, metadata, limit }).map(onlyDelivered), etag };
}

/** Nobody delivers keys or settings by the bucket: whoever may write to it could vouch for digests of his own. */
function onlyDelivered(item: CloudTrailItem): CloudTrailItem {
  if (item.kind === 'problem' || item.stream !== 'cloudtrail-config') return item;
  return { kind: 'problem', object: item.object, code: 'unknown-file', why: 'it is neither a log nor a digest file' };
}
