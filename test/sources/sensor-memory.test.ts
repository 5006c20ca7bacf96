import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildTables } from '../../src/judge/tables.ts';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import { literal, openDatabase } from '../../src/query/database.ts';
import { healthLine, second } from './sensor-evidence.ts';

const lines = 2500;
const losses = 160;

test('thousands of long health lines are read within the memory that is allowed', { timeout: 120_000 }, async () => {
  const counters = Array.from({ length: losses }, (_, nth): [string, number] => [
    `tetragon_handler_errors_total{error="an error of some length that comes with a name for itself",opcode="${nth}"}`,
    0,
  ]);
  const text = JSON.stringify(healthLine(0, Object.fromEntries(counters)));
  expect(text.length).toBeGreaterThan(18_000);
  const folder = mkdtempSync(join(tmpdir(), 'tally-sensor-memory-'));
  const database = await openDatabase();
  try {
    const file = 'lines.parquet';
    await database.run(`COPY (
      SELECT i AS seq, 0 AS received_at, replace(${literal(text)}, '${second(0)}',
        strftime(TIMESTAMP '2026-01-01 12:00:00' + to_seconds(i * 10), '%Y-%m-%dT%H:%M:%SZ')) AS raw
      FROM range(${lines}) t(i) ORDER BY i
    ) TO ${literal(join(folder, file))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`);
    const segment = {
      ...{ stream: 'sensor', origin: 'n1', file, firstSeq: 0, lastSeq: lines - 1, count: lines },
      ...{ root: '', firstTime: null, lastTime: null, fileSha256: '' },
    };
    const declaration = parseDeclaration(
      '{apiVersion: tally/v1, kind: Task, task: {id: 7b3f, type: test}, workload: [{env: {TASK_ID: 7b3f}}]}',
      'in the test',
    );
    await buildTables(database, folder, [segment], {
      declaration,
      config: parseConfig('', 'in the test'),
      policies: [],
      declared: { time: undefined, basis: 'self-reported' },
      evidence: { declaration: 'tally/declaration/0', config: 'tally/config/0' },
    });
    const [row] = await database.all(`SELECT
      (SELECT count(*) FROM sensor WHERE why IS NULL) AS lines,
      (SELECT count(*) FROM sensor_hook) AS hooks,
      (SELECT count(*) FROM sensor_metric) AS counters,
      (SELECT count(*) FROM gap) AS gaps`);
    expect({ lines: row?.['lines'], counters: row?.['counters'], gaps: row?.['gaps'] }).toEqual({
      lines: String(lines),
      counters: String(lines * (losses + 2)),
      gaps: '0',
    });
    expect(Number(row?.['hooks']) % lines).toBe(0);
    expect(Number(row?.['hooks'])).toBeGreaterThan(lines);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
