import { constants, copyFile, lstat, readFile, realpath, utimes } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { makeOut } from './out-folder.ts';
import { lookAt, putFile, putText, removeFile, removeLeftovers } from './site-file.ts';

/** A folder of pages that are written again and again: it knows which files of it are its own. */
export interface SiteFolder {
  /** Relative path, one of those that the folder was opened for, and content. */
  write(name: string, text: string): Promise<void>;
  /** Copies a file unless that was done already; false where there is none. */
  copy(from: string, name: string): Promise<boolean>;
  /** Removes what earlier runs wrote and this one did not. */
  finish(): Promise<void>;
}

/** Names the files that are ours, so that no other is ever overwritten or removed. */
const listName = 'tally-tasks.json';
/** What these pages consist of: a list that was altered can't make us remove anything else. */
const ownName =
  /^(index\.html|tasks-\d+\.html|reports\/[\w%-][\w.%-]*\/(report\.html|report\.sigstore\.json|manifest\.json))$/;

/**
 * Opens the folder of --html for files of these names. Throws TallyError `input`, and leaves the folder as it is, where it can't be
 * written, lies in the store (where every file is evidence), or has anything from elsewhere under one of the names.
 */
export async function openSite(path: string, store: string, names: readonly string[]): Promise<SiteFolder> {
  await makeOut(path, '--html');
  const root = await realpath(path);
  await refuseStore(path, root, store);
  const before = await readList(path, root);
  await refuseForeign(path, root, names, new Set(before));
  await removeLeftovers(root, Date.now());
  const written = new Set<string>();
  const keepList = (files: Iterable<string>): Promise<void> =>
    writeChanged(
      root,
      listName,
      `${JSON.stringify({ schema: 'tallystick/tasks-site/v1', files: [...new Set(files)].sort() }, null, 1)}\n`,
    );
  // before any page: what a run that is cut short leaves is known to the next one
  await keepList([...before, ...names]);
  return {
    async write(name, text) {
      written.add(name);
      await writeChanged(root, name, text);
    },
    async copy(from, name) {
      const done = await copyChanged(from, root, name);
      if (done) written.add(name);
      return done;
    },
    async finish() {
      for (const name of before) if (!written.has(name)) await removeFile(root, name);
      await keepList(written);
    },
  };
}

async function refuseStore(path: string, root: string, store: string): Promise<void> {
  if (`${root}${sep}`.startsWith(`${await realpath(store)}${sep}`))
    throw new TallyError(
      'input',
      `--html ${path} lies in the store, where every file is evidence; choose another folder.`,
    );
}

async function refuseForeign(
  path: string,
  root: string,
  names: readonly string[],
  own: ReadonlySet<string>,
): Promise<void> {
  for (const name of names) {
    const found = await lookAt(root, name);
    if (found === 'nothing' || (found === 'file' && own.has(name))) continue;
    const what = found === 'file' ? 'is from elsewhere' : 'is no file of ours, but a link or a folder';
    throw new TallyError('input', `--html ${path}: ${name} ${what}; move it away, or choose another folder.`);
  }
}

/** Empty where no run of ours left one. */
async function readList(path: string, root: string): Promise<string[]> {
  const found = await lookAt(root, listName);
  if (found === 'nothing') return [];
  if (found === 'other')
    throw new TallyError('input', `--html ${path}: ${listName} is no file; move it away, or choose another folder.`);
  try {
    const { files } = JSON.parse(await readFile(join(root, listName), 'utf8')) as { files: unknown };
    return Array.isArray(files)
      ? files.filter((name): name is string => typeof name === 'string' && ownName.test(name))
      : [];
  } catch {
    return [];
  }
}

/** Pages that stay the same keep their time, so that publishing them again moves nothing. */
async function writeChanged(root: string, name: string, text: string): Promise<void> {
  const isThere = (await lookAt(root, name)) === 'file';
  const there = isThere ? await readFile(join(root, name), 'utf8') : undefined;
  if (there !== text) await putText(root, name, text);
}

/** The copy bears the time of its original: that is how a later run knows it. */
async function copyChanged(from: string, root: string, name: string): Promise<boolean> {
  const source = await lstat(from).catch(() => undefined);
  if (source?.isFile() !== true) return false;
  const there = (await lookAt(root, name)) === 'file' ? await lstat(join(root, name)) : undefined;
  // a time is set to the millisecond, and rounded on its way
  const isSame = there?.size === source.size && Math.abs(there.mtimeMs - source.mtimeMs) < 2;
  if (isSame) return true;
  await putFile(root, name, async (path) => {
    await copyFile(from, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await utimes(path, source.atime, source.mtime);
  });
  return true;
}
