import { createHash } from 'node:crypto';

/** Leaves room for `-FIRST-LAST.parquet.tmp` within the 255 bytes that file systems allow. */
const longest = 200;

/**
 * A file name for a stream or an origin, whatever hostile text it is: only `A-Za-z0-9._-` and `%`, never empty, never
 * hidden, never `.` or `..`, at most 200 characters. Two texts never share a name: other characters are
 * percent-encoded as UTF-8, and the forms for what that can't express (empty `%`, a lone surrogate `%uXXXX`, a long text's
 * start + `%-` + its SHA-256) are none that percent-encoding makes.
 */
export function fileNameOf(text: string): string {
  if (text === '') return '%';
  const name = Array.from(text, encodeCharacter).join('').replace(/^\./, '%2E');
  if (name.length <= longest) return name;
  const digest = createHash('sha256').update(name).digest('hex');
  return `${name.slice(0, longest - digest.length - 2)}%-${digest}`;
}

function encodeCharacter(character: string): string {
  if (/^[A-Za-z0-9._-]$/.test(character)) return character;
  if (/^[\ud800-\udfff]$/.test(character)) return `%u${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
