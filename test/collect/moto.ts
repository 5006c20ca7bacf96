import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Exactly these, so that a new release of the fake changes nothing unasked. */
const packages = ['moto[s3]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5'];
const cache = fileURLToPath(new URL('../../node_modules/.cache/moto-5.2.5/', import.meta.url));
const run = promisify(execFile);

/** A fake AWS over real HTTP on loopback, with S3 and the part of CloudTrail that moto knows. */
export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** The account that moto says it is: that of the recorded cases. */
export const motoAccount = '111122223333';

/** Starts the server on a free port. The first call on a machine installs it, and fails loudly where it can't. */
export async function startMoto(): Promise<Moto> {
  if (!existsSync(cache)) await install();
  const server = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    env: { ...process.env, PYTHONPATH: cache, MOTO_ACCOUNT_ID: motoAccount, PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await readUrl(server);
  return {
    url,
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

async function readUrl(server: ChildProcess): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`moto ended before it listened:\n${said.join('\n')}`)));
    for (const stream of [server.stdout, server.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (said.length < 100) said.push(line);
        const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
  });
}

/** Two test files may get here at once: each installs beside, the first one's folder stays. */
async function install(): Promise<void> {
  const parent = join(cache, '..');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'moto-new-'));
  try {
    const pip = await findPip(folder);
    const target = join(folder, 'packages');
    await run(pip, ['-m', 'pip', 'install', '--quiet', '--target', target, ...packages], { maxBuffer: 1 << 26 });
    await rename(target, cache).catch((error: unknown) => {
      if (!existsSync(cache)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A Python with pip: the system's, else one of a virtual environment. */
async function findPip(folder: string): Promise<string> {
  try {
    await run('python3', ['-m', 'pip', '--version']);
    return 'python3';
  } catch {
    await run('python3', ['-m', 'venv', join(folder, 'venv')]).catch((cause: unknown) => {
      throw new Error('The tests of CloudTrail need python3 with pip or venv (apt install python3-venv).', { cause });
    });
    return join(folder, 'venv', 'bin', 'python3');
  }
}
