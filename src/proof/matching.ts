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
  const matching: Matching = { connectionOf: new Map(), useOf: new Map() };
  for (const connection of [...usesOf.keys()].sort()) augment(connection, usesOf, matching);
  return matching.useOf;
}

/** Both directions of the pairs chosen so far. */
interface Matching {
  readonly connectionOf: Map<string, string>;
  readonly useOf: Map<string, string>;
}

/** Breadth first, so that a long chain of swaps needs no deep stack. */
function augment(start: string, usesOf: ReadonlyMap<string, readonly string[]>, matching: Matching): void {
  const cameFrom = new Map<string, string>(); // use -> connection that reached for it
  const queue = [start];
  for (const connection of queue) {
    for (const use of usesOf.get(connection) ?? []) {
      if (cameFrom.has(use)) continue;
      cameFrom.set(use, connection);
      const holder = matching.connectionOf.get(use);
      if (holder === undefined) {
        swapAlong(use, cameFrom, matching);
        return;
      }
      queue.push(holder);
    }
  }
}

/** Gives every use on the path to the connection that reached for it. */
function swapAlong(free: string, cameFrom: ReadonlyMap<string, string>, { connectionOf, useOf }: Matching): void {
  let use: string | undefined = free;
  while (use !== undefined) {
    const connection = cameFrom.get(use);
    if (connection === undefined) return;
    const before = useOf.get(connection);
    connectionOf.set(use, connection);
    useOf.set(connection, use);
    use = before;
  }
}
