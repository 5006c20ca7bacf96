import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ClosedWal, SealContext, Sealer, SegmentDraft } from '../evidence/sealer.ts';
import { type ErrorCode, TallyError } from '../model/errors.ts';

/** What goes to the worker: first the context, then one log file at a time. The mask key goes by message only. */
export type SealRequest =
  | { readonly kind: 'open'; readonly context: SealContext }
  | { readonly kind: 'draft'; readonly wal: ClosedWal; readonly from: number };

export type SealAnswer =
  | { readonly kind: 'open' }
  | { readonly kind: 'drafted'; readonly draft: SegmentDraft }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly code: ErrorCode | undefined;
      readonly retryable: boolean;
    };

/** Megabytes of JavaScript heap that the worker may have. */
const heap = 256;

/**
 * Seals in a process of its own, so that reading from sources is not held up. When it dies, calls reject. A thread would
 * not do: one that dies amid a query takes the whole process with it, as DuckDB's binding then throws where nobody can catch.
 */
export async function openSealWorker(
  context: SealContext,
  script = new URL('./seal-process.js', import.meta.url),
): Promise<Sealer> {
  const worker = fork(script, {
    execArgv: [`--max-old-space-size=${heap}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(worker, 'exit');
  let waiting: { resolve: (answer: SealAnswer) => void; reject: (error: Error) => void } | undefined;
  let died: Error | undefined;

  function ask(request: SealRequest): Promise<SealAnswer> {
    return new Promise((resolve, reject) => {
      if (died !== undefined) {
        reject(died);
        return;
      }
      waiting = { resolve, reject };
      worker.send(request, (error) => {
        if (error !== null) end(error);
      });
    });
  }

  function end(cause: unknown): void {
    died ??= new TallyError('input', 'the sealing process ended', { cause, retryable: true });
    waiting?.reject(died);
    waiting = undefined;
  }

  worker.on('message', (answer: SealAnswer) => {
    const asked = waiting;
    waiting = undefined;
    if (answer.kind === 'failed') asked?.reject(toError(answer));
    else asked?.resolve(answer);
  });
  worker.on('error', end);
  worker.on('exit', (code, signal) => end(new Error(`it ended with ${signal ?? code ?? 'nothing'}`)));
  await ask({ kind: 'open', context });
  return {
    async draft(wal, from) {
      const answer = await ask({ kind: 'draft', wal, from });
      if (answer.kind !== 'drafted') throw new Error('the sealing process gave another answer than asked for');
      return answer.draft;
    },
    async close() {
      if (worker.connected) worker.disconnect(); // it ends by itself, as it does when this process is killed
      await exited;
    },
  };
}

function toError({ message, code, retryable }: Extract<SealAnswer, { kind: 'failed' }>): Error {
  return code === undefined ? new Error(message) : new TallyError(code, message, { retryable });
}
