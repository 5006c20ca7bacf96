import { expect, test } from 'vitest';
import { insertDeclared } from '../../src/judge/declared.ts';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import { createTables, openDatabase } from '../../src/query/database.ts';

async function requiredChains(config: string): Promise<unknown[]> {
  const declaration = parseDeclaration(
    '{apiVersion: tally/v1, kind: Task, task: {id: a1, type: t}, workload: [{env: {TASK_ID: a1}}]}',
    'of the test',
  );
  const database = await openDatabase();
  try {
    await createTables(database);
    await insertDeclared(database, declaration, parseConfig(config, 'of the test'), []);
    const rows = await database.all('SELECT * FROM setting');
    return rows.map((row) => Object.values(row)).filter(([kind]) => kind === 'trail-required');
  } finally {
    await database.close();
  }
}

const chain = (region: string, name = ''): string => `{account: '111122223333', region: ${region}${name}}`;
const source = (chains: string): string =>
  `sources: {cloudtrail: [{bucket: b, region: us-east-1, chains: [${chains}]}]}`;

test('the chains that a collector is to read must be there, beside those that are listed', async () => {
  const config = `trails: [${chain('eu-west-1')}]\n${source(`${chain('us-east-1', ', name: main')}, ${chain('eu-west-1')}`)}`;
  expect(await requiredChains(config)).toEqual([
    ['trail-required', '111122223333/eu-west-1', ''],
    ['trail-required', '111122223333/us-east-1', 'main'],
  ]);
});

test('a file of snapshots lists none by itself', async () => {
  expect(await requiredChains('trails: trails.json')).toEqual([]);
  expect(await requiredChains(`trails: trails.json\n${source(chain('us-east-1'))}`)).toHaveLength(1);
});
