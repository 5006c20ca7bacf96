import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase, type Row } from '../../../src/query/database.ts';
import { openRandom, type Random } from '../random.ts';
import { openPartitioner, type Partitioner } from './partition-sql.ts';

/*
 * Tables a (k, v, s), b (k, w) and l (k, list) have rows of worlds; c (k, name) is the same for all. What a rewritten query
 * gives for a world has to be what the query gives over that world's rows alone.
 */

const worlds = [0, 1, 2, 3];
/** Has no rows at all. */
const emptyWorld = 3;

let database: Database;
let partitioner: Partitioner;
beforeAll(async () => {
  database = await openDatabase({ threads: 1 });
  await database.run('CREATE SCHEMA fleet; CREATE SCHEMA alone; CREATE TABLE world (world INTEGER)');
  const tables = { a: 'k INTEGER, v INTEGER, s VARCHAR', b: 'k INTEGER, w INTEGER', l: 'k INTEGER, list INTEGER[]' };
  for (const [table, columns] of Object.entries(tables)) {
    await database.run(`CREATE TABLE fleet.${table} (${columns}, world INTEGER)`);
    await database.run(
      `CREATE VIEW alone.${table} AS SELECT * EXCLUDE (world) FROM fleet.${table} WHERE world = getvariable('alone')`,
    );
  }
  await database.run(`CREATE TABLE c AS FROM (VALUES (1, 'one'), (2, 'two'), (7, 'seven')) AS c(k, name)`);
  await database.run(`INSERT INTO world VALUES ${worlds.map((world) => `(${world})`).join(', ')}`);
  const partitioned = Object.keys(tables).map((table) => [table, true] as const);
  partitioner = await openPartitioner(database, new Map([...partitioned, ['c', false]]));
});
afterAll(() => database.close());

