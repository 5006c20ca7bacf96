import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { TallyError } from '../model/errors.ts';

export type KeyKind = 'ecdsa-p256' | 'ed25519';

export interface PemKeyPair {
  /** PKCS#8. */
  readonly privatePem: string;
  /** SPKI. */
  readonly publicPem: string;
}

export function generateKeyPair(kind: KeyKind = 'ecdsa-p256'): PemKeyPair {
  const { privateKey, publicKey } =
    kind === 'ecdsa-p256' ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) : generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/**
 * The signing key in a PEM text or file, by default that of `env.TALLY_KEY`. Throws `key` for a file that others than its
 * owner can read, and for anything but an unencrypted ECDSA P-256 or Ed25519 private key.
 */
export function loadPrivateKey(
  pathOrPem: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): KeyObject {
  const source = pathOrPem ?? env['TALLY_KEY'];
  if (source === undefined || source === '')
    throw new TallyError(
      'key',
      'no signing key: give its file, or its PEM text in TALLY_KEY (`tally keygen` makes one)',
    );
  return parseKey(isPem(source) ? source : readKeyFile(source, { secret: true }), (pem) => createPrivateKey(pem));
}

/** The verification key in a PEM text or file (SPKI). Throws `key`, also for a private key. */
export function loadPublicKey(pathOrPem: string): KeyObject {
  const pem = isPem(pathOrPem) ? pathOrPem : readKeyFile(pathOrPem, { secret: false });
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw new TallyError('key', 'this is a private key: keep it to yourself and verify with its public key');
  return parseKey(pem, (text) => createPublicKey(text));
}

/**
 * How bundles name a key: its OpenSSH fingerprint, `SHA256:` and unpadded base64 of the SHA-256 of its SSH form (RFC 4253
 * §6.6, RFC 5656 §3.1, RFC 8709 §4). The Sigstore bundle wants hint and DSSE keyid to be equal, and sigstore-go, so cosign
 * too, skips a signature whose keyid is neither empty nor this.
 */
export function keyHint(key: KeyObject): string {
  const { crv, x = '', y = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const point = [x, y].map((coordinate) => Buffer.from(coordinate, 'base64url'));
  const fields =
    crv === 'Ed25519'
      ? ['ssh-ed25519', Buffer.concat(point)]
      : ['ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.from([0x04]), ...point])]; // uncompressed (SEC 1 §2.3.3)
  const digest = createHash('sha256')
    .update(Buffer.concat(fields.map(sshString)))
    .digest('base64');
  return `SHA256:${digest.replaceAll('=', '')}`;
}

/** RFC 4251 §5 `string`. */
function sshString(value: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
}

/** The Ed25519 key that signs the checkpoints of whoever owns this key, so that they are signed notes whatever its kind. */
export function ledgerKey(privateKey: KeyObject): KeyObject {
  const seed = derive(privateKey, 'tallystick ledger key v1');
  // RFC 8410 §7: PKCS#8 with algorithm 1.3.101.112 around the 32-byte seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** 32 bytes: the key of the hashes that stand for masked secrets. */
export function maskKey(privateKey: KeyObject): Buffer {
  return derive(privateKey, 'tallystick mask key v1');
}

/** HKDF-SHA256 (RFC 5869) without salt over the PKCS#8 DER. */
function derive(privateKey: KeyObject, info: string): Buffer {
  const secret = privateKey.export({ type: 'pkcs8', format: 'der' });
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32));
}

function isPem(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN ');
}

function readKeyFile(path: string, { secret }: { secret: boolean }): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new TallyError('key', `${path}: the key can't be read`, { cause });
  }
  try {
    const stat = fstatSync(file); // of the open file: its name may point elsewhere by now
    if (!stat.isFile()) throw new TallyError('key', `${path}: is not a key file`);
    if (secret && (stat.mode & 0o077) !== 0)
      throw new TallyError('key', `${path}: others than its owner can read this key; run: chmod 600 ${path}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function parseKey(pem: string, parse: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw new TallyError('key', 'not a usable key: expected an unencrypted PEM of ECDSA P-256 or Ed25519', { cause });
  }
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!isP256 && key.asymmetricKeyType !== 'ed25519')
    throw new TallyError('key', 'a key of another kind: expected ECDSA P-256 or Ed25519');
  return key;
}
