import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));

export interface Ended {
  /** Null when a signal ended it, or it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one of our own commands in a process with low priority: evidence comes first. The signal ends it. Never rejects: that it could
 * not be started is a way to end, told in `stderr`.
 */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  script = main,
): Promise<Ended> {
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return toFailed(error);
  }
  // at once: an error that nobody hears ends the collector
  const ended = new Promise<number | null | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  if (child.pid !== undefined) lowerPriority(child.pid);
  const texts = [child.stdout, child.stderr].map((stream: Readable | null | undefined) => {
    const said: Buffer[] = [];
    // there are no streams where not even a descriptor was left for them
    stream?.on('data', (part: Buffer) => {
      if (said.length < 64) said.push(part);
    });
    return () => Buffer.concat(said).toString();
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const code = await ended;
  signal.removeEventListener('abort', stop);
  if (code instanceof Error) return toFailed(code);
  const [stdout = '', stderr = ''] = texts.map((text) => text());
  return { code, stdout, stderr };
}

function toFailed(error: unknown): Ended {
  return { code: null, stdout: '', stderr: error instanceof Error ? error.message : String(error) };
}

/** What a command that failed said, for a log. */
export function whyOf({ code, stderr }: Ended): string {
  return stderr.trim().slice(0, 2000) || `ended with ${code ?? 'a signal'}`;
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // it has ended already
  }
}
