import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TallyError } from '../model/errors.ts';

/**
 * Writes a whole file so that a reader, or a restart after a crash, finds the old one or the new one and never a part.
 * The bytes and the name are on disk when the promise resolves. An interrupted write may leave `PATH.tmp`. Throws a
 * retryable `input` when the disk is full or the folder can't be written.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeSynced(`${path}.tmp`, bytes, mode);
    await rename(`${path}.tmp`, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new TallyError('input', `${path}: can't be written`, { cause, retryable: true });
  }
}

async function writeSynced(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const handle = await open(path, 'w', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a folder and its parents; their names are on disk when the promise resolves. */
export async function makeFolder(path: string, mode = 0o755): Promise<void> {
  const first = await mkdir(resolve(path), { recursive: true, mode });
  if (first === undefined) return;
  for (let folder = resolve(path); folder.length >= first.length; folder = dirname(folder))
    await syncFolder(dirname(folder));
}

/** A new or removed name is only durable once its folder has been synced too. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