const shapes: Readonly<Record<string, readonly string[]>> = {
  projection: [
    'SELECT k, v + 1 AS n FROM a',
    'SELECT * FROM a',
    'FROM b',
    'SELECT a.*, b.w FROM a, b',
    'SELECT * EXCLUDE (v) FROM a',
    'SELECT * REPLACE (v + 1 AS v) FROM a',
    'SELECT x.*, name FROM a AS x JOIN c ON c.k = x.k',
    'SELECT c.*, v FROM a AS x JOIN c ON c.k = x.k',
  ],
  'inner joins': [
    'SELECT a.k, b.w FROM a JOIN b ON b.k = a.k',
    'SELECT a.k, b.w FROM a CROSS JOIN b',
    'SELECT a.k, b.w FROM a, b WHERE a.k < b.k',
    'SELECT a.k, w FROM a JOIN b USING (k)',
    'SELECT v, w, name FROM c, a, b WHERE c.k = a.k AND b.k > c.k',
    'SELECT a.v, b.w, d.v FROM a JOIN (b JOIN a AS d ON d.k = b.k) ON b.k = a.k',
  ],
  'outer joins': [
    'SELECT a.k, b.w FROM a LEFT JOIN b ON b.k = a.k AND b.w > 2',
    'SELECT a.k, b.w FROM a RIGHT JOIN b ON b.k = a.k',
    'SELECT a.k, b.w FROM a FULL JOIN b ON b.k = a.k',
    'SELECT name, v FROM c LEFT JOIN a ON a.k = c.k',
    'SELECT name, v FROM a RIGHT JOIN c ON a.k = c.k',
    'SELECT name, v FROM a LEFT JOIN c ON a.k = c.k',
    'SELECT name, v FROM c FULL JOIN a ON a.k = c.k',
    'SELECT a.k, d.v, b.w FROM a CROSS JOIN (VALUES (1), (2)) AS u(n) LEFT JOIN b ON b.k = u.n LEFT JOIN a AS d ON d.k = b.w',
    'SELECT a.k, w FROM a LEFT JOIN b USING (k)',
    'SELECT v FROM a SEMI JOIN b ON b.k = a.k',
    'SELECT v FROM a ANTI JOIN b ON b.k = a.k',
    'SELECT name FROM c ANTI JOIN b ON b.k = c.k',
    'SELECT name FROM c SEMI JOIN b ON b.k = c.k',
    'SELECT a.k, a.v, max(b.w) FROM a ASOF LEFT JOIN (SELECT k, w FROM b GROUP BY k, w) AS b ON b.k = a.k AND b.w <= a.v GROUP BY ALL',
    'SELECT c.k, d.w FROM c ASOF LEFT JOIN (SELECT DISTINCT w FROM b) AS d ON d.w <= c.k',
  ],
  grouping: [
    'SELECT k, count(*), sum(v) FROM a GROUP BY k',
    'SELECT k, count(*) FROM a GROUP BY ALL',
    'SELECT k % 2, min(s) FROM a GROUP BY 1',
    'SELECT k FROM a GROUP BY k HAVING count(*) > 1',
    'SELECT k, s, count(*) FROM a GROUP BY GROUPING SETS ((k), (s))',
    'SELECT k, count(*) FROM a GROUP BY k HAVING max(v) >= (SELECT max(w) FROM b WHERE b.k = a.k)',
    'SELECT k, (SELECT count(*) FROM b) AS n FROM a GROUP BY k',
    'SELECT count(*) FILTER (WHERE k IN (SELECT k FROM b)) AS n, k FROM a GROUP BY k',
  ],
  'aggregates of everything': [
    'SELECT count(*) FROM a',
    'SELECT count(v) + 1 AS n, min(v), max(s), sum(v), bool_or(v > 1), list(v ORDER BY v), min_by(s, (v, s)) FROM a',
    `SELECT 'x' AS x, count(*) FROM a WHERE v > 2`,
    'SELECT count(*) FROM a HAVING count(*) > 3',
    'SELECT max(v) FROM a HAVING count(*) > 0',
    'SELECT count(*) FROM c WHERE k IN (SELECT k FROM a)',
    'SELECT least(5, min(v)), (SELECT count(*) FROM b) FROM a',
    'SELECT count(DISTINCT s) FILTER (WHERE v IN (SELECT w FROM b)) FROM a',
    'WITH t AS (SELECT count(*) AS n, max(v) AS v FROM a) SELECT b.k, n, v FROM b CROSS JOIN t',
    'SELECT k FROM a WHERE v = (SELECT max(m) FROM (SELECT max(v) AS m FROM a UNION ALL SELECT min(w) FROM b))',
    'SELECT count(*) FROM a JOIN b ON a.k = b.k',
  ],
  windows: [
    'SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v, s) FROM a',
    'SELECT v, rank() OVER (ORDER BY v) FROM a',
    'SELECT v, lag(v) OVER w, sum(v) OVER w FROM a WINDOW w AS (PARTITION BY k ORDER BY v, s)',
    'SELECT k, v, s FROM a QUALIFY row_number() OVER (PARTITION BY k ORDER BY v, s) = 1',
    'SELECT k, row_number() OVER (ORDER BY k NULLS FIRST) FROM a GROUP BY k',
    'SELECT k, v FROM a QUALIFY v = max(v) OVER ()',
    'SELECT k, sum(count(*)) OVER (ORDER BY k NULLS FIRST) FROM a GROUP BY k',
  ],
  distinct: [
    'SELECT DISTINCT k FROM a',
    'SELECT DISTINCT * FROM b',
    'SELECT DISTINCT ON (k) k, v FROM a ORDER BY k, v, s',
    'SELECT DISTINCT a.k FROM a JOIN b ON a.k = b.k',
  ],
  subqueries: [
    'SELECT k FROM a WHERE EXISTS (SELECT 1 FROM b)',
    'SELECT k FROM a WHERE NOT EXISTS (FROM b WHERE b.k = a.k)',
    'SELECT k FROM a WHERE k IN (SELECT k FROM b)',
    'SELECT k FROM a WHERE k NOT IN (SELECT k FROM b)',
    'SELECT k IN (SELECT k FROM b) FROM a',
    'SELECT name FROM c WHERE k IN (SELECT k FROM a)',
    'SELECT k, (SELECT max(w) FROM b) FROM a',
    'SELECT k, (SELECT count(*) FROM b WHERE b.k = a.k) FROM a',
    'SELECT k, (SELECT w FROM b WHERE b.k = a.k ORDER BY w LIMIT 1) FROM a',
    'SELECT k, (SELECT w FROM b ORDER BY w NULLS LAST LIMIT 1) FROM a',
    'SELECT k FROM a WHERE v > ALL (SELECT w FROM b WHERE w IS NOT NULL)',
    'SELECT k FROM a WHERE EXISTS (SELECT 1 FROM c WHERE c.k = a.k AND c.k IN (SELECT k FROM b))',
    'SELECT k FROM a WHERE k IN (SELECT k FROM b UNION SELECT w FROM b)',
    'SELECT k FROM a WHERE EXISTS (SELECT k FROM b WHERE b.k = a.k GROUP BY k HAVING count(*) > 1)',
    'SELECT a.k, b.w FROM a LEFT JOIN b ON b.k = CASE WHEN EXISTS (FROM b AS o WHERE o.k = a.k) THEN a.k ELSE a.v END',
    'SELECT k FROM a WHERE k NOT IN (SELECT k FROM c)',
    'SELECT sum(v) FROM a WHERE k = (SELECT max(k) FROM b)',
    'SELECT k FROM a WHERE v >= (SELECT m FROM (SELECT w AS m, row_number() OVER (ORDER BY w DESC NULLS LAST, k) AS n FROM b) WHERE n = 1)',
  ],
  'no rows of worlds in FROM': [
    'SELECT 1 AS one, (SELECT count(*) FROM a) AS n',
    'SELECT (SELECT max(v) FROM a), EXISTS (FROM b)',
    'SELECT n, (SELECT count(*) FROM a WHERE k = n) FROM (VALUES (1), (2)) AS u(n)',
    'SELECT name FROM c WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.k = c.k)',
    'SELECT range, (SELECT count(*) FROM a WHERE k = range) FROM range(3)',
  ],
  'set operations': [
    'SELECT k FROM a UNION SELECT k FROM b',
    'SELECT k FROM a UNION ALL SELECT w FROM b',
    'SELECT k FROM a EXCEPT SELECT k FROM b',
    'SELECT k FROM a INTERSECT SELECT k FROM b',
    'SELECT k, NULL FROM a UNION ALL SELECT 1, 2',
    'SELECT 1 AS k UNION ALL SELECT k FROM c UNION SELECT k FROM b ORDER BY k',
    'SELECT count(*) FROM a UNION ALL SELECT count(*) FROM b',
  ],
  'common tables': [
    'WITH t AS (SELECT k, count(*) AS n FROM a GROUP BY k), u(x) AS (SELECT max(n) FROM t) SELECT t.k FROM t, u WHERE n = x',
    'WITH d(n) AS (VALUES (1), (2)) SELECT n, k FROM d JOIN a ON a.k = d.n',
    'WITH d(n) AS (VALUES (1), (2)) SELECT n, k FROM d LEFT JOIN a ON a.k = d.n',
    'WITH a AS (SELECT k FROM b) SELECT * FROM a',
    'WITH a AS (SELECT k FROM c) SELECT a.k, w FROM a JOIN b ON b.k = a.k',
    'WITH t AS NOT MATERIALIZED (SELECT k FROM a), u AS MATERIALIZED (SELECT k FROM t) SELECT t.k FROM t JOIN u ON u.k = t.k',
    'WITH RECURSIVE r(k, depth) AS (SELECT k, 0 FROM a UNION SELECT b.w, r.depth + 1 FROM r JOIN b ON b.k = r.k WHERE depth < 3) SELECT * FROM r',
    'WITH RECURSIVE r AS (SELECT k FROM a WHERE k = 1 UNION SELECT w FROM r, b WHERE b.k = r.k AND b.w IN (SELECT k FROM a)) SELECT k FROM r',
  ],
  'derived tables': [
    'SELECT * FROM (SELECT k, max(v) AS v FROM a GROUP BY k) JOIN b USING (k)',
    'SELECT x, y FROM (SELECT k, v FROM a) AS t(x, y)',
    'SELECT * FROM (SELECT count(*) AS n FROM a) AS t, c',
    'SELECT t.n, u.n FROM (SELECT count(*) AS n FROM a) AS t, (SELECT count(*) AS n FROM b) AS u',
    'SELECT l.k, u.x FROM l, LATERAL (SELECT unnest(l.list) AS x) AS u',
    'SELECT l.k, u.x FROM l LEFT JOIN LATERAL (SELECT unnest(l.list) AS x) AS u ON u.x > 1',
    'SELECT k, unnest(list) AS x FROM l',
    'SELECT l.k, u.x, v FROM l, unnest(l.list) AS u(x) LEFT JOIN a ON a.k = u.x',
    'SELECT a.k, u.n FROM a, LATERAL (SELECT b.w + a.v AS n FROM b WHERE b.k = a.k) AS u',
  ],
};

