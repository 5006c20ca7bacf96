import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/query/database.ts';
import { openScenario, readTruth, type Tables, taskIdOf } from './lab.ts';

/** Members of the task, in order of their start; ids shown as `ktime:pid` in place of base64("node:ktime:pid"). */
const members = `
  SELECT pid::INTEGER AS pid, ${shortId('exec_id')} AS id, ${shortId('parent_exec_id')} AS parent, ${shortId('fork_parent')} AS forker,
    "binary", flags, tied_by, announced, exited::VARCHAR AS exited, image_until::VARCHAR AS image_until
  FROM process WHERE task_id IS NOT NULL ORDER BY started, exec_id`;

function shortId(column: string): string {
  return `substr(CAST(from_base64(${column}) AS VARCHAR), length(node) + 2)`;
}

async function withScenario(
  scenario: string,
  check: (tables: Tables) => Promise<void>,
  selector?: string,
): Promise<void> {
  const taskId = taskIdOf(scenario);
  const tables = await openScenario(scenario, 'lines', taskId, selector);
  try {
    await check(tables);
  } finally {
    await tables.close();
  }
}

function pidOf(id: unknown): number {
  return Number(String(id).split(':')[1]);
}

function truePids(scenario: string): Set<number> {
  return new Set(readTruth(scenario).map((action) => action.pid));
}

describe('a daemon that init adopted (s04)', () => {
  const root = Buffer.from('tetlab:1904840768652:1035').toString('base64');

  it('is the task’s by its environment', () =>
    withScenario('s04-daemon', async (tables) => {
      const rows = await tables.all(members);
      expect(rows.map((row) => [row['pid'], row['tied_by']])).toEqual(
        [1035, 1036, 1037, 1038, 1039].map((pid) => [pid, 'selector']),
      );
    }));

  it('is the task’s by the fork hook, where nothing but its root is told', () =>
    withScenario(
      's04-daemon',
      async (tables) => {
        const rows = await tables.all(members);
        expect(rows.map((row) => [row['pid'], row['tied_by'], pidOf(row['parent']), pidOf(row['forker'])])).toEqual([
          [1035, 'selector', 1034, 1034],
          [1036, 'parent', 1035, 1035],
          [1037, 'parent', 1036, 1036],
          [1038, 'parent', 1035, 1035],
          [1039, 'fork', 1, 1038],
        ]);
        const late = await tables.all(`
          SELECT DISTINCT remote_address || ':' || remote_port AS far FROM egress
          WHERE task_id IS NOT NULL AND channel = 'tcp' AND opened > (SELECT exited FROM process WHERE exec_id = '${root}')`);
        expect(late).toEqual([{ far: '203.0.113.66:443' }]);
      },
      `{execId: ${root}}`,
    ));
});

it('finds forks that never exec, and takes no thread for a process (s09)', () =>
  withScenario('s09-fork-threads', async (tables) => {
    const rows = await tables.all(members);
    expect(rows.map((row) => [row['pid'], pidOf(row['parent']), row['announced']])).toEqual([
      [1798, 1797, true],
      [1800, 1798, false],
      [1801, 1798, false],
      [1802, 1798, false],
      [1806, 1798, false],
      [1807, 1806, false],
      [1809, 1798, false],
      [1810, 1809, false],
      [1817, 1798, true],
      [1820, 1798, false],
      [1821, 1798, false],
      [1827, 1798, false],
      [1830, 1827, true],
    ]);
    expect(rows.filter((row) => row['exited'] === null)).toEqual([]);
    const threads = await tables.all(`
      SELECT DISTINCT pid::INTEGER AS pid, tid::INTEGER AS tid FROM kernel_event
      WHERE hook = 'tcp_connect' AND tid <> pid AND exec_id IN (SELECT exec_id FROM process WHERE task_id IS NOT NULL) ORDER BY tid`);
    expect(threads).toEqual([
      { pid: 1798, tid: 1811 },
      { pid: 1798, tid: 1812 },
      { pid: 1798, tid: 1815 },
      { pid: 1827, tid: 1828 },
    ]);
    const [taken] = await tables.all(
      'SELECT count(*)::INTEGER AS n FROM process WHERE pid IN (1811, 1812, 1815, 1828)',
    );
    expect(taken?.['n']).toBe(0);
  }));

it('keeps processes apart that had the same pid (s18)', () =>
  withScenario('s18-pid-reuse', async (tables) => {
    const rows = await tables.all(members);
    expect([rows.length, new Set(rows.map((row) => row['id'])).size]).toEqual([2104, 2104]);
    const pids = new Set(rows.map((row) => row['pid']));
    expect(pids.size).toBe(1050);
    expect([...truePids('s18-pid-reuse')].filter((pid) => !pids.has(pid))).toEqual([]);
    expect(rows.filter((row) => pidOf(row['id']) !== row['pid'])).toEqual([]);
    // 2,000 programs and 100 forks that connect before they exec, all children of the one image of tinyexec
    const tinyexec = rows.find((row) => row['binary'] === '/lab/bin/tinyexec' && row['announced'] === true);
    const children = rows.filter((row) => row['parent'] === tinyexec?.['id']);
    expect(countOf(children, (row) => row['binary'] === '/lab/bin/true' && row['announced'] === true)).toBe(2000);
    expect(countOf(children, (row) => row['binary'] === '/lab/bin/tinyexec' && row['announced'] === false)).toBe(100);
    expect(rows.length - children.length).toBe(4);
    const overlapping = await tables.all(`
      SELECT a.pid FROM process AS a JOIN process AS b ON b.node = a.node AND b.pid = a.pid AND b.started > a.started AND a.exited > b.started`);
    expect(overlapping).toEqual([]);
  }));

describe.each([
  { scenario: 's15a-restart-sigterm', truth: 119, known: 91, root: 1580, exit: '09:55:47.405783' },
  { scenario: 's15b-restart-sigkill', truth: 95, known: 66, root: 2421, exit: '09:59:18.614222' },
])('a restart of the sensor ($scenario)', ({ scenario, truth, known, root, exit }) => {
  it('joins the root that it names anew to the one it knew, and their end', () =>
    withScenario(scenario, async (tables) => {
      const rows = await tables.all(members);
      const images = rows.filter((row) => row['pid'] === root);
      expect(images.map((row) => [row['flags'], row['tied_by'], String(row['image_until']).slice(11)])).toEqual([
        ['procFS', 'procfs', exit],
        ['execve clone', 'selector', exit],
      ]);
    }));

  it('has no process that is not the task’s, and none of those that were never announced', () =>
    withScenario(scenario, async (tables) => {
      const rows = await tables.all(members);
      const pids = new Set(rows.map((row) => Number(row['pid'])));
      const wanted = truePids(scenario);
      expect([...pids].filter((pid) => !wanted.has(pid))).toEqual([]);
      expect([wanted.size, pids.size]).toEqual([truth, known]);
      // the others are in no row: nothing says whose they are, and nothing may
      const lost = [...wanted].filter((pid) => !pids.has(pid));
      const [guessed] = await tables.all(`SELECT count(*)::INTEGER AS n FROM process WHERE pid IN (${lost.join(',')})`);
      expect(guessed?.['n']).toBe(0);
    }));
});

function countOf(rows: readonly Row[], fits: (row: Row) => boolean): number {
  return rows.filter(fits).length;
}
