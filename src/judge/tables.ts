import type { Config } from '../model/config.ts';
import type { Declaration } from '../model/declaration.ts';
import { toHex, toHexRange } from '../model/address.ts';
import type { Segment } from '../model/record.ts';
import { createTables, type Database, type Parameter, type Row } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { readHooks } from '../sources/hooks.ts';
import { insertAudit } from './audit.ts';
import { insertDeclared, selectorSql } from './declared.ts';
import { insertMatches } from './matches.ts';
import { insertPayloads } from './payloads.ts';
import { openRecords } from './records.ts';

/** What is judged: one declared task with its configuration and the texts of the granted policies. */
export interface Case {
  readonly declaration: Declaration;
  readonly config: Config;
  readonly policies: readonly string[];
  /** When the declaration was recorded, and by whom that is vouched for. */
  readonly declared: { readonly time: string | undefined; readonly basis: 'self-reported' | 'collector' };
  /** Records of the declaration and of the configuration. */
  readonly evidence: { readonly declaration: string; readonly config: string };
  /** Set where the segments are of a live store. */
  readonly live?: LiveCase;
}

/** What only a live store knows. */
export interface LiveCase {
  /** Rows of table own_gap: where the segments that are looked at leave records out. */
  readonly holes: readonly Parameter[][];
  /** Rows of table redeclared. */
  readonly redeclared: readonly Parameter[][];
  readonly isPartial: (segment: Segment) => boolean;
}

/** Builds every canonical table from sealed segments: the same segments give the same rows. */
export async function buildTables(
  database: Database,
  evidence: string,
  segments: readonly Segment[],
  task: Case,
): Promise<void> {
  await createTables(database);
  await openRecords(database, evidence, segments, task.live?.isPartial);
  await insertEvents(database, task.live !== undefined);
  await insertDeclared(database, task.declaration, task.config, task.policies);
  await markMembers(database, task.declaration);
  await insertAudit(database);
  await onOneThread(database, () => insertFrom(database, 'sensor', 'sources/sensor'));
  if (task.live !== undefined) await insertLive(database, task.live);
  await insertTask(database, task);
  await insertSensor(database);
  await insertNames(database, task.config, task.evidence.config);
  await insertFrom(database, 'session', 'sources/session');
  await insertFrom(database, 'use', 'sources/use');
  await insertFrom(database, 'kernel_covered', 'sources/kernel-covered');
  await insertMatches(database);
}

/** Condition on table tetragon_event: a line that is no known event, or bears no readable time. */
export const brokenEvent = 'kind IS NULL OR time IS NULL OR NOT isfinite(time)';

/** The kernel's half as far as it needs no declaration: events and processes. */
export async function insertEvents(database: Database, live: boolean): Promise<void> {
  await runStatements(database, 'sources/macros');
  await runStatements(database, 'sources/tetragon-structure');
  await onOneThread(database, () =>
    database.run(`CREATE OR REPLACE TABLE tetragon_event AS ${readQuery('sources/tetragon')}`),
  );
  const [found] = await database.all(`SELECT count(*) AS n FROM tetragon_event WHERE ${brokenEvent}`);
  if (Number(found?.['n']) > 0) {
    if (live) await insertFrom(database, 'own_gap', 'sources/tetragon-broken-live');
    else await insertFrom(database, 'gap', 'sources/tetragon-broken');
    await database.run(`DELETE FROM tetragon_event WHERE ${brokenEvent}`);
  }
  await insertFrom(database, 'kernel_event', 'sources/kernel-event');
  await insertFrom(database, 'process', 'sources/process');
  await insertFrom(database, 'way_reach', 'sources/way-reach');
  await database.run('DROP TABLE tetragon_event');
}

async function insertLive(database: Database, { holes, redeclared }: LiveCase): Promise<void> {
  await insertFrom(database, 'own_gap', 'sources/own-gap');
  await database.insert('own_gap', holes);
  await database.insert('redeclared', redeclared);
  await insertFrom(database, 'gap', 'sources/own-gap-other');
}

/** Parsing holds the JSON of a whole batch of lines in memory for each thread. */
async function onOneThread(database: Database, work: () => Promise<void>): Promise<void> {
  await database.run('SET threads = 1');
  await work();
  await database.run('SET threads = 2');
}

export async function runStatements(database: Database, query: string): Promise<void> {
  for (const statement of readQuery(query).split(/;\n/)) if (statement.trim() !== '') await database.run(statement);
}

