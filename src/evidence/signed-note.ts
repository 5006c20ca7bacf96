import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { TallyError } from '../model/errors.ts';
import { parseBase64 } from './base64.ts';
import { tampered } from './tampered.ts';

/** Signature type 0x01 of C2SP signed-note: Ed25519 over the text. */
const ed25519 = 0x01;
/** Signature type 0x04 of C2SP tlog-cosignature: a time, and Ed25519 over it and the text. */
const timestamped = 0x04;
const keyNamePattern = /^[^\s+\p{Cc}\p{Z}]+$/u;

export interface NoteKey {
  readonly name: string;
  /** The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
  readonly id: Buffer;
  readonly publicKey: KeyObject;
}

/** `name+hexid+base64(0x01 ‖ 32-byte key)`: what a third party needs to check the notes of that Ed25519 key. */
export function toVkey(name: string, key: KeyObject): string {
  const typed = Buffer.concat([Buffer.from([ed25519]), rawPublicKey(key)]);
  return `${name}+${keyId(name, typed).toString('hex')}+${typed.toString('base64')}`;
}

/** Throws `key` for anything but the exact form that `toVkey` writes. */
export function parseVkey(vkey: string): NoteKey {
  return parseTypedVkey(
    vkey,
    ed25519,
    'not the verifier key of a signed note: expected NAME+HEXID+BASE64 of an Ed25519 key',
  );
}

/** The key by which a witness cosigns checkpoints (C2SP tlog-cosignature, Ed25519). Throws `key` for any other. */
export function parseWitnessVkey(vkey: string): NoteKey {
  const wanted = 'expected NAME+HEXID+BASE64 of an Ed25519 key for cosignatures (type 4)';
  return parseTypedVkey(vkey, timestamped, `not the verifier key of a witness: ${wanted}`);
}

function parseTypedVkey(vkey: string, type: number, otherwise: string): NoteKey {
  const [name = '', id = '', ...rest] = vkey.split('+');
  const typed = parseBase64(rest.join('+'));
  if (!keyNamePattern.test(name) || typed?.length !== 33 || typed[0] !== type) throw new TallyError('key', otherwise);
  if (id !== keyId(name, typed).toString('hex'))
    throw new TallyError('key', `the verifier key of ${name} has a key id that does not belong to it`);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') };
  return { name, id: keyId(name, typed), publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
}

/** Signs a text that ends in a newline with an Ed25519 key (C2SP signed-note). */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!keyNamePattern.test(name)) throw new TallyError('key', 'a key name has no spaces, plus or control characters');
  if (!isNoteText(text)) throw new TypeError('a note is lines of text without control characters');
  const { id } = parseVkey(toVkey(name, privateKey));
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${name} ${signature.toString('base64')}\n`;
}

/**
 * The text of a note that each of these keys may have signed and at least one has. Stricter than C2SP signed-note,
 * which ignores the lines of unknown keys: such a line could be changed without anyone noticing, so it is refused, as
 * is a second line of the same key. So no byte of an accepted note can be changed. Throws `integrity`, naming `file`.
 */
export function openNote(note: Uint8Array, vkeys: readonly string[], file: string): string {
  const keys = new Map(vkeys.map(parseVkey).map((key) => [key.name, key]));
  const content = decodeUtf8(note);
  const end = content?.lastIndexOf('\n\n') ?? -1;
  if (content === undefined || end < 0 || !content.endsWith('\n')) throw tampered(file, 'is not a signed note');
  const text = content.slice(0, end + 1);
  const lines = content.slice(end + 2, -1).split('\n');
  if (!isNoteText(text)) throw tampered(file, 'has control characters in its text');
  for (const line of lines) {
    const { name, id, signature } = parseSignatureLine(line) ?? {};
    if (name === undefined || id === undefined || signature === undefined)
      throw tampered(file, 'has a malformed signature line');
    const key = keys.get(name);
    keys.delete(name); // a key signs once
    if (key === undefined || !key.id.equals(id)) throw tampered(file, 'bears a signature of another key than expected');
    if (!verify(null, Buffer.from(text), key.publicKey, signature))
      throw tampered(file, `the signature of ${key.name} does not fit its text`);
  }
  return text;
}

/** The text of a note that was opened before: what is signed, with its last newline. */
export function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

interface SignatureLine {
  readonly name: string;
  /** 4 bytes. */
  readonly id: Buffer;
  readonly signature: Buffer;
}

/** `— NAME base64(id ‖ signature)`, without its newline; undefined for anything else. */
export function parseSignatureLine(line: string): SignatureLine | undefined {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = parseBase64(encoded);
  if (name === '' || bytes === undefined || bytes.length < 5) return undefined;
  return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

function keyId(name: string, typedKey: Buffer): Buffer {
  return createHash('sha256').update(`${name}\n`).update(typedKey).digest().subarray(0, 4);
}

function rawPublicKey(key: KeyObject): Buffer {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (jwk.crv !== 'Ed25519' || jwk.x === undefined)
    throw new TallyError('key', 'a note is signed with an Ed25519 key; this key is of another kind');
  return Buffer.from(jwk.x, 'base64url');
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/[^\P{Cc}\n]/u.test(text);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
