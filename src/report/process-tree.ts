import type { ReportProcess } from '../model/report.ts';
import { groupBy } from './group-by.ts';

export interface TreeProcess {
  readonly process: ReportProcess;
  readonly depth: number;
}

/** Parents before children, siblings by start. A process without a parent here, or in a circle, stands at depth 0. */
export function toTree(processes: readonly ReportProcess[]): readonly TreeProcess[] {
  const sorted = [...processes].sort((a, b) => compare(a.started, b.started) || compare(a.execId, b.execId));
  const known = new Set(processes.map((process) => process.execId));
  const children = groupBy(sorted, (process) => process.parentExecId);
  const roots = sorted.filter(({ parentExecId }) => parentExecId === undefined || !known.has(parentExecId));
  const seen = new Set<ReportProcess>();
  const tree: TreeProcess[] = [];
  for (const root of [...roots, ...sorted]) {
    const stack: TreeProcess[] = [{ process: root, depth: 0 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { process, depth } = next;
      if (seen.has(process)) continue;
      seen.add(process);
      tree.push(next);
      const below = children.get(process.execId) ?? [];
      for (const child of below.toReversed()) stack.push({ process: child, depth: depth + 1 });
    }
  }
  return tree;
}

/** By UTF-16 code units: the same everywhere, whatever the locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
