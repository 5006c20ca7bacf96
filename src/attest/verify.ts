import type { KeyObject } from 'node:crypto';
import { type BundleWithDsseEnvelope, isBundleWithPublicKey } from '@sigstore/bundle';
import { type SignedEntity, toSignedEntity, Verifier } from '@sigstore/verify';
import { TallyError } from '../model/errors.ts';
import { parseBundle, type SignedBy, toBundle } from './bundle.ts';
import { checkCertificate, checkIdentityNames } from './certificate.ts';
import { keyHint } from './keys.ts';
import { checkNames } from './log-checkpoint.ts';
import { parseBody, toLogEntry } from './log-entry.ts';
import { checkVerifier, type Verifying } from './log-verifier.ts';
import { Misfit } from './misfit.ts';
import { isOwnStatement, parseStatement, statementPayloadType, type Statement } from './statement.ts';
import { parseTimestamp } from './timestamp.ts';
import { tellEntry } from './trusted-log.ts';
import { noTrust, type Trusted } from './trusted-root.ts';

/** Who must have signed with a certificate: both to the letter. */
export interface Identity {
  readonly subject: string;
  /** URL of whoever vouched for the subject (OIDC issuer). */
  readonly issuer: string;
}

export interface VerifyOptions {
  /** Without it log entries and timestamps are not looked at, but for their form in bundles of ours. */
  readonly trusted?: Trusted | undefined;
  readonly needsTimestamp?: boolean;
  readonly needsLogEntry?: boolean;
}

export interface VerifiedBundle {
  readonly statement: Statement;
  /** The bytes that were signed. */
  readonly payloadBytes: Buffer;
  /** What vouches for the signature and was verified, in plain words. */
  readonly checked: readonly string[];
  /** What is there but was not looked at, or is not there. */
  readonly notChecked: readonly string[];
}

/**
 * The statement in a Sigstore bundle that this key, or a certificate of this identity, signed. Needs no network. Throws
 * `integrity` otherwise, `usage` where the bundle is signed in the other way.
 *
 * The signature covers only payload and payload type. Media type, hint, keyid, white space, order and number of keys and the
 * spelling of base64 could all be changed beneath it. So a bundle around a statement of ours (`isOwnStatement`, which is
 * judged on signed bytes, so no change of the rest can evade it) must be byte for byte what `toBundle` writes of its parts: any
 * change of any byte of our file is found, in log entries and timestamps too where `trusted` says whose they must be. But an
 * ECDSA signature (r, s) can be replaced by (r, n - s), which says the same: services write either, so both have to be taken.
 * Bundles that others made have no such one form; of those the signed parts count.
 */
export function verifyBundle(
  bundleBytes: Uint8Array,
  signer: KeyObject | Identity,
  options: VerifyOptions = {},
): VerifiedBundle {
  const bundle = parseBundle(bundleBytes);
  const vouched = isIdentity(signer)
    ? verifyCertified(bundle, signer, options)
    : verifyKeyed(bundle, signer, options.trusted);
  checkNeeds(bundle, options);
  const { payload, payloadType } = bundle.content.dsseEnvelope;
  const statement = parseStatement(payload);
  if (payloadType !== statementPayloadType || statement === undefined)
    throw new TallyError('integrity', 'the bundle is signed but holds no in-toto Statement');
  if (isOwnStatement(payload) && !rewrite(bundle, signer).equals(bundleBytes))
    throw new TallyError(
      'integrity',
      'the bundle is not in the form that tally writes: it was changed after signing, outside of what the signature covers, or another program wrote it',
    );
  return { statement, payloadBytes: Buffer.from(payload), ...vouched };
}

type Vouched = Pick<VerifiedBundle, 'checked' | 'notChecked'>;

