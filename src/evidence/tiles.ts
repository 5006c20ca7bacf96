import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { writeFileAtomic } from './atomic-file.ts';
import { openCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
import { listLedger, readLedgerFile } from './ledger-folder.ts';
import { readLedger } from './ledger-read.ts';
import { leafHash, merkleRoot } from './merkle.ts';
import { toVkey } from './signed-note.ts';
import { tampered } from './tampered.ts';
import {
  isLeftover,
  ledgerFiles,
  parseEntries,
  parseHashes,
  tilePath,
  tileWidth,
  type TileLevel,
} from './tile-format.ts';
import { growTiles, rootOfFrontier, type Frontier } from './tile-tree.ts';

export { readLedger, type Ledger } from './ledger-read.ts';
export { ledgerFiles } from './tile-format.ts';

export interface LedgerSigner {
  /** Name of the log, in its checkpoints and its verifier key. */
  readonly origin: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
}

export interface LedgerHead {
  readonly size: number;
  readonly root: Buffer;
  /** The signed note. */
  readonly checkpoint: string;
}

/**
 * Adds entries (at most 65,535 bytes each) to the log in this folder, created when there is none; without entries it only clears up
 * after an append that was killed. The new head is on disk when the promise resolves; killed before, the old one holds.
 * One writer at a time. Throws `integrity`, naming the file, when what it would build on is not what its key signed.
 */
export async function appendEntries(
  dir: string,
  entries: readonly Buffer[],
  signer: LedgerSigner,
): Promise<LedgerHead> {
  const head = await openHead(dir, signer);
  const old = await readFrontier(dir, head, signer);
  const { frontier, tiles } = growTiles(old, entries);
  for (const { path, bytes } of tiles) await writeFileAtomic(join(dir, path), bytes);
  const grown = { origin: signer.origin, size: frontier.size, root: rootOfFrontier(frontier) };
  const checkpoint = signCheckpoint(grown, signer.privateKey);
  // Last, and only then may what the old checkpoint covers go.
  await writeFileAtomic(join(dir, 'checkpoint'), checkpoint);
  await removeLeftovers(dir, frontier.size);
  return { size: grown.size, root: grown.root, checkpoint };
}

async function openHead(dir: string, signer: LedgerSigner): Promise<Checkpoint> {
  const file = join(dir, 'checkpoint');
  const found = await listLedger(dir);
  if (found.every((path) => path === 'checkpoint.tmp')) {
    const empty = { origin: signer.origin, size: 0, root: merkleRoot([]) };
    // Signed before the first tile: tiles without a checkpoint then always mean that one was taken away.
    await writeFileAtomic(file, signCheckpoint(empty, signer.privateKey));
    return empty;
  }
  return openCheckpoint(await readLedgerFile(dir, 'checkpoint'), toVkey(signer.origin, signer.privateKey), file);
}

/** The right edge of the log, checked against its head, so that no altered tile gets a new signature. */
async function readFrontier(dir: string, head: Checkpoint, signer: LedgerSigner): Promise<Frontier> {
  const levels: Buffer[][] = [];
  for (let count = head.size; count > 0; count = Math.floor(count / tileWidth))
    levels.push(await readPartial(dir, levels.length, count, parseHashes));
  const entries = await readPartial(dir, 'entries', head.size, parseEntries);
  const frontier = { size: head.size, entries, levels };
  const leaves = Buffer.concat(entries.map((entry) => leafHash(entry)));
  if (rootOfFrontier(frontier).equals(head.root) && leaves.equals(Buffer.concat(levels[0] ?? []))) return frontier;
  // Reading all of it tells which file it is.
  await readLedger(dir, toVkey(signer.origin, signer.privateKey), { unfinished: 'ignore' });
  throw tampered(join(dir, 'checkpoint'), 'does not fit its tiles');
}

/** What is in the tile of a level that is not full, where `count` is all that the level has. */
async function readPartial(
  dir: string,
  level: TileLevel,
  count: number,
  parse: (bytes: Buffer, width: number, file: string) => Buffer[],
): Promise<Buffer[]> {
  const width = count % tileWidth;
  if (width === 0) return [];
  const path = tilePath(level, Math.floor(count / tileWidth), width);
  return parse(await readLedgerFile(dir, path), width, join(dir, path));
}

/** Removes the narrower tiles that wider ones replaced, and what a killed append left. */
async function removeLeftovers(dir: string, size: number): Promise<void> {
  const current = new Set(ledgerFiles(size));
  for (const path of await listLedger(dir)) {
    if (current.has(path) || !isLeftover(path)) continue;
    await rm(join(dir, path));
    await rmdir(dirname(join(dir, path))).catch(() => undefined); // fails as long as the folder has other tiles
  }
}
