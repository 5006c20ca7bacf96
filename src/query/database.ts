import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { readQuery, tableQueries } from './queries.ts';

export type Row = Readonly<Record<string, string | number | boolean | null>>;
export type Parameter = string | number | bigint | boolean | null;

/** What DuckDB may hold in memory; what is larger goes to a scratch folder that is removed on close. */
const memoryLimit = '768MB';

/** A DuckDB of our own in a scratch folder, with UTC times and the canonical tables created on demand. */
export interface Database {
  /** Scratch folder: staged files may be put here; gone after close. */
  readonly scratch: string;
  readonly connection: DuckDBConnection;
  /** A second connection, to write while the first one streams. */
  readonly writer: DuckDBConnection;
  run(sql: string, parameters?: readonly Parameter[]): Promise<void>;
  all(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>;
  /** Inserts rows by position; every row has one value for each column of the table. */
  insert(table: string, rows: readonly (readonly Parameter[])[]): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly threads?: number;
  /** As DuckDB writes sizes: `256MB`. */
  readonly memory?: string;
}

export async function openDatabase({ threads = 2, memory = memoryLimit }: DatabaseOptions = {}): Promise<Database> {
  const scratch = await mkdtemp(join(tmpdir(), 'tally-'));
  const instance = await DuckDBInstance.create(join(scratch, 'scratch.duckdb'), {
    memory_limit: memory,
    threads: String(threads),
    allocator_flush_threshold: '16MB',
    temp_directory: join(scratch, 'spill'),
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const writer = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    scratch,
    connection,
    writer,
    run: async (sql, parameters = []) => {
      await connection.run(sql, parameters as DuckDBValue[]);
    },
    all: async (sql, parameters = []) => {
      const reader = await connection.runAndReadAll(sql, parameters as DuckDBValue[]);
      return reader.getRowObjectsJson() as Row[];
    },
    insert: async (table, rows) => {
      const width = rows[0]?.length ?? 0;
      const batch = Math.max(1, Math.floor(2000 / Math.max(1, width)));
      for (let start = 0; start < rows.length; start += batch) {
        const part = rows.slice(start, start + batch);
        const values = part.map((row) => `(${row.map(() => '?').join(',')})`).join(',');
        await connection.run(`INSERT INTO ${quote(table)} VALUES ${values}`, part.flat());
      }
    },
    close: async () => {
      writer.closeSync();
      connection.closeSync();
      instance.closeSync();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Creates the canonical tables of queries/tables that are not there yet. */
export async function createTables(database: Database): Promise<void> {
  for (const name of tableQueries()) await database.run(readQuery(`tables/${name}`));
}

/** An SQL string literal; for file paths, which table functions don't take as parameters everywhere. */
export function literal(text: string): string {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' || chr(0) || ')})`;
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
