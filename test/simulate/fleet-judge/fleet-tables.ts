import { auditSelects, problemSelect, toAuditRows } from '../../../src/judge/audit.ts';
import { insertDeclared, selectorSql } from '../../../src/judge/declared.ts';
import { sharedQueries, toMatchRows, useSources } from '../../../src/judge/matches.ts';
import { ownStream } from '../../../src/judge/own-records.ts';
import { dnsPayloads, helloPayloads, toDnsRows, toHelloRows } from '../../../src/judge/payloads.ts';
import {
  brokenEvent,
  type Case,
  foreignMarks,
  givenSelect,
  otherSelect,
  seedSelect,
  sensorQueries,
  taskParameters,
  taskSelect,
  toAddressRows,
  toHostRows,
  v4Select,
} from '../../../src/judge/tables.ts';
import { parseConfig } from '../../../src/model/config.ts';
import { parseDeclaration } from '../../../src/model/declaration.ts';
import type { Parameter } from '../../../src/query/database.ts';
import { readQuery } from '../../../src/query/queries.ts';
import { groupBy } from '../../../src/sources/order.ts';
import type { Evidence } from '../evidence.ts';
import { sealedOrder } from './fleet-records.ts';
import { type FleetSql, withParameters, type WorldRow } from './fleet-sql.ts';

/** As src/judge/judge.ts reads a case from its own records. */
export function toCase(evidence: Evidence): Case {
  const declaration = parseDeclaration(evidence.declaration, 'in the evidence');
  return {
    declaration,
    config: parseConfig(evidence.config, 'in the evidence'),
    policies: sealedOrder(evidence.policies),
    declared: { time: declaration.declared, basis: 'self-reported' },
    evidence: { declaration: `${ownStream}/declaration/0`, config: `${ownStream}/config/0` },
  };
}

/** The steps of `buildTables` (src/judge/tables.ts), each over all worlds; table record is filled. */
export async function fillTables(sql: FleetSql, cases: readonly Case[]): Promise<void> {
  await fillEvents(sql);
  await sql.time('declared', () => fillDeclared(sql, cases));
  await sql.time('members', () => markMembers(sql, cases));
  await fillAudit(sql, cases.length);
  await sql.fill('sensor', 'sources/sensor');
  await sql.setParameters(cases.map((one, world) => ({ world, row: taskParameters(one) })));
  await sql.time('task', () => sql.insertSelect('task', withParameters(taskSelect)));
  for (const [table, query] of sensorQueries) await sql.fill(table, query);
  await fillNames(sql, cases);
  await sql.fill('session', 'sources/session');
  await sql.fill('use', 'sources/use');
  await sql.fill('kernel_covered', 'sources/kernel-covered');
  await sql.time('matches', () => fillMatches(sql, cases.length));
}

async function fillEvents(sql: FleetSql): Promise<void> {
  await sql.createFrom('tetragon_event', 'sources/tetragon');
  await sql.fill('gap', 'sources/tetragon-broken');
  await sql.run(`DELETE FROM tetragon_event WHERE ${brokenEvent}`);
  await sql.fill('kernel_event', 'sources/kernel-event');
  await sql.fill('process', 'sources/process');
  await sql.fill('way_reach', 'sources/way-reach');
  await sql.run('DROP TABLE tetragon_event');
}

async function fillDeclared(sql: FleetSql, cases: readonly Case[]): Promise<void> {
  const tables = new Map<string, WorldRow[]>();
  for (const [world, { declaration, config, policies }] of cases.entries()) {
    const insert = (table: string, rows: readonly (readonly Parameter[])[]): Promise<void> => {
      const all = tables.get(table) ?? [];
      all.push(...rows.map((row) => ({ world, row })));
      tables.set(table, all);
      return Promise.resolve();
    };
    await insertDeclared({ insert }, declaration, config, policies);
  }
  for (const [table, rows] of tables) await sql.insert(table, rows);
}

