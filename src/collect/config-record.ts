import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import type { Records } from '../evidence/record-log.ts';
import { wallClock } from '../sources/sensor-line.ts';

/** Keeps the configuration that is in force from now on, unless it is the one kept last. */
export async function keepConfig(records: Records, store: string, text: string): Promise<void> {
  const file = join(store, 'state', 'config.sha256');
  const digest = createHash('sha256').update(text).digest('hex');
  const before = await readFile(file, 'utf8').catch(() => ''); // kept once more when that can't be told: harmless
  if (before === digest) return;
  const log = await records.log('tally', 'config');
  await log.append(Buffer.from(text), wallClock());
  await writeFileAtomic(file, digest);
}
