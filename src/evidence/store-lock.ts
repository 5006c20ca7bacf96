import { DuckDBInstance } from '@duckdb/node-api';
import { chmod, link, open, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TallyError } from '../model/errors.ts';
import { isMissing } from './missing-file.ts';

/** Stores that this process writes: the kernel's lock holds against other processes only. */
const ours = new Set<string>();

/**
 * Makes this process the one writer of a store, until the returned function is called or the process ends in whatever way.
 * What locks is `writer.lock`, a DuckDB file: DuckDB has a kernel lock (fcntl) on a file it writes, which Node itself can't
 * take. That lock is gone as soon as this process closes the file, also when something else in it had opened it: nothing
 * may read `writer.lock`. Throws `input` when another process has it.
 */
export async function lockStore(store: string): Promise<() => void> {
  const path = await realpath(store);
  if (ours.has(path)) throw inUse(store, process.pid);
  ours.add(path);
  try {
    const file = join(path, 'writer.lock');
    await createLockFile(file);
    const instance = await DuckDBInstance.create(file, { threads: '1', memory_limit: '16MB' });
    return () => {
      ours.delete(path);
      instance.closeSync();
    };
  } catch (cause) {
    ours.delete(path);
    if (cause instanceof TallyError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (!message.includes('lock')) throw unusable(store, cause);
    throw inUse(store, /\(PID (\d+)\)/.exec(message)?.[1], cause);
  }
}

function inUse(store: string, pid: number | string | undefined, cause?: unknown): TallyError {
  const whose = pid === undefined ? '' : ` (pid ${pid})`;
  return new TallyError(
    'input',
    `the store ${store} is in use by another collector${whose}; stop that one first, or give this one a store of its own`,
    { cause },
  );
}

function unusable(store: string, cause: unknown): TallyError {
  return new TallyError('input', `${join(store, 'writer.lock')}: can't be locked; see that the store can be written`, {
    cause,
  });
}

/** Only whole files get the name, and none is ever taken away: two processes can't hold locks on two files of that name. */
async function createLockFile(file: string): Promise<void> {
  if (await exists(file)) return;
  const draft = `${file}.${process.pid}.tmp`;
  await rm(draft, { force: true });
  const instance = await DuckDBInstance.create(draft, { threads: '1' });
  instance.closeSync();
  await chmod(draft, 0o600);
  await sync(draft);
  await link(draft, file).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
  });
  await rm(draft);
}

/** Without opening it: see above. */
async function exists(file: string): Promise<boolean> {
  try {
    await realpath(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
