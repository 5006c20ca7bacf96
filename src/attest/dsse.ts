import { sign, type KeyObject } from 'node:crypto';

/** Pre-authentication encoding, DSSE v1.0.2 protocol.md: `DSSEv1 LEN(type) type LEN(body) body`, lengths in bytes. */
export function pae(type: string, body: Uint8Array): Buffer {
  const start = `DSSEv1 ${String(Buffer.byteLength(type))} ${type} ${String(body.length)} `;
  return Buffer.concat([Buffer.from(start), body]);
}

/** Signature over the PAE: ASN.1 DER with SHA-256 for an ECDSA key, 64 bytes for an Ed25519 key. */
export function signDsse(type: string, body: Uint8Array, privateKey: KeyObject): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', pae(type, body), privateKey);
}