/** Small numbers, many alike and some null. */
async function fill(random: Random): Promise<void> {
  for (const table of ['a', 'b', 'l']) await database.run(`DELETE FROM fleet.${table}`);
  const number = (): number | null => (random.chance(0.15) ? null : random.int(0, 4));
  const rows = (count: number, row: (world: number) => readonly (string | number | null)[]): string[] =>
    worlds
      .filter((world) => world !== emptyWorld)
      .flatMap((world) => Array.from({ length: random.int(0, count) }, () => world))
      .map((world) => `(${[...row(world), world].map((value) => value ?? 'NULL').join(', ')})`);
  const tables = {
    a: rows(6, () => [number(), number(), `'${random.pick(['x', 'y', 'z'])}'`]),
    b: rows(6, () => [number(), number()]),
    l: rows(3, () => [
      number(),
      `[${Array.from({ length: random.int(0, 3) }, number)
        .map(String)
        .join(', ')}]`,
    ]),
  };
  for (const [table, values] of Object.entries(tables)) {
    if (values.length > 0) await database.run(`INSERT INTO fleet.${table} VALUES ${values.join(', ')}`);
  }
}

async function runIn(schema: string, sql: string): Promise<Row[]> {
  await database.run(`SET search_path = '${schema},main'`);
  // by position: a query may give one name to several columns
  const reader = await database.connection.runAndReadAll(sql);
  return reader.getRowsJson().map((row) => Object.fromEntries(row.entries()) as unknown as Row);
}

