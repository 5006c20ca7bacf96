import { join } from 'node:path';
import { sha256File } from '../evidence/seal.ts';
import { tampered } from '../evidence/tampered.ts';
import type { Segment } from '../model/record.ts';

/** Throws `integrity` naming a segment that is missing or not the file that the ledger names. */
export async function checkFiles(store: string, segments: readonly Segment[]): Promise<void> {
  for (const { file, fileSha256 } of segments) {
    const digest = await sha256File(join(store, file)).catch((cause: unknown) => {
      throw tampered(file, 'is missing, or can’t be read', cause);
    });
    if (digest !== fileSha256) throw tampered(file, 'is not the file that the ledger names: its SHA-256 differs');
  }
}
