import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { generateKeyPair } from '../../src/attest/keys.ts';

/** The built command: what users run. */
export const tally = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
if (!existsSync(tally)) throw new Error(`${tally} is missing: run npm run build.`);

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a process of its own. */
export async function runTally(...argv: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [tally, ...argv], { env: environment() });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (part: Buffer) => void (printed.out += part.toString()));
  child.stderr.on('data', (part: Buffer) => void (printed.err += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...printed };
}

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TALLY_'));
  return Object.fromEntries(own);
}

/** A folder with a signing key, in which a collector can be set up; gone when the running test ends. */
export interface Site {
  readonly folder: string;
  readonly store: string;
  readonly key: string;
  path(name: string): string;
  write(name: string, text: string): Promise<string>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-site-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  await writeFile(path('tally.key.pem'), generateKeyPair().privatePem, { mode: 0o600 });
  return {
    folder,
    store: path('store'),
    key: path('tally.key.pem'),
    path,
    write: async (name, text) => {
      await writeFile(path(name), text);
      return path(name);
    },
  };
}

export interface Collector {
  readonly child: ChildProcess;
  /** Lines of its log so far. */
  readonly log: readonly Record<string, unknown>[];
  /** Resolves with the first line, from the beginning on, whose message is this. */
  said(message: string): Promise<Record<string, unknown>>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts `tally collect` on `tally.yaml` of the site and waits until it collects. */
export async function startCollector(site: Site, config: string): Promise<Collector> {
  await site.write('tally.yaml', config);
  const child = spawn(process.execPath, [tally, 'collect', '--config', site.path('tally.yaml')], {
    env: environment(),
  });
  const log: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let ended = false;
  child.stderr.on('data', (part: Buffer) => {
    const lines = (rest + part.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines)
      log.push(line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : { msg: line });
    for (const wake of waiting) wake();
  });
  const closed = once(child, 'close').then(([code]) => {
    ended = true;
    for (const wake of waiting) wake();
    return code as number | null;
  });
  onTestFinished(async () => {
    if (!ended) child.kill('SIGKILL');
    await closed;
  });
  const said = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = log.find(({ msg }) => msg === message);
      if (found !== undefined) return found;
      if (ended) throw new Error(`The collector ended without saying ${message}: ${JSON.stringify(log, null, 1)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    }
  };
  await said('collecting');
  return {
    child,
    log,
    said,
    stop: () => {
      child.kill('SIGTERM');
      return closed;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Asks over the control socket; the answer's status and text. */
export function ask(
  site: Site,
  method: string,
  path: string,
  body = '',
  type = 'application/yaml',
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socketPath = join(site.store, 'control.sock');
    const call = request({ socketPath, method, path, headers: { 'content-type': type } }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => void (text += part.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Polls until it is true. */
export async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A number of the collector's metrics page; undefined while it is not there. */
export async function metric(site: Site, name: string): Promise<number | undefined> {
  const { body } = await ask(site, 'GET', '/metrics');
  const line = body.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
