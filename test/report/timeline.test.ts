import { describe, expect, it } from 'vitest';
import { toTree } from '../../src/report/process-tree.ts';
import { toTicks } from '../../src/report/time-axis.ts';
import { mergeMarks } from '../../src/report/timeline-merge.ts';
import { foldLanes, type Lane, type Mark, type Standing } from '../../src/report/timeline-lanes.ts';
import { foldTimeline, toTimeline } from '../../src/report/timeline.ts';
import { showDuration, showSpan, showTime, toMillis } from '../../src/report/times.ts';
import { at, large, proven, unproven, violated } from './fixture.ts';

function mark(id: string, from: number, standing: Standing, until = from): Mark {
  return { id, from, until, standing, hollow: false, title: id, remark: '' };
}

function marksOf(lanes: readonly Lane[] | undefined): Record<string, Standing> {
  const marks = (lanes ?? []).flatMap((lane) => lane.rows.flatMap((row) => row.marks));
  return Object.fromEntries(marks.map(({ id, standing }) => [id, standing]));
}

describe('toTimeline', () => {
  it('finds nothing to doubt in a proven report', () => {
    const timeline = toTimeline(proven);
    const standings = new Set([
      ...Object.values(marksOf(timeline?.kernel)),
      ...Object.values(marksOf(timeline?.provider)),
    ]);
    expect(standings).toEqual(new Set(['matched', 'quiet']));
  });

  it('marks by the findings: counterexamples breach, doubts doubt', () => {
    expect(marksOf(toTimeline(violated)?.kernel)['tetragon/node-1/18207']).toBe('breach');
    expect(marksOf(toTimeline(violated)?.provider)['c0ffee11-2222-4333-8444-555566667777']).toBe('breach');
    expect(marksOf(toTimeline(unproven)?.kernel)['tetragon/node-1/18206']).toBe('doubt');
  });

  it('gives a use of an unknown session its own lane', () => {
    const lanes = toTimeline({ ...violated, sessions: [] })?.provider ?? [];
    expect(lanes.map((lane) => lane.label)).toEqual(['ASIAEXAMPLE7B3FA1C8X', 'ASIAEXAMPLECHAINED09']);
  });

  it('draws connections of a process that the report does not list', () => {
    const lanes = toTimeline({ ...proven, processes: [] })?.kernel ?? [];
    expect(lanes.map((lane) => lane.label)).toEqual(['unknown process']);
  });

  it('counts what has no usable time instead of drawing it elsewhere', () => {
    const [connection] = proven.connections;
    const undated = connection === undefined ? [] : [{ ...connection, opened: 'yesterday' }];
    expect(toTimeline({ ...proven, connections: undated })?.undated).toBe(1);
  });

  it('folds a large task, and loses no mark', () => {
    const whole = toTimeline(large(500, 3000));
    const lanes = whole === undefined ? [] : foldTimeline(whole).kernel;
    expect(whole?.kernel).toHaveLength(500);
    expect(lanes.length).toBeLessThanOrEqual(41);
    expect(lanes.at(-1)?.label).toMatch(/^\d+ more processes$/);
    expect(Object.keys(marksOf(lanes))).toHaveLength(3000);
  });
});

describe('foldLanes', () => {
  const limits = {
    lanes: 3,
    rows: 5,
    laneNoun: ['process', 'processes'],
    rowNoun: ['endpoint', 'endpoints'],
    markNoun: ['connection', 'connections'],
  } as const;
  const lane = (label: string, standing?: Standing): Lane => ({
    label,
    title: label,
    depth: 0,
    rows: standing === undefined ? [] : [{ name: 'row', label: 'row', marks: [mark(label, 0, standing)] }],
  });

  it('keeps what stands out, in the given order', () => {
    const lanes = [lane('a'), lane('b', 'quiet'), lane('c', 'breach'), lane('d', 'matched'), lane('e', 'doubt')];
    expect(foldLanes(lanes, limits).map(({ label }) => label)).toEqual(['c', 'd', 'e', '2 more processes']);
  });

  it('puts a lane whose parent it folds at the root, after the others', () => {
    const deep = (label: string, depth: number, standing?: Standing): Lane => ({ ...lane(label, standing), depth });
    const lanes = [deep('a', 0, 'breach'), deep('b', 1), deep('c', 2, 'breach'), deep('d', 1, 'breach'), deep('e', 1)];
    expect(foldLanes(lanes, limits).map(({ label, depth, title }) => [label, depth, title])).toEqual([
      ['a', 0, 'a'],
      ['d', 1, 'd'],
      ['c', 0, 'parent not drawn; c'],
      ['2 more processes', 0, '2 more processes, listed in report.json'],
    ]);
  });

  it('keeps the standing of what it folds', () => {
    const lanes = Array.from({ length: 9 }, (_, i) => lane(`p${String(i)}`, 'breach'));
    expect(new Set(Object.values(marksOf(foldLanes(lanes, limits))))).toEqual(new Set(['breach']));
    expect(foldLanes(lanes, limits).at(-1)?.rows[0]?.label).toBe('6 connections');
  });
});

