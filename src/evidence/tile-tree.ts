import { leafHash, merkleRoot, merkleTree, rootOfRange } from './merkle.ts';
import { encodeEntries, tilePath, tileWidth, type TileLevel } from './tile-format.ts';

/** The right edge of a log: what is in tiles that are not full yet, and all that is needed to make it grow. */
export interface Frontier {
  readonly size: number;
  readonly entries: readonly Buffer[];
  /** Hashes of the partial tile of each level, lowest first; none where the level ends with a full tile. */
  readonly levels: readonly (readonly Buffer[])[];
}

export const emptyFrontier: Frontier = { size: 0, entries: [], levels: [] };

export interface Tile {
  readonly level: TileLevel;
  readonly index: number;
  /** In the ledger folder. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** The log with these entries added, and the tiles and entry bundles that this writes. */
export function growTiles(
  { size: oldSize, entries: oldEntries, levels: oldLevels }: Frontier,
  added: readonly Buffer[],
): { readonly frontier: Frontier; readonly tiles: readonly Tile[] } {
  const tiles: Tile[] = [];
  const levels = oldLevels.map((hashes) => [...hashes]);
  const changed = new Set<number>();
  let entries = [...oldEntries];
  let size = oldSize;

  const write = (level: TileLevel, content: readonly Buffer[]): void => {
    const index = Math.floor(size / tileWidth ** (level === 'entries' ? 1 : level + 1));
    const bytes = level === 'entries' ? encodeEntries(content) : Buffer.concat(content);
    tiles.push({ level, index, path: tilePath(level, index, content.length), bytes });
  };
  const pushHash = (level: number, hash: Buffer): void => {
    const tile = (levels[level] ??= []);
    tile.push(hash);
    changed.add(level);
    if (tile.length < tileWidth) return;
    write(level, tile);
    levels[level] = [];
    changed.delete(level);
    pushHash(level + 1, merkleRoot(tile));
  };

  for (const entry of added) {
    entries.push(entry);
    if (entries.length === tileWidth) {
      write('entries', entries);
      entries = [];
    }
    pushHash(0, leafHash(entry));
    size += 1;
  }
  if (entries.length > 0) write('entries', entries);
  for (const level of changed) write(level, levels[level] ?? []);
  return { frontier: { size, entries, levels }, tiles };
}

/** Root of the log: full tiles are in it through the levels above them. */
export function rootOfFrontier({ levels }: Frontier): Buffer {
  return rootOfRange(levels.toReversed().flatMap(perfectSubtrees));
}

function perfectSubtrees(hashes: readonly Buffer[]): readonly Buffer[] {
  const tree = merkleTree();
  for (const hash of hashes) tree.push(hash);
  return tree.range();
}
