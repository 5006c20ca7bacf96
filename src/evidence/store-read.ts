import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TallyError } from '../model/errors.ts';
import type { Segment } from '../model/record.ts';
import { readLedgerSegments } from './ledger-segments.ts';
import { isMissing } from './missing-file.ts';
import { listWal, readWalFile } from './wal-folder.ts';
import { type LogName, scanWal } from './wal-format.ts';

export interface StoreContent {
  /** In the order of the ledger. */
  readonly segments: readonly Segment[];
  /** Head of the ledger: a signed note. */
  readonly checkpoint: string;
  /** Verifier key of the ledger, as the store itself names it. */
  readonly vkey: string;
  /** Entries of the ledger. */
  readonly size: number;
}

/**
 * What is sealed in a store, while a writer may be at work. Throws `input` where there is no store, `integrity` when its
 * ledger does not check out.
 */
export async function readStore(store: string): Promise<StoreContent> {
  const vkey = await readVkey(store);
  if (vkey === undefined)
    throw new TallyError('input', `${store} is no store of the collector: start \`tally collect\` with it first`);
  return { vkey, ...(await readLedgerSegments(store, vkey)) };
}

/** The verifier key of a store's ledger; undefined where there is none yet. */
export async function readVkey(store: string): Promise<string | undefined> {
  const file = vkeyFile(store);
  try {
    return (await readFile(file, 'utf8')).trimEnd();
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new TallyError('input', `${file}: can't be read`, { cause });
  }
}

export function vkeyFile(store: string): string {
  return join(store, 'ledger.vkey');
}

export interface UnsealedLog extends LogName {
  readonly path: string;
  readonly firstSeq: number;
  readonly records: number;
  /** Times of receipt of its first and last record, ns since 1970; undefined without records. */
  readonly firstTime: bigint | undefined;
  readonly lastTime: bigint | undefined;
}

/**
 * The log files of a store, also those that are being written: nothing is locked, cut or changed. A file whose records
 * are sealed but that is not removed yet may be among them.
 */
export async function readUnsealed(store: string): Promise<UnsealedLog[]> {
  const logs: UnsealedLog[] = [];
  for (const path of await listWal(store)) {
    const bytes = path.endsWith('.tmp') ? undefined : await readWalFile(path);
    if (bytes === undefined) continue;
    const { name, firstSeq, records } = scanWal(bytes, path);
    if (name === undefined || firstSeq === undefined) continue;
    const [first, last] = [records[0]?.receivedAt, records.at(-1)?.receivedAt];
    logs.push({ ...name, path, firstSeq, records: records.length, firstTime: first, lastTime: last });
  }
  return logs;
}
