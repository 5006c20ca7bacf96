import { createHash } from 'node:crypto';
import { childrenOf, type Der, parseDer, tags, toDer } from './der.ts';
import { Misfit } from './misfit.ts';

/** An RFC 3161 timestamp in the one form that we write. */
export interface Timestamp {
  /** TimeStampResp (RFC 3161 §2.4.2), DER. */
  readonly bytes: Buffer;
  /** INTEGER of the request; undefined where there is none. */
  readonly nonce: Buffer | undefined;
  /** In whole seconds, as verification reads it. */
  readonly time: Date;
}

const oid = {
  sha256: '0609608648016503040201',
  sha384: '0609608648016503040202',
  sha512: '0609608648016503040203',
  signedData: '06092a864886f70d010702',
  tstInfo: '060b2a864886f70d0109100104',
  ecdsaSha256: '06082a8648ce3d040302',
  ecdsaSha384: '06082a8648ce3d040303',
  ecdsaSha512: '06082a8648ce3d040304',
  rsa: '06092a864886f70d010101',
  rsaSha256: '06092a864886f70d01010b',
} as const;
const none = Buffer.from('0500', 'hex');

/** Digest and signature algorithms that verification can check; an RSA authority has to sign with SHA-256. */
const digests: readonly string[] = [oid.sha256, oid.sha384, oid.sha512];
const ecdsa: readonly string[] = [oid.ecdsaSha256, oid.ecdsaSha384, oid.ecdsaSha512];
const rsa: readonly string[] = [oid.rsa, oid.rsaSha256];

/** TimeStampReq (RFC 3161 §2.4.1) for the SHA-256 of a signature. Certificates are not asked for: whoever trusts has them. */
export function toTimestampQuery(signature: Uint8Array, nonce: Uint8Array): Buffer {
  const hash = createHash('sha256').update(signature).digest();
  const algorithm = toDer(tags.sequence, Buffer.from(oid.sha256, 'hex'), none);
  const imprint = toDer(tags.sequence, algorithm, toDer(tags.octets, hash));
  return toDer(tags.sequence, toDer(tags.integer, Buffer.from([1])), imprint, toNonce(nonce));
}

/** A positive INTEGER. */
export function toNonce(nonce: Uint8Array): Buffer {
  return toDer(tags.integer, Buffer.from([0x01]), nonce);
}

/**
 * A TimeStampResp brought to one form: that it was granted, what the authority signed, and how. What its signature does not cover
 * (certificates, revocation lists, unsigned attributes, words on the status) is left out, since it could be changed beneath it.
 * Throws Misfit for what is no timestamp, one of other bytes than this signature, not DER, or signed in a way that can't be
 * verified here.
 */
export function parseTimestamp(response: Uint8Array, signature: Uint8Array): Timestamp {
  const [status, token] = sequence(parseDer(response));
  const [code] = sequence(status);
  if (code?.raw.toString('hex') !== '020100' && code?.raw.toString('hex') !== '020101')
    throw new Misfit('the timestamp was not granted');
  const [type, wrapped] = sequence(token);
  const signed = sequence(only(wrapped, tags.zero));
  const [, , content] = signed;
  const [contentType, tstInfo] = sequence(content);
  if (!isOid(type, oid.signedData) || !isOid(contentType, oid.tstInfo)) throw new Misfit('no timestamp');
  const info = only(tstInfo, tags.zero, tags.octets);
  const signer = normalSigner(only(signed.at(-1), tags.set));
  const bytes = toDer(
    tags.sequence,
    toDer(tags.sequence, Buffer.from('020100', 'hex')),
    toDer(
      tags.sequence,
      Buffer.from(oid.signedData, 'hex'),
      toDer(
        tags.zero,
        toDer(
          tags.sequence,
          Buffer.from('020103', 'hex'), // version, RFC 5652 §5.1
          toDer(tags.set, signer.digest),
          toDer(tags.sequence, Buffer.from(oid.tstInfo, 'hex'), toDer(tags.zero, info.raw)),
          toDer(tags.set, signer.raw),
        ),
      ),
    ),
  );
  return { bytes, ...readInfo(info, signature) };
}

