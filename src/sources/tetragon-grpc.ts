import { setTimeout as sleep } from 'node:timers/promises';
import type { GapRecord, Records, WayIn } from '../evidence/record-log.ts';
import type { TetragonSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { readStream, type StreamEnd, type StreamHandlers } from './event-stream.ts';
import { frameNode, frameTime } from './frame-fields.ts';
import { type Clock, printable, toTime, wallClock } from './sensor-line.ts';
import { tellStream } from './stream-lines.ts';
import { openTetragon } from './tetragon-api.ts';
import { encodeGetEvents } from './tetragon-messages.ts';

/** What happens to the stream, for logs and metrics; evidence of it is written all the same. */
export interface StreamWatcher {
  connected?(): void;
  /** Also for each attempt that fails. `why` is one printable line. */
  disconnected?(why: string): void;
  frame?(bytes: number): void;
  /** The agent calls its node otherwise than the configuration does; told once. */
  otherNode?(name: string): void;
}

export interface WatchEventsOptions {
  readonly watcher?: StreamWatcher;
  readonly clock?: Clock;
  /**
   * Paths inside an event's message that the agent shall leave out, see `neededByNoTable`. Nothing by default: the agent
   * cuts each event anew on the thread that empties the queue in which a slow subscriber's events are lost, and no
   * recording shows yet that arguments come through such a cut whole.
   */
  readonly leaveOut?: readonly string[];
  /** After so much silence (ms) the agent is asked whether it is there, and given the same time to answer. */
  readonly silence?: number;
  /** How often (ms) a line tells that the stream is still connected. */
  readonly reportMs?: number;
  /** First and longest wait (ms) before another attempt. */
  readonly backOff?: { readonly first: number; readonly longest: number };
}

const fiveMinutes = 300_000;

/** Every kind of event that tables are made of; what else an agent may send (its own tests) they could not hold. */
const neededEvents = [
  ...['PROCESS_EXEC', 'PROCESS_EXIT', 'PROCESS_KPROBE', 'PROCESS_TRACEPOINT', 'PROCESS_LOADER', 'PROCESS_UPROBE'],
  ...['PROCESS_THROTTLE', 'PROCESS_LSM', 'PROCESS_USDT', 'RATE_LIMIT_INFO'],
];

/** Fields that queries/sources/tetragon-structure.sql does not read: about three quarters of an event. */
export const neededByNoTable: readonly string[] = [
  'ancestors',
  ...['process', 'parent'].flatMap((one) => [`${one}.cap`, `${one}.process_credentials`, `${one}.binary_properties`]),
];

/**
 * Keeps the event stream of one node: every frame as it came (stream `tetragon-grpc`), and a line whenever the stream
 * begins or ends (stream `sensor`). What the agent sends while it is not connected is lost: it replays nothing.
 *
 * `run` throws TallyError `input` when the agent can't even be dialled: no address, TLS files that can't be read.
 */
export function watchEvents(source: TetragonSource, records: Records, options: WatchEventsOptions = {}): WayIn {
  const { watcher = {}, clock = wallClock, leaveOut = [], silence = 10_000 } = options;
  const { first, longest } = options.backOff ?? { first: 250, longest: 10_000 };
  const { node } = source;
  const run = async (signal: AbortSignal): Promise<void> => {
    const request = encodeGetEvents(neededEvents, leaveOut);
    const frames = await records.log('tetragon-grpc', node, { timeOf: frameTime });
    const stream = tellStream(await records.log('sensor', node), node, 'grpc', clock);
    const checkNode = nodeCheck(node, records, watcher);
    const stopped = (): boolean => signal.aborted;
    let [wait, everConnected] = [first, false];
    for (let attempt = 0; !stopped(); attempt += 1) {
      let checked = false;
      let alive = clock();
      // a line may claim only what is on disk
      let newest = { at: 0n, kept: Promise.resolve() };
      const handlers: StreamHandlers = {
        signal,
        silence,
        connected: () => {
          stream.connected();
          watcher.connected?.();
          [wait, everConnected] = [first, true];
        },
        frame: (frame) => {
          const now = clock();
          alive = now;
          // The log counts what it can't keep and records a gap for it: reading waits for nothing.
          const kept = frames.append(frame, now);
          kept.catch(() => undefined);
          newest = { at: now, kept };
          watcher.frame?.(frame.length);
          if (!checked) checkNode(frame, now);
          checked = true; // an agent that is given another name starts anew, and so does the connection
        },
        answered: () => {
          alive = clock();
        },
      };
      const timer = setInterval(() => {
        const { at, kept } = newest;
        void kept.then(() => stream.still(at)).catch(() => undefined); // what was refused is a gap
      }, options.reportMs ?? fiveMinutes);
      const { why, silent } = await connectOnce(source, request, handlers, attempt === 0).finally(() =>
        clearInterval(timer),
      );
      // a stop before anything came is no end of a stream; a first attempt that failed is told as one
      if (everConnected || !stopped()) stream.disconnected(why, silent ? alive : clock());
      watcher.disconnected?.(why);
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, longest);
    }
  };
  return { run };
}

/**
 * One connection from beginning to end; answers why it ended. Each has a channel of its own: one that hangs while it is
 * being made would never end by itself, and certificates may have been renewed.
 */
async function connectOnce(
  source: TetragonSource,
  request: Buffer,
  handlers: StreamHandlers,
  firstAttempt: boolean,
): Promise<StreamEnd> {
  let tetragon;
  try {
    tetragon = await openTetragon(source);
  } catch (error) {
    // at the start a mistake of the operator's; later certificates may just be being renewed
    if (firstAttempt || !(error instanceof TallyError)) throw error;
    return { why: printable(error.message), silent: false };
  }
  try {
    return await readStream(tetragon, request, handlers);
  } finally {
    tetragon.close();
  }
}

/**
 * Tables take the node from the event. Events under another name than that of the lines about the sensor have nothing
 * that vouches for them, and the node that was meant has no events: that is a gap of this stream until it is put right.
 */
function nodeCheck(node: string, records: Records, watcher: StreamWatcher): (frame: Buffer, now: bigint) => void {
  let told = false;
  return (frame, now) => {
    const name = frameNode(frame);
    if (told || name === undefined || name === node) return;
    told = true;
    watcher.otherNode?.(printable(name));
    const gap: GapRecord = {
      stream: 'tetragon-grpc',
      origin: node,
      from: toTime(frameTime(frame) ?? now),
      until: null,
      why: 'stream-gap',
      detail: `The sensor at this address calls its node ${printable(JSON.stringify(name))}, not ${JSON.stringify(node)}: give the node that name under sources.tetragon.`,
      count: null,
    };
    records.gap(gap).catch(() => undefined); // nothing to be done here: the store tells that it can't write
  };
}
