import { setTimeout as sleep } from 'node:timers/promises';

/** Ends after `seconds`, or with the signal, or when what `onWake` got is called. Never rejects. */
export async function pause(
  seconds: number,
  signal: AbortSignal,
  onWake: (wake: () => void) => void = () => undefined,
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  onWake(stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await sleep(seconds * 1000, undefined, { signal: end.signal }).catch(() => undefined);
  signal.removeEventListener('abort', stop);
}
