import { type Database, openDatabase, type Parameter } from '../../src/query/database.ts';
import { readQuery } from '../../src/query/queries.ts';
import type { CloudTrailItem } from '../../src/sources/cloudtrail-object.ts';
import { parseSnapshots } from '../../src/sources/cloudtrail-trails.ts';
import { readAuditServices, readDataActions, readIamActions } from '../../src/sources/iam-actions.ts';
import { evidenceOf, judge, objectsOf } from './cloudtrail-fixtures.ts';

export type Values = Readonly<Record<string, string | number | boolean | null>>;

/** The canonical tables that the CloudTrail half reads or fills. */
const tables = [
  ...[
    'audit_event',
    'audit_lookup',
    'audit_object',
    'audit_service',
    'audit_snapshot',
    'data_action',
    'task',
    'declared_action',
  ],
  ...['declared_endpoint', 'declared_session', 'gap', 'iam_action', 'process', 'record', 'session', 'setting', 'use'],
];

/** Runs `use` on a database with the canonical tables and the data files of queries/. */
export async function withDatabase<T>(use: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase();
  try {
    for (const table of tables) await database.run(readQuery(`tables/${table}`));
    await database.insert('iam_action', readIamActions().map(toValues));
    await database.insert('audit_service', readAuditServices().map(toValues));
    await database.insert('data_action', readDataActions().map(toValues));
    return await use(database);
  } finally {
    await database.close();
  }
}

/** Inserts rows by column name; what is left out is null. */
export async function insertRows(database: Database, table: string, rows: readonly Values[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row).map((column) => `"${column}"`);
    const marks = columns.map(() => '?');
    await database.run(`INSERT INTO "${table}" (${columns.join(',')}) VALUES (${marks.join(',')})`, Object.values(row));
  }
}

/** Files what was read as records and derives audit_object, audit_snapshot and audit_event from them. */
export async function fileRecords(database: Database, items: readonly CloudTrailItem[]): Promise<void> {
  const objects = objectsOf(items);
  const records = objects.map((object) => {
    const evidence = evidenceOf(objects, object);
    return [object.stream, 'test', Number(evidence.split('/')[2]), 0, evidence, object.text];
  });
  await database.insert('record', records);
  await database.insert('audit_object', judge(items).map(toValues));
  const snapshots = objects
    .filter(({ inventory }) => inventory.kind === 'trails')
    .flatMap((object) => parseSnapshots(object.text, evidenceOf(objects, object)).rows);
  await database.insert('audit_snapshot', snapshots.map(toValues));
  await database.run(`INSERT INTO audit_event ${readQuery('sources/cloudtrail')}`);
}

/** Fills the session and use tables from what is there. */
export async function deriveUses(database: Database): Promise<void> {
  await database.run(`INSERT INTO session ${readQuery('sources/session')}`);
  await database.run(`INSERT INTO "use" ${readQuery('sources/use')}`);
}

/** The values of a row whose keys are in the order of the table's columns. */
function toValues(row: object): Parameter[] {
  return Object.values(row) as Parameter[];
}
