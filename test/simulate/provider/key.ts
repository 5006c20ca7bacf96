import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { CloudFile } from '../evidence.ts';
import { toSeconds } from './text.ts';
import type { Ns, World } from '../world.ts';

interface TrailKey {
  readonly privateKey: KeyObject;
  /** Base64 of the DER of PKCS#1, as ListPublicKeys gives it. */
  readonly value: string;
  /** MD5 of that DER, hex. */
  readonly fingerprint: string;
}

const month: Ns = 30n * 24n * 3600n * 1_000_000_000n;
let made: TrailKey | undefined;

/** CloudTrail's key of this process: making one takes long, and no key is kept in files. */
export function trailKey(): TrailKey {
  if (made !== undefined) return made;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = publicKey.export({ format: 'der', type: 'pkcs1' });
  const fingerprint = createHash('md5').update(der).digest('hex');
  return (made = { privateKey, value: der.toString('base64'), fingerprint });
}

/** RSASSA-PKCS1-v1_5 with SHA-256 over the lines that facts/cloudtrail.md 8 tells, hex. */
export function signDigest(lines: readonly [end: string, path: string, sha256: string, previous: string]): string {
  return sign('sha256', Buffer.from(lines.join('\n')), trailKey().privateKey).toString('hex');
}

/** The output of ListPublicKeys: one key that was valid for the whole of every chain. */
export function renderPublicKeys(world: World): CloudFile {
  const ends = world.trails.flatMap(({ digests }) => digests);
  const first = ends.reduce((least, end) => (end < least ? end : least), ends[0] ?? month);
  const last = ends.reduce((most, end) => (end > most ? end : most), first);
  const { value, fingerprint } = trailKey();
  const key = {
    Value: value,
    ValidityStartTime: toSeconds(first - month),
    ValidityEndTime: toSeconds(last + month),
    Fingerprint: fingerprint,
  };
  const text = JSON.stringify({ PublicKeyList: [key] }, undefined, 1);
  return { path: 'public-keys.json', kind: 'public-keys', text, metadata: undefined, at: last };
}
