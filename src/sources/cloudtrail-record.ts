import { createHash } from 'node:crypto';
import { maskSecrets } from '../evidence/mask.ts';
import type { CloudTrailInventory, CloudTrailObject } from './cloudtrail-object.ts';
import { toNs } from './time-ns.ts';

/** What is sealed about an object besides itself, as a record of stream `cloudtrail-object`. */
export interface SealedInventory extends CloudTrailInventory {
  /** Values masked in the record. */
  readonly masked: number;
  /** SHA-256 of the record as it is sealed: how the two find each other. */
  readonly record_sha256: string;
}

/** An object as it goes into the store, whichever way it came in. */
export interface CloudTrailRecord {
  readonly stream: CloudTrailObject['stream'];
  /** account_region */
  readonly origin: string;
  /** Delivery in ns since the epoch; 0 where its name does not tell. */
  readonly timeNs: bigint;
  /** UTF-8, masked. */
  readonly raw: Buffer;
  readonly inventory: SealedInventory;
}

/** Masks secrets with `maskKey`; masking the record once more with the same key changes nothing. */
export function toRecord(item: CloudTrailObject, maskKey: Buffer): CloudTrailRecord {
  const { bytes, count } = maskSecrets(Buffer.from(item.text), maskKey);
  const record_sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    stream: item.stream,
    origin: `${item.account}_${item.region}`,
    timeNs: deliveryTime(item.object),
    raw: bytes,
    inventory: { ...item.inventory, masked: count, record_sha256 },
  };
}

/** The time in a log or digest file's name: when it was delivered (facts/cloudtrail.md 7, 8). */
function deliveryTime(object: string): bigint {
  const match = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?Z/.exec(object);
  if (match === null) return 0n;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00'] = match;
  return toNs(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
