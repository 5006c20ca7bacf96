import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openNote, parseVkey, signNote, toVkey } from '../../src/evidence/signed-note.ts';
import { flip } from './flip.ts';

const name = 'example.org/log';
// A known seed, so that the bytes are known: Ed25519 signatures are deterministic.
const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]);
const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
const vkey = 'example.org/log+8f13f9e4+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c';
const signature = 'jxP55IL3LVihtloTBAguJo0tpwXhAo86oYa3y7p3R3XkNSmhJp+qi4I0m7IhemUcGBO++44k34xTV96B8tOLt8JcvQ0=';
const note = `hello\n\n— ${name} ${signature}\n`;
const open = (text: string | Uint8Array): string => openNote(Buffer.from(text), [vkey], 'ledger/checkpoint');

describe('signed note', () => {
  it('has literal bytes', () => {
    expect(toVkey(name, key)).toBe(vkey);
    expect(signNote('hello\n', name, key)).toBe(note);
    expect(open(note)).toBe('hello\n');
  });

  it('shows every changed bit, lost byte and added byte, and names the file', () => {
    const bytes = Buffer.from(note);
    for (let offset = 0; offset < bytes.length; offset += 1) {
      for (let bit = 0; bit < 8; bit += 1) expect(() => open(flip(bytes, offset, bit))).toThrow('ledger/checkpoint');
      const [before, after] = [bytes.subarray(0, offset), bytes.subarray(offset)];
      expect(() => open(Buffer.concat([before, after.subarray(1)]))).toThrow('ledger/checkpoint');
      for (const added of ['\n', ' ', '=', 'A', '\0', '\r'])
        expect(() => open(Buffer.concat([before, Buffer.from(added), after]))).toThrow('ledger/checkpoint');
    }
  });

  it.each([
    ['no signature', 'hello\n\n'],
    ['no text', `\n— ${name} ${signature}\n`],
    ['a second line of the same key', `${note}— ${name} ${signature}\n`],
    ['a line of an unknown key', `${note}— other ${signature}\n`],
    ['URL-safe base64', note.replace('/', '_').replace('+', '-')],
    ['stray bits in the last base64 digit', note.replace('vQ0=', 'vQ1=')],
    ['carriage returns', note.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${note}`],
    ['a hyphen for the dash', note.replace('—', '-')],
  ])('is refused with %s', (_, text) => {
    expect(() => open(text)).toThrow(expect.objectContaining({ code: 'integrity' }));
  });

  it('takes several keys, each of which has to fit', () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    const line = signNote('hello\n', 'witness', other).slice('hello\n\n'.length);
    const both = Buffer.from(note + line);
    expect(openNote(both, [vkey, toVkey('witness', other)], 'x')).toBe('hello\n');
    expect(openNote(Buffer.from(note), [vkey, toVkey('witness', other)], 'x')).toBe('hello\n');
    const impostor = generateKeyPairSync('ed25519').privateKey;
    expect(() => openNote(both, [vkey, toVkey('witness', impostor)], 'x')).toThrow('another key');
  });

  it('signs only text, with an Ed25519 key under a proper name', () => {
    const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    expect(() => signNote('hello\n', name, p256)).toThrow(expect.objectContaining({ code: 'key' }));
    for (const bad of ['', 'two words', 'a+b', 'a\nb']) expect(() => signNote('hello\n', bad, key)).toThrow('key name');
    for (const bad of ['hello', 'a\tb\n', 'a\u0085b\n']) expect(() => signNote(bad, name, key)).toThrow(TypeError);
  });
});

describe('verifier key', () => {
  it('reads back', () => {
    expect(parseVkey(vkey)).toMatchObject({ name, id: Buffer.from('8f13f9e4', 'hex') });
  });

  it('is refused when any bit of it is changed', () => {
    const bytes = Buffer.from(vkey);
    for (let offset = 0; offset < bytes.length; offset += 1)
      for (let bit = 0; bit < 7; bit += 1)
        expect(() => parseVkey(flip(bytes, offset, bit).toString())).toThrow(expect.objectContaining({ code: 'key' }));
  });
});
