import { childrenOf, parseDer, tags } from './der.ts';
import { Misfit } from './misfit.ts';

/**
 * Throws Misfit unless the bytes of an X.509 certificate have the one form that its signature allows: DER, with
 * the algorithm outside that stands inside too (RFC 5280 §4.1.1.2), and nothing behind the signature.
 */
export function checkCertificate(bytes: Uint8Array): void {
  const whole = parseDer(bytes);
  const parts = whole.tag === tags.sequence ? childrenOf(whole) : [];
  const [signed, algorithm, signature] = parts;
  const inner = signed?.tag === tags.sequence ? childrenOf(signed) : [];
  const isWhole = parts.length === 3 && signature?.tag === tags.bits && signature.content[0] === 0;
  if (!isWhole || algorithm === undefined || !inner.some(({ raw }) => raw.equals(algorithm.raw)))
    throw new Misfit('not a certificate in DER');
}
