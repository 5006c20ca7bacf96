import { isMissing } from '../evidence/missing-file.ts';
import { TallyError } from '../model/errors.ts';
import { findCurrent, type FoundFile, listRotated } from './rotated-files.ts';
import { packedFits } from './tail-fingerprint.ts';
import { type FileId, isSameFile, openPacked, openPlain, type TailFile } from './tail-file.ts';

/** One file to read. */
export interface Link {
  readonly id: FileId;
  key: string | undefined;
  plain: string | undefined;
  packed: string | undefined;
  size: number;
  /** Files before it may be gone unread. */
  broken: boolean;
  /** Held open, so that its inode stays its own. */
  file: TailFile | undefined;
  /** Where reading begins. */
  from: number;
  /** A copy, made before the file was emptied: what came between is lost. */
  readonly isCopy: boolean;
}

/** The files from the one that is read to the current one, in the order in which they were written. */
export interface TailChain {
  readonly links: readonly Link[];
  /** Whether there was a file at the path when last looked; false before. */
  readonly isThere: boolean;
  /** Keys of rotated files that are not read, or not again. */
  readonly done: Set<string>;
  /**
   * Looks for new files; resolves to whether the chain now ends with the one that was at the path at the time of the call.
   * Throws what the file system throws when it can't.
   */
  refresh(): Promise<boolean>;
  add(link: Link): void;
  /** Puts the first one away: `read` is false when it vanished. */
  drop(read: boolean): Promise<void>;
  close(): Promise<void>;
}

export function toLink(found: FoundFile): Link {
  return { ...found, broken: false, file: undefined, from: 0, isCopy: false };
}

/** Undefined when it is gone. */
export async function openLink({ file, plain, packed, id, key }: Link): Promise<TailFile | undefined> {
  if (file !== undefined) return file;
  const opened = plain === undefined ? undefined : await openIfThere(openPlain, plain);
  if (opened !== undefined && isSameFile(opened.id, id) && opened.id.born === id.born) return opened;
  await opened?.close();
  const compressed = packed ?? (key === undefined || plain === undefined ? undefined : `${plain}.gz`);
  return compressed === undefined ? undefined : openIfThere(openPacked, compressed);
}

async function openIfThere(how: (path: string) => Promise<TailFile>, path: string): Promise<TailFile | undefined> {
  try {
    return await how(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function tailChain(path: string): TailChain {
  const links: Link[] = [];
  const done = new Set<string>();
  let isThere = false;

  async function refresh(): Promise<boolean> {
    const current = await findCurrent(path);
    isThere = current !== undefined;
    const tail = links.at(-1);
    if (current === undefined) return false; // a file is renamed first and made anew then
    if (tail !== undefined && isIt(tail, current)) tail.size = current.size;
    else await extend(tail);
    const last = links.at(-1);
    return last !== undefined && isIt(last, current);
  }

  async function extend(tail: Link | undefined): Promise<void> {
    // Held open before it is looked at: else its inode could be another file's by the time.
    const current = await openIfThere(openPlain, path);
    if (current === undefined) return;
    let isAdded = false;
    try {
      isAdded = await addUpTo(current, tail);
    } finally {
      if (!isAdded) await current.close();
    }
  }

  /** Whether it was added, and what came between. If it is rotated away meanwhile, all is looked at anew the next time. */
  async function addUpTo(current: TailFile, tail: Link | undefined): Promise<boolean> {
    const found = await listRotated(path);
    const last = found.at(-1);
    if (last === undefined || last.key !== undefined || !isSameFile(last.id, current.id)) return false;
    for (const key of done) if (!found.some((file) => file.key === key)) done.delete(key);
    const fresh = found.filter((file) => !known(file, links) && !(file.key !== undefined && done.has(file.key)));
    const isTailThere = tail === undefined || (await isStillThere(tail, found, fresh));
    const added = fresh
      .filter(({ key, size }) => key === undefined || (key !== tail?.key && size > 0))
      .map((file) => (file === last ? { ...toLink(file), file: current } : toLink(file)));
    if (added[0] === undefined) return false;
    added[0].broken = !isTailThere || tail?.isCopy === true;
    links.push(...added);
    // one that lies nowhere any more can only be read through what is open
    if (tail?.key !== undefined && tail !== links[0]) {
      await tail.file?.close();
      tail.file = undefined;
    }
    return fresh.includes(last);
  }

  return {
    links,
    get isThere() {
      return isThere;
    },
    done,
    refresh,
    add: (link) => void links.push(link),
    async drop(read) {
      const link = links.shift();
      if (read && link?.key !== undefined) done.add(link.key);
      await link?.file?.close();
    },
    async close() {
      for (const link of links.splice(0)) await link.file?.close();
    },
  };
}

/** Whether it is one of these, which then learns where it lies now. */
function known(file: FoundFile, links: readonly Link[]): boolean {
  const link = links.find((candidate) => isIt(candidate, file));
  if (link === undefined) return false;
  link.key ??= file.key;
  link.plain = file.plain;
  link.packed = file.packed;
  return true;
}

/** An inode tells only while the file is open, or lies where it lay: else it may be another's by now. */
function isIt({ id, key, plain, file }: Link, found: FoundFile): boolean {
  if (key !== undefined && key === found.key) return true;
  if (file !== undefined) return isSameFile(file.id, found.id);
  return key === undefined && plain === found.plain && isSameFile(id, found.id);
}

/**
 * Whether the last file known is among those found. Rotation deletes the oldest first: then all that came after it is
 * there as well. When it was compressed at once it is told by its content, which we still hold open.
 */
async function isStillThere(tail: Link, found: readonly FoundFile[], fresh: readonly FoundFile[]): Promise<boolean> {
  if (found.some((file) => known(file, [tail]))) return true;
  const old = tail.plain === undefined ? undefined : await findCurrent(tail.plain);
  if (old !== undefined && isIt(tail, old)) return true; // a link at the path points elsewhere now
  const print = await tail.file?.content();
  if (print === undefined) return false;
  for (const file of fresh) {
    if (file.packed === undefined || file.plain !== undefined || !(await packedFits(file.packed, print, true)))
      continue;
    Object.assign(tail, { key: file.key, plain: file.plain, packed: file.packed });
    return true;
  }
  return false;
}

/** Whether the file system or the log may let it happen another time. */
export function isPassing(error: unknown): boolean {
  if (error instanceof TallyError) return error.retryable || isPassing(error.cause);
  return error instanceof Error && 'syscall' in error;
}
