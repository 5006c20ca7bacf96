import { openLiveSealer } from '../evidence/live-seal.ts';
import type { Sealer } from '../evidence/sealer.ts';
import { TallyError } from '../model/errors.ts';
import type { SealAnswer, SealRequest } from './seal-worker.ts';

// The script of the sealing process: one request at a time, and it ends when its parent does.
let sealer: Sealer | undefined;
let chain = Promise.resolve();

async function handle(request: SealRequest): Promise<SealAnswer> {
  if (request.kind === 'open') {
    const { store, maskKey } = request.context;
    sealer = await openLiveSealer({ store, maskKey: Buffer.from(maskKey) });
    return { kind: 'open' };
  }
  if (sealer === undefined) throw new Error('asked to seal before it was told where');
  return { kind: 'drafted', draft: await sealer.draft(request.wal, request.from) };
}

function toFailure(error: unknown): SealAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const { code, retryable } = error instanceof TallyError ? error : { code: undefined, retryable: false };
  return { kind: 'failed', message, code, retryable };
}

/** A parent that was killed has no use for an answer; the end of the channel ends this process. */
function answer(what: SealAnswer): void {
  if (process.connected) process.send?.(what, undefined, undefined, () => undefined);
}

process.on('message', (request: SealRequest) => {
  chain = chain.then(() => handle(request)).then(answer, (error: unknown) => answer(toFailure(error)));
});
process.on('disconnect', () => {
  void chain.then(() => sealer?.close()).finally(() => process.exit());
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined); // the parent decides: it still has to seal
