/** A use that fits a connection. Times are comparable texts of one form; `closed` is undefined while it is open. */
export interface Candidate {
  readonly use: string;
  readonly connection: string;
}

/**
 * A maximum matching: as many connections as possible are explained by a use of their own (design 7, Matching), by
 * augmenting paths. Deterministic for the same candidates in any order. Map from connection to the use that explains it.
 */
export function matchUses(candidates: readonly Candidate[]): Map<string, string> {
  const usesOf = new Map<string, string[]>();
  for (const { use, connection } of candidates) usesOf.set(connection, [...(usesOf.get(connection) ?? []), use]);
  for (const uses of usesOf.values()) uses.sort();
  const takenBy = new Map<string, string>();
  for (const connection of [...usesOf.keys()].sort()) augment(connection, usesOf, takenBy);
  return new Map([...takenBy].map(([use, connection]) => [connection, use]));
}

/** Breadth first, so that a long chain of swaps needs no deep stack. */
function augment(start: string, usesOf: ReadonlyMap<string, readonly string[]>, takenBy: Map<string, string>): void {
  const cameFrom = new Map<string, string>(); // use -> connection that reached for it
  const queue = [start];
  for (let connection = queue.shift(); connection !== undefined; connection = queue.shift()) {
    for (const use of usesOf.get(connection) ?? []) {
      if (cameFrom.has(use)) continue;
      cameFrom.set(use, connection);
      const holder = takenBy.get(use);
      if (holder !== undefined) {
        queue.push(holder);
        continue;
      }
      assign(use, cameFrom, takenBy);
      return;
    }
  }
}

function assign(free: string, cameFrom: ReadonlyMap<string, string>, takenBy: Map<string, string>): void {
  const held = new Map([...takenBy].map(([use, connection]) => [connection, use]));
  let use: string | undefined = free;
  while (use !== undefined) {
    const connection = cameFrom.get(use);
    if (connection === undefined) return;
    takenBy.set(use, connection);
    use = held.get(connection);
  }
}
