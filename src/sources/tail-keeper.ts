import type { TailChain } from './tail-chain.ts';
import { type TailPosition, writePosition } from './tail-position.ts';
import type { TailReader } from './tail-reader.ts';
import type { WayState } from './tail-way.ts';

/** Writes down how far was read, and tells up to when all is kept. Times are ns. */
export interface TailKeeper {
  /** All that was written between the two is kept. */
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
  resume(position: TailPosition): void;
  /** Begins anew after a loss, or for the first time. */
  setSince(time: bigint): void;
  /** So much of the file is at least what it is known by (see TailPosition). */
  setKnown(bytes: number): void;
  /** All that was written by `at` is kept once all before `offset` is. */
  mark(offset: number, at: bigint): void;
  /** Another file is read from here on. */
  turn(): void;
  /** `until` lies further back than can be a moment's delay. */
  isLate(): boolean;
  /** Writes the position if it is time. */
  keep(reader: TailReader): Promise<void>;
  /** Writes it, unless the file changed. Throws a retryable `input` when it can't be written. */
  save(reader: TailReader): Promise<boolean>;
}

export interface KeeperOptions {
  readonly statePath: string;
  readonly saveMs: number;
  readonly reportMs: number;
  readonly patienceMs: number;
  readonly now: () => bigint;
  readonly chain: TailChain;
  readonly way: WayState;
}

export function tailKeeper({ chain, way, now, ...options }: KeeperOptions): TailKeeper {
  let since: bigint | undefined;
  let until: bigint | undefined;
  let known = 0;
  let mark: { readonly offset: number; readonly at: bigint } | undefined;
  let savedTick = -Infinity;
  let saved: { readonly offset: number; readonly seq: number; readonly until: bigint | undefined } | undefined;

  function isLate(): boolean {
    return until === undefined || now() - until > BigInt(Math.round(options.patienceMs * 1_000_000));
  }

  function advance({ offset }: TailReader): void {
    if (mark === undefined || offset < mark.offset) return;
    if (until === undefined || mark.at > until) until = mark.at;
    mark = undefined;
  }

  async function save(reader: TailReader): Promise<boolean> {
    advance(reader);
    const { file, offset, seq, ahead, lastTime } = reader;
    const position: Omit<TailPosition, 'print'> = {
      version: 1,
      id: file.id,
      key: chain.links[0]?.key ?? null,
      offset,
      seq,
      ahead: [...ahead],
      lastTime: lastTime?.toString() ?? null,
      since: since?.toString() ?? null,
      until: until?.toString() ?? null,
      done: [...chain.done],
    };
    const now = { offset, seq, until };
    const print = await file.fingerprint(Math.max(offset, known));
    if (print === undefined && !file.packed) return false; // it changed: seen at the next reading
    await writePosition(options.statePath, { ...position, print: print ?? null });
    saved = now;
    savedTick = performance.now();
    // told only now: after a restart nothing may be told that lies before it
    if (since !== undefined && now.until !== undefined && !isLate()) way.whole(since, now.until);
    return true;
  }

  return {
    get since() {
      return since;
    },
    get until() {
      return until;
    },
    resume(position) {
      since = toTime(position.since);
      until = toTime(position.until);
      way.resume(since, until);
    },
    setSince: (time) => void (since = time),
    setKnown: (bytes) => void (known = bytes),
    mark: (offset, at) => void (mark ??= { offset, at }),
    turn() {
      mark = undefined;
      known = 0;
    },
    isLate,
    async keep(reader) {
      advance(reader);
      const age = performance.now() - savedTick;
      const isMoved = saved?.offset !== reader.offset || saved.seq !== reader.seq;
      const isNews = saved?.until !== until && (!way.isConnected || age >= options.reportMs);
      if (isNews || (isMoved && age >= options.saveMs)) await save(reader);
    },
    save,
  };
}

function toTime(ns: string | null): bigint | undefined {
  return ns === null ? undefined : BigInt(ns);
}
