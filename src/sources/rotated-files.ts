import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing } from '../evidence/missing-file.ts';
import { type FileId, isSameFile, toFileId } from './tail-file.ts';

/** One file of a rotated set, as it lies in the folder. */
export interface FoundFile {
  readonly id: FileId;
  readonly size: number;
  /** Stays while it is compressed; undefined for the current file, which gets one when it is rotated away. */
  readonly key: string | undefined;
  /** At least one of the two; the compressed one may not be whole while there is the plain one. */
  readonly plain: string | undefined;
  readonly packed: string | undefined;
}

interface Rotated extends FoundFile {
  readonly key: string;
  readonly order: number;
}

/**
 * The files that `path` was rotated away to, oldest first, then the file there now, if there is one. Names are those of
 * lumberjack, by which Tetragon rotates (facts/tetragon.md: `<name>-<time><ext>`), of logrotate (`<name><ext>-<date>`,
 * `<name><ext>.<n>`), each also with `.gz`. Throws when the folder can't be read.
 */
export async function listRotated(path: string): Promise<FoundFile[]> {
  let before = await listOnce(path);
  // A file that is renamed or compressed while a folder is listed may be missed, or be found twice.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const again = await listOnce(path);
    if (isSameListing(before, again)) return again;
    before = again;
  }
  return before;
}

/** The file at `path` now; follows links. Undefined where there is none. */
export async function findCurrent(path: string): Promise<FoundFile | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    const real = await realpath(path);
    return { id: toFileId(found), size: Number(found.size), key: undefined, plain: real, packed: undefined };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function listOnce(path: string): Promise<FoundFile[]> {
  // first the current one: if it is rotated away meanwhile, it is found twice rather than not at all
  const current = await findCurrent(path);
  const real = current?.plain ?? path;
  const found = [...(await listBeside(real)), ...(real === path ? [] : await listBeside(path))];
  const seen = new Set(current === undefined ? [] : [inodeOf(current.id)]);
  const rotated = found
    .filter(({ id }) => !seen.has(inodeOf(id)) && seen.add(inodeOf(id)))
    .sort((a, b) => a.order - b.order || (a.key < b.key ? -1 : 1));
  return current === undefined ? rotated : [...rotated, current];
}

async function listBeside(path: string): Promise<Rotated[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const byName = new Map<string, { plain?: string; packed?: string }>();
  for (const name of names) {
    const plainName = name.replace(/\.gz$/, '');
    if (timeInName(plainName, basename(path)) === undefined) continue;
    const file = byName.get(plainName) ?? {};
    if (plainName === name) file.plain = join(folder, name);
    else file.packed = join(folder, name);
    byName.set(plainName, file);
  }
  const files = await Promise.all([...byName].map(([name, file]) => look(basename(path), name, file)));
  return files.filter((file) => file !== undefined);
}

async function look(
  base: string,
  name: string,
  { plain, packed }: { plain?: string; packed?: string },
): Promise<Rotated | undefined> {
  try {
    const found = await stat(plain ?? packed ?? name, { bigint: true });
    if (!found.isFile()) return undefined;
    const id = toFileId(found);
    const time = timeInName(name, base);
    // a number moves on with each rotation: such a file is known by its inode, which is used again once the file is gone
    const key = time === 'number' ? `${inodeOf(id)}:${id.born}` : name;
    const order = typeof time === 'number' ? time : Number(found.mtimeMs);
    return { id, size: Number(found.size), key, plain, packed, order };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function inodeOf(id: FileId): string {
  return `${id.dev}:${id.ino}`;
}

/** Milliseconds where the name bears a time, `date` or `number` where it bears less; undefined: no name of a rotated file. */
function timeInName(name: string, base: string): number | 'date' | 'number' | undefined {
  const dot = base.lastIndexOf('.');
  const [stem, extension] = dot < 0 ? [base, ''] : [base.slice(0, dot), base.slice(dot)];
  if (name.startsWith(`${stem}-`) && name.endsWith(extension)) {
    const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(
      name.slice(stem.length + 1, name.length - extension.length),
    );
    if (match !== null) return Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}:${match[3] ?? ''}:${match[4] ?? ''}Z`);
  }
  if (!name.startsWith(base)) return undefined;
  if (/^[.-]\d{4}-?\d\d-?\d\d([-T.]?\d+)*$/.test(name.slice(base.length))) return 'date';
  return /^\.\d{1,5}$/.test(name.slice(base.length)) ? 'number' : undefined;
}

/** Whether nothing was renamed, made or deleted between two listings. */
export function isSameListing(one: readonly FoundFile[], other: readonly FoundFile[]): boolean {
  return (
    one.length === other.length &&
    one.every((file, at) => {
      const twin = other[at];
      return twin !== undefined && isSameFile(file.id, twin.id) && file.key === twin.key && file.plain === twin.plain;
    })
  );
}
