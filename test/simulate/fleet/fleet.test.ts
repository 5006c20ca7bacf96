import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, readReport, runTally } from '../../cases/shared-case.ts';
import { writeFleet } from './fleet.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let folder: string;
beforeAll(async () => {
  workshop = await openWorkshop();
  folder = await mkdtemp(join(tmpdir(), 'tally-fleet-'));
});
afterAll(async () => {
  await workshop.close();
  await rm(folder, { recursive: true, force: true });
});

test('each task of a fleet is proven from the evidence of all of it, with as many connections as were asked for', async () => {
  const out = join(folder, 'fleet');
  const told: number[] = [];
  const written = await writeFleet(out, {
    seed: 'fleet',
    tasks: 3,
    connectionsPerTask: 20,
    nodes: 2,
    told: ({ connections }) => told.push(connections),
  });
  expect(written.connections).toBe(60);
  expect(told.at(-1)).toBeLessThanOrEqual(60);
  const tetragon = (await readdir(join(out, 'tetragon'))).map((file) => join(out, 'tetragon', file));
  const tasks = await readdir(join(out, 'tasks'));
  expect(tasks).toHaveLength(3);
  for (const task of tasks) {
    const report = join(folder, `report-${task}`);
    const files = [
      '--task',
      join(out, 'tasks', task, 'task.yaml'),
      '--config',
      join(out, 'config.yaml'),
      '--tetragon',
      ...tetragon,
    ];
    const halves = ['--sensor', join(out, 'sensor.jsonl.gz'), '--cloudtrail', join(out, 'cloudtrail')];
    const ran = await runTally(['audit', ...files, ...halves, '--key', workshop.key, '--out', report, '--quiet']);
    expect(ran).toMatchObject({ exitCode: 0 });
    const { egress } = readReport(report);
    expect(
      egress.filter(({ channel }) => channel === 'tcp').reduce((sum, { connections }) => sum + connections, 0),
    ).toBeGreaterThanOrEqual(20); // a refused try counts too
    expect(egress.filter(({ declared }) => !declared)).toEqual([]);
  }
});

test('the same seed writes the same lines', async () => {
  const counts = await Promise.all(
    ['a', 'b'].map((name) => writeFleet(join(folder, name), { seed: 's', tasks: 2, connectionsPerTask: 5, nodes: 1 })),
  );
  expect(counts[0]).toEqual(counts[1]);
});
