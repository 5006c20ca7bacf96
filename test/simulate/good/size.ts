/** How much happens in a world; [least, most] where a range. */
export interface Size {
  /** Pieces of work that the judged task's tree does, each with a connection at least. */
  readonly jobs: readonly [number, number];
  /** Connections of one piece of work. */
  readonly connections: readonly [number, number];
  /** Requests on one connection. */
  readonly calls: readonly [number, number];
  /** Names that the task talks to. */
  readonly hosts: readonly [number, number];
  readonly nodes: readonly [number, number];
  /** Other declared tasks. */
  readonly bystanders: readonly [number, number];
  /** Processes of the nodes that belong to no task and make connections. */
  readonly strangers: readonly [number, number];
  /** ms from the end of one piece of work to the next. */
  readonly pause: readonly [number, number];
  /** Factor on the chance of what is not needed: 0 for the plainest world that there is. */
  readonly variety: number;
}

export const sizes = {
  /** What a shrinker ends with: one process, one connection, nobody else. */
  tiny: {
    jobs: [1, 1],
    connections: [1, 1],
    calls: [1, 1],
    hosts: [1, 1],
    nodes: [1, 1],
    bystanders: [0, 0],
    strangers: [0, 0],
    pause: [50, 200],
    variety: 0,
  },
  small: {
    jobs: [1, 3],
    connections: [1, 2],
    calls: [1, 3],
    hosts: [1, 3],
    nodes: [1, 2],
    bystanders: [0, 1],
    strangers: [0, 1],
    pause: [50, 3000],
    variety: 1,
  },
  medium: {
    jobs: [5, 15],
    connections: [1, 5],
    calls: [1, 6],
    hosts: [3, 7],
    nodes: [1, 4],
    bystanders: [1, 5],
    strangers: [1, 4],
    pause: [20, 8000],
    variety: 1,
  },
  large: {
    jobs: [60, 120],
    connections: [2, 12],
    calls: [1, 10],
    hosts: [5, 12],
    nodes: [3, 8],
    bystanders: [5, 20],
    strangers: [4, 10],
    pause: [10, 10_000],
    variety: 1,
  },
} as const satisfies Record<string, Size>;
