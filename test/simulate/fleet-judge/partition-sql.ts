import type { Database } from '../../../src/query/database.ts';
import { isOfWorlds, openScope, PartitionError } from './partition-scope.ts';
import { partitionQuery } from './partition-query.ts';
import { equal, integer, type QueryNode, type Tree } from './sql-tree.ts';

/**
 * Rewrites a query over the rows of one world into one over those of many, where every partitioned table has one more column
 * `world`, the last: its result for each world is that of the query over the world's rows alone, with the world as last
 * column. The worlds are the rows of table `world`. Works on DuckDB's own parse tree; what it does not know is an error.
 */
export interface Partitioner {
  /** `name` is told in errors. */
  partition(sql: string, name: string): Promise<string>;
}

/** `tables`: every table that queries may name, with whether it is partitioned. */
export async function openPartitioner(database: Database, tables: ReadonlyMap<string, boolean>): Promise<Partitioner> {
  const rows = await database.all(
    `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'`,
  );
  const aggregates = new Set(rows.map((row) => String(row['function_name'])));
  const known = new Map([...tables].map(([name, partitioned]) => [name.toLowerCase(), partitioned]));
  known.set('world', true);
  const text = async (sql: string, value: string): Promise<string> => {
    const [row] = await database.all(sql, [value]);
    return String(row?.['text']);
  };
  return {
    partition: async (sql, name) => {
      const scope = openScope(known, aggregates);
      const json = await text('SELECT json_serialize_sql(CAST(? AS VARCHAR)) AS text', sql);
      try {
        const tree = parseTree(json);
        const [statement, ...more] = tree.statements;
        if (statement === undefined || more.length > 0) throw new PartitionError('it is not one SELECT');
        if (!isOfWorlds(statement.node, scope)) throw new PartitionError('it names no partitioned table');
        const node = withoutCommas(partitionQuery(statement.node, scope));
        const changed = JSON.stringify({ ...tree, statements: [{ ...statement, node }] });
        return await text('SELECT json_deserialize_sql(CAST(? AS JSON)) AS text', changed);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new PartitionError(`${name} can't be partitioned: ${why}`, { cause });
      }
    },
  };
}

/** DuckDB writes a cross join as a comma, which binds less than the JOIN behind it: they are written as joins on true. */
function withoutCommas<T>(tree: T): T {
  if (Array.isArray(tree)) return tree.map(withoutCommas) as T;
  if (typeof tree !== 'object' || tree === null) return tree;
  const parts = Object.fromEntries(Object.entries(tree).map(([key, part]) => [key, withoutCommas(part as unknown)]));
  if (parts['ref_type'] !== 'CROSS') return parts as T;
  const always = equal(integer(1), integer(1));
  return { ...parts, ref_type: 'REGULAR', condition: parts['condition'] ?? always } as T;
}

interface Statements {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements: readonly { readonly node: QueryNode }[];
}

function parseTree(json: string): Statements {
  if (/"value":-?\d{16,}/.test(json)) throw new PartitionError('a number is too large');
  // Places in the text mean nothing after the rewriting, and "none" is a number that JavaScript can't hold.
  const tree = JSON.parse(json, (key, value: Tree) => (key === 'query_location' ? undefined : value)) as Statements;
  if (tree.error) throw new PartitionError(tree.error_message ?? 'it can not be parsed');
  return tree;
}
