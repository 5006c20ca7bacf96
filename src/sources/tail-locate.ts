import { isMissing } from '../evidence/missing-file.ts';
import { type FoundFile, isSameListing, listRotated } from './rotated-files.ts';
import { type Link, toLink } from './tail-chain.ts';
import { isSameFile, openPacked, openPlain, type TailFile } from './tail-file.ts';
import { isSameHead, isSamePrint, packedFits } from './tail-fingerprint.ts';
import type { TailPosition } from './tail-position.ts';

export interface Located {
  readonly link: Link;
  /** `cut`: it is the file, but its end is missing, as after a power failure; reading goes on at its new end. */
  readonly fit: 'whole' | 'cut';
}

/**
 * `lost`: it is not there, or not what it was. `unread`: nothing had been in it, and since rotation deletes the oldest
 * first and an older one is there, it is among those that are. `waiting`: there is no file at the path, and what is
 * missing may come back with it.
 */
export type NotLocated = 'lost' | 'unread' | 'waiting';

/**
 * Finds the file of a position again, wherever rotation has moved it: by inode and content, or by content where it was
 * compressed or copied. Throws when a file can't be read.
 */
export async function locate(path: string, position: TailPosition): Promise<Located | NotLocated> {
  for (;;) {
    const found = await listRotated(path);
    const located = await locateAmong(found, position);
    if (typeof located !== 'string') return located;
    // it may have been rotated or compressed while it was looked for
    if (isSameListing(found, await listRotated(path))) return located;
  }
}

async function locateAmong(found: readonly FoundFile[], position: TailPosition): Promise<Located | NotLocated> {
  const isThere = found.some(({ key }) => key === undefined);
  const fresh = found.filter(({ key }) => key !== undefined && !position.done.includes(key));
  for (const file of found) {
    if (!isSameFile(file.id, position.id) || file.plain === undefined) continue;
    if (position.print?.offset === 0) {
      // nothing of it is known: it could be another file that got the same inode
      const same = file.key === undefined && fresh.length > 0 ? undefined : await openIfThere(file, file.plain);
      if (same?.id.born === position.id.born) return { link: toOpened(file, same), fit: 'whole' };
      await same?.close();
      continue;
    }
    const located = await openFitting(file, file.plain, position);
    if (located !== undefined) return located;
  }
  for (const file of fresh) {
    if (file.plain !== undefined || file.packed === undefined) continue;
    const fits =
      position.print === null ? file.key === position.key : await packedFits(file.packed, position.print, false);
    if (fits) return { link: toOpened(file, await openPacked(file.packed)), fit: 'whole' };
  }
  for (const file of fresh) {
    if (file.plain === undefined || position.print?.offset === 0) continue;
    const located = await openFitting(file, file.plain, position);
    if (located?.fit === 'cut') await located.link.file?.close();
    if (located?.fit !== 'whole') continue;
    return { ...located, link: { ...located.link, isCopy: true } };
  }
  if (!isThere) return 'waiting';
  const isOlderThere = found.some(({ key }) => key !== undefined && position.done.includes(key));
  return position.print?.offset === 0 && isOlderThere ? 'unread' : 'lost';
}

async function openFitting(
  found: FoundFile,
  path: string,
  { print, offset }: TailPosition,
): Promise<Located | undefined> {
  const file = print === null ? undefined : await openIfThere(found, path);
  if (file === undefined || print === null) return undefined;
  await file.read(print.offset, 0); // from here on it notices changes
  const now = await file.fingerprint(print.offset);
  if (now !== undefined && isSamePrint(now, print)) return { link: toOpened(found, file), fit: 'whole' };
  const size = (await file.size()) ?? 0;
  if (now !== undefined && size < print.offset && size >= print.head.length && isSameHead(now, print))
    return { link: { ...toOpened(found, file), from: Math.min(size, offset) }, fit: 'cut' };
  await file.close();
  return undefined;
}

/** Undefined when another file lies there by now. */
async function openIfThere({ id }: FoundFile, path: string): Promise<TailFile | undefined> {
  try {
    const file = await openPlain(path);
    if (isSameFile(file.id, id)) return file;
    await file.close();
    return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function toOpened(found: FoundFile, file: TailFile): Link {
  return { ...toLink(found), id: file.id, file };
}
