import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Segment } from '../model/record.ts';
import { isMissing } from './missing-file.ts';
import type { GapRecord } from './record-log.ts';
import { toTime } from './seal.ts';
import { logKey, type SealedLogs } from './sealed-logs.ts';
import type { ClosedWal } from './sealer.ts';
import { tampered } from './tampered.ts';
import { listWal, readWalFile } from './wal-folder.ts';
import { parseWal } from './wal-format.ts';

/** What the last writer of a store left. */
export interface Leftovers {
  /** For the sealer, each log in order. */
  readonly files: readonly ClosedWal[];
  /** Number of the next record of each log that has files here, by `logKey`. */
  readonly nextSeqs: ReadonlyMap<string, number>;
  /** Ends that a crash left unfinished; to be cut once their gap is kept. */
  readonly torn: readonly TornEnd[];
  /** Files that hold nothing which is not sealed; to be removed. */
  readonly done: readonly ClosedWal[];
}

export interface TornEnd {
  readonly path: string;
  /** Where the file has to end; undefined where it holds no record and goes as a whole. */
  readonly offset: number | undefined;
  readonly gap: GapRecord;
}

/** Reads all log files. Throws `integrity` when a record that had been safe on disk is damaged or missing. */
export async function recoverLogs(store: string, sealed: SealedLogs, now: bigint): Promise<Leftovers> {
  const files: ClosedWal[] = [];
  const torn: TornEnd[] = [];
  for (const path of await listWal(store)) {
    const bytes = path.endsWith('.tmp') ? undefined : await readWalFile(path);
    const content = bytes === undefined ? undefined : parseWal(bytes, path);
    if (bytes === undefined || content?.firstSeq === undefined) {
      await rm(path, { force: true }); // never held a record
      continue;
    }
    const { name, firstSeq, records } = content;
    if (name === undefined) throw tampered(path, 'does not say whose records it holds');
    if (content.torn !== undefined) {
      const from = records.at(-1)?.receivedAt;
      const offset = records.length === 0 ? undefined : content.torn.offset;
      torn.push({ path, offset, gap: tornGap(name, content.torn.bytes, from, now) });
    }
    files.push({ path, ...name, firstSeq, records: records.length, bytes: bytes.length });
  }
  files.sort((a, b) => a.firstSeq - b.firstSeq);
  return { torn, ...chain(files, sealed) };
}

/** Tells what is sealed already; the rest of each log has to follow without a hole. */
function chain(files: readonly ClosedWal[], sealed: SealedLogs): Omit<Leftovers, 'torn'> {
  const nextSeqs = new Map<string, number>();
  const waiting: ClosedWal[] = [];
  const done: ClosedWal[] = [];
  for (const file of files) {
    const key = logKey(file);
    const next = nextSeqs.get(key) ?? sealed.nextSeq(file);
    if (file.firstSeq > next)
      throw tampered(file.path, `begins with record ${file.firstSeq}; those from ${next} on were taken away`);
    const end = file.firstSeq + file.records;
    nextSeqs.set(key, Math.max(next, end));
    (end > next ? waiting : done).push(file);
  }
  return { files: waiting, done, nextSeqs };
}

function tornGap(
  { stream, origin }: { stream: string; origin: string },
  bytes: number,
  from: bigint | undefined,
  now: bigint,
): GapRecord {
  return {
    stream,
    origin,
    from: from === undefined ? null : toTime(from),
    until: toTime(now),
    why: 'stream-gap',
    detail: `the collector was ended while it wrote: ${bytes} bytes at the end of its log are no whole records`,
    count: null,
  };
}

export async function cutTornEnd({ path, offset }: TornEnd): Promise<void> {
  if (offset === undefined) return; // its name may be that of a new file by now
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what an interrupted sealing left: drafts, and segment files that no ledger names. */
export async function removeUnsealed(store: string, segments: readonly Segment[]): Promise<void> {
  const named = new Set(segments.map(({ file }) => join(store, file)));
  const found = await readdir(join(store, 'segments'), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    },
  );
  for (const item of found) {
    const path = join(item.parentPath, item.name);
    if (!item.isDirectory() && !named.has(path) && /\.parquet(\.tmp)?$/.test(item.name)) await rm(path);
  }
}
