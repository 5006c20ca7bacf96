import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Form, openScenario, scenarioFolder, taskIdOf } from './lab.ts';

/** Scenarios in which one way in lost much that the other has: what is derived from several events differs there. */
const lossy: ReadonlySet<string> = new Set(['s14-burst', 's15a-restart-sigterm', 's15b-restart-sigkill', 's23-rate-limits']);

/** Rows as text, by the key that says which of them are the same thing. */
type Rows = ReadonlyMap<string, readonly string[]>;

interface Shown {
  readonly events: Rows;
  readonly processes: Rows;
  readonly flows: Rows;
}

const eventKey = '[node, time, kind, hook, exec_id, tid]';
const flowKey = '[node, opened, channel, hook, exec_id, remote_address, remote_port, path]';
const firstOf = `EXCLUDE (evidence)`;

async function show(scenario: string, form: Form): Promise<Shown> {
  const tables = await openScenario(scenario, form, taskIdOf(scenario));
  try {
    const read = async (key: string, columns: string, table: string): Promise<Rows> => {
      const rows = await tables.all(
        `SELECT CAST(to_json([CAST(x AS VARCHAR) FOR x IN ${key}]) AS VARCHAR) AS key, CAST(to_json(r) AS VARCHAR) AS row
         FROM (SELECT ${columns} FROM ${table}) AS r ORDER BY ALL`,
      );
      const found = new Map<string, string[]>();
      for (const row of rows) {
        const name = String(row['key']);
        found.set(name, [...(found.get(name) ?? []), String(row['row'])]);
      }
      return found;
    };
    return {
      events: await read(eventKey, '* EXCLUDE (evidence)', 'kernel_event'),
      processes: await read('[node, exec_id]', processColumns(scenario), 'process'),
      flows: await read(flowKey, flowColumns(scenario), 'flow'),
    };
  } finally {
    await tables.close();
  }
}
