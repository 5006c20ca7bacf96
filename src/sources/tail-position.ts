import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { isMissing } from '../evidence/missing-file.ts';
import { fingerprintSchema } from './tail-fingerprint.ts';

const count = z.number().int().nonnegative();
const ns = z
  .string()
  .regex(/^\d{1,20}$/)
  .nullable();

const schema = z.strictObject({
  version: z.literal(1),
  id: z.strictObject({ dev: z.string(), ino: z.string(), born: z.string() }),
  /** Name that it was rotated away to, without what compression adds, as far as known. */
  key: z.string().nullable(),
  /** All before this byte is kept, or told as a gap. */
  offset: count,
  /**
   * What the file is known by: of more than nothing before the first record is handed over, so that what the log holds
   * more can't be mistaken for lines of another file. Null: compressed, known by its key.
   */
  print: fingerprintSchema.nullable(),
  /** Records that the log held then: what it holds more is what follows `offset`, but for the lines at `ahead`. */
  seq: count,
  /** Where lines after `offset` begin that are kept already. */
  ahead: z.array(count),
  /** Of the last line kept. */
  lastTime: ns,
  /** All that was written between these two, by the wall clock, is kept. */
  since: ns,
  until: ns,
  /** Keys of rotated files that are not to be read, or not again. */
  done: z.array(z.string()),
});

/** How far a file was followed. Times are ns since 1970. */
export type TailPosition = z.output<typeof schema>;

/** `damaged`: there is something, but no position. */
export async function readPosition(path: string): Promise<TailPosition | 'none' | 'damaged'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return 'none';
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return 'damaged';
  }
}

/** Throws a retryable `input` when it can't be written. */
export async function writePosition(path: string, position: TailPosition): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(position)}\n`, 0o600);
}
