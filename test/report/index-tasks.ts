import { createHash } from 'node:crypto';
import type { ListedTask } from '../../src/model/listed-task.ts';
import type { OpenReason } from '../../src/model/task-summary.ts';
import { type IndexFile, type IndexOptions, renderIndex } from '../../src/report/index-page.ts';

/** RFC 3339, so many hours after the first of March. */
export function hoursIn(hours: number): string {
  return new Date(Date.UTC(2026, 2, 1) + Math.round(hours * 3_600_000)).toISOString();
}

export function reason(claim: string, code: string, kind = 'doubt', findings = 1): OpenReason {
  return { claim, code, kind, findings };
}

export const gap = reason('sensor-continuity', 'stream-gap');
export const breach = reason('egress-declared', 'undeclared-endpoint', 'counterexample', 2);
export const wait = reason('audit-complete', 'tail-open', 'wait');

/** A proven task that was declared so many hours after the first of March, with some of it otherwise. */
export function listed(id: string, hours = 0, changed: Partial<ListedTask> = {}): ListedTask {
  return {
    id,
    type: 'dns-validation',
    declared: hoursIn(hours),
    state: 'final',
    verdict: 'proven',
    window: { start: hoursIn(hours + 0.01), end: hoursIn(hours + 0.02) },
    counts: { processes: 7, egress: 6, uses: 2, findings: 0 },
    pendingUntil: null,
    agent: 'ironclaw',
    judgedUntil: hoursIn(hours + 2),
    open: [],
    ...changed,
  };
}

export function unjudged(id: string, hours = 0): ListedTask {
  const nothing = { verdict: null, window: {}, counts: null, judgedUntil: null, open: null };
  return listed(id, hours, { ...nothing, state: 'declared' });
}

const types = ['dns-validation', 'invoice-export', 'cluster-upgrade', 'log-triage', 'backup-check'];
const doubts = [
  gap,
  gap,
  gap,
  reason('sensor-continuity', 'sensor-loss', 'doubt', 3),
  reason('egress-attributed', 'unattributed-address', 'doubt', 4),
  reason('audit-complete', 'class-off'),
  reason('tree-closed', 'still-running'),
  reason('uses-matched', 'ambiguous-use', 'doubt', 2),
];

/** Tasks over some days as an agent's operator has them: most are proven, some not; always the same ones. */
export function fleet(count: number, hours: number): ListedTask[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (i / count) * hours;
    const pick = (i * 7919) % 101;
    const task = listed(`${types[i % types.length]?.slice(0, 3) ?? ''}-${String(i).padStart(5, '0')}`, at, {
      type: types[(i * i + Math.floor(i / 3)) % types.length] ?? '',
      agent: i % 3 === 0 ? 'ironclaw' : 'night-runner',
    });
    const doubt = doubts[(i * 31) % doubts.length] ?? gap;
    if (i > count * 0.985 && pick < 40) return unjudged(task.id, at);
    if (i > count * 0.96 && pick < 60)
      return { ...task, state: 'ended', verdict: 'pending', pendingUntil: hoursIn(at + 3), open: [wait] };
    if (pick < 3) return { ...task, verdict: 'violated', open: pick === 0 ? [breach, doubt] : [breach] };
    if (pick === 3)
      return {
        ...task,
        verdict: 'violated',
        open: [
          reason('uses-matched', 'foreign-use', 'counterexample'),
          reason('actions-declared', 'undeclared-action', 'counterexample', 3),
        ],
      };
    if (pick < 16 || (at > 300 && at < 330 && pick < 60))
      return {
        ...task,
        verdict: 'unproven',
        open: pick % 2 === 0 ? [doubt] : [...new Set([doubt, doubts[(i * 17) % doubts.length] ?? gap])],
      };
    return task;
  });
}

export function render(tasks: readonly ListedTask[], options: Partial<IndexOptions> = {}): IndexFile[] {
  return renderIndex(tasks, {
    filters: {},
    all: tasks.length,
    reportOf: () => undefined,
    version: '0.1.0',
    sha256Base64: (text) => createHash('sha256').update(text).digest('base64'),
    ...options,
  });
}
