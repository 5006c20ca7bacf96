import { generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { TallyError } from '../model/errors.ts';
import { checkCertificate, checkIdentityNames } from './certificate.ts';
import { pae, signDsse } from './dsse.ts';
import { Misfit } from './misfit.ts';
import { askJson, type Patience, under } from './post.ts';
import { statementPayloadType } from './statement.ts';

/** A signature by a key that lives no longer than it, with the certificate on whoever the token stands for. */
export interface Certified {
  readonly signature: Buffer;
  readonly certificate: X509Certificate;
}

const chain = z.object({ chain: z.object({ certificates: z.array(z.string()).min(1) }) });
const answer = z.object({
  signedCertificateEmbeddedSct: chain.nullish(),
  signedCertificateDetachedSct: chain.nullish(),
});

/** Signs a statement with a key of its own and a certificate on it by Fulcio. The token goes nowhere else, errors included. */
export async function signKeyless(
  statement: Buffer,
  fulcio: string,
  readToken: () => Promise<string>,
  patience: Patience,
): Promise<Certified> {
  const token = await readToken();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const request = {
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
      // that the key is ours: its signature on whom the token names
      proofOfPossession: sign('sha256', Buffer.from(subjectOf(token)), privateKey).toString('base64'),
    },
  };
  const certificate = parseAnswer(await askJson(under(fulcio, 'api/v2/signingCert'), request, patience));
  checkCertificate(certificate.raw);
  checkIdentityNames(certificate.raw);
  const signature = signDsse(statementPayloadType, statement, privateKey);
  if (!verify('sha256', pae(statementPayloadType, statement), certificate.publicKey, signature))
    throw new Misfit('the certificate is on another key');
  return { signature, certificate };
}

function parseAnswer(json: unknown): X509Certificate {
  const { data } = answer.safeParse(json);
  const [leaf] = (data?.signedCertificateEmbeddedSct ?? data?.signedCertificateDetachedSct)?.chain.certificates ?? [];
  if (leaf === undefined) throw new Misfit('it holds no certificate');
  try {
    return new X509Certificate(leaf);
  } catch (cause) {
    throw new Misfit('it holds no certificate', { cause });
  }
}

/** Whom the token names. Throws `key`, without its text, for one that Fulcio could not use. */
function subjectOf(token: string): string {
  const { sub, email, email_verified: isVerified } = claimsOf(token) ?? {};
  const subject = email === undefined ? sub : isVerified === true ? email : undefined;
  if (typeof subject !== 'string')
    throw new TallyError(
      'key',
      'the OIDC token can’t be used: expected a JWT with a subject, or with a verified e-mail address',
    );
  return subject;
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
