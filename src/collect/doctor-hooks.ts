import { createTables, openDatabase } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import { readHooks } from '../sources/hooks.ts';

export interface HookGap {
  readonly why: string;
  readonly detail: string;
  /** Hooks that do not post, as far as they are told. */
  readonly hooks: readonly string[];
}

export interface HookState {
  /** Required hooks that do not post, by the rule of the judge. */
  readonly gaps: readonly HookGap[];
  /** Hooks that this kernel does not have; a doubt for a task that uses their channel. */
  readonly absent: readonly string[];
  readonly loaded: number;
  /** Loss counters that the judge found. */
  readonly counters: readonly string[];
}

/** Without them a line counts as none; whether they are there is a check of its own. */
const always: Readonly<Record<string, number>> = {
  process_start_time_seconds: 1,
  tetragon_observer_ringbuf_queue_events_lost_total: 0,
  tetragon_notify_overflowed_events_total: 0,
};

/**
 * What a health line with these policies and metrics would be judged as: it goes through the judge's own queries, as the only
 * line of a node, with a task that has used no channel yet.
 */
export async function judgeHooks(
  policies: readonly unknown[],
  metrics: Readonly<Record<string, number>>,
): Promise<HookState> {
  const database = await openDatabase();
  try {
    await createTables(database);
    const line = JSON.stringify({
      kind: 'health',
      node: 'node',
      time: '2000-01-01T00:00:00Z',
      policies,
      metrics: { ...always, ...metrics },
    });
    await database.run(
      `INSERT INTO record (stream, origin, seq, received_at, evidence, raw) VALUES ('sensor', 'node', 0, 0, 'sensor/node/0', ?)`,
      [line],
    );
    const hooks = readHooks();
    await database.insert('required_hook', hooks.requiredHook);
    await database.insert('channel_touch', hooks.channelTouch);
    for (const [table, query] of [
      ['sensor', 'sensor'],
      ['sensor_hook', 'sensor-policy'],
      ['sensor_metric', 'sensor-metric'],
    ] as const)
      await database.run(`INSERT INTO ${table} ${readQuery(`sources/${query}`)}`);
    const gaps = await database.all(`SELECT why, detail FROM (${readQuery('sources/sensor-gap-policy')}) ORDER BY ALL`);
    const absent = await database.all(
      `SELECT DISTINCT hook FROM sensor_hook WHERE enabled AND hook_state <> 'STATUS_LOADED' AND hook IN
         (SELECT hook FROM required_hook WHERE role <> 'optional') ORDER BY hook`,
    );
    const loaded = await database.all(
      `SELECT count(DISTINCT hook) AS n FROM sensor_hook WHERE enabled AND hook_state = 'STATUS_LOADED'`,
    );
    const counters = await database.all('SELECT DISTINCT metric FROM sensor_metric ORDER BY metric');
    const told = new Set(Object.keys(metrics).map((name) => name.split('{')[0]));
    const known = [...new Set(hooks.requiredHook.map(([, hook]) => hook))];
    return {
      gaps: gaps.map(({ why, detail }) => {
        const text = String(detail);
        const named = (/nothing was posted by (.*)\.$/.exec(text)?.[1] ?? '').split(/, | and /);
        return { why: String(why), detail: text, hooks: known.filter((hook) => named.includes(hook)) };
      }),
      absent: absent.map(({ hook }) => String(hook)),
      loaded: Number(loaded[0]?.['n'] ?? 0),
      counters: counters.map(({ metric }) => String(metric)).filter((metric) => told.has(metric)),
    };
  } finally {
    await database.close();
  }
}
