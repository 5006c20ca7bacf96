import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, keyHint, ledgerKey, loadPrivateKey, loadPublicKey, maskKey } from '../../src/attest/keys.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';

const keyError = expect.objectContaining({ code: 'key' }) as Error;

describe('key pair', () => {
  it.each(['ecdsa-p256', 'ed25519'] as const)('of kind %s is PKCS#8 and SPKI and signs', (kind) => {
    const { privatePem, publicPem } = generateKeyPair(kind);
    expect(privatePem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    const digest = kind === 'ed25519' ? null : 'sha256';
    const signature = sign(digest, Buffer.from('x'), loadPrivateKey(privatePem, {}));
    expect(verify(digest, Buffer.from('x'), loadPublicKey(publicPem), signature)).toBe(true);
  });

  it('is ECDSA P-256 by default', () => {
    expect(loadPublicKey(generateKeyPair().publicPem).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });
});

describe('loadPrivateKey', () => {
  it('refuses a file that group or others can read', async () => {
    const path = join(await scratchFolder(), 'tally.key.pem');
    await writeFile(path, generateKeyPair().privatePem);
    for (const mode of [0o600, 0o400]) {
      await chmod(path, mode);
      expect(loadPrivateKey(path, {}).type).toBe('private');
    }
    for (const mode of [0o640, 0o604, 0o620, 0o610, 0o644, 0o666]) {
      await chmod(path, mode);
      expect(() => loadPrivateKey(path, {})).toThrow(`chmod 600 ${path}`);
      expect(() => loadPrivateKey(path, {})).toThrow(keyError);
    }
  });

  it('prefers what is given over the environment', () => {
    const [given, fromEnvironment] = [generateKeyPair(), generateKeyPair()];
    const env = { TALLY_KEY: fromEnvironment.privatePem };
    const hint = (pem: string): string => keyHint(loadPublicKey(pem));
    expect(keyHint(loadPrivateKey(given.privatePem, env))).toBe(hint(given.publicPem));
    expect(keyHint(loadPrivateKey(undefined, env))).toBe(hint(fromEnvironment.publicPem));
  });

  it('refuses what is no usable key', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'folder'));
    const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    const bad = [p384, rsa, encrypted, generateKeyPair().publicPem, '-----BEGIN PRIVATE KEY-----\n', ''].map(String);
    for (const source of [...bad, join(folder, 'none'), join(folder, 'folder')])
      expect(() => loadPrivateKey(source, {}), source).toThrow(keyError);
    expect(() => loadPrivateKey(undefined, {})).toThrow('TALLY_KEY');
  });
});

describe('loadPublicKey', () => {
  it('reads a file of any mode, and no private key', async () => {
    const path = join(await scratchFolder(), 'tally.pub.pem');
    const { privatePem, publicPem } = generateKeyPair();
    await writeFile(path, publicPem, { mode: 0o644 });
    expect(loadPublicKey(path).type).toBe('public');
    expect(() => loadPublicKey(privatePem)).toThrow('this is a private key');
    expect(() => loadPublicKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')).toThrow(keyError);
  });
});

describe('keyHint', () => {
  // Fingerprints that `ssh-keygen -l` prints for these public keys.
  it.each([
    [
      'ed25519',
      { kty: 'OKP', crv: 'Ed25519', x: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w' },
      'SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8',
    ],
    [
      'ECDSA P-256 (the base point)',
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
        y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
      },
      'SHA256:SFMVDOrhOSBssOVH9hIcK/Z2XVf1oSVMjNCL8u2aICY',
    ],
  ])('is the OpenSSH fingerprint: %s', (_, jwk, hint) => {
    expect(keyHint(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(hint);
  });

  it('of a private key is that of its public half', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(keyHint(privateKey)).toBe(keyHint(createPublicKey(privateKey)));
  });
});

describe('derived keys', () => {
  it('are HKDF-SHA256 of the private key (RFC 5869 §2)', () => {
    const key = loadPrivateKey(generateKeyPair().privatePem, {});
    const pseudorandom = createHmac('sha256', Buffer.alloc(32)).update(key.export({ type: 'pkcs8', format: 'der' }));
    const expand = createHmac('sha256', pseudorandom.digest())
      .update('tallystick mask key v1')
      .update(Buffer.from([1]));
    expect(maskKey(key)).toEqual(expand.digest());
  });

  it('are the same for the same key only, and differ from each other', () => {
    const pair = generateKeyPair();
    const [key, same, other] = [pair, pair, generateKeyPair()].map(({ privatePem }) => loadPrivateKey(privatePem, {}));
    if (key === undefined || same === undefined || other === undefined) throw new Error('three keys');
    const seed = (from: typeof key): string | undefined => ledgerKey(from).export({ format: 'jwk' }).d;
    expect(ledgerKey(key).asymmetricKeyType).toBe('ed25519');
    expect(seed(key)).toBe(seed(same));
    expect(seed(key)).not.toBe(seed(other));
    expect(seed(key)).not.toBe(maskKey(key).toString('base64url'));
  });
});
