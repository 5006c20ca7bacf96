import {
  createTables,
  type Database,
  openDatabase,
  type Parameter,
  quote,
  type Row,
} from '../../../src/query/database.ts';
import { readQuery, tableQueries } from '../../../src/query/queries.ts';
import { insertServices } from '../../../src/judge/audit.ts';
import { insertHooks, runStatements } from '../../../src/judge/tables.ts';
import { openPartitioner } from './partition-sql.ts';

/** Tables whose rows are the same in every world. */
const commonTables: readonly string[] = [
  ...['iam_action', 'audit_service', 'data_action'],
  ...['required_hook', 'channel_touch', 'blind_spot'],
];

/** Tables that are made from a query on the way. */
const madeTables: readonly string[] = ['tetragon_event', 'member', 'given_resolution'];

/** Values for the `?` of a query, one set for each world. */
const parameterCount = 12;

/** One value for each column but the last, which is the world. */
export interface WorldRow {
  readonly world: number;
  readonly row: readonly Parameter[];
}

/** The product's queries over many worlds at once. A text is rewritten when it first comes. */
export interface FleetSql {
  readonly database: Database;
  /** CPU seconds spent so far, by what they were spent on. */
  readonly spent: Map<string, number>;
  /** Empty tables for the worlds 0 to `count` - 1. */
  start(count: number): Promise<void>;
  /** Inserts what a query of the product gives. */
  fill(table: string, query: string): Promise<void>;
  insertSelect(table: string, select: string): Promise<void>;
  createFrom(table: string, query: string): Promise<void>;
  insert(table: string, rows: readonly WorldRow[]): Promise<void>;
  /** Rows of each world, in the order of the query. */
  all(select: string): Promise<(world: number) => readonly Row[]>;
  /** What the scalar subqueries that `withParameters` puts into a query read. Replaces those before. */
  setParameters(rows: readonly WorldRow[]): Promise<void>;
  run(statement: string): Promise<void>;
  time<T>(what: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openFleetSql(threads: number): Promise<FleetSql> {
  const database = await openDatabase({ threads, memory: '1GB' });
  // in memory: nothing here outlives the process
  await database.run(`ATTACH ':memory:' AS fleet; USE fleet`);
  await createTables(database);
  await insertServices(database);
  await insertHooks(database);
  await runStatements(database, 'sources/macros');
  await runStatements(database, 'sources/tetragon-structure');
  const partitioned = tableQueries().filter((table) => !commonTables.includes(table));
  const known = [...[...partitioned, ...madeTables, 'parameter'].map((table) => [table, true] as const)];
  const common = commonTables.map((table) => [table, false] as const);
  const partitioner = await openPartitioner(database, new Map([...known, ...common]));
  const texts = new Map<string, string>();
  const spent = new Map<string, number>();

  async function rewritten(text: string): Promise<string> {
    const before = texts.get(text);
    if (before !== undefined) return before;
    const sql = await partitioner.partition(text, text.trim().slice(0, 100));
    texts.set(text, sql);
    return sql;
  }

  async function time<T>(what: string, work: () => Promise<T>): Promise<T> {
    const from = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(from);
    spent.set(what, (spent.get(what) ?? 0) + (user + system) / 1_000_000);
    return result;
  }

  async function insert(table: string, rows: readonly WorldRow[]): Promise<void> {
    const width = rows[0]?.row.length ?? 0;
    if (rows.length === 0) return;
    const texts = rows.map(({ world, row }) => [...row.map(toText), String(world)]);
    const columns = Array.from({ length: width + 1 }, (_, at) => `r[${at + 1}]`).join(', ');
    // one text for all rows: a bound value for each cell costs more than the whole query
    await database.run(
      `INSERT INTO ${quote(table)} SELECT ${columns} FROM (SELECT unnest(from_json(CAST(? AS VARCHAR), '[["VARCHAR"]]')) AS r)`,
      [JSON.stringify(texts)],
    );
  }

  return {
    database,
    spent,
    start: async (count) => {
      for (const table of partitioned) {
        await database.run(`DROP TABLE IF EXISTS ${quote(table)}`);
        await database.run(readQuery(`tables/${table}`));
        await database.run(`ALTER TABLE ${quote(table)} ADD COLUMN world INTEGER`);
      }
      await database.run(
        `CREATE OR REPLACE TABLE world AS SELECT CAST(range AS INTEGER) AS world FROM range(${count})`,
      );
    },
    fill: (table, query) =>
      time(query, async () => database.run(`INSERT INTO ${quote(table)} ${await rewritten(readQuery(query))}`)),
    insertSelect: async (table, select) => database.run(`INSERT INTO ${quote(table)} ${await rewritten(select)}`),
    createFrom: (table, query) =>
      time(query, async () => database.run(`CREATE OR REPLACE TABLE ${table} AS ${await rewritten(readQuery(query))}`)),
    insert,
    all: async (select) => {
      const byWorld = new Map<number, Row[]>();
      for (const row of await database.all(await rewritten(select))) {
        const world = Number(row['world']);
        const rows = byWorld.get(world);
        if (rows === undefined) byWorld.set(world, [row]);
        else rows.push(row);
      }
      return (world) => byWorld.get(world) ?? [];
    },
    setParameters: async (rows) => {
      const columns = Array.from({ length: parameterCount }, (_, at) => `p${at} VARCHAR`).join(', ');
      await database.run(`CREATE OR REPLACE TABLE parameter (${columns}, world INTEGER)`);
      const padding: Parameter[] = Array.from({ length: parameterCount }, () => null);
      await insert(
        'parameter',
        rows.map(({ world, row }) => ({ world, row: [...row, ...padding].slice(0, parameterCount) })),
      );
    },
    run: (statement) => database.run(statement),
    time,
    close: () => database.close(),
  };
}

/** The query with its `?` read from table parameter, so that each world has its own. */
export function withParameters(select: string): string {
  let at = 0;
  return select.replaceAll('?', () => `(SELECT p${at++} FROM parameter)`);
}

function toText(value: Parameter): string | null {
  return value === null ? null : String(value);
}
