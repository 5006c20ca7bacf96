import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTables } from '../../src/judge/tables.ts';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import { openDatabase, type Row } from '../../src/query/database.ts';
import { ingest, type Ingested } from '../../src/sources/ingest.ts';

/** Which recording of a scenario: what the sensor exported, what its gRPC stream brought, or both at once. */
export type Form = 'lines' | 'frames' | 'both';

/** A scenario's canonical tables, made the way a report is: ingested, sealed, related. */
export interface Tables {
  readonly problems: Ingested['problems'];
  readonly records: number;
  all(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');

/** The recordings of the lab; without them nothing here can be tested. */
export const scenarioFolder = join(shared, 'lab/scenarios');
if (!existsSync(scenarioFolder)) {
  throw new Error(`${scenarioFolder} is missing: set TALLY_SHARED to the folder that holds lab/scenarios.`);
}

/** Builds every table of one scenario for a task whose processes bear `TASK_ID` = taskId, or fit another selector. */
export async function openScenario(
  scenario: string,
  form: Form,
  taskId: string,
  selector = `{env: {TASK_ID: ${taskId}}}`,
): Promise<Tables> {
  const evidence = await mkdtemp(join(tmpdir(), 'tally-lab-'));
  const database = await openDatabase();
  const close = async (): Promise<void> => {
    await database.close();
    await rm(evidence, { recursive: true, force: true });
  };
  try {
    const context = { database, evidence, maskKey: Buffer.alloc(32, 7) };
    const inputs = { tetragon: recordings(scenario, form), sensor: [], cloudtrail: [], resolutions: [] };
    const { segments, problems } = await ingest(context, inputs, () => undefined);
    const declaration = parseDeclaration(
      `{apiVersion: tally/v1, kind: Task, task: {id: ${taskId}, type: lab}, workload: [${selector}]}`,
      'of the lab',
    );
    const declared = { time: undefined, basis: 'self-reported' as const };
    await buildTables(database, evidence, segments, {
      declaration,
      config: parseConfig('', 'of the lab'),
      policies: [],
      declared,
      evidence: { declaration: 'tally/declaration/0', config: 'tally/config/0' },
    });
    const records = segments.reduce((sum, segment) => sum + segment.count, 0);
    return { problems, records, all: (sql) => database.all(sql), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function recordings(scenario: string, form: Form): string[] {
  const names = {
    lines: ['events.jsonl.gz', 'late-events.jsonl.gz'],
    frames: ['events.binpb.gz'],
    both: ['events.jsonl.gz', 'late-events.jsonl.gz', 'events.binpb.gz'],
  }[form];
  return names.map((name) => join(scenarioFolder, scenario, name)).filter((path) => existsSync(path));
}

/** One line of truth.jsonl: what a process of the lab really did. `dest` is `host:port`, an address, `unix:path` or null. */
export interface Action {
  readonly pid: number;
  readonly tid?: number;
  readonly action: string;
  readonly dest: string | null;
  readonly proto: string | null;
  readonly start: string;
  readonly end: string | null;
  readonly result: string | null;
  readonly note: string | null;
  readonly task_id?: string;
  readonly count?: number;
}

export function readTruth(scenario: string): Action[] {
  const text = readFileSync(join(scenarioFolder, scenario, 'truth.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Pick<Action, 'pid' | 'action' | 'start'> & Partial<Action>)
    .map((action) => ({ dest: null, proto: null, note: null, result: null, end: null, ...action }));
}

/** TASK_ID of the scenario's task; of the first one where two run at once. */
export function taskIdOf(scenario: string): string {
  const id = readTruth(scenario).find((action) => action.action === 'task_root_start')?.task_id;
  if (id === undefined) throw new Error(`The truth of ${scenario} names no task.`);
  return id;
}
