import { verify } from 'node:crypto';
import { tampered } from './tampered.ts';
import { type NoteKey, parseSignatureLine } from './signed-note.ts';

/** That a witness saw a log grow into this checkpoint, and never otherwise (C2SP tlog-cosignature, Ed25519). */
export interface Cosignature {
  /** Key name of the witness. */
  readonly name: string;
  /** When it cosigned, by its own clock: RFC 3339. */
  readonly time: string;
  /** As in a note, without the newline. */
  readonly line: string;
}

/**
 * Reads a signature line as a cosignature by this key over the text of a checkpoint; undefined where it is of another key.
 * Throws `integrity`, naming `file`, where it is of this key but does not fit.
 */
export function openCosignature(line: string, text: string, key: NoteKey, file: string): Cosignature | undefined {
  const { name, id, signature } = parseSignatureLine(line) ?? {};
  if (name !== key.name || id?.equals(key.id) !== true || signature === undefined) return undefined;
  const seconds = signature.length === 72 ? signature.readBigUInt64BE() : undefined;
  const time = seconds === undefined ? undefined : toTime(seconds);
  if (seconds === undefined || time === undefined)
    throw tampered(file, `the cosignature of ${key.name} has another form than it must have`);
  const message = Buffer.from(`cosignature/v1\ntime ${String(seconds)}\n${text}`);
  if (!verify(null, message, key.publicKey, signature.subarray(8)))
    throw tampered(file, `the cosignature of ${key.name} does not fit the checkpoint`);
  return { name, time, line };
}

/** Undefined beyond the year 9999: RFC 3339 has no later one, and no witness either. */
function toTime(seconds: bigint): string | undefined {
  return seconds < 253_402_300_800n ? new Date(Number(seconds) * 1000).toISOString().replace('.000', '') : undefined;
}
