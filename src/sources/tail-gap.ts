import type { GapRecord } from '../evidence/record-log.ts';
import { toTime } from './sensor-line.ts';

/** Why and in what stretch lines are missing. */
export interface Loss {
  readonly why: string;
  readonly detail: string;
  /** Times of the lines around it, ns; undefined where they are not known. */
  readonly after: bigint | undefined;
  readonly before: bigint | undefined;
  readonly count: number | null;
}

/** From losses to gaps, with bounds outside of which no lost line can have its time. */
export interface GapTeller {
  /** Gaps kept. */
  readonly count: number;
  tell(loss: Loss): Promise<void>;
  /** No line that was written before one of that time bears a later one than this. */
  upTo(time: bigint | undefined): bigint;
}

export interface GapOptions {
  readonly stream: string;
  readonly origin: string;
  readonly gap: (gap: GapRecord) => Promise<void>;
  /** How far the times of lines may be out of order, ns. */
  readonly slackNs: bigint;
  readonly now: () => bigint;
}

/** The clock tells whole milliseconds, cut off. */
const clockStepNs = 1_000_000n;

export function gapTeller({ stream, origin, gap, slackNs, now }: GapOptions): GapTeller {
  let count = 0;

  /** A line is written after what it tells of: the clock is a bound as well. */
  function upTo(time: bigint | undefined): bigint {
    const at = now() + clockStepNs;
    return time === undefined || time + slackNs > at ? at : time + slackNs;
  }

  return {
    get count() {
      return count;
    },
    upTo,
    async tell({ why, detail, after, before, count: lines }) {
      const until = upTo(before);
      const from = after === undefined ? undefined : after - slackNs;
      await gap({
        stream,
        origin,
        // a clock that was set back must not turn the bounds round
        from: from === undefined ? null : toTime(from < until ? from : until),
        until: toTime(until),
        why,
        detail: `${detail} (line before: ${toText(after)}, line after: ${toText(before)})`,
        count: lines,
      });
      count += 1;
    },
  };
}

function toText(ns: bigint | undefined): string {
  return ns === undefined ? 'not known' : toTime(ns);
}
