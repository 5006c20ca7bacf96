import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of our own commands in a process with low priority: evidence comes first. The signal ends it. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  script = main,
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) lowerPriority(child.pid);
  const texts = [child.stdout, child.stderr].map((stream) => {
    const said: Buffer[] = [];
    stream.on('data', (part: Buffer) => {
      if (said.length < 64) said.push(part);
    });
    return () => Buffer.concat(said).toString();
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(2));
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  const [stdout = '', stderr = ''] = texts.map((text) => text());
  return { code, stdout, stderr };
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
