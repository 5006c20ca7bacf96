import { randomBytes, verify, X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { TallyError } from '../model/errors.ts';
import { pae } from './dsse.ts';
import { statusOf } from './service-failure.ts';
import { statementPayloadType } from './statement.ts';
import { parseTimestamp, toNonce, toTimestampQuery } from './timestamp.ts';
import { type LogEntry, toLogEntry } from './log-entry.ts';
import { Misfit } from './misfit.ts';

/** How long and how often a service is asked. */
export interface Patience {
  /** Milliseconds for one answer. */
  readonly timeout: number;
  /** Further attempts, where the service can't be reached or is in trouble itself. */
  readonly retries: number;
  /** Milliseconds before one. */
  readonly pause: number;
}

export const patient: Patience = { timeout: 10_000, retries: 1, pause: 1000 };

/** A signature by a key that lives no longer than it, with the certificate on whoever the token stands for. */
export interface Certified {
  readonly signature: Buffer;
  /** DER. */
  readonly certificate: Buffer;
}

/** Signs a statement with a key of its own and a certificate on it by Fulcio. The token goes nowhere else, errors included. */
export async function signKeyless(
  statement: Buffer,
  fulcio: string,
  readToken: () => Promise<string>,
  patience: Patience,
): Promise<Certified> {
  const token = await readToken();
  checkToken(token);
  const { FulcioSigner } = await library();
  const data = pae(statementPayloadType, statement);
  const signer = new FulcioSigner({
    fulcioBaseURL: withoutSlash(fulcio),
    identityProvider: { getToken: () => Promise.resolve(token) },
    ...toOptions(patience),
  });
  const { signature, key } = await signer.sign(data);
  if (key.$case !== 'x509Certificate' || typeof key.certificate !== 'string')
    throw new Misfit('its answer holds no certificate');
  const certificate = new X509Certificate(key.certificate);
  if (!verify('sha256', data, certificate.publicKey, signature)) throw new Misfit('the certificate is on another key');
  return { signature, certificate: certificate.raw };
}

/** Throws `key` for what the library would refuse with the token in its message. */
function checkToken(token: string): void {
  const { sub, email, email_verified: isVerified } = claimsOf(token) ?? {};
  const isUsable = email === undefined ? typeof sub === 'string' : typeof email === 'string' && isVerified === true;
  if (!isUsable)
    throw new TallyError(
      'key',
      'the OIDC token can’t be used: expected a JWT with a subject, or with a verified e-mail address',
    );
}

interface Claims {
  readonly sub?: unknown;
  readonly email?: unknown;
  readonly email_verified?: unknown;
}

function claimsOf(token: string): Claims | null {
  const [, payload = '', ...more] = token.split('.');
  try {
    return more.length === 1 ? (JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims | null) : null;
  } catch {
    return null;
  }
}

/** Puts an entry on the signature into a transparency log. `verifier`: PEM of the public key or certificate. */
export async function enterIntoLog(
  url: string,
  signed: { readonly statement: Buffer; readonly signature: Buffer; readonly keyid: string; readonly verifier: string },
  patience: Patience,
): Promise<LogEntry> {
  const { statement, signature, keyid, verifier } = signed;
  const { RekorWitness } = await library();
  // of a dsse entry the log keeps hashes, an intoto entry might be kept whole
  const log = new RekorWitness({
    rekorBaseURL: withoutSlash(url),
    entryType: 'dsse',
    majorApiVersion: 1,
    fetchOnConflict: true, // an entry whose answer was lost
    ...toOptions(patience),
  });
  const dsseEnvelope = {
    payload: statement,
    payloadType: statementPayloadType,
    signatures: [{ keyid, sig: signature }],
  };
  const { tlogEntries } = await log.testify({ $case: 'dsseEnvelope', dsseEnvelope }, verifier);
  const [entry] = tlogEntries as readonly TransparencyLogEntry[];
  if (entry === undefined) throw new Misfit('its answer holds no entry');
  return toLogEntry(entry, statement, signature);
}

/** Asks an RFC 3161 authority over HTTP (§3.4) for a timestamp of the signature. */
export async function askForTimestamp(url: string, signature: Buffer, patience: Patience): Promise<Buffer> {
  const nonce = randomBytes(6);
  const body = toTimestampQuery(signature, nonce);
  const answer = await withRetries(patience, () => postQuery(url, body, patience.timeout));
  const timestamp = parseTimestamp(answer, signature);
  if (timestamp.nonce?.equals(toNonce(nonce)) !== true)
    throw new Misfit('the timestamp answers another request than ours');
  return timestamp.bytes;
}

/** Its answers are a few kilobytes. */
const mostBytes = 1 << 20;

async function postQuery(url: string, body: Buffer, timeout: number): Promise<Buffer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(timeout),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Refusal(response.status, response.statusText);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > mostBytes) throw new Misfit('its answer is too long for a timestamp');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly statusCode: number;

  constructor(status: number, text: string) {
    super(`(${status}) ${text}`);
    this.statusCode = status;
  }
}

async function withRetries<T>({ retries, pause }: Patience, ask: () => Promise<T>): Promise<T> {
  for (let left = retries; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      const status = statusOf(error);
      const mayPass = status === undefined ? !(error instanceof Misfit) : status >= 500 || status === 429;
      if (left <= 0 || !mayPass) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function toOptions({ timeout, retries, pause }: Patience) {
  return { timeout, retry: { retries, minTimeout: pause, maxTimeout: pause } };
}

/** Loaded here: without a service nobody has to wait for it. */
async function library(): Promise<typeof import('@sigstore/sign')> {
  return import('@sigstore/sign');
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
