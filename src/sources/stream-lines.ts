import type { RecordLog } from '../evidence/record-log.ts';
import { type Clock, type SensorLine, toRecord, toTime } from './sensor-line.ts';

/** When a way in from a sensor began or ended (design 9); `why` is one printable line. */
export interface StreamLine extends SensorLine {
  readonly kind: 'stream';
  readonly way: 'grpc' | 'export';
  readonly state: 'connected' | 'disconnected';
  readonly why?: string;
  /** Connected without a break since the line before, and since when; what came between `since` and `time` is kept. */
  readonly resumed?: true;
  readonly since?: string;
}

/** Tells what becomes of one way in; says each state once, however often it is told. */
export interface StreamTeller {
  connected(): void;
  /** That it is still connected, as it was for certain at that time: who reads later need not look for its beginning. */
  still(at: bigint): void;
  /** `at`: when it was still there for certain, where no one knows when it ended. */
  disconnected(why: string, at?: bigint): void;
}

/** Keeps the lines of one way in. Their times never go back: their order is what tells which state held. */
export function tellStream(log: RecordLog, node: string, way: StreamLine['way'], clock: Clock): StreamTeller {
  let state: StreamLine['state'] | undefined;
  let lastTime = 0n;
  let since = '';
  const tell = (at: bigint, next: Pick<StreamLine, 'state' | 'why' | 'resumed' | 'since'>): void => {
    lastTime = at > lastTime ? at : lastTime + 1n;
    const line: StreamLine = { kind: 'stream', node, time: toTime(lastTime), way, ...next };
    log.append(toRecord(line), clock()).catch(() => undefined); // what the log can't keep it counts itself
  };
  return {
    connected: () => {
      if (state === 'connected') return;
      state = 'connected';
      // the clock may be behind by almost a millisecond, and a stream must not look older than it is
      tell(clock() + 1_000_000n, { state });
      since = toTime(lastTime);
    },
    still: (at) => {
      if (state === 'connected' && at > lastTime) tell(at, { state, resumed: true, since });
    },
    disconnected: (why, at = clock()) => {
      if (state === 'disconnected') return;
      state = 'disconnected';
      tell(at, { state, why });
    },
  };
}
