import type { KeyObject } from 'node:crypto';
import { parseBase64 } from './base64.ts';
import { openNote, parseVkey, signNote } from './signed-note.ts';
import { tampered } from './tampered.ts';

/** The head of a log (C2SP tlog-checkpoint). The origin is also the name of the key that signs it. */
export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root over the entries, 32 bytes. */
  readonly root: Buffer;
}

/** The three lines that are signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${String(size)}\n${root.toString('base64')}\n`;
}

/** Inverse of `formatCheckpoint`, undefined for anything that it would not write (extension lines, which the clause advises against, too). */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', sizeLine = '', rootLine = ''] = text.split('\n');
  const size = Number(sizeLine);
  const root = parseBase64(rootLine);
  if (origin === '' || root?.length !== 32 || !Number.isSafeInteger(size) || size < 0) return undefined;
  const checkpoint = { origin, size, root };
  return formatCheckpoint(checkpoint) === text ? checkpoint : undefined;
}

/** The checkpoint as a signed note. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject): string {
  return signNote(formatCheckpoint(checkpoint), checkpoint.origin, privateKey);
}

/** The checkpoint in a note that this key, and no other, signed. Throws `integrity`, naming `file`; `key` for a bad vkey. */
export function openCheckpoint(note: Uint8Array, vkey: string, file: string): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, [vkey], file));
  if (checkpoint === undefined) throw tampered(file, 'is signed but is not a checkpoint');
  if (checkpoint.origin !== parseVkey(vkey).name) throw tampered(file, 'is the checkpoint of another log');
  return checkpoint;
}
