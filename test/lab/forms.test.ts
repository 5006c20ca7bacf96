import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Form, openScenario, scenarioFolder, taskIdOf } from './lab.ts';

/** Scenarios in which one way in lost much that the other has: what a row says of several events differs there. */
const lossy: ReadonlySet<string> = new Set([
  's14-burst',
  's15a-restart-sigterm',
  's15b-restart-sigkill',
  's23-rate-limits',
]);

/** Columns by which a row is the same thing in both forms; of lossy scenarios only those in `rest` are compared then. */
const tables = {
  events: { from: 'kernel_event', key: 'node, time, kind, hook, exec_id, tid', rest: '' },
  // Frames begin later than the lines of the same window: what was running before is known from less there.
  processes: {
    from: 'process WHERE announced OR task_id IS NOT NULL',
    key: 'node, exec_id',
    rest: 'node, exec_id, parent_exec_id, pid, started, binary, cwd, uid, env, in_init_tree, netns, task_id',
  },
  flows: {
    from: 'flow',
    key: 'node, opened, channel, hook, exec_id, local_port, remote_address, remote_port, path',
    rest: 'node, opened, channel, hook, exec_id, pid, local_address, local_port, remote_address, remote_port, path, socket, netns',
  },
} as const;

type Name = keyof typeof tables;
/** Rows as text, by their key. */
type Rows = ReadonlyMap<string, readonly string[]>;
type Shown = Readonly<Record<Name, Rows>>;

describe.each(readdirSync(scenarioFolder).sort())('%s', (scenario) => {
  let lines: Shown;
  let frames: Shown;
  let both: Shown;
  beforeAll(async () => {
    lines = await show(scenario, 'lines');
    frames = await show(scenario, 'frames');
    both = await show(scenario, 'both');
  });

  it.each(['events', 'processes', 'flows'] as const)('gives the same %s from lines and from frames', (name) => {
    const shared = [...frames[name].keys()].filter((key) => lines[name].has(key));
    expect(shared.length).toBeGreaterThan(0);
    expect(shared.flatMap((key) => frames[name].get(key) ?? [])).toEqual(
      shared.flatMap((key) => lines[name].get(key) ?? []),
    );
  });

  it('gives the union of events, each once, when both are fed in', () => {
    const union = new Map([...lines.events, ...frames.events]);
    expect(both.events.size).toBe(union.size);
    expect(rowCount(both.events)).toBe(rowCount(union));
    expect([...both.events].filter(([key, rows]) => union.get(key)?.join('\n') !== rows.join('\n'))).toEqual([]);
  });
});

/** Every column as text, null apart from the empty one. */
function texts(columns: string): string {
  return columns
    .split(',')
    .map((column) => `coalesce(CAST("${column.trim()}" AS VARCHAR), '-')`)
    .join(',');
}

function rowCount(rows: Rows): number {
  return [...rows.values()].reduce((sum, same) => sum + same.length, 0);
}

async function show(scenario: string, form: Form): Promise<Shown> {
  const opened = await openScenario(scenario, form, taskIdOf(scenario));
  try {
    const read = async (name: Name): Promise<Rows> => {
      const { from, key, rest } = tables[name];
      const [described] = await opened.all(
        `SELECT string_agg(column_name, ',') AS columns FROM duckdb_columns()
         WHERE table_name = '${from.split(' ')[0] ?? ''}' AND column_name <> 'evidence'`,
      );
      const columns = lossy.has(scenario) && rest !== '' ? rest : String(described?.['columns']);
      const rows = await opened.all(
        `SELECT concat_ws('|', ${texts(key)}) AS key, concat_ws('|', ${texts(columns)}) AS text
         FROM ${from}
         ORDER BY ALL`,
      );
      const found = new Map<string, string[]>();
      for (const row of rows) {
        const same = found.get(String(row['key']));
        if (same === undefined) found.set(String(row['key']), [String(row['text'])]);
        else same.push(String(row['text']));
      }
      return found;
    };
    return { events: await read('events'), processes: await read('processes'), flows: await read('flows') };
  } finally {
    await opened.close();
  }
}
