import { type Database, type Parameter, type Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { checkDigests } from '../sources/cloudtrail-digest.ts';
import { type PublicKey, parsePublicKeys } from '../sources/cloudtrail-signature.ts';
import { parseSnapshots } from '../sources/cloudtrail-trails.ts';
import { readAuditServices, readDataActions, readIamActions } from '../sources/iam-actions.ts';

/** What was sealed about a CloudTrail object before its secrets were masked. */
interface Inventory {
  readonly object: string;
  readonly kind: string;
  readonly sha256: string;
  readonly trailing: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly masked: number;
  readonly record_sha256: string;
}

/** Records of the provider's half that are read here; the log files' contents are left to SQL. */
export const auditSelects = {
  config: `SELECT raw, evidence FROM record WHERE stream = 'cloudtrail-config' ORDER BY evidence`,
  inventory: `SELECT raw FROM record WHERE stream = 'cloudtrail-object' ORDER BY evidence`,
  digests: `SELECT raw, evidence, sha256(encode(raw)) AS sealed FROM record WHERE stream = 'cloudtrail-digest' ORDER BY evidence`,
  logs: `SELECT evidence, sha256(encode(raw)) AS sealed FROM record WHERE stream = 'cloudtrail' ORDER BY evidence`,
} as const;

/** Rows of each of them. */
export type AuditRecords = Readonly<Record<keyof typeof auditSelects, readonly Row[]>>;

/** Fills the tables of the provider's half: objects with the state of their digest chain, trail snapshots, records. */
export async function insertAudit(database: Database): Promise<void> {
  await insertServices(database);
  await database.run(`INSERT INTO gap ${problemSelect}`);
  const { snapshots, gaps, objects } = toAuditRows({
    config: await database.all(auditSelects.config),
    inventory: await database.all(auditSelects.inventory),
    digests: await database.all(auditSelects.digests),
    logs: await database.all(auditSelects.logs),
  });
  await database.insert('audit_snapshot', snapshots);
  await database.insert('gap', gaps);
  await database.insert('audit_object', objects);
  await database.run(`INSERT INTO audit_event ${readQuery('sources/cloudtrail')}`);
  await database.run(`INSERT INTO audit_lookup ${readQuery('sources/audit-lookup')}`);
}

/** What is the same whatever the evidence: tables iam_action, audit_service and data_action. */
export async function insertServices(database: Database): Promise<void> {
  await database.insert('iam_action', readIamActions().map(values));
  await database.insert('audit_service', readAuditServices().map(values));
  await database.insert('data_action', readDataActions().map(values));
}

/** Rows of tables audit_snapshot, gap and audit_object. */
export function toAuditRows(records: AuditRecords): Record<'snapshots' | 'gaps' | 'objects', Parameter[][]> {
  const publicKeys: PublicKey[] = [];
  const snapshots: Parameter[][] = [];
  const gaps: Parameter[][] = [];
  for (const row of records.config) {
    const text = String(row['raw']);
    const evidence = String(row['evidence']);
    const keys = parsePublicKeys(text);
    if (keys !== undefined) {
      publicKeys.push(...keys);
      continue;
    }
    const { rows, problems } = parseSnapshots(text, evidence);
    snapshots.push(...rows.map(values));
    gaps.push(...problems.map((why) => ['cloudtrail', '', null, null, 'unreadable-file', why, 1, evidence]));
  }
  const objects = checkDigests({ ...toObjects(records), publicKeys }).map(values);
  return { snapshots, gaps, objects };
}

function values(row: object): Parameter[] {
  return Object.values(row) as Parameter[];
}

/**
 * Inputs that could not be taken in, as they were sealed: each is a gap of unknown time, but what was received tells of
 * nothing later.
 */
export const problemSelect = `
    SELECT coalesce(j ->> '$.stream', 'tetragon'), CASE WHEN j ->> '$.stream' = 'cloudtrail' THEN coalesce(j ->> '$.file', '') ELSE '' END,
      NULL, CASE WHEN received_at > 0 THEN make_timestamp(received_at // 1000) END,
      coalesce(j ->> '$.why', 'broken-line'), coalesce(j ->> '$.detail', 'What could not be taken in was recorded, but can not be read.'),
      TRY_CAST(j ->> '$.count' AS BIGINT), evidence
    FROM (SELECT TRY_CAST(raw AS JSON) AS j, received_at, evidence FROM record WHERE stream = 'tally' AND origin = 'problem')`;

function toInventory(rows: readonly Row[]): Map<string, Inventory[]> {
  const bySealed = new Map<string, Inventory[]>();
  for (const row of rows) {
    const entry = parseInventory(String(row['raw']));
    if (entry === undefined) continue; // its object is then one that nothing vouches for
    bySealed.set(entry.record_sha256, [...(bySealed.get(entry.record_sha256) ?? []), entry]);
  }
  return bySealed;
}

function parseInventory(raw: string): Inventory | undefined {
  try {
    return (JSON.parse(raw) as Inventory | null) ?? undefined;
  } catch {
    return undefined;
  }
}

interface Objects {
  readonly digests: {
    object: string;
    sha256: string;
    text: string;
    signature: string | undefined;
    trailing: boolean;
    evidence: string;
  }[];
  readonly logs: { object: string; sha256: string; trailing: boolean; evidence: string }[];
}

function toObjects(records: AuditRecords): Objects {
  const inventory = toInventory(records.inventory);
  const objects: Objects = { digests: [], logs: [] };
  for (const row of records.digests) {
    for (const entry of entriesOf(row, inventory)) {
      const signature = entry.metadata['x-amz-meta-signature'];
      objects.digests.push({ ...entry, text: String(row['raw']), signature });
    }
  }
  for (const row of records.logs) objects.logs.push(...entriesOf(row, inventory));
  return objects;
}

/**
 * The objects that a sealed record stands for. Where nothing was masked, the hash is that of the sealed bytes; else it is the one
 * sealed when the file was read.
 */
function entriesOf(
  row: Row,
  inventory: ReadonlyMap<string, readonly Inventory[]>,
): (Inventory & { evidence: string })[] {
  const sealed = String(row['sealed']);
  const evidence = String(row['evidence']);
  return (inventory.get(sealed) ?? []).map((entry) => ({
    ...entry,
    sha256: entry.masked === 0 ? sealed : entry.sha256,
    evidence,
  }));
}
