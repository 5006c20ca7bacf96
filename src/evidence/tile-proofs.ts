import { join } from 'node:path';
import type { Checkpoint } from './checkpoint.ts';
import { listLedger, readLedgerFile } from './ledger-folder.ts';
import { consistencyRanges, type LeafRange, merkleRoot, rootOfRange, verifyConsistency } from './merkle.ts';
import { tampered } from './tampered.ts';
import { parseHashes, tilePath, tileWidth } from './tile-format.ts';

/**
 * That the log with this head begins with the one of its first `old` entries (RFC 6962 §2.1.2), read from the tiles, also
 * while a writer makes the log grow beyond that head. Throws `integrity` when the tiles do not lead to the head.
 */
export async function readConsistencyProof(dir: string, old: number, head: Checkpoint): Promise<Buffer[]> {
  const tiles = new Map<string, Promise<Buffer[]>>();
  const tileOf = (level: number, index: number): Promise<Buffer[]> => {
    const width = Math.min(tileWidth, Math.floor(head.size / tileWidth ** level) - index * tileWidth);
    const path = tilePath(level, index, width);
    const tile = tiles.get(path) ?? readTile(dir, path, width);
    tiles.set(path, tile);
    return tile;
  };
  const proof: Buffer[] = [];
  for (const range of consistencyRanges(old, head.size)) proof.push(await rootOf(range, tileOf));
  const before = { size: old, root: await rootOf({ from: 0, to: old }, tileOf) };
  if (!verifyConsistency(before, head, proof)) throw tampered(join(dir, 'tile'), 'does not lead to the checkpoint');
  return proof;
}

/** The tile, or a wider one that a writer has put in its place meanwhile. */
async function readTile(dir: string, path: string, width: number): Promise<Buffer[]> {
  const [whole = ''] = path.split('.p/');
  for (let found = { path, width }, tries = 3; ; tries -= 1) {
    try {
      return parseHashes(await readLedgerFile(dir, found.path), found.width, join(dir, found.path)).slice(0, width);
    } catch (error) {
      const wider = (await listLedger(dir)).map((one) => ({ path: one, width: widthOf(one, whole) }));
      found = wider.find((one) => one.width > width) ?? found;
      if (tries <= 1) throw error;
    }
  }
}

/** Hashes that a file of that name holds as a tile; 0 where it is none of that place. */
function widthOf(path: string, whole: string): number {
  if (path === whole) return tileWidth;
  return path.startsWith(`${whole}.p/`) ? Number(path.slice(whole.length + 3)) || 0 : 0;
}

type TileOf = (level: number, index: number) => Promise<Buffer[]>;

async function rootOf({ from, to }: LeafRange, tileOf: TileOf): Promise<Buffer> {
  const perfect: Buffer[] = [];
  for (let at = from; at < to;) {
    let leaves = 1;
    while (leaves * 2 <= to - at && at % (leaves * 2) === 0) leaves *= 2;
    perfect.push(await rootOfPerfect(at, leaves, tileOf));
    at += leaves;
  }
  return rootOfRange(perfect);
}

/** Root over a power of two of leaves: hashes of one tile of the highest level that has some for it. */
async function rootOfPerfect(from: number, leaves: number, tileOf: TileOf): Promise<Buffer> {
  let [level, first, count] = [0, from, leaves];
  while (count >= tileWidth) [level, first, count] = [level + 1, first / tileWidth, count / tileWidth];
  const hashes = await tileOf(level, Math.floor(first / tileWidth));
  return merkleRoot(hashes.slice(first % tileWidth, (first % tileWidth) + count));
}
