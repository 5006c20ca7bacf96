import { status as statusCodes, type StatusObject } from '@grpc/grpc-js';
import { describeEnd, type Tetragon } from './tetragon-api.ts';

export interface StreamHandlers {
  readonly signal: AbortSignal;
  /** Ask the agent whether it is there after so much silence (ms), and wait as long for an answer. */
  readonly silence: number;
  /** The agent has certainly subscribed us: its headers came, which it sends with the first event. */
  connected(): void;
  frame(frame: Buffer): void;
  /** The agent answered, though it had no event to send. */
  answered(): void;
}

/** Why a stream ended, one printable line. `silent`: no one knows when, only when the last sign of life was. */
export interface StreamEnd {
  readonly why: string;
  readonly silent: boolean;
}

/**
 * Reads GetEvents until it ends, for whatever reason. Never rejects.
 *
 * A connection can die without a word, and a hung agent keeps it open. So silence is broken by a call on the same
 * connection; it costs nothing while events flow.
 */
export function readStream(tetragon: Tetragon, request: Buffer, handlers: StreamHandlers): Promise<StreamEnd> {
  const { signal, silence } = handlers;
  return new Promise((resolve) => {
    const stream = tetragon.events(request);
    let isConnected = false;
    let heard = 0; // signs of life
    let heardBefore = 0;
    let ended = false;
    let end: StatusObject | undefined;

    const connected = (): void => {
      heard += 1;
      if (isConnected || ended) return;
      isConnected = true;
      handlers.connected();
    };
    const finish = (why: string, silent = false): void => {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
      stream.cancel();
      resolve({ why, silent });
    };
    const stop = (): void => finish('collector stopped');
    const listen = async (): Promise<void> => {
      const before = heard;
      const silent = before === heardBefore;
      heardBefore = before;
      if (!silent) return;
      try {
        await tetragon.version(silence);
        if (!ended) handlers.answered();
      } catch {
        if (heard === before) finish(`no answer for ${(silence * 2) / 1000} s`, true);
      }
    };
    const timer = setInterval(() => void listen(), silence);

    stream.on('metadata', connected);
    stream.on('data', (frame: Buffer) => {
      if (ended) return;
      connected();
      handlers.frame(frame);
    });
    stream.on('status', (status: StatusObject) => {
      end = status;
      // frames that came before it are read first; 'end' follows them
      setTimeout(() => finish(describe(status)), 1000).unref();
    });
    stream.on('error', () => undefined); // told by its status
    stream.on('end', () => setImmediate(() => finish(describe(end))));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

function describe(end: StatusObject | undefined): string {
  return end === undefined || end.code === statusCodes.OK ? 'the agent ended the stream' : describeEnd(end);
}
