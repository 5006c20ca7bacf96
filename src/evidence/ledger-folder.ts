import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { isMissing } from './missing-file.ts';
import { tampered } from './tampered.ts';

/** Paths of all that is in a ledger folder and is not a folder, `/` between parts; none when it does not exist. */
export async function listLedger(dir: string): Promise<string[]> {
  try {
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    return found
      .filter((item) => !item.isDirectory())
      .map((item) => relative(dir, join(item.parentPath, item.name)).split(sep).join('/'));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw new TallyError('input', `${dir}: the ledger can't be read`, { cause });
  }
}

/** A file of the ledger; throws `integrity`, naming it, when it is missing. */
export async function readLedgerFile(dir: string, path: string): Promise<Buffer> {
  const file = join(dir, path);
  try {
    return await readFile(file);
  } catch (cause) {
    if (isMissing(cause)) throw tampered(file, 'is missing', cause);
    throw new TallyError('input', `${file}: can't be read`, { cause });
  }
}
