import { z } from 'zod';
import { type DigestName, parseDigestName, plainName, toBaseName } from './cloudtrail-names.ts';
import { type PublicKey, verifyDigestSignature } from './cloudtrail-signature.ts';
import { compareText, groupBy } from './order.ts';

export interface DigestFile {
  /** Name under which it was found. */
  readonly object: string;
  /** Over its uncompressed bytes, lower-case hex. */
  readonly sha256: string;
  readonly text: string;
  /** Hex, from the object's metadata; undefined when that was not kept. */
  readonly signature: string | undefined;
  readonly trailing: boolean;
  readonly evidence: string;
}

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.object({
  awsAccountId: z.string(),
  digestStartTime: time,
  digestEndTime: time,
  digestS3Bucket: z.string(),
  digestS3Object: z.string(),
  digestPublicKeyFingerprint: z.string(),
  digestSignatureAlgorithm: z.literal('SHA256withRSA'),
  previousDigestS3Bucket: z.string().nullable(),
  previousDigestS3Object: z.string().nullable(),
  previousDigestHashValue: sha256.nullable(),
  previousDigestHashAlgorithm: z.literal('SHA-256').nullable(),
  previousDigestSignature: z.string().nullable(),
  logFiles: z.array(
    z.object({
      s3Object: z.string(),
      hashValue: sha256,
      hashAlgorithm: z.literal('SHA-256'),
      newestEventTime: time.nullish(),
      oldestEventTime: time.nullish(),
    }),
  ),
});
type Content = z.output<typeof schema>;

export interface Digest {
  readonly file: DigestFile;
  readonly name: DigestName | undefined;
  /** Undefined when the text is no digest. */
  readonly content: Content | undefined;
  /** Why it is not valid; '' when it is. */
  readonly why: string;
}
export type ValidDigest = Digest & { readonly content: Content; readonly name: DigestName };

/** Parses digests and checks of each what it and its signature say, then what its successor says of it. */
export function judgeDigests(files: readonly DigestFile[], publicKeys: readonly PublicKey[]): Digest[] {
  return checkHashes(checkSignatures(files, publicKeys));
}

function checkSignatures(files: readonly DigestFile[], publicKeys: readonly PublicKey[]): Digest[] {
  const parsed = files.map((file) => ({ file, content: parseDigest(file.text) }));
  // A digest's signature is repeated in its successor: it outlives the loss of the object's metadata.
  const repeated = groupBy(parsed, ({ content }) => plainName(toBaseName(content?.previousDigestS3Object ?? '')));
  return parsed.map(({ file, content }) => {
    const name = parseDigestName(toBaseName(content?.digestS3Object ?? file.object));
    const successors = repeated.get(plainName(file.object)) ?? [];
    const signatures =
      file.signature !== undefined
        ? [file.signature]
        : successors.flatMap((successor) => successor.content?.previousDigestSignature ?? []);
    return { file, name, content, why: decideDigest(file, content, name, signatures, publicKeys) };
  });
}

function decideDigest(
  file: DigestFile,
  content: Content | undefined,
  name: DigestName | undefined,
  signatures: readonly string[],
  publicKeys: readonly PublicKey[],
): string {
  if (content === undefined) return 'It does not have the form of a digest file.';
  if (name === undefined) return 'The name that it gives itself is not that of a digest file.';
  if (plainName(file.object) !== plainName(toBaseName(content.digestS3Object))) {
    return `It was found under another name than its own, ${toBaseName(content.digestS3Object)}.`;
  }
  if (name.account !== content.awsAccountId || name.end !== content.digestEndTime) {
    return 'Its name does not fit the account and end time in it.';
  }
  if (content.digestStartTime >= content.digestEndTime) return 'Its range of time is empty.';
  if (file.trailing) return 'Bytes follow its gzip stream.';
  const keys = publicKeys.filter((key) => key.fingerprint === content.digestPublicKeyFingerprint);
  if (keys.length === 0) return `There is no public key with its fingerprint ${content.digestPublicKeyFingerprint}.`;
  if (signatures.length === 0)
    return 'Its signature is lost: no metadata was kept and no successor is here that repeats it.';
  const subject = {
    end: content.digestEndTime,
    path: `${content.digestS3Bucket}/${content.digestS3Object}`,
    sha256: file.sha256,
    previousSignature: content.previousDigestSignature,
  };
  const verified = signatures.some((signature) => keys.some((key) => verifyDigestSignature(subject, signature, key)));
  return verified ? '' : 'Its signature does not verify.';
}

/** What a digest with a good signature says about its predecessor convicts that one. */
function checkHashes(digests: readonly Digest[]): Digest[] {
  const named = groupBy(digests.filter(isValid), (digest) => previousName(digest));
  return digests.map((digest) => {
    if (!isValid(digest)) return digest;
    const successors = named.get(plainName(digest.file.object)) ?? [];
    const fits = successors.every((successor) => successor.content.previousDigestHashValue === digest.file.sha256);
    return fits ? digest : { ...digest, why: 'Its hash is not the one that its successor names.' };
  });
}

export function isValid(digest: Digest): digest is ValidDigest {
  return digest.why === '';
}

/** Plain name of the predecessor; '' in a starting digest. */
export function previousName(digest: ValidDigest): string {
  return plainName(toBaseName(digest.content.previousDigestS3Object ?? ''));
}

export function byTime(a: Digest, b: Digest): number {
  return compareText(`${a.name?.end ?? ''} ${a.file.evidence}`, `${b.name?.end ?? ''} ${b.file.evidence}`);
}

function parseDigest(text: string): Content | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
