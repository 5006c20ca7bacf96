import { describe, expect, it } from 'vitest';
import { renderData } from '../../src/report/html-data.ts';
import { toHtml } from '../../src/report/markup.ts';
import { toTimeline } from '../../src/report/timeline.ts';
import type { Report } from '../../src/model/report.ts';
import { citedOf, hostile, hostileText, large, proven, violated } from './fixture.ts';

interface Data {
  readonly strings: readonly string[];
  readonly kernel: readonly {
    readonly name: string;
    readonly title: string;
    readonly depth: number;
    readonly rows: readonly [number, (number | string)[]][];
  }[];
  readonly provider: Data['kernel'];
  readonly records: Readonly<Record<string, number>>;
  readonly left: number;
}

function blockOf(report: Report): string {
  const timeline = toTimeline(report);
  if (timeline === undefined) throw new Error('nothing to draw');
  return toHtml(renderData(timeline, citedOf(report))).replace(
    /^<script type="application\/json" id="data">|<\/script>$/g,
    '',
  );
}

function dataOf(report: Report): Data {
  return JSON.parse(blockOf(report)) as Data;
}

/** How often each standing is in the data: matched, quiet, doubt, breach. */
function standingsOf(lanes: Data['kernel'], size: number): number[] {
  const counts = [0, 0, 0, 0];
  for (const [, numbers] of lanes.flatMap(({ rows }) => rows))
    for (let i = 2; i < numbers.length; i += size)
      counts[Number(numbers[i]) % 4] = (counts[Number(numbers[i]) % 4] ?? 0) + 1;
  return counts;
}

describe('renderData', () => {
  it('has every mark with its standing, and each use with its connection', () => {
    const data = dataOf(violated);
    expect(standingsOf(data.kernel, 6)).toEqual([2, 4, 0, 1]);
    expect(standingsOf(data.provider, 8)).toEqual([2, 0, 1, 1]);
    const joined = data.provider.flatMap(({ rows }) => rows.map(([, numbers]) => numbers[6]));
    expect(joined.filter((place) => place !== -1)).toHaveLength(2);
    expect(data.left).toBe(0);
  });

  it('says where on the page each record is', () => {
    expect(Object.values(dataOf(violated).records)).toContain(1);
    expect(dataOf(violated).records).toHaveProperty(['tetragon/node-1/18207']);
  });

  it('can neither end its element nor begin another, and hides nothing', () => {
    const shaped = hostile(violated, (text) => (/^\d{4}-.*Z$/.test(text) ? text : hostileText));
    const block = blockOf(shaped);
    expect(block).not.toMatch(/[<>&]/);
    expect(block).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
    expect(JSON.stringify(JSON.parse(block))).toContain('<script>alert(1)</script>');
  });

  it('draws no process under one that is not its parent', () => {
    const report = large(5000, 40);
    const parents = new Map(report.processes.map((row) => [row.pid, row.parentExecId]));
    const execIds = new Map(report.processes.map((row) => [row.pid, row.execId]));
    const cited = report.processes.filter((_, n) => n % 37 === 0 && n > 100).map(({ execId }) => execId);
    const [one] = report.connections;
    const connections = cited.map((execId, n) => ({
      ...proven.connections[0],
      ...one,
      id: `t/n/${n}`,
      execId,
      uses: [],
    }));
    const breach = { code: 'x', kind: 'counterexample' as const, subject: 's', detail: 'd', evidence: [] };
    const claims = report.claims.map((claim) => ({
      ...claim,
      findings: [{ ...breach, evidence: connections.map(({ id }) => id) }],
    }));
    const data = dataOf({ ...report, connections: connections as Report['connections'], claims });
    expect(data.left).toBeGreaterThan(2000);
    const stack: string[] = [];
    let orphans = 0;
    for (const { name, depth, title } of data.kernel) {
      const pid = Number(name.split(' ')[1]);
      // as the page reads it
      stack.length = Math.min(depth, stack.length);
      const above = stack.at(-1);
      if (above !== undefined) expect(above).toBe(parents.get(pid));
      else if (parents.get(pid) !== undefined) {
        orphans += 1;
        expect(title).toMatch(/^parent not drawn; /);
      }
      stack.push(execIds.get(pid) ?? '');
    }
    expect(orphans).toBeGreaterThan(10);
  });

  it('is bounded, keeps what stands out, and counts what it left', () => {
    const report = large(300, 40_000);
    const last = report.connections.at(-1);
    const claims = report.claims.map((claim) =>
      claim.id === 'egress-declared'
        ? {
            ...claim,
            result: 'violated' as const,
            findings: [
              { code: 'x', kind: 'counterexample' as const, subject: 's', detail: 'd', evidence: [last?.id ?? ''] },
            ],
          }
        : claim,
    );
    const data = dataOf({ ...report, claims });
    const counts = standingsOf(data.kernel, 6);
    expect(counts.reduce((a, b) => a + b)).toBe(30_000);
    expect(counts[3]).toBe(1);
    expect(data.left).toBe(10_000 + report.uses.length - 12_000);
  });
});
