import { describe, expect, it } from 'vitest';
import {
  encodeEntries,
  isLeftover,
  ledgerFiles,
  parseEntries,
  parseHashes,
  tilePath,
} from '../../src/evidence/tile-format.ts';

describe('tilePath', () => {
  it.each([
    [0, 0, 256, 'tile/0/000'],
    [0, 5, 1, 'tile/0/005.p/1'],
    [1, 999, 255, 'tile/1/999.p/255'],
    [0, 1000, 256, 'tile/0/x001/000'],
    [2, 1234067, 256, 'tile/2/x001/x234/067'],
    ['entries', 1234067, 8, 'tile/entries/x001/x234/067.p/8'],
  ] as const)('level %s, number %d, width %d is %s', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path);
  });
});

describe('ledgerFiles', () => {
  it.each([
    [0, ['checkpoint']],
    [1, ['checkpoint', 'tile/entries/000.p/1', 'tile/0/000.p/1']],
    [256, ['checkpoint', 'tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']],
    [
      513,
      [
        'checkpoint',
        ...['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/1'],
        ...['tile/0/000', 'tile/0/001', 'tile/0/002.p/1', 'tile/1/000.p/2'],
      ],
    ],
  ])('of %d entries', (size, files) => {
    expect(ledgerFiles(size)).toEqual(files);
  });

  it('has a level for every power of 256', () => {
    expect(ledgerFiles(65_536).filter((path) => !/tile\/(0|entries)/.test(path))).toEqual([
      'checkpoint',
      'tile/1/000',
      'tile/2/000.p/1',
    ]);
  });

  it('are all that an append leaves behind, apart from files it was writing', () => {
    expect(ledgerFiles(300_000).filter((path) => !isLeftover(path))).toEqual(['checkpoint']);
    for (const path of ['tile/0/000.p/3.tmp', 'checkpoint.tmp']) expect(isLeftover(path)).toBe(true);
    for (const path of ['tile/0/000.p/note', 'tile/x', 'notes.txt', 'tile/0/../000'])
      expect(isLeftover(path)).toBe(false);
  });
});

describe('entry bundle', () => {
  it('has literal bytes', () => {
    const entries = [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')];
    expect(encodeEntries(entries).toString('hex')).toBe('000261620000000163');
    expect(parseEntries(encodeEntries(entries), 3, 'x')).toEqual(entries);
  });

  it('takes entries up to 65535 bytes', () => {
    const longest = Buffer.alloc(0xffff, 7);
    expect(parseEntries(encodeEntries([longest]), 1, 'x')[0]?.equals(longest)).toBe(true);
    expect(() => encodeEntries([Buffer.alloc(0x10000)])).toThrow(expect.objectContaining({ code: 'input' }));
  });

  it.each([
    ['0002616200', 1],
    ['00026162', 2],
    ['000361', 1],
    ['00', 0],
    ['', 1],
  ])('is refused when %s is to hold %d', (hex, count) => {
    expect(() => parseEntries(Buffer.from(hex, 'hex'), count, 'tile/entries/000')).toThrow('tile/entries/000');
  });
});

it('a hash tile is refused unless it has the hashes of its width', () => {
  expect(parseHashes(Buffer.alloc(64, 1), 2, 'x')).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 1)]);
  for (const length of [0, 63, 65, 96])
    expect(() => parseHashes(Buffer.alloc(length), 2, 'tile/0/000')).toThrow('tile/0/000');
});