function verifyKeyed(bundle: BundleWithDsseEnvelope, publicKey: KeyObject, trusted: Trusted | undefined): Vouched {
  if (!isBundleWithPublicKey(bundle))
    throw new TallyError(
      'usage',
      'the bundle is signed with a certificate: give --trusted-root, --certificate-identity and --certificate-oidc-issuer instead of --key',
    );
  const bare = { ...bundle.verificationMaterial, tlogEntries: [], timestampVerificationData: undefined };
  const isBare = trusted === undefined;
  // the signature alone first, so that it is told from what vouches for it
  verifyWith(noTrust, publicKey, { ...bundle, verificationMaterial: bare }, notSigned);
  if (isBare) return { checked: [], notChecked: tellUnchecked(bundle) };
  return { checked: verifyVouchers(trusted, publicKey, bundle), notChecked: [] };
}

function verifyCertified(bundle: BundleWithDsseEnvelope, identity: Identity, { trusted }: VerifyOptions): Vouched {
  if (isBundleWithPublicKey(bundle))
    throw new TallyError('usage', 'the bundle is signed with a key: give it with --key instead of an identity');
  if (trusted === undefined)
    throw new TallyError('usage', 'the bundle is signed with a certificate: give --trusted-root, whose it must be');
  const checked = verifyVouchers(trusted, identity, bundle);
  const noLog = bundle.verificationMaterial.tlogEntries.length === 0;
  return {
    checked,
    notChecked: noLog ? ['whether the certificate was used for more: no transparency log has an entry on it'] : [],
  };
}

const notSigned = 'the signature does not fit: the report was changed, or another key signed it';
const notVouched =
  'a certificate, log entry or timestamp does not fit: it was changed, is about something else, or the trusted root does not hold whoever made it';

function verifyWith(
  trusted: Trusted,
  signer: KeyObject | Identity,
  bundle: BundleWithDsseEnvelope,
  refusal: string,
): SignedEntity {
  const publicKey = isIdentity(signer) ? undefined : signer;
  const verifier = new Verifier(
    {
      ...trusted,
      publicKey: () => {
        if (publicKey === undefined) throw new TypeError('a bundle with a certificate has no key');
        return { publicKey, validFor: () => true };
      },
    },
    {
      tlogThreshold: 0,
      // a certificate lives for minutes: whether it was used within them has to be known
      timestampThreshold: publicKey === undefined ? 1 : 0,
      ctlogThreshold: publicKey === undefined && trusted.ctlogs.length > 0 ? 1 : 0,
    },
  );
  const { entity, identity } = orRefuse(refusal, () => {
    const whole = toSignedEntity(bundle);
    return { entity: whole, identity: verifier.verify(whole).identity };
  });
  if (isIdentity(signer)) checkIdentity(signer, identity?.subjectAlternativeName, identity?.extensions?.issuer);
  return entity;
}

/** Compared here: the library takes the subject for a pattern. */
function checkIdentity(wanted: Identity, subject = '', issuer = ''): void {
  if (subject === '' || issuer === '')
    throw new TallyError('integrity', `${notVouched} (the certificate names no subject, or no issuer)`);
  if (subject !== wanted.subject || issuer !== wanted.issuer)
    throw new TallyError(
      'integrity',
      `signed by another identity: ${JSON.stringify(subject)} of ${JSON.stringify(issuer)}`,
    );
}

/** Verifies certificate, entries and timestamps; what they say, in plain words. */
function verifyVouchers(trusted: Trusted, signer: KeyObject | Identity, bundle: BundleWithDsseEnvelope): string[] {
  const by = orRefuse(notVouched, () => {
    for (const { inclusionProof } of bundle.verificationMaterial.tlogEntries)
      checkNames(inclusionProof?.checkpoint?.envelope ?? '');
    return verifying(bundle, signer);
  });
  const entity = verifyWith(trusted, signer, bundle, notVouched);
  return orRefuse(notVouched, () => {
    for (const { canonicalizedBody } of entity.tlogEntries) checkVerifier(parseBody(canonicalizedBody), by);
    return tellChecked(entity, trusted);
  });
}

