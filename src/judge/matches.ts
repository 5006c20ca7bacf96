import { matchUses } from '../proof/matching.ts';
import type { Database, Parameter } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';

/** Fills table use_match: which use fits which connection, a maximum matching among them, and who else could have made it. */
export async function insertMatches(database: Database): Promise<void> {
  const candidates = (await database.all(readQuery('sources/use-candidate'))).map((row) => ({
    use: String(row['event_id']),
    connection: String(row['egress_id']),
  }));
  const matching = matchUses(candidates);
  const shared = new Set<string>();
  for (const query of ['sources/co-tenant', 'sources/unseen-node']) {
    for (const row of await database.all(readQuery(query))) shared.add(String(row['event_id']));
  }
  const sources = await database.all(`
    SELECT u.event_id, count(n.name) > 0 AS source_known,
      count(n.name) FILTER (WHERE n.name IN (SELECT node FROM process WHERE task_id IS NOT NULL)) > 0 AS own_node
    FROM "use" AS u
    LEFT JOIN address AS a ON a.address = u.source
    LEFT JOIN setting AS n ON n.kind = 'node-egress' AND a.hex BETWEEN split_part(n.value, '-', 1) AND split_part(n.value, '-', 2)
    GROUP BY u.event_id ORDER BY u.event_id`);
  const fits = groupBy(candidates);
  const rows = sources.flatMap((row): Parameter[][] => {
    const use = String(row['event_id']);
    const connections = fits.get(use) ?? [];
    const flags = [row['source_known'] === true, row['own_node'] === true];
    if (connections.length === 0) return [[use, null, 0, false, 'none', ...flags]];
    const strength = shared.has(use) ? 'shared' : 'only';
    const chosen = connections.filter((connection) => matching.get(connection) === use);
    // a use that explains no connection by itself rides on one that another use explains
    const rides = chosen.length > 0 ? chosen : connections.slice(0, 1);
    return rides.map((connection) => [use, connection, connections.length, chosen.length > 0, strength, ...flags]);
  });
  await database.insert('use_match', rows);
}

function groupBy(candidates: readonly { use: string; connection: string }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { use, connection } of candidates) {
    const group = groups.get(use);
    if (group === undefined) groups.set(use, [connection]);
    else group.push(connection);
  }
  return groups;
}