export async function insertFrom(database: Database, table: string, query: string): Promise<void> {
  await database.run(`INSERT INTO "${table}" ${readQuery(query)}`);
}

/** Marks the task's processes: selectors, then their descendants; and who else claims one of them. */
export async function markMembers(database: Database, declaration: Declaration): Promise<void> {
  for (const selector of declaration.workload) {
    const { condition, parameters } = selectorSql(selector);
    await database.run(`INSERT INTO seed ${seedSelect(condition)}`, parameters);
  }
  await database.run(`CREATE OR REPLACE TABLE member AS ${readQuery('sources/membership')}`);
  await database.run(
    `UPDATE process SET task_id = ?, tied_by = member.tied_by FROM member
     WHERE member.node = process.node AND member.exec_id = process.exec_id`,
    [declaration.task.id],
  );
  for (const { value, name, pair } of foreignMarks(declaration)) {
    await database.run(
      `UPDATE process SET contested = coalesce(regexp_extract(env, ?, 1), '?')
       WHERE task_id IS NOT NULL AND contains(env, ?) AND NOT contains(env, ?)`,
      [value, name, pair],
    );
  }
}

/** Processes that a workload selector matches: `condition` is on table process as p. */
export function seedSelect(condition: string): string {
  return `SELECT p.node, p.exec_id FROM process AS p WHERE ${condition}`;
}

/**
 * How another task's mark shows, the same variable with another value: `name` is in a process's env, `pair` is not, and the
 * regular expression `value` finds the other value.
 */