function verifying(
  { verificationMaterial: { content } }: BundleWithDsseEnvelope,
  signer: KeyObject | Identity,
): Verifying {
  if (!isIdentity(signer)) return { key: signer };
  const leaf =
    content.$case === 'x509CertificateChain'
      ? content.x509CertificateChain.certificates[0]
      : content.$case === 'certificate'
        ? content.certificate
        : undefined;
  const certificate = Buffer.from(leaf?.rawBytes ?? []);
  checkIdentityNames(certificate);
  return { certificate };
}

/** Of hostile bytes the library throws whatever it trips over. */
function orRefuse<T>(refusal: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof TallyError) throw cause;
    const detail = cause instanceof Error ? ` (${cause.message})` : '';
    throw new TallyError('integrity', `${refusal}${detail}`, { cause });
  }
}

function tellChecked({ tlogEntries, timestamps }: SignedEntity, { tlogs }: Trusted): string[] {
  const stamps = timestamps.flatMap((one) => (one.$case === 'timestamp-authority' ? [one.timestamp.signingTime] : []));
  return [
    ...stamps.map((time) => `an RFC 3161 timestamp: the signature was there at ${time.toISOString()}`),
    ...tlogEntries.map((entry) => tellEntry(entry, tlogs, stamps)),
  ];
}

function tellUnchecked({ verificationMaterial }: BundleWithDsseEnvelope): string[] {
  const stamps = verificationMaterial.timestampVerificationData?.rfc3161Timestamps.length ?? 0;
  const entries = verificationMaterial.tlogEntries.length;
  return [
    ...(stamps === 0 ? [] : ['when it was signed: the bundle holds an RFC 3161 timestamp (give --trusted-root FILE)']),
    ...(entries === 0
      ? []
      : ['the transparency log: the bundle holds an entry on the signature (give --trusted-root FILE)']),
  ];
}

function checkNeeds({ verificationMaterial: { tlogEntries, ...rest } }: BundleWithDsseEnvelope, needs: VerifyOptions) {
  const stamps = rest.timestampVerificationData?.rfc3161Timestamps.length ?? 0;
  for (const [isNeeded, count, what] of [
    [needs.needsTimestamp, stamps, 'timestamp'],
    [needs.needsLogEntry, tlogEntries.length, 'log entry'],
  ] as const) {
    if (isNeeded !== true) continue;
    if (needs.trusted === undefined)
      throw new TallyError('usage', `give --trusted-root FILE: without it a ${what} can’t be checked`);
    if (count === 0)
      throw new TallyError(
        'integrity',
        `the bundle holds no ${what}, though one is required: it was never made, or was taken out`,
      );
  }
}

/** The bundle as `toBundle` writes its parts. */
function rewrite(bundle: BundleWithDsseEnvelope, signer: KeyObject | Identity): Buffer {
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const { payload, signatures } = bundle.content.dsseEnvelope;
  const signature = Buffer.concat(signatures.map(({ sig }) => sig)); // a parsed bundle has exactly one
  return orRefuse('the bundle was changed after signing', () => {
    const by = signedBy(bundle, signer);
    const named = 'certificate' in by ? by : verifying(bundle, signer);
    return toBundle(payload, signature, by, {
      logEntries: tlogEntries.map((entry) => toLogEntry(entry, payload, signature, named)),
      timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(
        ({ signedTimestamp }) => parseTimestamp(signedTimestamp, signature).bytes,
      ),
    });
  });
}

function signedBy({ verificationMaterial }: BundleWithDsseEnvelope, signer: KeyObject | Identity): SignedBy {
  if (!isIdentity(signer)) return { hint: keyHint(signer) };
  const { content } = verificationMaterial;
  if (content.$case !== 'certificate') throw new Misfit('it holds a chain of certificates');
  const certificate = Buffer.from(content.certificate.rawBytes);
  checkCertificate(certificate);
  return { certificate };
}

function isIdentity(signer: KeyObject | Identity): signer is Identity {
  return 'subject' in signer;
}
