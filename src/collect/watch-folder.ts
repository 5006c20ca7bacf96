import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WayIn } from '../evidence/record-log.ts';
import { isMissing } from '../evidence/missing-file.ts';

interface Seen {
  readonly form: string;
  /** Looks in which it has not changed; undefined once it was taken. */
  readonly quiet: number | undefined;
}

/** So many looks without a change: whoever still writes rests no longer. */
const quietLooks = 4;

/**
 * Watches a folder for declarations (*.yaml, *.yml): each file is handed to `take` once it has kept its size and time over
 * some looks, and again whenever it changes. Polling sees what inotify misses (network folders, renames).
 */
export function watchFolder(
  folder: string,
  take: (path: string) => Promise<void>,
  failed: (path: string, error: unknown) => void,
  pollMs = 500,
): WayIn {
  const seen = new Map<string, Seen>();
  let told = false;
  async function look(): Promise<void> {
    let names: string[];
    try {
      names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
      told = false;
    } catch (error) {
      if (!told) failed(folder, error);
      told = true;
      return;
    }
    for (const name of [...seen.keys()]) if (!names.includes(name)) seen.delete(name);
    for (const name of names) await lookAt(name);
  }
  async function lookAt(name: string): Promise<void> {
    const path = join(folder, name);
    try {
      const found = await stat(path);
      if (!found.isFile()) return;
      const form = `${found.ino}:${found.size}:${found.mtimeMs}`;
      const before = seen.get(name);
      if (before?.form !== form) seen.set(name, { form, quiet: 0 });
      else if (before.quiet !== undefined && before.quiet + 1 < quietLooks)
        seen.set(name, { form, quiet: before.quiet + 1 });
      else if (before.quiet !== undefined) {
        seen.set(name, { form, quiet: undefined });
        await take(path);
      }
    } catch (error) {
      if (!isMissing(error)) failed(path, error);
    }
  }
  return {
    async run(signal) {
      while (!signal.aborted) {
        await look();
        await sleep(pollMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
