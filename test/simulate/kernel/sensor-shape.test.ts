import { describe, expect, it } from 'vitest';
import { readShared } from './recorded-lines.ts';
import { renderSensor } from './render-sensor.ts';
import { after, smallWorld } from './small-world.ts';
import type { World } from '../world.ts';

interface Line {
  readonly kind: string;
  readonly policies?: readonly Record<string, unknown>[];
  readonly metrics?: Record<string, number>;
}

const recorded = toLines(readShared('cases/c01-benign/sensor.jsonl.gz'));
const read = (change?: (world: World) => void): Line[] =>
  renderSensor(smallWorld([], change)).map(({ text }) => JSON.parse(text) as Line);
const healths = (lines: readonly Line[]): Line[] => lines.filter(({ kind }) => kind === 'health');

function toLines(text: string): Line[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Members of an object and of those in it; numbers and texts by kind. */
function toForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toForm);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toForm(item)]));
}

const family = (key: string): string => key.replace(/\{.*/, '');
const status = (line: Line | undefined, name: string): Record<string, unknown> | undefined =>
  line?.policies?.find((policy) => policy['name'] === name);

describe('sensor lines', () => {
  it.each(['stream', 'canary', 'health'])('of kind %s have the recorded members in their order', (kind) => {
    const own = read().find((line) => line.kind === kind);
    expect(Object.keys(own ?? {})).toEqual(Object.keys(recorded.find((line) => line.kind === kind) ?? { none: 0 }));
  });

  it('tell every policy in the recorded form', () => {
    const [own, known] = [healths(read())[0], healths(recorded)[0]];
    expect(own?.policies?.length).toBe(6);
    for (const policy of known?.policies ?? []) {
      expect(toForm(status(own, String(policy['name'])))).toEqual(toForm(policy));
      expect(Object.keys(status(own, String(policy['name'])) ?? {})).toEqual(Object.keys(policy));
      expect(status(own, String(policy['name']))?.['hook_statuses']).toEqual(policy['hook_statuses']);
    }
  });

  it('have the recorded counters, with the same labels where those are the same on every node', () => {
    const [own, known] = [
      Object.keys(healths(read())[0]?.metrics ?? {}),
      Object.keys(healths(recorded)[0]?.metrics ?? {}),
    ];
    expect(new Set(own.map(family))).toEqual(new Set(known.map(family)));
    const fixed = (keys: readonly string[]): string[] =>
      keys.filter((key) => !/_events_total\{binary/.test(key)).sort();
    expect(fixed(own)).toEqual(fixed(known));
    expect(fixed(known).length).toBeGreaterThan(100);
  });

  it('show a policy that is off as it was recorded', () => {
    const off = toLines(readShared('cases/c20-policy-off/sensor.jsonl.gz')).find(
      (line) => status(line, 'egress-audit')?.['state'] === 'TP_STATE_DISABLED',
    );
    const lines = read(({ nodes }) =>
      nodes[0]?.sensor.policyStates.push({
        policy: 'egress-audit',
        from: after(10),
        until: after(20),
        state: 'disabled',
      }),
    );
    const own = lines.find((line) => status(line, 'egress-audit')?.['state'] === 'TP_STATE_DISABLED');
    expect(status(own, 'egress-audit')).toEqual(status(off, 'egress-audit'));
    const states = healths(lines).map((line) => status(line, 'egress-audit')?.['state']);
    expect(states.filter((state) => state === 'TP_STATE_DISABLED')).toHaveLength(4);
  });

  it('show losses from their time on, and zero again after a restart', () => {
    const lines = healths(
      read(({ nodes }) => {
        const sensor = nodes[0]?.sensor;
        sensor?.losses.push({ at: after(5), metric: 'tetragon_notify_overflowed_events_total', labels: '', by: 7 });
        sensor?.restarts.push(after(30));
      }),
    );
    const values = lines.map(({ metrics }) => metrics?.['tetragon_notify_overflowed_events_total']);
    expect([values[0], values[5], values.at(-1)]).toEqual([0, 7, 0]);
    expect(new Set(lines.map(({ metrics }) => metrics?.['process_start_time_seconds'])).size).toBe(2);
  });

  it('leave out what is not told, and bear the clock of their node', () => {
    const times = (skew: bigint): string[] =>
      renderSensor(
        smallWorld([], ({ nodes }) => {
          for (const node of nodes) node.skew = skew;
          for (const canary of nodes[0]?.sensor.canaries ?? []) canary.told = canary.n !== 3;
        }),
      ).flatMap(({ kind, text }) => (kind === 'canary' ? (JSON.parse(text) as { time: string }).time : []));
    expect(times(0n)).toHaveLength(59);
    expect(Date.parse(times(850_000_000n)[0] ?? '') - Date.parse(times(0n)[0] ?? '')).toBe(850);
  });
});
