import { readStore } from '../evidence/store-read.ts';
import { parseConfig } from '../model/config.ts';
import type { Declaration } from '../model/declaration.ts';
import { createTables, openDatabase } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { insertDeclared } from './declared.ts';
import { openRecords } from './records.ts';
import { isInRange } from './store-segments.ts';
import { insertAddresses, insertEvents, insertFrom, markMembers } from './tables.ts';

/**
 * When the task that this declares had its first egress, RFC 3339, by what a store has sealed; undefined when it had none. Only
 * events received `since` (RFC 3339 with nanoseconds) are looked at. Seal first: what waits to be sealed is not seen.
 */
export async function hasEgress(store: string, declaration: Declaration, since: string): Promise<string | undefined> {
  const { segments } = await readStore(store);
  const events = segments.filter((one) => /^tetragon(-grpc)?$/.test(one.stream) && isInRange(one, since));
  if (events.length === 0) return undefined;
  const database = await openDatabase();
  try {
    await createTables(database);
    await openRecords(database, store, events);
    await insertEvents(database, true);
    await insertDeclared(database, declaration, parseConfig('', 'of nothing'), []);
    await markMembers(database, declaration);
    await insertFrom(database, 'flow', 'sources/egress');
    await database.run(`CREATE OR REPLACE TABLE given_resolution AS ${readQuery('sources/resolution')}`);
    await insertAddresses(database);
    await insertFrom(database, 'egress', 'sources/attribute');
    const [row] = await database.all(
      `SELECT strftime(min(opened), '%Y-%m-%dT%H:%M:%S.%fZ') AS first FROM egress WHERE task_id IS NOT NULL AND NOT inside`,
    );
    const first = row?.['first'];
    return typeof first === 'string' ? first : undefined;
  } finally {
    await database.close();
  }
}
