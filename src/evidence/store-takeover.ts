import { rm } from 'node:fs/promises';
import { TallyError } from '../model/errors.ts';
import type { Segment } from '../model/record.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { listLedger } from './ledger-folder.ts';
import { ledgerFolder, readLedgerSegments } from './ledger-segments.ts';
import { type SealedLogs, sealedLogs } from './sealed-logs.ts';
import { toVkey } from './signed-note.ts';
import { readVkey, vkeyFile } from './store-read.ts';
import { type Leftovers, recoverLogs, removeUnsealed } from './store-recovery.ts';
import { tampered } from './tampered.ts';
import { appendEntries, type LedgerSigner } from './tiles.ts';

/**
 * What is sealed in a store, and what its last writer left, once its ledger and folder are cleared up. Without a signer the
 * ledger stays as it is.
 */
export async function takeOver(
  path: string,
  signer: LedgerSigner | undefined,
  now: bigint,
): Promise<{ sealed: SealedLogs; left: Leftovers }> {
  const segments = signer === undefined ? await readSealed(path) : await takeOverLedger(path, signer);
  const sealed = sealedLogs(segments);
  const left = await recoverLogs(path, sealed, now);
  for (const file of left.done) if (file.records === 0) await rm(file.path, { force: true });
  return { sealed, left };
}

async function readSealed(path: string): Promise<readonly Segment[]> {
  const vkey = await readVkey(path);
  if (vkey !== undefined) return (await readLedgerSegments(path, vkey)).segments;
  if ((await listLedger(ledgerFolder(path))).some((file) => file !== 'checkpoint'))
    throw tampered(vkeyFile(path), 'is missing');
  return [];
}

async function takeOverLedger(path: string, signer: LedgerSigner): Promise<readonly Segment[]> {
  const vkey = toVkey(signer.origin, signer.privateKey);
  const known = await readVkey(path);
  const name = known?.split('+')[0] ?? signer.origin;
  if (name !== signer.origin) {
    const what = `the ledger of the store ${path} is named ${name}, not ${signer.origin}`;
    throw new TallyError('key', `${what}; set attest.origin to that name, or take another store`);
  }
  if (known !== undefined && known !== vkey)
    throw new TallyError('key', `the store ${path} was begun with another key; use that key, or another store`);
  await appendEntries(ledgerFolder(path), [], signer); // clears up
  if (known === undefined) await writeFileAtomic(vkeyFile(path), `${vkey}\n`);
  const { segments } = await readLedgerSegments(path, vkey);
  await removeUnsealed(path, segments);
  return segments;
}
