import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { fileNameOf } from '../evidence/file-name.ts';
import { isMissing } from '../evidence/missing-file.ts';
import type { DayFolder } from './cloudtrail-folders.ts';
import { toBaseName } from './cloudtrail-names.ts';

/** An object that the store holds, as its inventory record tells. */
export interface TakenObject {
  /** Last part of the key. */
  readonly object: string;
  /** Without it the object is fetched once more. */
  readonly etag?: string | undefined;
}

/** Which objects were taken, by their folder; an object whose ETag changed is another object. */
export interface Taken {
  has(folder: DayFolder, key: string, etag: string): boolean;
  /** Whether it was taken with whatever content. */
  knows(key: string): boolean;
  add(folder: DayFolder, key: string, etag: string): void;
  /** Writes what changed, and forgets days before `oldest`. */
  save(oldest: string): Promise<void>;
}

const fileSchema = z.object({
  prefix: z.string(),
  day: z.string(),
  objects: z.record(z.string(), z.string()),
});

interface Folder {
  readonly day: string;
  readonly objects: Map<string, string>;
  changed: boolean;
}

/**
 * Reads the positions of one bucket below `path`, one small file for a folder and day. What is lost or broken there, the
 * inventory records in `recorded` tell: they are the truth, the files save asking for them.
 */
export async function openTaken(path: string, bucket: string, recorded: AsyncIterable<TakenObject>): Promise<Taken> {
  const folders = await readFolders(join(path, fileNameOf(bucket)));
  const inventory = new Map<string, Set<string>>();
  for await (const { object, etag } of recorded) {
    if (etag !== undefined) inventory.set(object, (inventory.get(object) ?? new Set()).add(etag));
  }
  const open = (folder: DayFolder): Folder => {
    const known = folders.get(folder.prefix) ?? { day: folder.day, objects: new Map<string, string>(), changed: false };
    folders.set(folder.prefix, known);
    return known;
  };
  return {
    has: (folder, key, etag) => {
      const name = key.slice(folder.prefix.length);
      return (
        folders.get(folder.prefix)?.objects.get(name) === etag || inventory.get(toBaseName(key))?.has(etag) === true
      );
    },
    knows: (key) =>
      inventory.has(toBaseName(key)) ||
      [...folders].some(([prefix, { objects }]) => key.startsWith(prefix) && objects.has(key.slice(prefix.length))),
    add: (folder, key, etag) => {
      const known = open(folder);
      known.objects.set(key.slice(folder.prefix.length), etag);
      known.changed = true;
    },
    save: async (oldest) => {
      for (const [prefix, folder] of folders) {
        const file = join(path, fileNameOf(bucket), `${fileNameOf(prefix)}.json`);
        if (folder.day < oldest) {
          folders.delete(prefix);
          await rm(file, { force: true });
        } else if (folder.changed) {
          folder.changed = false;
          const { day, objects } = folder;
          await writeFileAtomic(file, JSON.stringify({ prefix, day, objects: Object.fromEntries(objects) }), 0o600);
        }
      }
    },
  };
}

async function readFolders(path: string): Promise<Map<string, Folder>> {
  const folders = new Map<string, Folder>();
  for (const name of await listFiles(path)) {
    const file = parseFile(await readFile(join(path, name), 'utf8'));
    if (file === undefined) continue;
    folders.set(file.prefix, { day: file.day, objects: new Map(Object.entries(file.objects)), changed: false });
  }
  return folders;
}

async function listFiles(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Undefined when it is broken: it then counts as lost. */
function parseFile(text: string): z.output<typeof fileSchema> | undefined {
  try {
    return fileSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
