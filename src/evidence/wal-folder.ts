import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { isMissing } from './missing-file.ts';

export function walFolder(store: string): string {
  return join(store, 'wal');
}

/** Paths of the log files of a store, sorted; also those whose start was cut short (`.wal.tmp`). */
export async function listWal(store: string): Promise<string[]> {
  const folder = walFolder(store);
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = found.filter((item) => item.isFile() && /\.wal(\.tmp)?$/.test(item.name));
    return files.map((item) => join(item.parentPath, item.name)).sort();
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw new TallyError('input', `${folder}: can't be read`, { cause });
  }
}

/** Undefined when the file was sealed and removed meanwhile. */
export async function readWalFile(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new TallyError('input', `${path}: can't be read`, { cause });
  }
}
