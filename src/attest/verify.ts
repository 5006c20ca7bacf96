import type { KeyObject } from 'node:crypto';
import { isBundleWithPublicKey, type BundleWithDsseEnvelope } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { TallyError } from '../model/errors.ts';
import { parseBundle, toBundle } from './bundle.ts';
import { keyHint } from './keys.ts';
import { isOwnStatement, parseStatement, statementPayloadType, type Statement } from './statement.ts';

export interface VerifiedBundle {
  readonly statement: Statement;
  /** The bytes that were signed. */
  readonly payloadBytes: Buffer;
}

/**
 * The statement in a Sigstore bundle that this key signed. Needs no network. Throws `integrity` otherwise.
 *
 * The signature covers only payload and payload type. Media type, hint, keyid, white space, order and number of keys and the
 * spelling of base64 could all be changed beneath it. So a bundle around a statement of ours (`isOwnStatement`, which is
 * judged on signed bytes, so no change of the rest can evade it) must be byte for byte what `toBundle` writes: any
 * change of any byte of our file is found. Bundles that others made have no such one form; of those the signed
 * part counts, and hints, log entries and timestamps, which we have no root of trust for, are not looked at.
 */
export function verifyBundle(bundleBytes: Uint8Array, publicKey: KeyObject): VerifiedBundle {
  const bundle = parseBundle(bundleBytes);
  verifySignature(bundle, publicKey);
  const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
  const payloadBytes = Buffer.from(payload);
  const statement = parseStatement(payloadBytes);
  if (payloadType !== statementPayloadType || statement === undefined)
    throw new TallyError('integrity', 'the bundle is signed but holds no in-toto Statement v1');
  if (isOwnStatement(payloadBytes)) {
    const signature = Buffer.concat(signatures.map(({ sig }) => sig)); // a parsed bundle has exactly one
    const written = toBundle(payloadBytes, signature, keyHint(publicKey));
    if (!written.equals(bundleBytes))
      throw new TallyError('integrity', 'the bundle was changed after signing, outside of what the signature covers');
  }
  return { statement, payloadBytes };
}

function verifySignature(bundle: BundleWithDsseEnvelope, publicKey: KeyObject): void {
  if (!isBundleWithPublicKey(bundle))
    throw new TallyError('integrity', 'the bundle is signed with a certificate; only bundles of a key can be verified');
  const trust = toTrustMaterial(TrustedRoot.fromJSON({}), () => ({ publicKey, validFor: () => true }));
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  const verificationMaterial = {
    ...bundle.verificationMaterial,
    tlogEntries: [],
    timestampVerificationData: undefined,
  };
  try {
    verifier.verify(toSignedEntity({ ...bundle, verificationMaterial }));
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause;
    throw new TallyError('integrity', 'the signature does not fit: the report was changed, or another key signed it', {
      cause,
    });
  }
}
