import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTables } from '../../../src/judge/tables.ts';
import { parseConfig } from '../../../src/model/config.ts';
import { parseDeclaration } from '../../../src/model/declaration.ts';
import { openDatabase, type Row } from '../../../src/query/database.ts';
import { ingest } from '../../../src/sources/ingest.ts';
import { renderKernel } from './render-kernel.ts';
import { renderSensor } from './render-sensor.ts';
import type { World } from '../world.ts';

/** What the product's tables hold of a world's kernel half. */
export async function readTables(
  world: World,
  form: 'export' | 'lean',
  queries: Readonly<Record<string, string>>,
): Promise<Record<string, Row[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-world-'));
  const database = await openDatabase();
  try {
    const [tetragon, sensor] = [join(folder, 'tetragon.jsonl'), join(folder, 'sensor.jsonl')];
    await writeFile(tetragon, [...renderKernel(world, form)].map(({ text }) => `${text}\n`).join(''));
    await writeFile(
      sensor,
      renderSensor(world)
        .map(({ text }) => `${text}\n`)
        .join(''),
    );
    const evidence = join(folder, 'evidence');
    const inputs = { tetragon: [tetragon], sensor: [sensor], cloudtrail: [], resolutions: [] };
    const context = { database, evidence, maskKey: Buffer.alloc(32, 7) };
    const { segments, problems } = await ingest(context, inputs, () => undefined);
    if (problems.length > 0) throw new Error(`The product can't read the world: ${JSON.stringify(problems)}`);
    const [task] = world.tasks;
    const workload = JSON.stringify(task.declaration.workload);
    const text = `{apiVersion: tally/v1, kind: Task, task: {id: "${task.id}", type: lab}, workload: ${workload}}`;
    await buildTables(database, evidence, segments, {
      declaration: parseDeclaration(text, 'of the world'),
      config: parseConfig(JSON.stringify({ resolvers: world.configuration.resolvers }), 'of the world'),
      policies: [],
      declared: { time: undefined, basis: 'self-reported' },
      evidence: { declaration: 'tally/declaration/0', config: 'tally/config/0' },
    });
    const found: Record<string, Row[]> = {};
    for (const [name, sql] of Object.entries(queries)) found[name] = await database.all(sql);
    return found;
  } finally {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}
