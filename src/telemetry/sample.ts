import { type Part, parts, type TaskGraph } from './task-graph.ts';

/** Which spans are exported. */
export interface Sample {
  readonly has: (number: number) => boolean;
  readonly kept: number;
  readonly leftOut: Readonly<Record<Part, number>>;
}

/**
 * Chooses at most `most` spans. A span with a finding is always kept, even beyond that, with its ancestors and the spans
 * that it links to; as far as there is room, so are the uses that link to it. What room is then left goes to the parts by
 * their size, spread evenly over time. Of what is kept, parents and link targets are kept too.
 */
export function sample(graph: TaskGraph, most: number): Sample {
  const keep = new Uint8Array(graph.size);
  if (graph.size <= most) return { has: () => true, kept: graph.size, leftOut: leftOut(graph, keep.fill(1)) };
  const kept = keepFindings(graph, keep, most);
  spread(graph, keep, most - kept);
  const all = keep.reduce((sum, one) => sum + one, 0);
  return { has: (number) => keep[number] === 1, kept: all, leftOut: leftOut(graph, keep) };
}

function keepFindings(graph: TaskGraph, keep: Uint8Array, most: number): number {
  const { first, findings, connectionOf, sessionOf } = graph;
  let kept = add(graph, keep, 0);
  for (const number of findings.keys()) kept += add(graph, keep, number);
  // a session may have thousands of uses, a connection has few
  for (const targets of [connectionOf, sessionOf]) {
    for (const [use, target] of targets.entries()) {
      if (kept >= most) return kept;
      if (target !== 0 && findings.has(target)) kept += add(graph, keep, first.use + use);
    }
  }
  return kept;
}

function spread(graph: TaskGraph, keep: Uint8Array, room: number): void {
  let left = room;
  const total = graph.size - 1;
  for (const part of parts) {
    const first = graph.first[part];
    const count = graph.count[part];
    const share = Math.min(count, Math.floor((Math.max(0, room) * count) / total));
    for (let index = 0; index < share && left > 0; index += 1) {
      const chain = missing(graph, keep, first + Math.floor((index * count) / share));
      if (chain.length > left) continue;
      for (const number of chain) keep[number] = 1;
      left -= chain.length;
    }
  }
}

function add(graph: TaskGraph, keep: Uint8Array, number: number): number {
  const chain = missing(graph, keep, number);
  for (const one of chain) keep[one] = 1;
  return chain.length;
}

/** A span with its ancestors and link targets, and theirs, as far as they are not kept yet. */
function missing({ parent, first, connectionOf, sessionOf }: TaskGraph, keep: Uint8Array, number: number): number[] {
  const chain = new Set<number>();
  const walk = (from: number): void => {
    for (let at = from; at >= 0 && keep[at] === 0 && !chain.has(at); at = parent[at] ?? -1) chain.add(at);
  };
  walk(number);
  if (number >= first.use) {
    walk(connectionOf[number - first.use] ?? 0);
    walk(sessionOf[number - first.use] ?? 0);
  }
  return [...chain];
}

function leftOut({ first, count }: TaskGraph, keep: Uint8Array): Record<Part, number> {
  const counts = { process: 0, session: 0, gap: 0, connection: 0, use: 0 };
  for (const part of parts) {
    const range = keep.subarray(first[part], first[part] + count[part]);
    counts[part] = range.length - range.reduce((sum, one) => sum + one, 0);
  }
  return counts;
}
