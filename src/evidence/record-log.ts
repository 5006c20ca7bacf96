/** The records of one (stream, origin), kept in the order of the calls. */
export interface RecordLog {
  /** Sequence number of the next record. */
  readonly nextSeq: number;
  /**
   * Resolves once the record is on disk. Never waits and never throws: reading from a source must not stop for the disk.
   * Rejects with a retryable `input` when the record can't be kept (disk full, too much waiting in memory): it is counted
   * then, and a gap with its bounds is recorded as soon as there is room again. The buffer belongs to the log from here on.
   */
  append(record: Buffer, receivedAtNs: bigint): Promise<void>;
}

/** What a log does with the records that it can't keep. */
export interface LogOptions {
  /** Time of a record in ns, for the bounds of a gap; else its time of receipt counts. */
  readonly timeOf?: (record: Buffer) => bigint | undefined;
  /** The way in sends again what is refused: a refusal loses nothing and makes no gap. */
  readonly resends?: boolean;
}

/** A stretch in which records of a (stream, origin) may be missing: kept as a record of stream `tally`, origin `gap`. */
export interface GapRecord {
  readonly stream: string;
  readonly origin: string;
  /** RFC 3339 in UTC; null when it is not known. */
  readonly from: string | null;
  readonly until: string | null;
  /** Code of table gap: stream-gap, broken-line, truncated-file … */
  readonly why: string;
  readonly detail: string;
  readonly count: number | null;
}

/** Where ways in put what they receive. */
export interface Records {
  /** The same log for the same (stream, origin). */
  log(stream: string, origin: string, options?: LogOptions): Promise<RecordLog>;
  /** Keeps a gap; as durable as any record. */
  gap(gap: GapRecord): Promise<void>;
}

/** A way in that runs until it is told to stop. It retries what can be retried and throws only on a mistake of the operator. */
export interface WayIn {
  run(signal: AbortSignal): Promise<void>;
}
