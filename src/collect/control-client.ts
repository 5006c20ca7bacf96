import { request } from 'node:http';
import { relative, resolve } from 'node:path';
import { TallyError } from '../model/errors.ts';

/** Socket of the collector that runs on a store; by the shorter of its names, since a socket's is at most 107 bytes long. */
export function controlSocket(store: string): string {
  const whole = resolve(store, 'control.sock');
  const short = relative(process.cwd(), whole);
  return Buffer.byteLength(whole) > 100 && short.length < whole.length ? short : whole;
}

export interface ControlAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * Asks the collector that runs on this store; undefined when none does. Throws TallyError `input` when it does not
 * answer sensibly.
 */
export function askCollector(
  store: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<ControlAnswer | undefined> {
  const socketPath = controlSocket(store);
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new TallyError('input', `the collector on ${store} did not answer; look at its log.`, {
          cause,
          retryable: true,
        }),
      );
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const call = request({ socketPath, method, path, headers, timeout: 600_000 }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', failed);
      response.once('end', () => {
        try {
          const json = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
          resolve({ status: response.statusCode ?? 0, json });
        } catch (cause) {
          failed(cause);
        }
      });
    });
    call.once('timeout', () => call.destroy(new Error('timed out')));
    call.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK') resolve(undefined);
      else failed(error);
    });
    call.end(text);
  });
}
