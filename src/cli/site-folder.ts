import {
  constants,
  copyFile,
  lstat,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { TallyError } from '../model/errors.ts';
import { isThere, makeOut } from './out-folder.ts';

/** A folder of pages that are written again and again: it knows which files of it are its own. */
export interface SiteFolder {
  /** Relative path and content. */
  write(name: string, text: string): Promise<void>;
  /** Copies a file unless that was done already; false where there is none. */
  copy(from: string, name: string): Promise<boolean>;
  /** Removes what earlier runs wrote and this one did not. */
  finish(): Promise<void>;
}

/** Names the files that are ours, so that no other is ever overwritten as a whole or removed. */
const listName = 'tally-tasks.json';
/** What these pages consist of: a list that was altered can't make us remove anything else. */
const ownName =
  /^(index\.html|tasks-\d+\.html|reports\/[\w%-][\w.%-]*\/(report\.html|report\.sigstore\.json|manifest\.json))$/;

/**
 * Opens the folder of --html. Throws TallyError `input` where it can't be written, lies in the store (where every file is evidence), or
 * has an index.html that is not ours.
 */
export async function openSite(path: string, store: string): Promise<SiteFolder> {
  await makeOut(path, '--html');
  await refuseStore(path, store);
  const list = join(path, listName);
  const before = await readList(list);
  if (before === undefined && (await isThere(join(path, 'index.html'))))
    throw new TallyError('input', `--html ${path} has an index.html from elsewhere; choose another folder.`);
  const written = new Set<string>();
  const keepList = (names: Iterable<string>): Promise<void> =>
    writeChanged(
      list,
      `${JSON.stringify({ schema: 'tallystick/tasks-site/v1', files: [...names].sort() }, null, 1)}\n`,
    );
  // before any page: a run that is cut short leaves a folder that the next one takes for its own
  if (before === undefined) await keepList([]);
  return {
    async write(name, text) {
      written.add(name);
      await writeChanged(join(path, name), text);
    },
    async copy(from, name) {
      const done = await copyChanged(from, join(path, name));
      if (done) written.add(name);
      return done;
    },
    async finish() {
      await keepList(new Set([...(before ?? []), ...written]));
      for (const name of before ?? []) if (!written.has(name)) await remove(path, name);
      await keepList(written);
    },
  };
}

async function refuseStore(path: string, store: string): Promise<void> {
  const folder = await realpath(path);
  const evidence = await realpath(store);
  const copies = await realpath(join(path, 'reports')).catch(() => join(folder, 'reports'));
  if (copies !== join(folder, 'reports'))
    throw new TallyError('input', `--html ${path}: its folder reports is a link elsewhere; choose another folder.`);
  if (`${folder}${sep}`.startsWith(`${evidence}${sep}`))
    throw new TallyError(
      'input',
      `--html ${path} lies in the store, where every file is evidence; choose another folder.`,
    );
}

/** Undefined where no run of ours left one. */
async function readList(path: string): Promise<string[] | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { files } = JSON.parse(text) as { files: unknown };
    return Array.isArray(files)
      ? files.filter((name): name is string => typeof name === 'string' && ownName.test(name))
      : [];
  } catch {
    return [];
  }
}

/** Pages that stay the same keep their time, so that publishing them again moves nothing. */
async function writeChanged(path: string, text: string): Promise<void> {
  const there = await readFile(path, 'utf8').catch(() => undefined);
  if (there !== text) await writeFileAtomic(path, text);
}

/** The copy bears the time of its original: that is how a later run knows it. */
async function copyChanged(from: string, to: string): Promise<boolean> {
  const source = await lstat(from).catch(() => undefined);
  if (source?.isFile() !== true) return false;
  const there = await stat(to).catch(() => undefined);
  // a time is set to the millisecond, and rounded on its way
  const isSame = there?.size === source.size && Math.abs(there.mtimeMs - source.mtimeMs) < 2;
  if (isSame) return true;
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, `${to}.tmp`, constants.COPYFILE_FICLONE);
  await utimes(`${to}.tmp`, source.atime, source.mtime);
  await rename(`${to}.tmp`, to);
  return true;
}

async function remove(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { force: true });
  if (name.includes('/')) await rmdir(dirname(join(folder, name))).catch(() => undefined); // has a file still
}
