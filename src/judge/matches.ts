import { matchUses } from '../proof/matching.ts';
import type { Database, Parameter, Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';

/** Queries that tell which uses another process tree could have made: columns event_id, node and tree (null: any on the node). */
export const sharedQueries: readonly string[] = ['sources/co-tenant', 'sources/unseen-node'];

/** Each use, and whether its source is an address of a known node, and of one of the task's. */
export const useSources = `
    SELECT u.event_id, count(n.name) > 0 AS source_known,
      count(n.name) FILTER (WHERE n.name IN (SELECT node FROM process WHERE task_id IS NOT NULL)) > 0 AS own_node
    FROM "use" AS u
    LEFT JOIN address AS a ON a.address = u.source
    LEFT JOIN setting AS n ON n.kind = 'node-egress' AND a.hex BETWEEN split_part(n.value, '-', 1) AND split_part(n.value, '-', 2)
    GROUP BY u.event_id ORDER BY u.event_id`;

/** Fills table use_match: which use fits which connection, a maximum matching among them, and who else could have made it. */
export async function insertMatches(database: Database): Promise<void> {
  const pairs = await database.all(readQuery('sources/use-candidate'));
  const shared: Row[] = [];
  for (const query of sharedQueries) shared.push(...(await database.all(readQuery(query))));
  const sources = await database.all(useSources);
  await database.insert('use_match', toMatchRows({ pairs, shared, sources }));
}

/** `pairs`: of sources/use-candidate. `shared`: of `sharedQueries`. `sources`: of `useSources`. */
interface Matchable {
  readonly pairs: readonly Row[];
  readonly shared: readonly Row[];
  readonly sources: readonly Row[];
}

/** Rows of table use_match. */
export function toMatchRows({ pairs, shared, sources }: Matchable): Parameter[][] {
  const candidates = pairs.map((row) => ({ use: String(row['event_id']), connection: String(row['egress_id']) }));
  const matching = matchUses(candidates);
  const rivals = toRivals(shared);
  const fits = groupBy(candidates);
  const uses = sources.flatMap((row): Parameter[][] => {
    const use = String(row['event_id']);
    const connections = fits.get(use) ?? [];
    const { trees, unwatched } = rivals.get(use) ?? noRivals;
    const alternatives = trees.size;
    const names = unwatched.size > 0 ? [...unwatched].sort().join(', ') : null;
    const rest = [row['source_known'] === true, row['own_node'] === true, alternatives, names];
    if (connections.length === 0) return [[use, null, 0, false, 'none', ...rest]];
    const strength = alternatives > 0 ? 'shared' : 'only';
    const chosen = connections.filter((connection) => matching.get(connection) === use);
    // a use that explains no connection by itself rides on one that another use explains
    const rides = chosen.length > 0 ? chosen : connections.slice(0, 1);
    return rides.map((connection) => [use, connection, connections.length, chosen.length > 0, strength, ...rest]);
  });
  // an issuance that a token paid for is no use, but explains its connection
  const known = new Set(sources.map((row) => String(row['event_id'])));
  const issuances = [...matching]
    .filter(([, use]) => !known.has(use))
    .map(([connection, use]) => [use, connection, fits.get(use)?.length ?? 0, true, 'none', true, true, 0, null])
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return [...uses, ...issuances];
}

interface Rivals {
  /** Process trees, and nodes of which nothing is known. */
  readonly trees: ReadonlySet<string>;
  readonly unwatched: ReadonlySet<string>;
}

const noRivals: Rivals = { trees: new Set(), unwatched: new Set() };

/** By use. */
function toRivals(shared: readonly Row[]): Map<string, Rivals> {
  const rivals = new Map<string, { trees: Set<string>; unwatched: Set<string> }>();
  for (const row of shared) {
    const use = String(row['event_id']);
    const known = rivals.get(use) ?? { trees: new Set(), unwatched: new Set() };
    known.trees.add(JSON.stringify([row['node'], row['tree']]));
    if (row['tree'] === null) known.unwatched.add(String(row['node']));
    rivals.set(use, known);
  }
  return rivals;
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
