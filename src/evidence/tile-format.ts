import { TallyError } from '../model/errors.ts';
import { tampered } from './tampered.ts';

/** Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256;
export const hashBytes = 32;
const longestEntry = 0xffff;

export type TileLevel = number | 'entries';

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last marked with `x`. */
export function tilePath(level: TileLevel, index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${String(level)}/${name}${width === tileWidth ? '' : `.p/${String(width)}`}`;
}

/** Whether an append may have left this path behind: a tile of some size, or a file that it was still writing. */
export function isLeftover(path: string): boolean {
  return /^(?:checkpoint\.tmp|tile\/(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?(?:\.tmp)?)$/.test(path);
}

/** The tiles of one level that a log with `count` hashes (or entries) at that level consists of. */
function tilesOfLevel(level: TileLevel, count: number): string[] {
  const full = Math.floor(count / tileWidth);
  const paths = Array.from({ length: full }, (_, index) => tilePath(level, index, tileWidth));
  return count % tileWidth === 0 ? paths : [...paths, tilePath(level, full, count % tileWidth)];
}

/** Paths of the entry bundles of a log of that size, in order of their entries. */
export function bundleFiles(size: number): string[] {
  return tilesOfLevel('entries', size);
}

/** Every file that the ledger folder of a log of that size must consist of, and nothing else. */
export function ledgerFiles(size: number): string[] {
  const paths = ['checkpoint', ...bundleFiles(size)];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth))
    paths.push(...tilesOfLevel(level, count));
  return paths;
}

/** An entry bundle: each entry behind its length as big-endian uint16. */
export function encodeEntries(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > longestEntry)
        throw new TallyError('input', `a ledger entry has at most ${longestEntry} bytes, this one ${entry.length}`);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** Inverse of `encodeEntries`; throws `integrity`, naming `file`, unless exactly `count` entries fill the bytes. */
export function parseEntries(bytes: Buffer, count: number, file: string): Buffer[] {
  const entries: Buffer[] = [];
  let offset = 0;
  while (offset + 2 <= bytes.length) {
    const end = offset + 2 + bytes.readUInt16BE(offset);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (offset !== bytes.length || entries.length !== count) throw tampered(file, `does not hold ${count} whole entries`);
  return entries;
}

/** Splits a hash tile; throws `integrity`, naming `file`, unless it has exactly `width` hashes. */
export function parseHashes(bytes: Buffer, width: number, file: string): Buffer[] {
  if (bytes.length !== width * hashBytes) throw tampered(file, `does not hold ${width} hashes`);
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes));
}
