import type { KeyObject } from 'node:crypto';
import { BUNDLE_V03_MEDIA_TYPE, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import type { BundleWithDsseEnvelope } from '@sigstore/bundle';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { TallyError } from '../model/errors.ts';
import { signDsse } from './dsse.ts';
import { keyHint } from './keys.ts';
import { statementPayloadType } from './statement.ts';

/**
 * A Sigstore bundle v0.3 around a DSSE envelope, as RFC 8785 JSON and a newline: one payload, signature and key make
 * one file. `publicKey.hint` and `keyid` are both the key's hint; there is no log entry and no timestamp. Written out
 * here, not by the library, because verification compares with it: the form may not move with a version.
 */
export function toBundle(payload: Buffer, signature: Buffer, hint: string): Buffer {
  const bundle = canonicalJson({
    mediaType: BUNDLE_V03_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: statementPayloadType,
      signatures: [{ keyid: hint, sig: signature.toString('base64') }],
    },
  });
  return Buffer.concat([bundle, Buffer.from('\n')]);
}

/** Signs the bytes of a statement: the content of `report.sigstore.json`. */
export function signBundle(statement: Buffer, privateKey: KeyObject): Buffer {
  return toBundle(statement, signDsse(statementPayloadType, statement, privateKey), keyHint(privateKey));
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
