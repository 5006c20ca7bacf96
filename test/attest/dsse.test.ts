import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pae, signDsse } from '../../src/attest/dsse.ts';
import { generateKeyPair, loadPrivateKey } from '../../src/attest/keys.ts';

describe('pae', () => {
  it.each([
    ['http://example.com/HelloWorld', 'hello world', 'DSSEv1 29 http://example.com/HelloWorld 11 hello world'],
    ['', '', 'DSSEv1 0  0 '],
    ['é', '€\n', 'DSSEv1 2 é 4 €\n'],
  ])('counts bytes: %j %j', (type, body, encoded) => {
    expect(pae(type, Buffer.from(body)).toString()).toBe(encoded);
  });

  it('keeps bytes that are no text', () => {
    expect(pae('t', Buffer.from([0, 0xff])).toString('hex')).toBe(
      Buffer.from('DSSEv1 1 t 2 ').toString('hex') + '00ff',
    );
  });
});

describe('signDsse', () => {
  it.each(['ecdsa-p256', 'ed25519'] as const)('signs type and body with %s', (kind) => {
    const key = loadPrivateKey(generateKeyPair(kind).privatePem, {});
    const signature = signDsse('type', Buffer.from('body'), key);
    const fits = (type: string, body: string): boolean =>
      verify(kind === 'ed25519' ? null : 'sha256', pae(type, Buffer.from(body)), createPublicKey(key), signature);
    expect(fits('type', 'body')).toBe(true);
    expect(fits('type', 'Body')).toBe(false);
    expect(fits('typ', 'e body')).toBe(false);
  });
});
