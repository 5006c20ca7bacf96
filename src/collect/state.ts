import { readFile } from 'node:fs/promises';
import { isMissing } from '../evidence/missing-file.ts';

/** What an earlier run wrote down for itself; undefined where there is nothing, or nothing that can be read: state is no evidence. */
export async function readState<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
