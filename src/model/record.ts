/**
 * One sealed run of records of one (stream, origin): a Parquet file with its Merkle root (design 4).
 * Its canonical JSON (RFC 8785) is one entry of the ledger. Counts and sequence numbers are decimal strings where
 * they may pass 2^53; times are RFC 3339 with nanoseconds, null when no record bears one.
 */
export interface Segment {
  readonly stream: string;
  readonly origin: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly count: number;
  /** RFC 6962 root over the records' leaves, lower-case hex. */
  readonly root: string;
  readonly firstTime: string | null;
  readonly lastTime: string | null;
  /** Path inside the evidence folder, `/` between parts. */
  readonly file: string;
  readonly fileSha256: string;
}

/** `manifest.json`: everything a statement leans on; its digest is the statement's subject. */
export interface Manifest {
  readonly schema: 'tallystick/manifest/v1';
  readonly declaration: { readonly sha256: string };
  readonly config: { readonly sha256: string } | null;
  readonly report: { readonly sha256: string };
  /**
   * The ledger: its verifier key (signed-note form), its checkpoint, a signed note, and the signature lines of witnesses that
   * cosigned it (C2SP tlog-cosignature).
   */
  readonly ledger: {
    readonly vkey: string;
    readonly checkpoint: string;
    readonly cosignatures?: readonly string[];
  };
  readonly segments: readonly Segment[];
  /** Set where the evidence is a live store: `segments` and `files` are those that the report leans on. */
  readonly evidence?: 'store';
  /** Every file of the evidence folder with its digest, sorted by path. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** The SQL that judged, sorted by path. */
  readonly queries: readonly { readonly path: string; readonly sha256: string }[];
  readonly tool: { readonly name: string; readonly version: string };
}
