import { expect, test } from 'vitest';
import { countHealth, countVerdicts, type Metrics, openMetrics } from '../../src/collect/metrics.ts';

async function valuesOf({ registry }: Metrics, name: string): Promise<Record<string, number>> {
  const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {};
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

test('a task is counted again when its verdict is another', async () => {
  const metrics = openMetrics();
  const count = countVerdicts(metrics);
  for (const verdict of ['pending', 'pending', 'violated', 'violated', 'violated']) count('a', verdict);
  count('b', 'violated');
  expect(await valuesOf(metrics, 'tally_reports_total')).toEqual({ proven: 0, violated: 2, unproven: 0, pending: 1 });
});

test('a health line is counted that has an error, or a loss counter that moved', async () => {
  const metrics = openMetrics();
  const count = countHealth(metrics, 'n1');
  const losses = async (): Promise<number | undefined> => (await valuesOf(metrics, 'tally_sensor_losses_total'))['n1'];
  const line = (lost: number, start = 1, more = {}) => ({
    metrics: { process_start_time_seconds: start, tetragon_notify_overflowed_events_total: lost, ...more },
  });
  expect(await losses()).toBe(0);
  count(line(5)); // how it stood before we came is no news
  count(line(5, 1, { tetragon_flags_total: 9 }));
  expect(await losses()).toBe(0);
  count(line(6));
  expect(await losses()).toBe(1);
  count({ error: 'no answer' });
  count(line(6));
  expect(await losses()).toBe(1);
  count(line(6, 1, { 'tetragon_handler_errors_total{opcode="5"}': 1 }));
  expect(await losses()).toBe(2);
  count(line(0, 2));
  expect(await losses()).toBe(2);
  count(line(3, 3));
  expect(await losses()).toBe(3);
  expect(await valuesOf(metrics, 'tally_sensor_errors_total')).toEqual({ n1: 1 });
});
