import { join } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { openCheckpoint } from './checkpoint.ts';
import { listLedger, readLedgerFile } from './ledger-folder.ts';
import { tampered } from './tampered.ts';
import { bundleFiles, hashBytes, isLeftover, ledgerFiles, parseEntries, tilePath, tileWidth } from './tile-format.ts';
import { emptyFrontier, growTiles, rootOfFrontier, type Tile } from './tile-tree.ts';

export interface Ledger {
  readonly entries: readonly Buffer[];
  readonly size: number;
  /** RFC 6962 root over the entries, 32 bytes. */
  readonly root: Buffer;
  /** The signed note. */
  readonly checkpoint: string;
}

export interface ReadOptions {
  /**
   * What to do about tiles that the checkpoint does not cover: `reject` them, as in evidence handed over, or `ignore`
   * them, as in a store where another process may be amid an append or was killed in one.
   */
  readonly unfinished?: 'reject' | 'ignore';
}

/**
 * All entries of the ledger in this folder, after its signature and every byte of every file in it have been checked
 * against them. Throws `integrity`, naming the file that is altered, missing, or vouched for by no one.
 */
export async function readLedger(
  dir: string,
  vkey: string,
  { unfinished = 'reject' }: ReadOptions = {},
): Promise<Ledger> {
  for (;;) {
    const note = await readLedgerFile(dir, 'checkpoint');
    try {
      return await readAt(dir, note, vkey, unfinished);
    } catch (error) {
      // A writer may have replaced tiles meanwhile; then the checkpoint moved too and the new state is to be read.
      if (error instanceof TallyError && !note.equals(await readLedgerFile(dir, 'checkpoint'))) continue;
      throw error;
    }
  }
}

async function readAt(dir: string, note: Buffer, vkey: string, unfinished: 'reject' | 'ignore'): Promise<Ledger> {
  const head = openCheckpoint(note, vkey, join(dir, 'checkpoint'));
  await checkFileSet(dir, head.size, unfinished);
  const entries = await readEntries(dir, head.size);
  const { frontier, tiles } = growTiles(emptyFrontier, entries);
  const altered = await firstDifference(dir, tiles);
  if (!rootOfFrontier(frontier).equals(head.root)) {
    // The signature fits the root, so the entries do not: the tile they differ from tells which of them.
    const file = altered === undefined ? 'checkpoint' : bundleUnder(altered, head.size);
    throw tampered(join(dir, file), 'does not lead to the root that the checkpoint signs');
  }
  if (altered !== undefined) throw tampered(join(dir, altered.path), 'is not the tile of the entries it stands over');
  return { entries, size: head.size, root: head.root, checkpoint: note.toString() };
}

async function checkFileSet(dir: string, size: number, unfinished: 'reject' | 'ignore'): Promise<void> {
  const found = new Set(await listLedger(dir));
  const expected = new Set(ledgerFiles(size));
  const missing = [...expected].find((path) => !found.has(path));
  if (missing !== undefined) throw tampered(join(dir, missing), 'is missing');
  const extra = [...found].find((path) => !expected.has(path) && !(unfinished === 'ignore' && isLeftover(path)));
  if (extra !== undefined) throw tampered(join(dir, extra), 'is no part of the ledger that the checkpoint signs');
}

async function readEntries(dir: string, size: number): Promise<Buffer[]> {
  const entries: Buffer[] = [];
  for (const path of bundleFiles(size)) {
    const count = Math.min(tileWidth, size - entries.length);
    entries.push(...parseEntries(await readLedgerFile(dir, path), count, join(dir, path)));
  }
  return entries;
}

interface Altered extends Tile {
  /** Offset of the first byte that differs. */
  readonly offset: number;
}

/** The first tile whose stored bytes are not these. */
async function firstDifference(dir: string, tiles: readonly Tile[]): Promise<Altered | undefined> {
  for (const tile of tiles) {
    const stored = await readLedgerFile(dir, tile.path);
    if (stored.equals(tile.bytes)) continue;
    const offset = tile.bytes.findIndex((byte, at) => byte !== stored[at]);
    return { ...tile, offset: offset < 0 ? 0 : offset };
  }
  return undefined;
}

/** The entry bundle that a hash of a tile is over (its first one, where there are several). */
function bundleUnder({ level, index, offset }: Altered, size: number): string {
  if (level === 'entries') return tilePath(level, index, Math.min(tileWidth, size - index * tileWidth));
  const hash = index * tileWidth + Math.floor(offset / hashBytes);
  const bundle = Math.floor((hash * tileWidth ** level) / tileWidth);
  return tilePath('entries', bundle, Math.min(tileWidth, size - bundle * tileWidth));
}
