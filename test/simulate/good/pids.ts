import { millisecond } from './time.ts';
import type { Random } from '../random.ts';
import type { Act, Process } from '../world.ts';

/**
 * Gives some processes the pid of one that had exited on their node before they were forked, as the kernel does when its
 * numbers have gone round. An image keeps the pid of the one before.
 */
export function reusePids(random: Random, processes: Process[], acts: readonly Act[], share: number): void {
  // Sends are told by pid: what shows by their absence would not show for one that follows another.
  const silent = new Set(acts.flatMap((act) => (act.kind === 'tcp' && act.sends.length === 0 ? [act.process] : [])));
  const free = new Map<string, Process>();
  for (const [at, process] of [...processes.entries()].sort(([, a], [, b]) => (a.forked < b.forked ? -1 : 1))) {
    if (process.how === 'procfs') continue;
    const family = processes.filter(
      ({ id, how, parent }) => id === process.id || (how === 'image' && parent === process.id),
    );
    if (process.how === 'image') {
      const before = processes.find(({ id }) => id === process.parent);
      processes[at] = { ...process, pid: before?.pid ?? process.pid };
      continue;
    }
    const gone = processes.filter(
      ({ node, exited }) =>
        node === process.node && exited !== undefined && exited + 50n * millisecond < process.forked,
    );
    const chosen = random.chance(share) && !family.some(({ id }) => silent.has(id)) ? random.maybe(gone) : undefined;
    if (chosen === undefined || free.has(`${chosen.node}/${chosen.pid}`)) continue;
    free.set(`${chosen.node}/${chosen.pid}`, chosen);
    processes[at] = { ...process, pid: chosen.pid };
  }
}
