import { access, constants, lstat, mkdir } from 'node:fs/promises';
import { TallyError } from '../model/errors.ts';

/** Makes the folder of --out, or of another flag. Throws TallyError `input` where it can't be made or written. */
export async function makeOut(path: string, flag = '--out'): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TallyError('input', `${flag} ${path} can't be written (${why}); choose another folder.`, { cause });
  }
}

/** Whether a name is taken, be it by a link to nothing. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
