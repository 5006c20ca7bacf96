import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from './atomic-file.ts';
import { canonicalJson } from './canonical-json.ts';
import { ledgerFolder, readLedgerSegments } from './ledger-segments.ts';
import { type SealedLogs, sealedLogs } from './sealed-logs.ts';
import type { ClosedWal, Sealer, SegmentDraft } from './sealer.ts';
import { toVkey } from './signed-note.ts';
import { appendEntries, type LedgerSigner } from './tiles.ts';

export interface SealedFiles {
  /** How many of the files are done. */
  readonly files: number;
  readonly segments: number;
}

/** The ledger of a store that this process writes. */
export interface SegmentLedger {
  /**
   * Makes the first of these log files segments, in order, as many as take some time, adds them to the ledger in one step,
   * and removes the files. What is in the ledger already is only removed: after a failure it may be called again with the
   * same files.
   */
  seal(files: readonly ClosedWal[], sealer: Sealer): Promise<SealedFiles>;
}

/** ms after which what is drafted goes to the ledger: a process that is killed again and again has to get on, too. */
const longestStep = 500;

export function segmentLedger(store: string, signer: LedgerSigner): SegmentLedger {
  let sealed: SealedLogs | undefined;

  return {
    async seal(files, sealer) {
      const logs = sealed ?? (await readSealed(store, signer));
      sealed = undefined; // what a call that fails has come to, only the ledger tells
      const drafts: SegmentDraft[] = [];
      const done: ClosedWal[] = [];
      const end = performance.now() + longestStep;
      try {
        for (const file of files) {
          if (drafts.length > 0 && performance.now() > end) break;
          done.push(file);
          const from = logs.nextSeq(file);
          if (file.firstSeq + file.records <= from) continue;
          const draft = await sealer.draft(file, from);
          drafts.push(draft);
          logs.add(draft.segment);
        }
        if (drafts.length > 0) await commit(store, signer, drafts);
      } catch (error) {
        for (const { path } of drafts) await rm(path, { force: true });
        throw error;
      }
      for (const { path } of done) await rm(path, { force: true });
      await syncFolders(done.map(({ path }) => path));
      sealed = logs;
      return { files: done.length, segments: drafts.length };
    },
  };
}

async function readSealed(store: string, signer: LedgerSigner): Promise<SealedLogs> {
  const { segments } = await readLedgerSegments(store, toVkey(signer.origin, signer.privateKey));
  return sealedLogs(segments);
}

async function commit(store: string, signer: LedgerSigner, drafts: readonly SegmentDraft[]): Promise<void> {
  for (const { path, segment } of drafts) await rename(path, join(store, segment.file));
  await syncFolders(drafts.map(({ path }) => path));
  const entries = drafts.map(({ segment }) => canonicalJson(segment));
  await appendEntries(ledgerFolder(store), entries, signer);
}

async function syncFolders(paths: readonly string[]): Promise<void> {
  for (const folder of new Set(paths.map((path) => dirname(path)))) await syncFolder(folder);
}
