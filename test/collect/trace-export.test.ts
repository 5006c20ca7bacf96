import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stateFile } from '../../src/collect/trace-loop.ts';
import { summaryFolder } from '../../src/judge/task-summary.ts';
import { openHttpReceiver } from '../telemetry/receiver.ts';
import { judgedReport } from '../telemetry/reports.ts';
import { metric, openSite, runTally, startCollector, until } from './collector-process.ts';

const declaration = `apiVersion: tally/v1
kind: Task
task: { id: 7b3f, type: test }
workload: [ { env: { TASK_ID: 7b3f } } ]
`;

test('a collector exports the trace of a final task, once its backend is there, and goes on without it', async () => {
  const site = await openSite();
  const receiver = await openHttpReceiver({ status: 503 });
  await site.write('names.jsonl', '');
  const config = `
store: ./store
keys: { signing: ./tally.key.pem }
sources: { resolutions: [./names.jsonl] }
traces: { otlp: '${receiver.url}' }
`;
  const first = await startCollector(site, config);
  const declared = await runTally('declare', await site.write('task.yaml', declaration), '--store', site.store);
  expect(declared).toMatchObject({ code: 0 });
  await first.stop();

  const folder = summaryFolder(site.store, '7b3f');
  mkdirSync(folder, { recursive: true });
  const counts = { processes: 5, egress: 12, uses: 5, findings: 2 };
  const summary = {
    schema: 'tallystick/summary/v1',
    task: '7b3f',
    state: 'final',
    verdict: 'violated',
    window: {},
    counts,
  };
  const rest = { judgedUntil: null, size: 1, final: true, pendingUntil: null };
  writeFileSync(join(folder, 'report.json'), JSON.stringify(await judgedReport('c12-foreign-use')));
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ ...summary, ...rest }));

  const second = await startCollector(site, config);
  await second.said('trace not exported; it is tried again');
  expect(await metric(site, 'tally_traces_waiting')).toBe(1);
  expect(receiver.spans).toHaveLength(0);
  delete receiver.behaviour.status;
  await second.said('trace exported');
  await until(() => existsSync(stateFile(site.store, '7b3f')));
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(receiver.spans.length);
  expect(receiver.spans.length).toBeGreaterThan(20);
  expect(await metric(site, 'tally_traces_exported_total')).toBe(1);
  expect(await second.stop()).toBe(0);
});
