import type { Segment } from '../model/record.ts';

/** A log file that takes no more records and waits to become a segment. */
export interface ClosedWal {
  readonly path: string;
  readonly stream: string;
  readonly origin: string;
  readonly firstSeq: number;
  readonly records: number;
  readonly bytes: number;
}

/** A segment whose file has not got its name yet. */
export interface SegmentDraft {
  /** As the ledger will name it. */
  readonly segment: Segment;
  /** Path of the file that is to become `segment.file`. */
  readonly path: string;
}

/**
 * Does the work of sealing: on this thread, or in a process of its own. It writes drafts only, under names that no one else
 * uses: one that goes on while its collector was killed and another has the store does no harm.
 */
export interface Sealer {
  /** Masks the records of a log file from number `from` on and writes them as a segment; its bytes are on disk. */
  draft(wal: ClosedWal, from: number): Promise<SegmentDraft>;
  close(): Promise<void>;
}

export interface SealContext {
  /** Folder of the store. */
  readonly store: string;
  /** Key of the hashes that stand for masked secrets. */
  readonly maskKey: Buffer;
}

export type OpenSealer = (context: SealContext) => Promise<Sealer>;