export function foreignMarks(declaration: Declaration): { value: string; name: string; pair: string }[] {
  return declaration.workload
    .flatMap((selector) => Object.entries(selector.env ?? {}))
    .map(([name, value]) => ({
      value: `\\[${escapeRegex(JSON.stringify(name))},"((?:[^"\\\\]|\\\\.)*)"\\]`,
      name: `[${JSON.stringify(name)},`,
      pair: JSON.stringify([name, value]),
    }));
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The one row of table task. A declared window can widen what is judged, never narrow it below what the task did. */
async function insertTask(database: Database, task: Case): Promise<void> {
  await database.run(`INSERT INTO task ${taskSelect}`, taskParameters(task));
}

/** The row of table task; its parameters are `taskParameters`. */
export const taskSelect = `SELECT ?, ?, CAST(? AS TIMESTAMP), ?, ?,
       least(CAST(? AS TIMESTAMP), min(started)),
       CASE WHEN count(*) = count(image_until) THEN greatest(CAST(? AS TIMESTAMP), max(image_until)) END,
       CASE WHEN count(*) = count(image_until) THEN max(image_until) END,
       to_microseconds(CAST(? AS BIGINT)),
       (SELECT max(newest) FROM (
          SELECT max(time) AS newest FROM kernel_event UNION ALL SELECT max(time) FROM sensor
          UNION ALL SELECT max(until) FROM audit_object WHERE kind <> 'log' AND state = 'valid'
          UNION ALL SELECT max(time) FROM audit_snapshot UNION ALL SELECT max(time) FROM audit_event)),
       ?, ?, CAST(? AS TIMESTAMP)
     FROM process WHERE task_id IS NOT NULL`;

export function taskParameters({ declaration, config, policies, declared, evidence }: Case): Parameter[] {
  return [
    declaration.task.id,
    declaration.task.type,
    declared.time ?? null,
    declared.basis,
    declaration.image ?? null,
    declaration.window?.start ?? null,
    declaration.window?.end ?? null,
    Math.round(config.tolerance * 1_000_000),
    policies.length > 0,
    evidence.declaration,
    declaration.window?.end ?? null,
  ];
}

/** What the sensor's own lines tell: tables, and the queries that fill them, in this order. */
export const sensorQueries: readonly (readonly [table: string, query: string])[] = [
  ['sensor_hook', 'sources/sensor-policy'],
  ['sensor_metric', 'sources/sensor-metric'],
  ['sensor_canary', 'sources/sensor-canary'],
  ['stream_break', 'sources/stream-break'],
  ['gap', 'sources/sensor-broken'],
  ['gap', 'sources/sensor-gap-canary'],
  ['gap', 'sources/sensor-gap-health'],
  ['gap', 'sources/sensor-gap-policy'],
  ['gap', 'sources/sensor-gap-stream'],
];

async function insertSensor(database: Database): Promise<void> {
  await insertHooks(database);
  await onOneThread(database, async () => {
    for (const [table, query] of sensorQueries) await insertFrom(database, table, query);
  });
}

/** What is the same whatever the evidence: tables required_hook, channel_touch and blind_spot. */
export async function insertHooks(database: Database): Promise<void> {
  const hooks = readHooks();
  await database.insert('required_hook', hooks.requiredHook);
  await database.insert('channel_touch', hooks.channelTouch);
  await database.insert('blind_spot', hooks.blindSpot);
}

/** Host names of addresses, then every way out with the name that evidence ties to it. */
async function insertNames(database: Database, config: Config, configEvidence: string): Promise<void> {
  await insertPayloads(database);
  await insertFrom(database, 'flow', 'sources/egress');
  await database.run(`CREATE OR REPLACE TABLE given_resolution AS ${readQuery('sources/resolution')}`);
  await insertAddresses(database);
  await insertFrom(database, 'resolution', 'sources/dns-resolution');
  await database.run(`INSERT INTO resolution ${givenSelect}`);
  await database.insert('resolution', toHostRows(config, configEvidence));
  await insertRanges(database);
  await insertFrom(database, 'egress', 'sources/attribute');
  await insertFrom(database, 'lookup', 'sources/lookup');
}

/** Given resolutions as rows of table resolution. */
export const givenSelect = `
    SELECT g.address, a.hex, a.hex, g.host, g.from_time, g.until, NULL, NULL, 'resolution', g.evidence
    FROM given_resolution AS g JOIN address AS a ON a.address = g.address
    WHERE g.client IS NULL OR g.client IN (SELECT node FROM process WHERE task_id IS NOT NULL)`;

/** The configuration's hosts as rows of table resolution. */
export function toHostRows(config: Config, evidence: string): Parameter[][] {
  return Object.entries(config.hosts).flatMap(([host, addresses]) =>
    addresses.map((address) => {
      const hex = toHex(address) ?? '';
      return [address, hex, hex, host.toLowerCase(), null, null, null, null, 'hosts', evidence];
    }),
  );
}

const seenAddresses = `SELECT DISTINCT address FROM (
    SELECT remote_address AS address FROM flow UNION ALL SELECT address FROM dns_message UNION ALL SELECT server FROM dns_message
    UNION ALL SELECT address FROM given_resolution UNION ALL SELECT source FROM audit_event)
    WHERE address IS NOT NULL`;

/** Rows of table address: those that SQL can make, and the other ones that `toAddressRows` has to. */
export const v4Select = String.raw`
    SELECT address, v4_hex(address), array_to_string(list_reverse(string_split(address, '.')), '.') || '.in-addr.arpa'
    FROM (${seenAddresses}) WHERE regexp_matches(address, '^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$')`;
export const otherSelect = `${seenAddresses} AND contains(address, ':') ORDER BY address`;

export async function insertAddresses(database: Database): Promise<void> {
  await database.run(`INSERT INTO address ${v4Select}`);
  const others = await database.all(otherSelect);
  await database.insert('address', toAddressRows(others));
}

export function toAddressRows(others: readonly Row[]): Parameter[][] {
  const rows = others.map((row) => [String(row['address']), toHex(String(row['address']))] as const);
  return rows.flatMap(([address, hex]) => (hex === undefined ? [] : [[address, hex, reverseName(hex)]]));
}

/** Name of a v6 address for a reverse look-up (RFC 3596 2.5). */
function reverseName(hex: string): string {
  return `${Array.from(hex).reverse().join('.')}.ip6.arpa`;
}

/** Services of ip-ranges.json whose addresses serve no customer's own names, with the hosts that live there. */
const rangeHosts: Readonly<Record<string, (region: string) => readonly string[]>> = {
  S3: (region) => [`*s3.${region}.amazonaws.com`, '*s3.amazonaws.com'],
  DYNAMODB: (region) => [`*dynamodb.${region}.amazonaws.com`],
};

async function insertRanges(database: Database): Promise<void> {
  const ranges = await database.all(`${readQuery('sources/ip-ranges')} ORDER BY ALL`);
  for (const row of ranges) {
    const cidr = String(row['cidr']);
    const range = toHexRange(cidr);
    if (range === undefined) continue;
    const service = String(row['service']);
    await database.insert('provider_range', [['.amazonaws.com', range.first, range.last, service]]);
    const hosts = rangeHosts[service]?.(String(row['region'])) ?? [];
    const evidence = String(row['evidence']);
    await database.insert(
      'resolution',
      hosts.map((host) => [cidr, range.first, range.last, host, null, null, null, null, 'ip-range', evidence]),
    );
  }
}
