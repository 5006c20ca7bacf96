import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/evidence/checkpoint.ts';
import { merkleRoot } from '../../src/evidence/merkle.ts';
import { signNote, toVkey } from '../../src/evidence/signed-note.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const origin = 'example.org/log';
const vkey = toVkey(origin, privateKey);
const checkpoint = { origin, size: 12, root: merkleRoot([]) };
const text = 'example.org/log\n12\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';

describe('checkpoint', () => {
  it('has literal lines', () => {
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(text)).toEqual(checkpoint);
  });

  it('reads back from its note', () => {
    const note = Buffer.from(signCheckpoint(checkpoint, privateKey));
    expect(openCheckpoint(note, vkey, 'checkpoint')).toEqual(checkpoint);
  });

  it.each([
    ['an empty origin', text.replace(origin, '')],
    ['a leading zero', text.replace('12', '012')],
    ['a sign', text.replace('12', '+12')],
    ['a negative size', text.replace('12', '-12')],
    ['another notation', text.replace('12', '1.2e1')],
    ['a size beyond 2^53', text.replace('12', '9007199254740993')],
    ['a short root', text.replace('47DEQpj8', '')],
    ['an extension line', `${text}more\n`],
    ['a line too few', `${origin}\n12\n`],
    ['no newline at its end', text.slice(0, -1)],
  ])('is refused with %s, though signed', (_, altered) => {
    expect(parseCheckpoint(altered)).toBeUndefined();
    if (!altered.endsWith('\n')) return;
    const note = Buffer.from(signNote(altered, origin, privateKey));
    expect(() => openCheckpoint(note, vkey, 'ledger/checkpoint')).toThrow('ledger/checkpoint: is signed but');
  });

  it('is refused when it is of another log or another key', () => {
    const foreign = Buffer.from(signNote(text.replace('log', 'other'), origin, privateKey));
    expect(() => openCheckpoint(foreign, vkey, 'checkpoint')).toThrow('another log');
    const forged = Buffer.from(signCheckpoint(checkpoint, generateKeyPairSync('ed25519').privateKey));
    expect(() => openCheckpoint(forged, vkey, 'checkpoint')).toThrow('another key');
  });
});
