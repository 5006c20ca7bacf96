import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { type SignedBy, toBundle } from './bundle.ts';
import { signDsse } from './dsse.ts';
import { signKeyless } from './fulcio.ts';
import { keyHint } from './keys.ts';
import type { Verifying } from './log-verifier.ts';
import { Misfit } from './misfit.ts';
import { type Patience, patient } from './post.ts';
import { enterIntoLog } from './rekor.ts';
import { type Service, type ServiceFailure, toFailure } from './service-failure.ts';
import { statementPayloadType } from './statement.ts';
import { askForTimestamp } from './timestamp-authority.ts';

/** What adds to a signature; each is off where it is left out. */
export interface SigningServices {
  readonly keyless?: { readonly fulcio: string; readonly readToken: () => Promise<string> } | undefined;
  readonly rekor?: { readonly url: string } | undefined;
  readonly timestamp?: { readonly url: string } | undefined;
  readonly patience?: Patience | undefined;
}

export interface Signed {
  /** Undefined where a certificate was wanted and could not be had: then nothing is signed. */
  readonly bundle: Buffer | undefined;
  /** Services that were asked and did not do it. The bundle is without what they would have added. */
  readonly failures: readonly ServiceFailure[];
}

/**
 * Signs the bytes of a statement into a Sigstore bundle, with the key, or keyless with a certificate. A log entry or
 * timestamp that can't be had is left out and told; a certificate is never replaced by the key, which is another signer.
 */
export async function signStatement(
  statement: Buffer,
  { privateKey, services = {} }: { readonly privateKey: KeyObject; readonly services?: SigningServices | undefined },
): Promise<Signed> {
  const { keyless, rekor, timestamp, patience = patient } = services;
  const failures: ServiceFailure[] = [];
  const attempt = async <T>(service: Service, url: string | undefined, work: (url: string) => Promise<T>) => {
    if (url === undefined) return undefined;
    const limit = (patience.timeout * 2 + patience.pause) * (patience.retries + 1);
    try {
      return await within(limit, work(url));
    } catch (error) {
      failures.push(toFailure(service, url, error, patience));
      return undefined;
    }
  };
  const signer =
    keyless === undefined
      ? signWithKey(statement, privateKey)
      : await attempt('keyless', keyless.fulcio, async (url) => {
          const { signature, certificate } = await signKeyless(statement, url, keyless.readToken, patience);
          return certified(signature, certificate);
        });
  if (signer === undefined) return { bundle: undefined, failures };
  const { signature, by, verifying, verifier, checkTime } = signer;
  const keyid = 'hint' in by ? by.hint : '';
  const [entry, stamp] = await Promise.all([
    attempt('rekor', rekor?.url, async (url) => {
      const made = await enterIntoLog(url, { statement, signature, keyid, by: verifying, verifier }, patience);
      checkTime(new Date(Number(made.integratedTime) * 1000));
      return made;
    }),
    attempt('timestamp', timestamp?.url, async (url) => {
      const { bytes, time } = await askForTimestamp(url, signature, patience);
      checkTime(time);
      return bytes;
    }),
  ]);
  // a certificate that lives for minutes, and nothing that says it was used within them: no one could verify that
  if ('certificate' in by && entry === undefined && stamp === undefined) return { bundle: undefined, failures };
  const bundle = toBundle(statement, signature, by, {
    logEntries: entry === undefined ? [] : [entry],
    timestamps: stamp === undefined ? [] : [stamp],
  });
  return { bundle, failures };
}

/** The same without the services that failed, so that what is signed next does not wait for them once more. */
export function without(services: SigningServices, failures: readonly ServiceFailure[]): SigningServices {
  const failed = new Set(failures.map(({ service }) => service));
  return {
    ...services,
    rekor: failed.has('rekor') ? undefined : services.rekor,
    timestamp: failed.has('timestamp') ? undefined : services.timestamp,
  };
}

interface Signature {
  readonly signature: Buffer;
  readonly by: SignedBy;
  readonly verifying: Verifying;
  /** The same as PEM. */
  readonly verifier: string;
  /** Throws Misfit for a time at which the certificate can’t be used. */
  readonly checkTime: (time: Date) => void;
}

function signWithKey(statement: Buffer, privateKey: KeyObject): Signature {
  const key = createPublicKey(privateKey);
  return {
    signature: signDsse(statementPayloadType, statement, privateKey),
    by: { hint: keyHint(privateKey) },
    verifying: { key },
    verifier: key.export({ type: 'spki', format: 'pem' }).toString(),
    checkTime: () => undefined,
  };
}

function certified(signature: Buffer, certificate: X509Certificate): Signature {
  const { raw, validFrom, validTo } = certificate;
  return {
    signature,
    by: { certificate: raw },
    verifying: { certificate: raw },
    verifier: toPem(raw),
    checkTime: (time) => {
      if (Date.parse(validFrom) <= time.getTime() && time.getTime() <= Date.parse(validTo)) return;
      throw new Misfit('it bears a time at which the certificate is not valid');
    },
  };
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** A last resort: each request has its own limit. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('took too long', 'TimeoutError')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
