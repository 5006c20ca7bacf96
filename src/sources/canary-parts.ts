import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { clientHello, dnsQuery, dnsRefusal } from './canary-messages.ts';

/** Nothing here takes longer (ms); on loopback what is not done at once will not be done. */
const patience = 2000;

/** A TCP connect to a port where nobody listens. Being refused is what it is for. */
export function connectAndLeave(host: string, port: number): Promise<void> {
  return within((done, fail) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('connect', done);
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? done() : fail(error)));
    return () => socket.destroy();
  });
}

/**
 * A process that ends at once, with nothing of ours in its environment. Where there is no `true` (a container without a
 * shell) the fork has happened all the same, and our own binary gives the exec.
 */
export async function forkAndExit(): Promise<void> {
  try {
    await run('/bin/true', []);
  } catch {
    await run(process.execPath, ['--version']);
  }
}

function run(file: string, args: readonly string[]): Promise<void> {
  return within((done, fail) => {
    const child = spawn(file, args, { stdio: 'ignore', env: {}, cwd: '/' });
    child.on('error', fail);
    child.once('exit', done);
    return () => child.kill('SIGKILL');
  });
}

/**
 * A query from a connected socket (a hook that filters by the socket's port sees no other), and where the port is free an
 * answer from it, so that the hook on answers fires too. Answering is `port`'s owner otherwise, if anyone.
 */
export async function queryDns(host: string, port: number, name: string): Promise<void> {
  const answering = await answerDns(host, port);
  try {
    await within((done, fail) => {
      const socket = createSocket('udp4');
      // ECONNREFUSED: nobody is there, and the query was sent
      socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? done() : fail(error)));
      socket.once('message', done);
      socket.once('connect', () => {
        const query = dnsQuery(randomBytes(2).readUInt16BE(), name);
        // sent is done; the little wait is for the answer's sake
        socket.send(query, (error) => (error === null ? setTimeout(done, 250).unref() : fail(error)));
      });
      socket.connect(answering?.port ?? port, host);
      return () => socket.close();
    });
  } finally {
    await answering?.close();
  }
}

async function answerDns(host: string, port: number): Promise<{ port: number; close(): Promise<void> } | undefined> {
  const socket = createSocket('udp4');
  const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port, address: host, exclusive: true }, resolve);
    });
  } catch {
    await close();
    return undefined;
  }
  socket.on('error', () => undefined); // the answer is an extra: without it the query still was sent
  socket.on('message', (query, peer) => socket.send(dnsRefusal(query), peer.port, peer.address));
  return { port: socket.address().port, close };
}

/** A ClientHello to a listener of our own, in a single write: that is how a hook can read it whole. */
export async function greetTls(host: string, port: number, name: string): Promise<void> {
  const server = await listen(host, port);
  try {
    await within((done, fail) => {
      server.on('connection', (peer) => {
        peer.on('error', fail);
        peer.once('data', () => {
          peer.destroy();
          done();
        });
      });
      const address = server.address();
      const socket = connect({ host, port: typeof address === 'object' ? (address?.port ?? port) : port });
      socket.on('error', fail);
      socket.once('connect', () => socket.write(clientHello(name, randomBytes(32))));
      return () => socket.destroy();
    });
  } finally {
    server.close();
  }
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ host, port, exclusive: true, backlog: 1 }, () => resolve(server));
  });
}

/** Starts something that answers once, and clears it away whatever comes of it. */
function within(start: (done: () => void, fail: (error: Error) => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      setImmediate(() => clear()); // `start` may call back before it has returned
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => finish(new Error(`not done within ${patience} ms`)), patience);
    let clear: () => void = () => undefined;
    clear = once(start(() => finish(), finish));
  });
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
