/** What was handed over of one file and is not acknowledged yet, in the order of the file. */
export interface Flight {
  /** All before this byte is kept, or told as a gap. */
  readonly offset: number;
  /** Records before `offset` that were acknowledged since the flight began. */
  readonly kept: number;
  /** Time of the last of these that bears one, ns. */
  readonly lastTime: bigint | undefined;
  /** Something was refused: nothing more is handed over, until all has settled and a new flight begins. */
  readonly refused: boolean;
  /** Takes what `done` acknowledges; `record` false: it is no record of the log, e.g. a gap. */
  add(line: { start: number; end: number }, size: number, done: Promise<void>, record: boolean, time?: bigint): void;
  /** Bytes up to `end` need no acknowledgement. */
  pass(end: number, time?: bigint): void;
  /** Resolves when so many bytes fit in, something was refused, or the signal tells to wait no longer. */
  room(bytes: number, signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is waited for any more, or shall be. */
  settled(signal: AbortSignal): Promise<void>;
  /** Where the records begin that were acknowledged behind a refused one; once all has settled. */
  ahead(): number[];
}

export interface FlightOptions {
  /** Bytes that may be under way. */
  readonly limit: number;
  /** One record at a time until one was acknowledged: after a refusal, the next may be refused as well. */
  readonly careful: boolean;
  readonly refused: (error: unknown) => void;
}

interface Item {
  readonly start: number;
  readonly end: number;
  readonly record: boolean;
  readonly time: bigint | undefined;
  state: 'waiting' | 'kept' | 'refused';
}

/** Added to the size of each item: a million tiny lines are not small. */
const itemBytes = 512;

export function startFlight(offset: number, options: FlightOptions): Flight {
  const items: Item[] = [];
  let first = 0; // of those in `items` that still count
  let waiting = 0;
  let bytes = 0;
  let limit = options.careful ? 0 : options.limit;
  let refused = false;
  const reached: { offset: number; kept: number; lastTime: bigint | undefined } = {
    offset,
    kept: 0,
    lastTime: undefined,
  };
  let waiter: { readonly ready: () => boolean; readonly resolve: () => void } | undefined;

  function settle(item: Item, size: number, error?: { cause: unknown }): void {
    waiting -= 1;
    bytes -= size;
    item.state = error === undefined ? 'kept' : 'refused';
    if (error === undefined) limit = options.limit;
    else {
      refused = true;
      options.refused(error.cause);
    }
    advance();
    if (waiter?.ready() === true) waiter.resolve();
  }

  function advance(): void {
    for (let item = items[first]; item?.state === 'kept'; item = items[first]) {
      reached.offset = item.end;
      if (item.record) reached.kept += 1;
      reached.lastTime = item.time ?? reached.lastTime;
      first += 1;
    }
    if (first < 1024 || first * 2 < items.length) return;
    items.splice(0, first);
    first = 0;
  }

  function until(ready: () => boolean, signal: AbortSignal): Promise<void> {
    if (ready() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      function end(): void {
        signal.removeEventListener('abort', end);
        waiter = undefined;
        resolve();
      }
      waiter = { ready, resolve: end };
      signal.addEventListener('abort', end);
    });
  }

  return {
    get offset() {
      return reached.offset;
    },
    get kept() {
      return reached.kept;
    },
    get lastTime() {
      return reached.lastTime;
    },
    get refused() {
      return refused;
    },
    add({ start, end }, size, done, record, time) {
      const item: Item = { start, end, record, time, state: 'waiting' };
      items.push(item);
      waiting += 1;
      bytes += size + itemBytes;
      done.then(
        () => settle(item, size + itemBytes),
        (cause: unknown) => settle(item, size + itemBytes, { cause }),
      );
    },
    pass(end, time) {
      items.push({ start: end, end, record: false, time, state: 'kept' });
      advance();
    },
    room: (size, signal) => until(() => refused || waiting === 0 || bytes + size + itemBytes <= limit, signal),
    settled: (signal) => until(() => waiting === 0, signal),
    ahead: () =>
      items.filter((item, at) => at >= first && item.state === 'kept' && item.record).map((item) => item.start),
  };
}
