import { join } from 'node:path';
import { leafSql, rawKindOf } from '../evidence/seal.ts';
import type { CitedRecord, CitedRecords } from '../model/cited-record.ts';
import type { Segment } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { type Database, literal, openDatabase } from '../query/database.ts';
import { decodeFrame } from '../sources/tetragon-frames.ts';
import { chooseCited } from './cited-ids.ts';
import { openCitedText } from './cited-text.ts';
import { recordId } from './records.ts';

/** A longer record is told, not shown: one log file of a provider can be as large as memory. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Reads the records that a report cites from sealed segments, with the leaf of each. `evidence`: the folder that the segments'
 * paths begin at. An id that no segment holds is counted in `more`.
 */
export async function readCitedRecords(
  evidence: string,
  segments: readonly Segment[],
  report: Report,
): Promise<CitedRecords> {
  const { ids, more } = chooseCited(report);
  if (ids.length === 0) return { records: [], more };
  const bySource = groupBySource(segments);
  const database = await openDatabase({ threads: 1, memory: '256MB' });
  try {
    const found = new Map<string, CitedRecord>();
    for (const record of findRecords(ids, bySource)) {
      for (const cited of await readRecord(database, evidence, record)) found.set(cited.id, cited);
    }
    const records = ids.flatMap((id) => found.get(id) ?? []);
    return { records, more: more + ids.length - records.length };
  } finally {
    await database.close();
  }
}

type SegmentsBySource = ReadonlyMap<string, readonly Segment[]>;

/** By what ids of their records begin with. */
function groupBySource(segments: readonly Segment[]): SegmentsBySource {
  const groups = new Map<string, Segment[]>();
  for (const segment of segments) {
    const prefix = recordId(segment.stream, segment.origin, 0).replace(/0$/, '');
    const group = groups.get(prefix);
    if (group === undefined) groups.set(prefix, [segment]);
    else group.push(segment);
  }
  return groups;
}

/** A sealed record, and the ids that cite it: of a file, one for each record in it. */
interface Wanted {
  readonly segment: Segment;
  readonly seq: number;
  readonly ids: string[];
}

/** An id that names no record of these segments is left out. */
function findRecords(ids: readonly string[], bySource: SegmentsBySource): Iterable<Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const id of ids) {
    const [record = '', prefix = '', digits] = /^([^#]*\/)(\d{1,15})(?=#|$)/.exec(id) ?? [];
    if (digits === undefined) continue;
    const seq = Number(digits);
    const segment = bySource.get(prefix)?.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
    const known = wanted.get(record);
    if (known !== undefined) known.ids.push(id);
    else if (segment !== undefined) wanted.set(record, { segment, seq, ids: [id] });
  }
  return wanted.values();
}

async function readRecord(
  database: Database,
  evidence: string,
  { segment, seq, ids }: Wanted,
): Promise<readonly CitedRecord[]> {
  const row = await readRow(database, evidence, segment, seq);
  if (row === undefined) return [];
  const { leaf, bytes, raw } = row;
  const show = raw === undefined ? () => tooLong : openCitedText(raw);
  return ids.map((id) => {
    const part = id.includes('#') ? id.slice(id.indexOf('#') + 1) : undefined;
    return { id, leaf, file: segment.file, bytes, ...show(part) };
  });
}

const tooLong = { text: '', left: 'all of it: it is too long to be shown' };

interface SealedRow {
  readonly leaf: string;
  readonly bytes: number;
  /** Undefined for one that is too long to be shown. */
  readonly raw: string | undefined;
}

async function readRow(
  database: Database,
  evidence: string,
  { stream, origin, file }: Segment,
  seq: number,
): Promise<SealedRow | undefined> {
  const kind = rawKindOf(stream);
  const size = kind === 'text' ? 'strlen(raw)' : 'octet_length(raw)';
  const rows = await database.connection.runAndReadAll(
    `SELECT ${leafSql(stream, origin, kind)}, ${size}, CASE WHEN ${size} <= ${maxBytes} THEN raw END
      FROM ${literal(join(evidence, file))} WHERE seq = ${seq}`,
  );
  const [row] = rows.getRows() as [string, bigint, string | { bytes: Uint8Array } | null][];
  if (row === undefined) return undefined;
  const [leaf, bytes, raw] = row;
  return {
    leaf,
    bytes: Number(bytes),
    raw: raw === null ? undefined : typeof raw === 'string' ? raw : toLine(raw.bytes),
  };
}

function toLine(frame: Uint8Array): string {
  const decoded = decodeFrame(frame);
  return decoded.kind === 'line' ? decoded.line : decoded.why;
}
