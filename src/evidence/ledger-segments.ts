import { join } from 'node:path';
import type { Segment } from '../model/record.ts';
import { readLedger } from './ledger-read.ts';

export function ledgerFolder(store: string): string {
  return join(store, 'ledger');
}

/**
 * The segments that the ledger of a store names, in its order, while a writer may be at work. Every byte of the ledger is
 * checked under its signature: throws `integrity` as `readLedger` does.
 */
export async function readLedgerSegments(
  store: string,
  vkey: string,
): Promise<{ segments: readonly Segment[]; checkpoint: string; size: number }> {
  const { entries, checkpoint, size } = await readLedger(ledgerFolder(store), vkey, { unfinished: 'ignore' });
  // Only we have signed: an entry is the canonical JSON of a segment.
  return { segments: entries.map((entry) => JSON.parse(entry.toString()) as Segment), checkpoint, size };
}
