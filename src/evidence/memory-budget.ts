/** What may wait in memory for the disk, over all logs of a store. Bytes. */
export interface MemoryBudget {
  readonly used: number;
  /** Whether there was room; then it is taken. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function memoryBudget(limit: number): MemoryBudget {
  let used = 0;
  return {
    get used() {
      return used;
    },
    take(bytes) {
      if (used + bytes > limit) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}
