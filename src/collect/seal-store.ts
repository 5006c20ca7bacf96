import type { KeyObject } from 'node:crypto';
import { ledgerKey, maskKey } from '../attest/keys.ts';
import { parseVkey } from '../evidence/signed-note.ts';
import { openStore } from '../evidence/store.ts';
import { readStore } from '../evidence/store-read.ts';
import { TallyError } from '../model/errors.ts';
import { askCollector } from './control-client.ts';

export interface Sealed {
  /** Sealed by this call. */
  readonly segments: number;
  /** Entries of the ledger now. */
  readonly size: number;
}

/** Seals through the collector that runs on the store; where none does, itself, with the key of the store. */
export async function sealStore(path: string, loadKey: () => KeyObject): Promise<Sealed> {
  const answer = await askCollector(path, 'POST', '/v1/seal');
  if (answer !== undefined) {
    if (answer.status !== 200)
      throw new TallyError('input', `the collector could not seal: ${String(answer.json['error'])}`);
    return { segments: Number(answer.json['segments']), size: (await readStore(path)).size };
  }
  const { vkey } = await readStore(path); // a mistyped folder must not become a store
  const privateKey = loadKey();
  const store = await openStore(path, {
    signer: { origin: parseVkey(vkey).name, privateKey: ledgerKey(privateKey) },
    maskKey: maskKey(privateKey),
    sealBytes: 16 << 20,
    sealAge: 3600,
    memory: 64 << 20,
  });
  let segments: number;
  try {
    segments = await store.seal();
  } finally {
    await store.close();
  }
  return { segments, size: (await readStore(path)).size };
}
