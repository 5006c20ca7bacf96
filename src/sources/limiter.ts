/** Runs work as soon as fewer than so many others run, in the order of the calls. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

export function openLimiter(most: number): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next(); // takes over the place
    }
  };
}

/** Waits for all, then throws the first failure: nothing goes on behind the back of the caller. */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
