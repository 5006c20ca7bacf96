import { z } from 'zod';
import { TallyError } from './errors.ts';

/** What is kept of a declaration when it is recorded: its text and those of the granted policies that it names. */
const schema = z.strictObject({
  task: z.string(),
  /** The YAML as it was handed in. */
  declaration: z.string(),
  policies: z.array(z.string()),
  /** Recorded though the task had egress before. */
  late: z.boolean(),
});

/** One record of stream `tally`, origin `declared`. */
export type DeclaredRecord = z.output<typeof schema>;

export function parseDeclaredRecord(raw: string): DeclaredRecord {
  const parsed = schema.safeParse(JSON.parse(raw));
  if (parsed.success) return parsed.data;
  throw new TallyError('integrity', 'A record of stream tally, origin declared, is no declaration of ours.');
}
