import type { Report } from '../model/report.ts';
import { toSpanId } from './ids.ts';
import { parts, type TaskGraph } from './task-graph.ts';

/**
 * The id of every span, by number. Each comes of what names the part for good, not of its place in the report, so that a later
 * report on the same task gives the same ids to what it has in common. Equal parts are told apart by their order.
 */
export function toSpanIds(report: Report, graph: TaskGraph): readonly string[] {
  const task = report.task.id;
  const ids = [toSpanId(task, ['task'])];
  const taken = new Set(ids);
  for (const key of keysOf(report, graph)) {
    let id = toSpanId(task, key);
    for (let again = 1; taken.has(id); again += 1) id = toSpanId(task, [...key, again]);
    taken.add(id);
    ids.push(id);
  }
  return ids;
}

function* keysOf(report: Report, graph: TaskGraph): Generator<readonly string[], void> {
  for (const part of parts) {
    switch (part) {
      case 'process':
        for (const { node, execId } of report.processes) yield [part, node, execId];
        break;
      case 'session':
        for (const { provider, key, session } of report.sessions) yield [part, provider, key, session];
        break;
      case 'gap':
        for (const { stream, origin, from, until, why } of graph.gaps)
          yield [part, stream, origin, from ?? '', until ?? '', why];
        break;
      case 'connection':
        for (const { id } of report.connections) yield [part, id];
        break;
      case 'use':
        for (const { id } of report.uses) yield [part, id];
        break;
    }
  }
}
