import type { KeyObject } from 'node:crypto';
import { BUNDLE_V03_MEDIA_TYPE, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import type { BundleWithDsseEnvelope } from '@sigstore/bundle';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { TallyError } from '../model/errors.ts';
import { signDsse } from './dsse.ts';
import { keyHint } from './keys.ts';
import type { LogEntry } from './log-entry.ts';
import { statementPayloadType } from './statement.ts';

/** Who signed: the key of a hint, or the one in a certificate (DER). */
export type SignedBy = { readonly hint: string } | { readonly certificate: Buffer };

/** What others say of the signature. */
export interface Vouchers {
  readonly logEntries?: readonly LogEntry[];
  /** TimeStampResp, DER. */
  readonly timestamps?: readonly Buffer[];
}

/**
 * A Sigstore bundle v0.3 around a DSSE envelope, as RFC 8785 JSON and a newline: the same parts make one file.
 * `publicKey.hint` and `keyid` are both the key's hint. Written out here, not by the library, because verification
 * compares with it: the form may not move with a version.
 */
export function toBundle(
  payload: Buffer,
  signature: Buffer,
  by: SignedBy,
  { logEntries = [], timestamps = [] }: Vouchers = {},
): Buffer {
  const key =
    'hint' in by ? { publicKey: { hint: by.hint } } : { certificate: { rawBytes: by.certificate.toString('base64') } };
  const signedTimestamps = timestamps.map((bytes) => ({ signedTimestamp: bytes.toString('base64') }));
  const bundle = canonicalJson({
    mediaType: BUNDLE_V03_MEDIA_TYPE,
    verificationMaterial: {
      ...key,
      tlogEntries: logEntries,
      ...(timestamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: signedTimestamps } }),
    },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: statementPayloadType,
      signatures: [{ keyid: 'hint' in by ? by.hint : '', sig: signature.toString('base64') }],
    },
  });
  return Buffer.concat([bundle, Buffer.from('\n')]);
}

/** Signs the bytes of a statement with a key alone. */
export function signBundle(statement: Buffer, privateKey: KeyObject): Buffer {
  const signature = signDsse(statementPayloadType, statement, privateKey);
  return toBundle(statement, signature, { hint: keyHint(privateKey) });
}

/**
 * A Sigstore bundle v0.1 to v0.3, by anyone, with a DSSE envelope under one signature. Nothing in it is verified yet.
 * Throws `integrity` for anything else.
 */
export function parseBundle(bytes: Uint8Array): BundleWithDsseEnvelope {
  let bundle;
  try {
    bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new TallyError('integrity', 'this is not a whole Sigstore bundle', { cause });
  }
  if (!isBundleWithDsseEnvelope(bundle))
    throw new TallyError('integrity', 'the Sigstore bundle holds a bare signature instead of a statement');
  return bundle;
}
