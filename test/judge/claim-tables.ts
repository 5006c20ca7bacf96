import { afterAll } from 'vitest';
import { createTables, type Database, openDatabase, type Row } from '../../src/query/database.ts';
import { readQuery } from '../../src/query/queries.ts';
import { insertRows, type Values } from '../sources/cloudtrail-database.ts';

/** Rows by table; what a row leaves out is null. */
export type Tables = Readonly<Record<string, readonly Values[]>>;

/** Second `at` of the minute that the rows of these tests lie in. */
export const second = (at: number): string => new Date(Date.UTC(2026, 10, 21, 10, 0, 0) + at * 1000).toISOString();

export const address = '192.0.2.10';
export const hex = '00000000000000000000ffffc000020a';
export const nodeAddress = '203.0.113.7';
const nodeHex = '00000000000000000000ffffcb007107';

/** A task from second 0 to 60 on node n1. */
export const task = (fields: Values = {}): Values => ({
  task_id: '7b3f',
  type: 't',
  declared: second(-10),
  declared_basis: 'self-reported',
  window_start: second(0),
  window_end: second(60),
  last_exit: second(60),
  tolerance: '2 seconds',
  newest: second(3600),
  has_policy: false,
  evidence: 'tally/declaration/0',
  ...fields,
});

/** The task's first process, unless `fields` say otherwise. */
export const proc = (fields: Values = {}): Values => ({
  node: 'n1',
  exec_id: 'root',
  parent_exec_id: 'shell',
  pid: 100,
  started: second(0),
  exited: second(60),
  image_until: second(60),
  binary: '/bin/agent',
  announced: true,
  seen: true,
  task_id: '7b3f',
  tied_by: 'selector',
  evidence: `tetragon/n1/${String(fields['exec_id'] ?? 'root')}`,
  ...fields,
});

/** A TCP connection of the task to a declared host from second 10 to 12, tied by DNS and ClientHello. */
export const way = (fields: Values = {}): Values => ({
  id: 'tetragon/n1/10',
  node: 'n1',
  exec_id: 'root',
  pid: 100,
  task_id: '7b3f',
  channel: 'tcp',
  protocol: 'tcp',
  opened: second(10),
  closed: second(12),
  remote_address: address,
  remote_hex: hex,
  remote_port: 443,
  hook: 'tcp_connect',
  outcome: 'up',
  carried: 'yes',
  inside: false,
  hello: 'whole',
  server_name: 'route53.amazonaws.com',
  host: 'route53.amazonaws.com',
  basis: 'dns+sni',
  names: '["route53.amazonaws.com"]',
  endpoint: 'route53.amazonaws.com:443',
  declared: true,
  declared_as: 'endpoints',
  evidence: String(fields['id'] ?? 'tetragon/n1/10'),
  ...fields,
});

/** A way out to an address that no evidence names. */
export const nameless = (fields: Values = {}): Values =>
  way({
    server_name: null,
    hello: 'none',
    host: null,
    basis: 'none',
    names: '[]',
    name_problem: 'no-name',
    endpoint: `${address}:443`,
    declared: false,
    declared_as: null,
    ...fields,
  });

export const use = (fields: Values = {}): Values => ({
  provider: 'aws',
  event_id: 'e1',
  time: second(11),
  key: 'K0',
  session: 'sess-7b3f-a',
  known: true,
  declared: true,
  service: 'route53.amazonaws.com',
  event_name: 'GetHostedZone',
  action: 'route53:GetHostedZone',
  host: 'route53.amazonaws.com',
  source: nodeAddress,
  delegated: false,
  outcome: 'ok',
  listed: 'listed',
  evidence: `cloudtrail/x/0#${String(fields['event_id'] ?? 'e1')}`,
  ...fields,
});

export const match = (fields: Values = {}): Values => ({
  event_id: 'e1',
  egress_id: 'tetragon/n1/10',
  fits: 1,
  chosen: true,
  strength: 'only',
  source_known: true,
  own_node: true,
  alternatives: 0,
  ...fields,
});

export const endpoint = (host: string, fields: Values = {}): Values => ({
  kind: 'endpoints',
  text: `${host}:443`,
  host,
  wildcard: false,
  port: 443,
  protocol: 'tcp',
  ...fields,
});

export const range = (suffix: string, firstHex: string, lastHex: string): Values => ({
  suffix,
  first_hex: firstHex,
  last_hex: lastHex,
  service: 'AMAZON',
});

export const nodeEgress: Values = { kind: 'node-egress', name: 'n1', value: `${nodeHex}-${nodeHex}` };

/** `code kind subject` of every finding of a claim over the given rows. */
export async function judgeClaim(claim: string, tables: Tables): Promise<string[]> {
  const rows = await readFindings(claim, tables);
  return rows.map(({ code, kind, subject }) => `${String(code)} ${String(kind)} ${String(subject)}`).sort();
}

export function readFindings(claim: string, tables: Tables): Promise<Row[]> {
  return withTables(tables, (database) => database.all(readQuery(`claims/${claim}`)));
}

let opened: Promise<Database> | undefined;

afterAll(async () => {
  await (await opened)?.close();
});

async function openTables(): Promise<Database> {
  const database = await openDatabase();
  await createTables(database);
  for (const statement of readQuery('sources/macros').split(/;\n/)) {
    if (statement.trim() !== '') await database.run(statement);
  }
  return database;
}

/** Runs `run` on the canonical tables with these rows; nothing of it stays. */
export async function withTables<T>(tables: Tables, run: (database: Database) => Promise<T>): Promise<T> {
  const database = await (opened ??= openTables());
  await database.run('BEGIN');
  try {
    for (const [table, rows] of Object.entries(tables)) await insertRows(database, table, rows);
    return await run(database);
  } finally {
    await database.run('ROLLBACK');
  }
}
