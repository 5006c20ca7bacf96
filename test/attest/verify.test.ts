import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signBundle, toBundle } from '../../src/attest/bundle.ts';
import { signDsse } from '../../src/attest/dsse.ts';
import { generateKeyPair, keyHint, loadPrivateKey, loadPublicKey, type KeyKind } from '../../src/attest/keys.ts';
import { toStatement } from '../../src/attest/statement.ts';
import { verifyBundle } from '../../src/attest/verify.ts';
import { flip } from '../evidence/flip.ts';

function keyPair(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  const { privatePem, publicPem } = generateKeyPair(kind);
  return { privateKey: loadPrivateKey(privatePem, {}), publicKey: loadPublicKey(publicPem) };
}

const statement = toStatement({ manifestSha256: 'a'.repeat(64), declarationSha256: 'b'.repeat(64), predicate: {} });
const { privateKey, publicKey } = keyPair('ecdsa-p256');
const own = signBundle(statement, privateKey);
const tampered = expect.objectContaining({ code: 'integrity' }) as Error;

describe('verifyBundle of our own bundle', () => {
  it.each(['ecdsa-p256', 'ed25519'] as const)('gives back the statement under a key of kind %s', (kind) => {
    const pair = keyPair(kind);
    const verified = verifyBundle(signBundle(statement, pair.privateKey), pair.publicKey);
    expect(verified.payloadBytes).toEqual(statement);
    expect(verified.statement.subject[0]).toEqual({ name: 'manifest.json', digest: { sha256: 'a'.repeat(64) } });
  });

  it.each(['ecdsa-p256', 'ed25519'] as const)('finds every flipped bit (%s)', (kind) => {
    const pair = keyPair(kind);
    const bundle = signBundle(statement, pair.privateKey);
    for (let offset = 0; offset < bundle.length; offset += 1)
      for (let bit = 0; bit < 8; bit += 1)
        expect(() => verifyBundle(flip(bundle, offset, bit), pair.publicKey), `byte ${String(offset)}`).toThrow(
          tampered,
        );
  });

  it('finds every lost or added byte', () => {
    for (let offset = 0; offset <= own.length; offset += 1) {
      const [before, after] = [own.subarray(0, offset), own.subarray(offset)];
      for (const added of [' ', '\n', '0']) {
        const longer = Buffer.concat([before, Buffer.from(added), after]);
        expect(() => verifyBundle(longer, publicKey)).toThrow(tampered);
      }
      if (after.length > 0)
        expect(() => verifyBundle(Buffer.concat([before, after.subarray(1)]), publicKey)).toThrow(tampered);
    }
  });

  it.each([
    ['another layout', (text: string) => JSON.stringify(JSON.parse(text), null, 2)],
    ['a legacy media type', (text: string) => text.replace('bundle.v0.3+json', 'bundle+json;version=0.3')],
    ['other hints', (text: string) => text.replaceAll(keyHint(publicKey), keyHint(keyPair('ed25519').publicKey))],
    ['no hints', (text: string) => text.replaceAll(keyHint(publicKey), '')],
    ['an unknown field', (text: string) => text.replace('{', '{"a":1,')],
    ['a field twice', (text: string) => text.replace('{', '{"mediaType":"x",')],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
  ])('finds %s', (_, change) => {
    const changed = change(own.toString());
    expect(changed).not.toBe(own.toString());
    expect(() => verifyBundle(Buffer.from(changed), publicKey)).toThrow(tampered);
  });

  it('is refused under another key', () => {
    expect(() => verifyBundle(own, keyPair('ecdsa-p256').publicKey)).toThrow(tampered);
    expect(() => verifyBundle(own, keyPair('ed25519').publicKey)).toThrow(tampered);
  });

  it('can hold a report of many megabytes', () => {
    const predicate = { processes: Array.from({ length: 50_000 }, (_, pid) => ({ pid, binary: '/usr/bin/curl' })) };
    const large = toStatement({ manifestSha256: '0', declarationSha256: '1', predicate });
    expect(verifyBundle(signBundle(large, privateKey), publicKey).statement.predicate).toEqual(predicate);
  });
});

describe('verifyBundle of a bundle by others', () => {
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://example.com/predicate/v1',
      subject: [{ name: 'file', digest: { sha256: 'c'.repeat(64) } }],
      predicate: { a: 1 },
    }),
  );
  const type = 'application/vnd.in-toto+json';
  const foreign = (change: (bundle: Record<string, Record<string, unknown>>) => void): Buffer => {
    const text = toBundle(payload, signDsse(type, payload, privateKey), { hint: 'their hint' }).toString();
    const bundle = JSON.parse(text) as Record<string, Record<string, unknown>>;
    change(bundle);
    return Buffer.from(JSON.stringify(bundle, null, 2));
  };

  it.each([
    ['plain', () => undefined],
    [
      'with URL-safe base64',
      (b) => (b['dsseEnvelope'] = { ...b['dsseEnvelope'], payload: payload.toString('base64url') }),
    ],
    [
      'of a legacy media type',
      (b) => Object.assign(b, { mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1' }),
    ],
    ['without a list of log entries', (b) => delete b['verificationMaterial']?.['tlogEntries']],
    [
      'with a timestamp that no one here can check',
      (b) =>
        Object.assign(b['verificationMaterial'] ?? {}, {
          timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] },
        }),
    ],
  ] as [string, (bundle: Record<string, Record<string, unknown>>) => unknown][])('passes %s', (_, change) => {
    const verified = verifyBundle(foreign(change), publicKey);
    expect(verified.payloadBytes).toEqual(payload);
    expect(verified.statement.predicateType).toBe('https://example.com/predicate/v1');
  });

  it('is refused when its payload or payload type was changed', () => {
    const changes: ((b: Record<string, Record<string, unknown>>) => unknown)[] = [
      (b) => Object.assign(b['dsseEnvelope'] ?? {}, { payload: flip(payload, 80).toString('base64') }),
      (b) => Object.assign(b['dsseEnvelope'] ?? {}, { payloadType: 'text/plain' }),
    ];
    for (const change of changes) expect(() => verifyBundle(foreign(change), publicKey)).toThrow(tampered);
  });

  it('is refused when what was signed is no statement', () => {
    for (const text of ['{}', 'hello', '{"_type":"https://in-toto.io/Statement/v0.1"}']) {
      const other = toBundle(Buffer.from(text), signDsse(type, Buffer.from(text), privateKey), { hint: '' });
      expect(() => verifyBundle(other, publicKey)).toThrow('no in-toto Statement');
    }
  });
});
