import type { GapRecord, RecordLog, WayIn } from '../evidence/record-log.ts';
import { lineTime } from './line-time.ts';
import { wallClock } from './sensor-line.ts';
import type { WayLine } from './tail-way.ts';

export interface FollowerOptions {
  readonly path: string;
  /** File that remembers how far was read. */
  readonly statePath: string;
  /** Nobody else appends to it. */
  readonly log: RecordLog;
  /** Of the gaps that are recorded. */
  readonly stream: string;
  readonly origin: string;
  readonly gap: (gap: GapRecord) => Promise<void>;
  /** Time of a line in ns since 1970; else its last key `time`. */
  readonly timeOf?: (line: Buffer) => bigint | undefined;
  /** How far the times of lines may be out of order, ns: gaps are told that much wider. */
  readonly slackNs?: bigint;
  /** Time of the newest record that the log holds, ns, should the position be lost. */
  readonly keptUntil?: bigint | undefined;
  /** When the file was followed without loss. */
  readonly told?: (line: WayLine) => void;
  /** What keeps it from reading or keeping at the moment, once for each change; undefined: nothing any more. */
  readonly trouble?: (message: string | undefined) => void;
  readonly pollMs?: number;
  /** Until what failed is tried again. */
  readonly retryMs?: number;
  readonly saveMs?: number;
  /** How often it is told that all is well. */
  readonly reportMs?: number;
  /** How long a lag is no matter, or a compressed file may be incomplete. */
  readonly patienceMs?: number;
  readonly longestLine?: number;
  /** Bytes handed over that may wait for their acknowledgement. */
  readonly inFlight?: number;
  readonly now?: () => bigint;
}

export interface FollowStatus {
  readonly path: string;
  /** All that was written is kept, but for moments. */
  readonly isConnected: boolean;
  /** Bytes of the current file and of rotated ones that are not kept yet; compressed ones by their compressed size. */
  readonly lagBytes: number;
  /** Records kept, and gaps told, since the start. */
  readonly records: number;
  readonly gaps: number;
  /** Time of the last line kept, ns. */
  readonly lastTime: bigint | undefined;
  /** All that had been written by then is kept, ns. */
  readonly wholeUntil: bigint | undefined;
  readonly trouble: string | undefined;
}

export interface LineFollower extends WayIn {
  status(): FollowStatus;
}

/** What holds where the options say nothing. */
export const followerDefaults = {
  timeOf: lineTime,
  slackNs: 0n,
  pollMs: 250,
  retryMs: 1000,
  saveMs: 1000,
  reportMs: 10_000,
  patienceMs: 10_000,
  longestLine: 32 * 1024 * 1024,
  inFlight: 8 * 1024 * 1024,
  now: wallClock,
  told: () => undefined,
  trouble: () => undefined,
} satisfies Partial<FollowerOptions>;
