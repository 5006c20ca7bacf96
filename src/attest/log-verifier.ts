import { createPublicKey, type KeyObject } from 'node:crypto';
import { Entry } from '@sigstore/protobuf-specs/rekor/v2';
import { Misfit } from './misfit.ts';

/** What a signature is verified with: a key, or the one in a certificate (DER). */
export type Verifying = { readonly key: KeyObject } | { readonly certificate: Buffer };

/**
 * Throws Misfit unless the body of a log entry names exactly this key or certificate as what verifies the signature. A log takes an
 * entry under any key that does, and whoever watches it looks for theirs: one under a stranger's would not be found.
 */
export function checkVerifier(body: unknown, by: Verifying): void {
  const named = verifiersOf(body);
  if (named.length !== 1 || !named.every((verifier) => isSame(verifier, by)))
    throw new Misfit('the log entry is under another key or certificate');
}

/** As the log names it: DER, and whether of a certificate. */
interface Named {
  readonly der: Buffer;
  readonly isCertificate: boolean;
}

interface Body {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly spec?: {
    readonly signatures?: readonly { readonly verifier?: unknown }[];
    readonly signature?: { readonly publicKey?: { readonly content?: unknown } };
    readonly content?: { readonly envelope?: { readonly signatures?: readonly { readonly publicKey?: unknown }[] } };
  };
}

/** Rekor's own types `dsse` and `hashedrekord` 0.0.1 and `intoto` 0.0.2, then those of its API version 2. */
function verifiersOf(value: unknown): Named[] {
  const { kind, apiVersion, spec } = (value ?? {}) as Body;
  if (kind === 'dsse' && apiVersion === '0.0.1')
    return listOf(spec?.signatures).map(({ verifier }) => parsePem(verifier));
  if (kind === 'hashedrekord' && apiVersion === '0.0.1') return [parsePem(spec?.signature?.publicKey?.content)];
  if (kind === 'intoto') return listOf(spec?.content?.envelope?.signatures).map(({ publicKey }) => parsePem(publicKey));
  return verifiersOfVersion2(value);
}

function verifiersOfVersion2(value: unknown): Named[] {
  const spec = Entry.fromJSON(value).spec?.spec;
  const signatures =
    spec?.$case === 'dsseV002'
      ? spec.dsseV002.signatures
      : [spec?.hashedRekordV002.signature].filter((one) => one !== undefined);
  return signatures.map(({ verifier }) => {
    const named = verifier?.verifier;
    if (named === undefined) throw new Misfit('the log entry names no key');
    return named.$case === 'publicKey'
      ? { der: named.publicKey.rawBytes, isCertificate: false }
      : { der: named.x509Certificate.rawBytes, isCertificate: true };
  });
}

function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [];
}

const pem = /^-----BEGIN (PUBLIC KEY|CERTIFICATE)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*$/;

/** Base64 of one PEM. */
function parsePem(encoded: unknown): Named {
  const [, label, body = ''] =
    pem.exec(typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : '') ?? [];
  if (label === undefined) throw new Misfit('the log entry names no key');
  return { der: Buffer.from(body, 'base64'), isCertificate: label === 'CERTIFICATE' };
}

function isSame({ der, isCertificate }: Named, by: Verifying): boolean {
  if ('certificate' in by) return isCertificate && der.equals(by.certificate);
  return !isCertificate && createPublicKey({ key: der, format: 'der', type: 'spki' }).equals(by.key);
}
