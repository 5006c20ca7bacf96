/** One sealed record that a report leans on, as a reader is shown it. */
export interface CitedRecord {
  /** As the report cites it: `stream/origin/seq`, for a record inside a file with `#id` behind. */
  readonly id: string;
  /** RFC 6962 leaf over envelope and raw bytes, lower-case hex: what the segment's Merkle root is over. */
  readonly leaf: string;
  /** When the source says that it was made, or when it came in; RFC 3339. */
  readonly time?: string;
  /** Segment file that holds it, its path inside the evidence folder. */
  readonly file: string;
  /** Size of the record as sealed. */
  readonly bytes: number;
  /** The record laid out for reading: masked as it was sealed, cut where it is long. Hostile text. */
  readonly text: string;
  /** What the text leaves out, in words; empty when nothing. */
  readonly left: string;
}

export interface CitedRecords {
  readonly records: readonly CitedRecord[];
  /** Ids that the report cites and that are not among the records: bounded, so that one finding can't bury a page. */
  readonly more: number;
}