async function markMembers(sql: FleetSql, cases: readonly Case[]): Promise<void> {
  // selectors of one form are one query, of which each world has one selector at a time
  const selectors = cases.flatMap(({ declaration }, world) => {
    const told = new Map<string, number>();
    return declaration.workload.map((selector) => {
      const { condition, parameters } = selectorSql(selector);
      const nth = told.get(condition) ?? 0;
      told.set(condition, nth + 1);
      return { condition, nth, world, row: parameters };
    });
  });
  for (const group of groupBy(selectors, ({ condition, nth }) => `${nth} ${condition}`).values()) {
    await sql.setParameters(group);
    await sql.insertSelect('seed', withParameters(seedSelect(group[0]?.condition ?? '')));
  }
  await sql.createFrom('member', 'sources/membership');
  await sql.setParameters(cases.map(({ declaration }, world) => ({ world, row: [declaration.task.id] })));
  await sql.run(`UPDATE process SET task_id = p.p0, tied_by = m.tied_by
    FROM member AS m JOIN parameter AS p ON p.world = m.world
    WHERE m.world = process.world AND m.node = process.node AND m.exec_id = process.exec_id`);
  const marks = cases.flatMap(({ declaration }, world) =>
    foreignMarks(declaration).map(({ value, name, pair }, nth) => ({ nth, world, row: [value, name, pair] })),
  );
  for (const group of groupBy(marks, ({ nth }) => String(nth)).values()) {
    await sql.setParameters(group);
    await sql.run(`UPDATE process SET contested = coalesce(regexp_extract(env, p.p0, 1), '?') FROM parameter AS p
      WHERE p.world = process.world AND task_id IS NOT NULL AND contains(env, p.p1) AND NOT contains(env, p.p2)`);
  }
}

async function fillAudit(sql: FleetSql, count: number): Promise<void> {
  await sql.insertSelect('gap', problemSelect);
  const parts = await sql.time('audit records', async () => ({
    config: await sql.all(auditSelects.config),
    inventory: await sql.all(auditSelects.inventory),
    digests: await sql.all(auditSelects.digests),
    logs: await sql.all(auditSelects.logs),
  }));
  const tables: Record<'audit_snapshot' | 'gap' | 'audit_object', WorldRow[]> = {
    audit_snapshot: [],
    gap: [],
    audit_object: [],
  };
  await sql.time('digest check', async () => {
    for (let world = 0; world < count; world += 1) {
      const { snapshots, gaps, objects } = toAuditRows({
        config: parts.config(world),
        inventory: parts.inventory(world),
        digests: parts.digests(world),
        logs: parts.logs(world),
      });
      tables.audit_snapshot.push(...snapshots.map((row) => ({ world, row })));
      tables.gap.push(...gaps.map((row) => ({ world, row })));
      tables.audit_object.push(...objects.map((row) => ({ world, row })));
    }
    for (const [table, rows] of Object.entries(tables)) await sql.insert(table, rows);
  });
  await sql.fill('audit_event', 'sources/cloudtrail');
  await sql.fill('audit_lookup', 'sources/audit-lookup');
}

async function fillNames(sql: FleetSql, cases: readonly Case[]): Promise<void> {
  await sql.time('payloads', async () => {
    const [dns, hellos] = [await sql.all(dnsPayloads), await sql.all(helloPayloads)];
    await sql.insert(
      'dns_message',
      cases.flatMap((_, world) => dns(world).flatMap((one) => toDnsRows(one).map((row) => ({ world, row })))),
    );
    await sql.insert(
      'tls_hello',
      cases.flatMap((_, world) => hellos(world).flatMap((one) => toHelloRows(one).map((row) => ({ world, row })))),
    );
  });
  await sql.fill('flow', 'sources/egress');
  await sql.createFrom('given_resolution', 'sources/resolution');
  await sql.time('addresses', async () => {
    await sql.insertSelect('address', v4Select);
    const others = await sql.all(otherSelect);
    const rows = cases.flatMap((_, world) => toAddressRows(others(world)).map((row) => ({ world, row })));
    await sql.insert('address', rows);
  });
  await sql.fill('resolution', 'sources/dns-resolution');
  await sql.insertSelect('resolution', givenSelect);
  await sql.insert(
    'resolution',
    cases.flatMap(({ config, evidence }, world) => toHostRows(config, evidence.config).map((row) => ({ world, row }))),
  );
  // evidence holds no published address ranges: tables provider_range and what comes of them stay empty
  await sql.fill('egress', 'sources/attribute');
  await sql.fill('lookup', 'sources/lookup');
}

async function fillMatches(sql: FleetSql, count: number): Promise<void> {
  const pairs = await sql.all(readQuery('sources/use-candidate'));
  const shared = [];
  for (const query of sharedQueries) shared.push(await sql.all(readQuery(query)));
  const sources = await sql.all(useSources);
  const rows: WorldRow[] = [];
  for (let world = 0; world < count; world += 1) {
    const matchable = {
      pairs: pairs(world),
      shared: shared.flatMap((one) => one(world)),
      sources: sources(world),
    };
    rows.push(...toMatchRows(matchable).map((row) => ({ world, row })));
  }
  await sql.insert('use_match', rows);
}
