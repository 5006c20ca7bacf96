import { createHash, timingSafeEqual } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { TallyError } from '../model/errors.ts';

/** What a request gets: a status with JSON, or plain text for those who scrape. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: { readonly type: string; readonly body: string };
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly type: string;
  readonly body: string;
}

export type Handler = (request: Request) => Promise<Answer>;

export interface HttpOptions {
  /** `unix:///path` or `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Wanted in `Authorization: Bearer`, but for the paths in `open`. A unix socket without one rests on its mode 600. */
  readonly token: string | undefined;
  /** Paths that need no token: health and metrics. */
  readonly open: readonly string[];
  readonly handle: Handler;
}

export interface HttpServer {
  /** As given, with the port that was taken. */
  readonly address: string;
  close(): Promise<void>;
}

/** Far beyond any declaration, small enough to hold. */
const longestBody = 1 << 20;

/**
 * Serves on loopback or a unix socket alone. Throws TallyError `usage` for an address that others can reach, or one
 * without a token; `input` when it can't be listened on.
 */
export async function openHttp({ listen, token, open, handle }: HttpOptions): Promise<HttpServer> {
  const unix = /^unix:\/\/(.+)$/.exec(listen)?.[1];
  if (unix === undefined && token === undefined)
    throw new TallyError('usage', `collector.listen ${listen} needs a token: name its file under collector.token.`);
  const server = createServer((request, response) => {
    void answer(request, response, { token, open, handle });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  const address = unix === undefined ? await listenTcp(server, listen) : await listenUnix(server, unix);
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listenTcp(server: Server, listen: string): Promise<string> {
  const [, host = '', port = ''] = /^\[?([^\]]+)\]?:(\d+)$/.exec(listen) ?? [];
  const name = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(name) === 0 || ipaddr.process(name).range() !== 'loopback')
    throw new TallyError('usage', `collector.listen ${listen} is not loopback: use 127.0.0.1:PORT or unix:///PATH.`);
  await listening(server, () => server.listen(Number(port), name), listen);
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : listen;
}

async function listenUnix(server: Server, path: string): Promise<string> {
  if (Buffer.byteLength(path) > 100)
    throw new TallyError(
      'usage',
      `unix://${path} is longer than a socket's name can be (100 bytes); use a shorter one.`,
    );
  if (await answers(path)) throw new TallyError('input', `another process listens on unix://${path}; stop it first.`);
  await rm(path, { force: true }); // left by one that was killed
  const before = process.umask(0o177); // never reachable by others, not even for a moment
  try {
    await listening(server, () => server.listen(path), `unix://${path}`);
  } finally {
    process.umask(before);
  }
  await chmod(path, 0o600);
  return `unix://${path}`;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve((socket.destroy(), true)));
    socket.once('error', () => resolve(false));
  });
}

function listening(server: Server, start: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new TallyError('input', `can't listen on ${where} (${cause.message}); choose another address.`, { cause }),
      ),
    );
    server.once('listening', resolve);
    start();
  });
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  { token, open, handle }: Pick<HttpOptions, 'token' | 'open' | 'handle'>,
): Promise<void> {
  let result: Answer;
  try {
    const url = new URL(incoming.url ?? '/', 'http://collector');
    if (token !== undefined && !open.includes(url.pathname) && !bears(incoming, token)) {
      result = { status: 401, json: { error: 'a bearer token is needed: Authorization: Bearer …' } };
    } else {
      const body = await readBody(incoming);
      result =
        body === undefined
          ? { status: 413, json: { error: `a body of more than ${longestBody} bytes is not taken` } }
          : await handle({
              method: incoming.method ?? 'GET',
              path: url.pathname,
              query: url.searchParams,
              type: incoming.headers['content-type'] ?? '',
              body,
            });
    }
  } catch (error) {
    if (error instanceof TallyError) {
      const status = error.retryable ? 503 : 400;
      result = { status, json: { error: error.message, details: error.details, code: error.code } };
    } else if (incoming.socket.destroyed) return;
    else result = { status: 500, json: { error: 'failed unexpectedly; the collector’s log tells more' } };
  }
  const text = result.text ?? { type: 'application/json', body: `${JSON.stringify(result.json)}\n` };
  response.writeHead(result.status, {
    'content-type': text.type,
    'cache-control': 'no-store',
    ...(result.status === 413 ? { connection: 'close' } : {}),
  });
  response.end(text.body);
}

function bears(incoming: IncomingMessage, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(incoming.headers.authorization ?? '')?.[1]?.trim() ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest(); // of one length, so that the time tells nothing
  return timingSafeEqual(digest(given), digest(token));
}

async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > longestBody) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
