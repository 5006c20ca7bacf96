/** What is told of a way in. Times are ns since 1970. */
export interface WayLine {
  readonly state: 'connected' | 'disconnected';
  /** Up to when all was kept that had been written. Later in each line than in the one before. */
  readonly time: bigint;
  /** Since when. */
  readonly since: bigint | undefined;
  /** `connected`: nothing was lost since the line before. */
  readonly resumed: boolean;
  /** `disconnected`: the reason. */
  readonly why: string | undefined;
}

/** Tells when a way in was whole: at once when that changes, and now and then while it stays so. */
export interface WayState {
  readonly isConnected: boolean;
  /** An earlier run told it whole until then, and what follows can still be read. */
  resume(since: bigint | undefined, until: bigint | undefined): void;
  /** All that was written between the two is kept. */
  whole(since: bigint | undefined, until: bigint): void;
  /** Whole no more, or not known to be; `until` as far as known. `isLoss`: what is missing will not come any more. */
  broken(why: string, until: bigint, isLoss: boolean): void;
}

/** Times in the tables have microseconds, and two lines at the same one have no order. */
const tick = 1000n;

export function wayState(tell: (line: WayLine) => void, everyNs: bigint): WayState {
  let isConnected = false;
  let isResumed = false;
  let last: bigint | undefined;
  let lastSince: bigint | undefined;

  function say(line: Omit<WayLine, 'time'>, time: bigint): void {
    last = last === undefined || time > last ? time : last + tick;
    tell({ ...line, time: last });
  }

  return {
    get isConnected() {
      return isConnected;
    },
    resume(since, until) {
      isResumed = true;
      lastSince = since;
      // its last line may have been a tick later
      last = until === undefined ? undefined : until + tick;
    },
    whole(since, until) {
      lastSince = since;
      if (isConnected && last !== undefined && until - last < everyNs) return;
      say({ state: 'connected', since, resumed: isResumed, why: undefined }, until);
      isConnected = true;
      isResumed = true;
    },
    broken(why, until, isLoss) {
      if (isLoss) isResumed = false;
      if (!isConnected && !isLoss) return;
      isConnected = false;
      say({ state: 'disconnected', since: lastSince, resumed: false, why }, until);
    },
  };
}
