import { childrenOf, type Der, parseDer, tags } from './der.ts';
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

/** OIDs of a certificate's extensions, DER. */
const oid = {
  subjectAltName: '0603551d11',
  issuer: '060a2b0601040183bf300101',
  issuer2: '060a2b0601040183bf300108',
} as const;

/**
 * Throws Misfit where subject (URI or e-mail address) or issuer (of Fulcio's certificates) in a certificate is not plain ASCII. RFC 5280 §4.2.1.6
 * wants it so, and the library drops the highest bit of each byte: another name could be read as the one that was asked for.
 */
export function checkIdentityNames(certificate: Uint8Array): void {
  for (const extension of extensionsOf(certificate)) {
    const [name, ...rest] = childrenOf(extension);
    const value = rest.at(-1)?.content ?? Buffer.alloc(0);
    const texts = textsIn(name?.raw.toString('hex'), value);
    if (texts.some((text) => text.some((byte) => byte >= 0x80)))
      throw new Misfit('subject or issuer in the certificate is not plain ASCII');
  }
}

function textsIn(name: string | undefined, value: Buffer): Buffer[] {
  if (name === oid.issuer) return [value];
  if (name === oid.issuer2) return [parseDer(value).content];
  if (name !== oid.subjectAltName) return [];
  // [1] rfc822Name and [6] uniformResourceIdentifier, the constructed bit aside
  return childrenOf(parseDer(value)).flatMap(({ tag, content }) =>
    [0x81, 0x86].includes(tag & 0xdf) ? [content] : [],
  );
}

/** RFC 5280 §4.1: [3], around a list. */
function extensionsOf(certificate: Uint8Array): Der[] {
  const [signed] = childrenOf(parseDer(certificate));
  const tagged = signed === undefined ? [] : childrenOf(signed).filter(({ tag }) => tag === 0xa3);
  return tagged.flatMap(childrenOf).flatMap(childrenOf);
}
