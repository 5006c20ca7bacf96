import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMetrics, toSeriesKey } from '../../src/sources/prometheus-text.ts';
import { selectMetrics } from '../../src/sources/sensor-metrics.ts';
import { readCase } from './sensor-evidence.ts';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');
const scenarios = join(shared, 'lab/scenarios');

describe('parseMetrics', () => {
  it('reads names, labels, values, and a time behind them', () => {
    expect(
      parseMetrics('# HELP a_total x\n# TYPE a_total counter\na_total 3\n\nb{x="1",} 2.5e3 1700000000000\n'),
    ).toEqual([
      { name: 'a_total', labels: [], value: 3 },
      { name: 'b', labels: [['x', '1']], value: 2500 },
    ]);
    expect(parseMetrics('a NaN\nb +Inf\nc -Inf').map(({ value }) => value)).toEqual([NaN, Infinity, -Infinity]);
  });

  it('is not misled by what a program is called', () => {
    const [sample] = parseMetrics(String.raw`a_total{binary="/tmp/x\",policy=\"__base__\"} 9\n",z="}"} 4`);
    expect(sample).toEqual({
      name: 'a_total',
      labels: [
        ['binary', '/tmp/x",policy="__base__"} 9\n'],
        ['z', '}'],
      ],
      value: 4,
    });
  });

  it('writes a series the same way whatever its order of labels, and back', () => {
    const label = fc.tuple(fc.stringMatching(/^[a-z_][a-z0-9_]{0,6}$/), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.uniqueArray(label, { selector: ([name]) => name }), (labels) => {
        const line = (pairs: typeof labels): string =>
          `m{${pairs.map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`).join(',')}} 1`;
        const [there] = parseMetrics(line(labels));
        const [back] = parseMetrics(line(labels.toReversed()));
        if (there === undefined || back === undefined) throw new Error('no sample');
        expect(toSeriesKey(there)).toBe(toSeriesKey(back));
        expect(Object.fromEntries(there.labels)).toEqual(Object.fromEntries(labels));
        expect(parseMetrics(`${toSeriesKey(there)} 1`)).toEqual([there]);
      }),
    );
  });

  it('refuses what is none, so that no counter reads as zero', () => {
    for (const line of [
      'a',
      'a{',
      'a{x=1} 2',
      'a{x="1"y="2"} 2',
      'a{x="1} 2',
      'a 1 2 3',
      'a 0x10',
      'a 1_0',
      '<html>',
      'a ',
    ]) {
      expect(() => parseMetrics(`ok 1\n${line}`), line).toThrow('line 2 of the metrics is no sample');
    }
    expect(() => selectMetrics('tetragon_bpf_missed_events_total{error="ENOSPC"} NaN')).toThrow('has no number');
  });

  it.each(readdirSync(scenarios))('reads the pages of %s', (scenario) => {
    for (const name of ['metrics-before.txt', 'metrics-after.txt']) {
      const metrics = selectMetrics(readFileSync(join(scenarios, scenario, name), 'utf8'));
      expect(metrics['process_start_time_seconds']).toBeGreaterThan(1.7e9);
      expect(metrics['tetragon_notify_overflowed_events_total']).toBeGreaterThanOrEqual(0);
    }
  });

  it('names series as the recorded health lines do', () => {
    const recorded = readCase('c01-benign').lines.find(({ kind }) => kind === 'health')?.metrics ?? {};
    const text = Object.entries(recorded).map(([key, value]) => `${key} ${value}`);
    const perProgram = /^tetragon_(policy_)?events_total\{/;
    const expected = Object.entries(recorded).filter(([key]) => !perProgram.test(key));
    expect(selectMetrics(text.join('\n'))).toEqual(Object.fromEntries(expected));
    expect(expected.length).toBeGreaterThan(140);
  });
});