function sorted(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

for (const [name, queries] of Object.entries(shapes)) {
  describe(name, () => {
    test.each(queries)('%s', async (query) => {
      await database.run(`SET search_path = 'fleet,main'`);
      const rewritten = await partitioner.partition(query, 'the query');
      for (let seed = 0; seed < 8; seed += 1) {
        await fill(openRandom(`partition/${seed}`));
        const together = (await runIn('fleet', rewritten)).map((row) => Object.values(row) as unknown[]);
        for (const world of worlds) {
          await database.run(`SET VARIABLE alone = ${world}`);
          const alone = (await runIn('alone', query)).map((row) => Object.values(row) as unknown[]);
          const ofWorld = together.filter((row) => row.at(-1) === world).map((row) => row.slice(0, -1));
          expect(sorted(ofWorld), `world ${world} of seed ${seed}: ${rewritten}`).toEqual(sorted(alone));
        }
      }
    });
  });
}

test.each([
  ['SELECT k FROM a LIMIT 3', 'LIMIT'],
  ['SELECT quantile_cont(v, 0.5) FROM a', 'quantile_cont'],
  ['SELECT * FROM a NATURAL JOIN b', 'NATURAL'],
  ['SELECT * FROM a POSITIONAL JOIN b', 'POSITIONAL'],
  ['SELECT COLUMNS(x -> true) FROM a', 'COLUMNS'],
  ['SELECT count(*) FROM a GROUP BY ()', 'GROUP BY'],
  ['SELECT count(*) FROM a GROUP BY ALL', 'GROUP BY ALL'],
  ['SELECT k, count(*) FROM a GROUP BY ROLLUP (k)', 'grouping'],
  ['SELECT * FROM elsewhere', 'elsewhere'],
  ['SELECT name FROM c', 'no partitioned table'],
  ['SELECT x FROM (SELECT * FROM a) AS t(x)', 'column'],
  ['SELECT k FROM a; SELECT k FROM b', 'not one SELECT'],
  ['SELECT k FROM', 'syntax error'],
])('%s is refused', async (query, why) => {
  await expect(partitioner.partition(query, 'the query')).rejects.toThrow(why);
});
