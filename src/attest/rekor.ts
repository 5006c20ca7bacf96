import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { z } from 'zod';
import { type LogEntry, toLogEntry } from './log-entry.ts';
import type { Verifying } from './log-verifier.ts';
import { Misfit } from './misfit.ts';
import { askJson, type Patience, Refusal, under } from './post.ts';
import { statementPayloadType } from './statement.ts';

export interface ToEnter {
  readonly statement: Buffer;
  readonly signature: Buffer;
  readonly keyid: string;
  readonly by: Verifying;
  /** PEM of the public key or certificate. */
  readonly verifier: string;
}

/** Puts an entry on the signature into a transparency log (Rekor, API version 1). */
export async function enterIntoLog(url: string, signed: ToEnter, patience: Patience): Promise<LogEntry> {
  const entries = under(url, 'api/v1/log/entries');
  const json = await askJson(entries, toProposal(signed), patience).catch((error: unknown) => {
    const uuid = knownAs(error);
    if (uuid === undefined) throw error;
    return askJson(`${entries}/${uuid}`, undefined, patience);
  });
  return toLogEntry(parseAnswer(json), signed.statement, signed.signature, signed.by);
}

/** A `dsse` entry: of it the log keeps hashes, an `intoto` entry might be kept whole. */
function toProposal({ statement, signature, keyid, verifier }: ToEnter): object {
  const envelope = {
    payload: statement.toString('base64'),
    payloadType: statementPayloadType,
    signatures: [{ sig: signature.toString('base64'), keyid }],
  };
  const proposedContent = {
    envelope: JSON.stringify(envelope),
    verifiers: [Buffer.from(verifier).toString('base64')],
  };
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent } };
}

/** The log has the entry already, where the answer of a first attempt was lost. Only its name is taken from where it points to. */
function knownAs(error: unknown): string | undefined {
  const location = error instanceof Refusal && error.statusCode === 409 ? error.location : undefined;
  return /(?:^|\/)([0-9a-f]{64,80})$/.exec(location ?? '')?.[1];
}

const count = z.int().nonnegative();
const answer = z.record(
  z.string(),
  z.object({
    body: z.base64(),
    integratedTime: count,
    logID: z.hex(),
    logIndex: count,
    verification: z
      .object({
        signedEntryTimestamp: z.base64().optional(),
        inclusionProof: z
          .object({
            checkpoint: z.string(),
            hashes: z.array(z.hex()),
            logIndex: count,
            rootHash: z.hex(),
            treeSize: count,
          })
          .optional(),
      })
      .optional(),
  }),
);

function parseAnswer(json: unknown): TransparencyLogEntry {
  const { data } = answer.safeParse(json);
  const [entry, ...more] = Object.values(data ?? {});
  if (entry === undefined || more.length > 0) throw new Misfit('it is not one log entry');
  const { signedEntryTimestamp: promise, inclusionProof: proof } = entry.verification ?? {};
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logID, 'hex') },
    kindVersion: undefined,
    integratedTime: String(entry.integratedTime),
    inclusionPromise: promise === undefined ? undefined : { signedEntryTimestamp: Buffer.from(promise, 'base64') },
    inclusionProof: proof && {
      logIndex: String(proof.logIndex),
      rootHash: Buffer.from(proof.rootHash, 'hex'),
      treeSize: String(proof.treeSize),
      hashes: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: Buffer.from(entry.body, 'base64'),
  };
}