/** SignerInfo (RFC 5652 §5.3) without unsigned attributes. */
function normalSigner(signer: Der): { raw: Buffer; digest: Buffer } {
  const [, sid, digest, attributes, algorithm, signature] = sequence(signer);
  const [issuer, serial, ...more] = sequence(sid);
  const isPlain = issuer?.tag === tags.sequence && serial?.tag === tags.integer && more.length === 0;
  if (!isPlain || attributes?.tag !== tags.zero || signature?.tag !== tags.octets)
    throw new Misfit('signed in a form that can’t be verified here');
  const hash = toAlgorithm(digest);
  const scheme = toAlgorithm(algorithm);
  const isEcdsa = ecdsa.includes(scheme);
  const canVerify = isEcdsa ? digests.includes(hash) : hash === oid.sha256 && rsa.includes(scheme);
  if (!canVerify || isEcdsa !== isEcdsaSignature(signature.content))
    throw new Misfit('signed with an algorithm that can’t be verified here; ECDSA, or RSA with SHA-256, can be');
  // not covered by the signature: names that verification treats alike get one, in one spelling
  const hashAlgorithm = toDer(tags.sequence, Buffer.from(hash, 'hex'));
  const signatureAlgorithm = isEcdsa
    ? toDer(tags.sequence, Buffer.from(scheme, 'hex'))
    : toDer(tags.sequence, Buffer.from(oid.rsa, 'hex'), none);
  const raw = toDer(
    tags.sequence,
    Buffer.from('020101', 'hex'),
    sid?.raw ?? Buffer.alloc(0),
    hashAlgorithm,
    attributes.raw,
    signatureAlgorithm,
    signature.raw,
  );
  return { raw, digest: hashAlgorithm };
}

/** ECDSA-Sig-Value (RFC 3279 §2.2.3), which an RSA signature is not: two numbers. */
function isEcdsaSignature(bytes: Buffer): boolean {
  try {
    return childrenOf(parseDer(bytes)).filter(({ tag }) => tag === tags.integer).length === 2;
  } catch (error) {
    if (error instanceof Misfit) return false;
    throw error;
  }
}

/** OID (hex) of an AlgorithmIdentifier without parameters, or with NULL. */
function toAlgorithm(element: Der | undefined): string {
  const [algorithm, parameters, ...more] = sequence(element);
  const isPlain = more.length === 0 && (parameters === undefined || parameters.raw.equals(none));
  if (algorithm?.tag !== tags.oid || !isPlain) throw new Misfit('no algorithm');
  return algorithm.raw.toString('hex');
}

/** Nonce and time in a TSTInfo (RFC 3161 §2.4.2) about this signature. */
function readInfo(octets: Der, signature: Uint8Array): Pick<Timestamp, 'nonce' | 'time'> {
  const [, , imprint, , time, ...rest] = sequence(parseDer(octets.content));
  const [algorithm, hash] = sequence(imprint);
  if (hash?.tag !== tags.octets || time?.tag !== tags.time) throw new Misfit('no timestamp');
  if (toAlgorithm(algorithm) !== oid.sha256) throw new Misfit('a timestamp of another hash than SHA-256');
  if (!hash.content.equals(createHash('sha256').update(signature).digest()))
    throw new Misfit('a timestamp of something else');
  return { nonce: rest.find(({ tag }) => tag === tags.integer)?.raw, time: toTime(time.content.toString('latin1')) };
}

/** GeneralizedTime in the two forms that verification can read. */
function toTime(text: string): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{3})?Z$/.exec(text) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime()))
    throw new Misfit(
      'its time is written in a way that can’t be verified here; whole seconds, or three digits more, can be',
    );
  return time;
}

function sequence(element: Der | undefined): Der[] {
  if (element?.tag !== tags.sequence) throw new Misfit('no timestamp');
  return childrenOf(element);
}

/** The only element in one of that tag, itself of another tag where that is given. */
function only(element: Der | undefined, tag: number, inner?: number): Der {
  const [child, ...more] = element?.tag === tag ? childrenOf(element) : [];
  if (child === undefined || more.length > 0 || (inner !== undefined && child.tag !== inner))
    throw new Misfit('no timestamp');
  return child;
}

function isOid(element: Der | undefined, hex: string): boolean {
  return element?.raw.toString('hex') === hex;
}
