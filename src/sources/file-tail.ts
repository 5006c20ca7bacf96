import type { Records, WayIn } from '../evidence/record-log.ts';
import type { FollowerOptions, FollowStatus } from './follower-options.ts';
import { lineFollower } from './line-follower.ts';
import { lineTime } from './line-time.ts';
import { pause } from './pause.ts';
import { printable, type SensorLine, toRecord, toTime, wallClock } from './sensor-line.ts';
import type { WayLine } from './tail-way.ts';

/** Settings that tests and unusual machines change; see FollowerOptions. */
export type FollowTuning = Partial<
  Pick<
    FollowerOptions,
    'pollMs' | 'retryMs' | 'saveMs' | 'reportMs' | 'patienceMs' | 'longestLine' | 'inFlight' | 'now' | 'keptUntil'
  >
>;

export interface FollowOptions extends FollowTuning {
  readonly path: string;
  readonly records: Records;
  /** File that remembers how far was read; losing it loses nothing that is still in the files, but is a gap. */
  readonly statePath: string;
  /** For the operator to read: what keeps it from reading or keeping. */
  readonly log?: (message: string) => void;
}

export interface FollowedFile extends WayIn {
  status(): FollowStatus;
}

/** Follows a file of JSON lines into one log, to which nothing else may append. See `lineFollower`. */
export async function followLines(
  options: FollowOptions & { readonly stream: string; readonly origin: string },
): Promise<FollowedFile> {
  return follow(options, {});
}

/**
 * Follows the JSON export of a node's Tetragon (facts/tetragon.md) into stream `tetragon`, and tells in stream `sensor` when
 * that was without loss: lines of kind `stream`, way `export`. Between `since` and `time` of such a line all that Tetragon
 * wrote is kept. A line `connected` comes when the end of the file was reached, and again each `reportMs` (then, and after
 * a restart or a delay without loss, `resumed`); `disconnected` when it stops, falls behind or lost something.
 */
export async function followExport(options: FollowOptions & { readonly node: string }): Promise<FollowedFile> {
  const { node, records, now = wallClock, retryMs = 1000 } = options;
  const sensor = await records.log('sensor', node);
  const lines = new Set<Promise<void>>();
  const end = new AbortController();

  async function keep(line: StreamLine): Promise<void> {
    for (;;) {
      try {
        await sensor.append(toRecord(line), now());
        return;
      } catch {
        // said by the log itself; what is not told here counts as not covered
        if (end.signal.aborted) return;
      }
      await pause(retryMs / 1000, end.signal);
    }
  }

  function told(line: WayLine): void {
    const kept = keep(toStreamLine(node, line)).finally(() => lines.delete(kept));
    lines.add(kept);
  }

  const file = await follow({ ...options, stream: 'tetragon', origin: node }, { slackNs: exportSlackNs, told });
  return {
    ...file,
    async run(signal) {
      try {
        await file.run(signal);
      } finally {
        end.abort();
        const patience = new AbortController();
        await Promise.race([Promise.all(lines), pause(longestWait, patience.signal)]);
        patience.abort();
      }
    },
  };
}

/** Tetragon holds an event up to 30 s for what is still missing of it: so far its lines are out of order (lab). */
const exportSlackNs = 30_000_000_000n;
/** Seconds that the last lines may take to be kept. */
const longestWait = 10;

interface StreamLine extends SensorLine {
  readonly kind: 'stream';
  readonly state: 'connected' | 'disconnected';
  readonly way: 'export';
  /** RFC 3339; between it and `time` nothing was lost. */
  readonly since?: string;
  readonly resumed?: true;
  readonly why?: string;
}

function toStreamLine(node: string, { state, time, since, resumed, why }: WayLine): StreamLine {
  return {
    kind: 'stream',
    node,
    time: toTime(time),
    state,
    way: 'export',
    ...(since === undefined ? {} : { since: toTime(since) }),
    ...(resumed ? { resumed } : {}),
    ...(why === undefined ? {} : { why: printable(why) }),
  };
}

async function follow(
  options: FollowOptions & { readonly stream: string; readonly origin: string },
  more: Pick<FollowerOptions, 'slackNs' | 'told'>,
): Promise<FollowedFile> {
  const { records, stream, origin, log: say, ...tuning } = options;
  return lineFollower({
    ...tuning,
    ...more,
    stream,
    origin,
    // what is refused is read and sent again: it is no loss
    log: await records.log(stream, origin, { timeOf: lineTime, resends: true }),
    gap: (gap) => records.gap(gap),
    trouble: (message) =>
      say?.(message === undefined ? `${options.path}: followed again` : `${options.path}: ${message}`),
  });
}
