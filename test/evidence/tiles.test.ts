import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signCheckpoint } from '../../src/evidence/checkpoint.ts';
import { listLedger } from '../../src/evidence/ledger-folder.ts';
import { leafHash, merkleRoot } from '../../src/evidence/merkle.ts';
import { toVkey } from '../../src/evidence/signed-note.ts';
import { emptyFrontier, growTiles, rootOfFrontier } from '../../src/evidence/tile-tree.ts';
import { appendEntries, ledgerFiles, readLedger } from '../../src/evidence/tiles.ts';
import { flip } from './flip.ts';
import { scratchFolder } from './scratch-folder.ts';

const signer = { origin: 'example.org/log', privateKey: generateKeyPairSync('ed25519').privateKey };
const vkey = toVkey(signer.origin, signer.privateKey);
const entriesOf = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from }, (_, at) => Buffer.from(`{"entry":${String(from + at)}}`));
const rootOf = (entries: readonly Buffer[]): Buffer => merkleRoot(entries.map((entry) => leafHash(entry)));

async function ledgerOf(size: number): Promise<string> {
  const dir = join(await scratchFolder(), 'ledger');
  await appendEntries(dir, entriesOf(0, size), signer);
  return dir;
}

describe('tile tree', () => {
  it('has the root of RFC 6962 and the same tiles however it grew', () => {
    const splits = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(splits, (widths) => {
        const size = widths.reduce((sum, width) => sum + width, 0);
        const written = new Map<string, Buffer>();
        let frontier = emptyFrontier;
        for (const width of widths) {
          const grown = growTiles(frontier, entriesOf(frontier.size, frontier.size + width));
          for (const tile of grown.tiles) written.set(tile.path, tile.bytes);
          frontier = grown.frontier;
        }
        expect(rootOfFrontier(frontier)).toEqual(rootOf(entriesOf(0, size)));
        for (const { path, bytes } of growTiles(emptyFrontier, entriesOf(0, size)).tiles)
          expect(written.get(path)?.equals(bytes), path).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('has the root of RFC 6962 where a third level begins', () => {
    const entries = entriesOf(0, 65_537);
    const { frontier, tiles } = growTiles(emptyFrontier, entries);
    expect(rootOfFrontier(frontier)).toEqual(rootOf(entries));
    expect(tiles.map(({ path }) => path).toSorted()).toEqual(ledgerFiles(65_537).slice(1).toSorted());
  });
});

describe('ledger', () => {
  it('reads back what was appended, in whatever steps', async () => {
    const steps = [[0], [1, 2, 3], [255, 1], [200, 0, 56, 1], [300, 300]];
    for (const widths of steps) {
      const dir = join(await scratchFolder(), 'ledger');
      let size = 0;
      for (const width of widths) {
        const head = await appendEntries(dir, entriesOf(size, size + width), signer);
        size += width;
        const ledger = await readLedger(dir, vkey);
        expect(ledger).toEqual({ entries: entriesOf(0, size), size, root: head.root, checkpoint: head.checkpoint });
        expect(head.root).toEqual(rootOf(ledger.entries));
        expect((await listLedger(dir)).toSorted()).toEqual(ledgerFiles(size).toSorted());
      }
    }
  });

  it('shows any flipped byte of any file and names the file', async () => {
    const dir = await ledgerOf(258);
    for (const path of ledgerFiles(258)) {
      const file = join(dir, path);
      const original = await readFile(file);
      // Every byte of the small files, a spread of the large ones.
      const step = Math.max(1, Math.floor(original.length / 150));
      for (let offset = 0; offset < original.length; offset += step) {
        await writeFile(file, flip(original, offset, offset % 8));
        await expect(readLedger(dir, vkey), `${path} at ${String(offset)}`).rejects.toThrow(`${file}: `);
      }
      for (const bytes of [
        original.subarray(1),
        original.subarray(0, -1),
        Buffer.concat([original, Buffer.alloc(1)]),
      ]) {
        await writeFile(file, bytes);
        await expect(readLedger(dir, vkey)).rejects.toThrow(`${file}: `);
      }
      await writeFile(file, original);
    }
    expect((await readLedger(dir, vkey)).size).toBe(258);
  });

  it('shows a missing file and one that no one vouches for', async () => {
    const dir = await ledgerOf(258);
    for (const path of ledgerFiles(258)) {
      const file = join(dir, path);
      await rename(file, `${dir}.away`);
      await expect(readLedger(dir, vkey)).rejects.toThrow(`${file}: is missing`);
      await rename(`${dir}.away`, file);
    }
    for (const path of ['note.txt', 'tile/0/000.p/3', 'tile/0/001.p/2.tmp', 'tile/1/001', 'tile/entries/extra/file']) {
      const file = join(dir, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, '');
      await expect(readLedger(dir, vkey)).rejects.toThrow(`${file}: is no part of the ledger`);
      await rm(file);
    }
    await symlink('/dev/null', join(dir, 'link'));
    await expect(readLedger(dir, vkey)).rejects.toThrow('link: is no part of the ledger');
  });

  it('names the entries, not the tiles, when both were forged to fit each other', async () => {
    const dir = await ledgerOf(600);
    const forged = entriesOf(0, 600).with(300, Buffer.from('forged'));
    for (const { path, bytes } of growTiles(emptyFrontier, forged).tiles)
      if (/^tile\/(0|entries)\//.test(path)) await writeFile(join(dir, path), bytes);
    await expect(readLedger(dir, vkey)).rejects.toThrow(`${join(dir, 'tile/entries/001')}: `);
    for (const { path, bytes } of growTiles(emptyFrontier, forged).tiles) await writeFile(join(dir, path), bytes);
    await expect(readLedger(dir, vkey)).rejects.toThrow(`${join(dir, 'checkpoint')}: `);
  });

  it('is refused under the checkpoint of another key, size or log', async () => {
    const dir = await ledgerOf(3);
    const other = generateKeyPairSync('ed25519').privateKey;
    await expect(readLedger(dir, toVkey(signer.origin, other))).rejects.toThrow('another key');
    const longer = signCheckpoint({ origin: signer.origin, size: 4, root: rootOf(entriesOf(0, 4)) }, signer.privateKey);
    await writeFile(join(dir, 'checkpoint'), longer);
    await expect(readLedger(dir, vkey)).rejects.toThrow('000.p/4: is missing');
  });

  it('does not sign over altered tiles, and names the file', async () => {
    for (const path of ['tile/entries/001.p/4', 'tile/0/001.p/4', 'tile/1/000.p/1', 'checkpoint']) {
      const dir = await ledgerOf(260);
      const file = join(dir, path);
      await writeFile(file, flip(await readFile(file), 20));
      await expect(appendEntries(dir, entriesOf(260, 261), signer)).rejects.toThrow(`${file}: `);
    }
  });

  it('does not start anew when its checkpoint was taken away', async () => {
    const dir = await ledgerOf(3);
    await rm(join(dir, 'checkpoint'));
    await expect(appendEntries(dir, entriesOf(3, 4), signer)).rejects.toThrow('checkpoint: is missing');
  });

  it('takes over after an append that was killed at any point', async () => {
    const before = await ledgerOf(250);
    const after = await ledgerOf(250);
    await appendEntries(after, entriesOf(250, 600), signer);
    const written = (await listLedger(after)).filter((path) => path !== 'checkpoint');
    for (let count = 0; count <= written.length; count += 1) {
      const dir = join(await scratchFolder(), 'ledger');
      await cp(before, dir, { recursive: true });
      for (const path of written.slice(0, count)) await cp(join(after, path), join(dir, path));
      await writeFile(join(dir, 'checkpoint.tmp'), 'half');
      expect((await readLedger(dir, vkey, { unfinished: 'ignore' })).size).toBe(250);
      await expect(readLedger(dir, vkey)).rejects.toThrow('is no part of the ledger');
      await appendEntries(dir, [], signer);
      expect((await readLedger(dir, vkey)).size).toBe(250);
      await appendEntries(dir, entriesOf(250, 600), signer);
      expect((await readLedger(dir, vkey)).root).toEqual(rootOf(entriesOf(0, 600)));
    }
  });

  it('can be read while it grows', async () => {
    const dir = await ledgerOf(0);
    const writer = { done: false };
    const writing = (async () => {
      for (let size = 0; size < 60; size += 1) await appendEntries(dir, entriesOf(size, size + 1), signer);
      writer.done = true;
    })();
    let last = 0;
    do {
      const ledger = await readLedger(dir, vkey, { unfinished: 'ignore' });
      expect(ledger.size).toBeGreaterThanOrEqual(last);
      last = ledger.size;
    } while (!writer.done);
    await writing;
  });

  it('refuses an entry that is too long before it writes anything', async () => {
    const dir = await ledgerOf(1);
    await expect(appendEntries(dir, [Buffer.alloc(0x10000)], signer)).rejects.toThrow('65535');
    expect((await readLedger(dir, vkey)).size).toBe(1);
  });

  it('leaves no empty folders of partial tiles', async () => {
    const dir = await ledgerOf(255);
    await appendEntries(dir, entriesOf(255, 256), signer);
    expect(await readdir(join(dir, 'tile/0'))).toEqual(['000']);
    expect((await stat(join(dir, 'tile/0/000'))).size).toBe(8192);
  });
});
