import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../evidence/atomic-file.ts';
import { isMissing } from '../evidence/missing-file.ts';
import { TallyError } from '../model/errors.ts';

// Others may put links and files into a folder that is published. Below it no link is followed, neither by a name nor by a folder on the way to it.
// (A link that replaces a folder in the very moment between a look and the write is beyond what Node.js can rule out.)

/** What a relative path leads to. `other`: no regular file, or behind what is no folder. */
export async function lookAt(root: string, name: string): Promise<'nothing' | 'file' | 'other'> {
  const parts = name.split('/');
  for (const depth of parts.keys()) {
    const found = await lstat(join(root, ...parts.slice(0, depth + 1))).catch(orMissing);
    if (found === undefined) return 'nothing';
    const isLast = depth === parts.length - 1;
    if (!(isLast ? found.isFile() : found.isDirectory())) return 'other';
  }
  return 'file';
}

/** Replaces a file as a whole. `fill` makes it under the name that it is given, which is taken by nothing. */
export async function putFile(root: string, name: string, fill: (path: string) => Promise<void>): Promise<void> {
  const fresh = join(root, `.tally-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await makeFolders(root, dirname(name));
    await fill(fresh);
    if ((await lookAt(root, name)) === 'other') throw new TallyError('input', `${name} is no file`);
    await rename(fresh, join(root, name));
  } catch (cause) {
    await rm(fresh, { force: true });
    throw new TallyError('input', `${join(root, name)}: can't be written`, { cause, retryable: true });
  }
}

export async function putText(root: string, name: string, text: string): Promise<void> {
  await putFile(root, name, async (path) => {
    const file = await open(path, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  });
  await syncFolder(dirname(join(root, name)));
}

/** Also the file's folder, where that is empty then. */
export async function removeFile(root: string, name: string): Promise<void> {
  if ((await lookAt(root, name)) !== 'file') return;
  await rm(join(root, name), { force: true });
  if (name.includes('/')) await rmdir(join(root, dirname(name))).catch(() => undefined); // has a file still
}

/** What runs that were killed left: younger ones may belong to a run that is still at work. */
export async function removeLeftovers(root: string, nowMs: number): Promise<void> {
  for (const name of await readdir(root)) {
    if (!/^\.tally-[0-9a-f]{16}\.tmp$/.test(name)) continue;
    const found = await lstat(join(root, name)).catch(orMissing);
    if (found?.isFile() === true && nowMs - found.mtimeMs > 3_600_000) await rm(join(root, name), { force: true });
  }
}

/** One by one: a recursive mkdir would walk through links. */
async function makeFolders(root: string, name: string): Promise<void> {
  const parts = name === '.' ? [] : name.split('/');
  for (const depth of parts.keys()) {
    const path = join(root, ...parts.slice(0, depth + 1));
    const found = await lstat(path).catch(orMissing);
    if (found === undefined) await mkdir(path);
    else if (!found.isDirectory()) throw new TallyError('input', `${path} is no folder`);
  }
}

function orMissing(cause: unknown): undefined {
  if (!isMissing(cause)) throw cause;
}
