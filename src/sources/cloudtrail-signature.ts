import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';

/** One entry of ListPublicKeys; `value` is base64 of DER. */
export interface PublicKey {
  readonly fingerprint: string;
  readonly value: string;
}

/** What the signature of a digest covers besides constant parts. */
export interface DigestSubject {
  readonly end: string;
  /** bucket/key */
  readonly path: string;
  readonly sha256: string;
  /** Hex; null in a starting digest. */
  readonly previousSignature: string | null;
}

const keysSchema = z.object({
  PublicKeyList: z.array(z.object({ Value: z.string(), Fingerprint: z.string() })),
});

/** The keys in an output of ListPublicKeys; undefined when the text is none. */
export function parsePublicKeys(text: string): PublicKey[] | undefined {
  try {
    const parsed = keysSchema.safeParse(JSON.parse(text));
    return parsed.data?.PublicKeyList.map((key) => ({ fingerprint: key.Fingerprint, value: key.Value }));
  } catch {
    return undefined;
  }
}

/** RSASSA-PKCS1-v1_5 with SHA-256 over the string of facts/cloudtrail.md 8. */
export function verifyDigestSignature(subject: DigestSubject, signature: string, publicKey: PublicKey): boolean {
  const key = openKey(publicKey.value);
  if (key === undefined || !/^([0-9a-f]{2})+$/i.test(signature)) return false;
  return verify('sha256', Buffer.from(toStringToSign(subject)), key, Buffer.from(signature, 'hex'));
}

export function toStringToSign({ end, path, sha256, previousSignature }: DigestSubject): string {
  return [end, path, sha256, previousSignature ?? 'null'].join('\n');
}

/** PKCS#1 is the form of record; one key of AWS's own samples is SPKI. */
function openKey(value: string): KeyObject | undefined {
  const key = Buffer.from(value, 'base64');
  for (const type of ['pkcs1', 'spki'] as const) {
    try {
      const opened = createPublicKey({ key, format: 'der', type });
      if (opened.asymmetricKeyType === 'rsa') return opened;
    } catch {
      continue; // the other form
    }
  }
  return undefined;
}
