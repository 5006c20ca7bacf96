import { join } from 'node:path';
import { type Checkpoint, openCheckpoint } from '../evidence/checkpoint.ts';
import { openCosignature } from '../evidence/cosignature.ts';
import { readConsistencyProof } from '../evidence/tile-proofs.ts';
import { type NoteKey, parseWitnessVkey, textOf } from '../evidence/signed-note.ts';
import type { WitnessSettings } from '../model/attest.ts';
import { TallyError } from '../model/errors.ts';
import { postLimited } from './witness-http.ts';

export interface WitnessRequest {
  /** Folder of the ledger: proofs are read from its tiles. */
  readonly ledger: string;
  readonly vkey: string;
  /** The signed note to be cosigned; the ledger may have grown since. */
  readonly checkpoint: string;
  readonly witnesses: readonly WitnessSettings[];
  readonly before?: CosignedBefore | undefined;
  /** ms that one witness may take in all. */
  readonly limit?: number;
}

/** A checkpoint that was cosigned before: witnesses in it need not be asked where they are, or not at all. */
export interface CosignedBefore {
  readonly size: number;
  /** As it was signed. */
  readonly text: string;
  /** Signature lines, maybe. */
  readonly lines: readonly string[];
}

export interface Witnessed {
  /** Signature lines of those that cosigned, in the order of the configuration. */
  readonly cosignatures: readonly string[];
  /** A sentence for each that did not. */
  readonly failures: readonly string[];
}

/**
 * Asks every witness to cosign a checkpoint (C2SP tlog-witness, add-checkpoint). A witness that does not, for whatever
 * reason, is a failure that is told; only a ledger that is itself damaged throws (`integrity`).
 */
export async function askWitnesses(request: WitnessRequest): Promise<Witnessed> {
  const head = openCheckpoint(Buffer.from(request.checkpoint), request.vkey, join(request.ledger, 'checkpoint'));
  const answers = await Promise.all(request.witnesses.map((witness) => askWitness(request, head, witness)));
  return {
    cosignatures: answers.flatMap((answer) => ('line' in answer ? [answer.line] : [])),
    failures: answers.flatMap((answer) => ('failure' in answer ? [answer.failure] : [])),
  };
}

/** Why a witness did not cosign, as the end of a sentence that names it. */
class Refusal extends Error {}

async function askWitness(
  request: WitnessRequest,
  head: Checkpoint,
  { url, vkey }: WitnessSettings,
): Promise<{ line: string } | { failure: string }> {
  try {
    const key = toKey(vkey);
    const before = cosignedBefore(request, key);
    if (before?.text === textOf(request.checkpoint)) return { line: before.line };
    const old = before?.size ?? 0;
    const signal = AbortSignal.timeout(request.limit ?? 10_000);
    return { line: await addCheckpoint(request, head, { url, key, signal, old }) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: `The witness ${vkey.split('+')[0] ?? ''} (${url}) ${error.message}` };
  }
}

/** Where this witness is known to be. What was kept is no evidence: where it does not fit, nothing is known. */
function cosignedBefore(
  { before }: WitnessRequest,
  key: NoteKey,
): { size: number; text: string; line: string } | undefined {
  if (before === undefined) return undefined;
  const { size, text, lines } = before;
  const line = lines.find((one) => tryCosignature(one, text, key) === 'good');
  return line === undefined ? undefined : { size, text, line };
}

function tryCosignature(line: string, text: string, key: NoteKey): 'good' | 'bad' | 'of another key' {
  try {
    return openCosignature(line, text, key, 'the answer') === undefined ? 'of another key' : 'good';
  } catch (error) {
    if (error instanceof TallyError) return 'bad';
    throw error;
  }
}

function toKey(vkey: string): NoteKey {
  try {
    return parseWitnessVkey(vkey);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw new Refusal(`was not asked: ${error.message}.`);
  }
}

interface Asked {
  readonly url: string;
  readonly key: NoteKey;
  readonly signal: AbortSignal;
  /** Size that the witness is taken to have cosigned last. */
  readonly old: number;
}

async function addCheckpoint(request: WitnessRequest, head: Checkpoint, asked: Asked): Promise<string> {
  let old = asked.old <= head.size ? asked.old : 0;
  // Another process may get it to cosign between our two requests: then once more.
  for (let tries = 3; ; tries -= 1) {
    const proof = await readConsistencyProof(request.ledger, old, head);
    const lines = [`old ${String(old)}`, ...proof.map((hash) => hash.toString('base64')), '', request.checkpoint];
    const answer = await post(asked, lines.join('\n'));
    if (answer.status === 200) return readCosignature(answer.body, textOf(request.checkpoint), asked.key);
    const size = answer.status === 409 ? sizeIn(answer) : undefined;
    if (size === undefined || size === old || size > head.size || tries <= 1)
      throw new Refusal(whyNot(answer, { old, size, head }));
    old = size;
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function post({ url, signal }: Asked, body: string): Promise<Answer> {
  try {
    return await postLimited(`${url.replace(/\/+$/, '')}/add-checkpoint`, body, signal);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (signal.aborted) throw new Refusal('did not answer in time.');
    throw new Refusal(`could not be asked: ${cause instanceof Error ? cause.message : String(cause)}.`);
  }
}

function sizeIn({ type, body }: Answer): number | undefined {
  const size = /^(0|[1-9]\d{0,15})\n$/.test(body) ? Number(body) : undefined;
  return /^text\/x\.tlog\.size\s*(;|$)/i.test(type) && Number.isSafeInteger(size) ? size : undefined;
}

/** Its line, whatever others have signed beside it (tlog-witness: lines of unknown keys are ignored). */
function readCosignature(body: string, text: string, key: NoteKey): string {
  for (const line of body.split('\n')) {
    const found = tryCosignature(line, text, key);
    if (found === 'good') return line;
    if (found === 'bad') throw new Refusal('answered with a cosignature that does not verify.');
  }
  throw new Refusal('answered without a cosignature by the key that is configured for it.');
}

interface Disagreement {
  readonly old: number;
  readonly size: number | undefined;
  readonly head: Checkpoint;
}

/** What an answer other than 200 says about the ledger. Our own proof has been checked, so a witness that refuses it knows other entries. */
function whyNot({ status }: Answer, { old, size, head }: Disagreement): string {
  const other = `another ledger named ${head.origin}`;
  if (status === 422 && old > 0)
    return `knows ${other}: the ${old} entries that it has cosigned are not those that this one begins with. One of the two is a fork.`;
  if (status === 409 && size !== undefined && size > head.size)
    return `has cosigned ${size} entries of ${head.origin}, this ledger has ${head.size}: another copy is ahead, entries were taken away, or it is ${other}.`;
  if (status === 409 && old === head.size && (size === undefined || size === old))
    return `knows ${other}: with ${old} entries, too, but with another root. One of the two is a fork.`;
  if (status === 409 && size !== undefined) return `did not settle on a size: it has cosigned ${size} entries.`;
  if (status === 404) return `does not know the ledger ${head.origin}: its operator has to add it.`;
  if (status === 403) return `does not know the key of the ledger ${head.origin}: its operator has to add it.`;
  return `refused the checkpoint with HTTP status ${status}.`;
}