describe('mergeMarks', () => {
  const scale = (time: number): number => time;

  it('merges what would be painted over, never across standings', () => {
    const merged = mergeMarks([mark('a', 0, 'matched'), mark('b', 1, 'matched'), mark('c', 1, 'breach')], scale, false);
    expect(merged.map(({ ids, standing }) => [ids, standing])).toEqual([
      [['a', 'b'], 'matched'],
      [['c'], 'breach'],
    ]);
  });

  it('does not let dots in a crowd run together without end', () => {
    const dots = Array.from({ length: 100 }, (_, i) => mark(String(i), i * 4, 'matched'));
    expect(mergeMarks(dots, scale, true).length).toBeGreaterThan(30);
  });
});

describe('toTree', () => {
  it('puts parents before children', () => {
    expect(toTree(proven.processes).map(({ process, depth }) => `${String(depth)} ${String(process.pid)}`)).toEqual([
      '0 4701',
      '1 4702',
      '2 4703',
      '2 4704',
      '2 4705',
      '2 4706',
      '1 4707',
    ]);
  });

  it('shows each process once, even if parents form a circle', () => {
    const circle = proven.processes
      .slice(0, 2)
      .map((process, i, all) => ({ ...process, parentExecId: all[1 - i]?.execId ?? '' }));
    expect(toTree(circle)).toHaveLength(2);
    const same = proven.processes.map((process) => ({ ...process, execId: 'x', parentExecId: 'x' }));
    expect(toTree(same)).toHaveLength(7);
  });
});

describe('toTicks', () => {
  it.each([
    [42, ['10:00:00', '10:00:10', '10:00:20', '10:00:30', '10:00:40']],
    [
      0.03,
      ['10:00:00.000', '10:00:00.005', '10:00:00.010', '10:00:00.015', '10:00:00.020', '10:00:00.025', '10:00:00.030'],
    ],
    [3600, ['10:00', '10:10', '10:20', '10:30', '10:40', '10:50', '11:00']],
    [86_400 * 3, ['12:00', '2026-03-02', '12:00', '2026-03-03', '12:00', '2026-03-04']],
    [86_400 * 9, ['2026-03-02', '2026-03-04', '2026-03-06', '2026-03-08', '2026-03-10']],
  ])('are round for a span of %d s', (seconds, labels) => {
    const from = toMillis(at(0)) ?? 0;
    expect(toTicks(from, from + seconds * 1000, 8).map((tick) => tick.label)).toEqual(labels);
  });
});

describe('times', () => {
  it('are shown in UTC to the millisecond', () => {
    expect(showTime('2026-03-01T10:00:05Z')).toBe('2026-03-01 10:00:05');
    expect(showTime('2026-03-01T10:00:05.123456789Z')).toBe('2026-03-01 10:00:05.123');
    expect(showTime('no time\n')).toBe('no time\\u{a}');
  });

  it('show the date of a span once', () => {
    expect(showSpan(at(0), at(5))).toBe('2026-03-01 10:00:00 – 10:00:05');
    expect(showSpan(at(0), at(86_400))).toBe('2026-03-01 10:00:00 – 2026-03-02 10:00:00');
    expect(showSpan(at(0), undefined)).toBe('from 2026-03-01 10:00:00');
    expect(showSpan(undefined, at(0))).toBe('until 2026-03-01 10:00:00');
  });

  it.each([
    [850, '850 ms'],
    [42_500, '42.5 s'],
    [185_000, '3 min 5 s'],
    [7_440_000, '2 h 4 min'],
    [266_400_000, '3 d 2 h'],
  ])('last %d ms', (millis, shown) => {
    expect(showDuration(millis)).toBe(shown);
  });

  it('take nothing but RFC 3339 in UTC', () => {
    expect(toMillis('2026-03-01T10:00:00.5Z')).toBe(1_772_359_200_500);
    expect(toMillis('2026-03-01')).toBeUndefined();
    expect(toMillis('2026-99-01T10:00:00Z')).toBeUndefined();
  });
});
