import { createHash } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { parseBase64 } from '../evidence/base64.ts';
import { leafHash, verifyInclusion } from '../evidence/merkle.ts';
import { checkVerifier, type Verifying } from './log-verifier.ts';
import { Misfit } from './misfit.ts';

/** An entry of a transparency log (Rekor, API version 1) in the one form that we write: JSON of the Sigstore bundle. */
export interface LogEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: 'dsse'; readonly version: '0.0.1' };
  readonly integratedTime: string;
  readonly inclusionPromise: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

/**
 * Brings an entry to that form. Whatever the log's two signatures (of its promise and of its checkpoint) do not cover is derived from what
 * they do or left out, since it could be changed beneath them. Throws Misfit for an entry of another kind, one
 * without promise or proof, one under another key, and one that is not about this payload and signature or not at its place in the tree.
 */
export function toLogEntry(
  entry: TransparencyLogEntry,
  payload: Uint8Array,
  signature: Uint8Array,
  by: Verifying,
): LogEntry {
  const { inclusionPromise: promise, inclusionProof: proof, canonicalizedBody: body, logId } = entry;
  if (logId === undefined || promise === undefined || proof?.checkpoint === undefined)
    throw new Misfit('the log entry has no promise or no proof that it is in the log');
  checkBody(body, payload, signature);
  checkVerifier(parseBody(body), by);
  const checkpoint = toCheckpoint(proof.checkpoint.envelope, Buffer.from(logId.keyId));
  const [index, size] = [toCount(proof.logIndex), toCount(checkpoint.size)];
  const hashes = proof.hashes.map((hash) => Buffer.from(hash));
  if (!verifyInclusion(leafHash(body), index, size, hashes, checkpoint.root))
    throw new Misfit('the log entry is not at its place in the tree of its checkpoint');
  return {
    logIndex: String(toCount(entry.logIndex)),
    logId: { keyId: toBase64(logId.keyId) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(toCount(entry.integratedTime)),
    inclusionPromise: { signedEntryTimestamp: toBase64(promise.signedEntryTimestamp) },
    inclusionProof: {
      logIndex: String(index),
      rootHash: toBase64(checkpoint.root),
      treeSize: String(size),
      hashes: hashes.map(toBase64),
      checkpoint: { envelope: checkpoint.envelope },
    },
    canonicalizedBody: toBase64(body),
  };
}

interface Body {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly spec?: {
    readonly payloadHash?: { readonly value?: unknown };
    readonly signatures?: readonly { readonly signature?: unknown }[];
  };
}

/** Throws Misfit unless it is a `dsse` entry about them. */
function checkBody(bytes: Uint8Array, payload: Uint8Array, signature: Uint8Array): void {
  const body = parseBody(bytes);
  if (body?.kind !== 'dsse' || body.apiVersion !== '0.0.1') throw new Misfit('the log entry is no dsse 0.0.1');
  const { payloadHash, signatures } = body.spec ?? {};
  const digest = createHash('sha256').update(payload).digest('hex');
  if (payloadHash?.value !== digest || signatures?.[0]?.signature !== toBase64(signature) || signatures.length !== 1)
    throw new Misfit('the log entry is about something else');
}

/** Throws Misfit for what is no JSON. */
export function parseBody(bytes: Uint8Array): Body | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Body | null;
  } catch (cause) {
    throw new Misfit('the log entry is no JSON', { cause });
  }
}

/** The checkpoint's text with the one signature line of the log itself; its name is the first word of the origin. */
function toCheckpoint(note: string, logId: Buffer): { envelope: string; size: string; root: Buffer } {
  const end = note.indexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [origin = '', size = '', encodedRoot = ''] = text.split('\n');
  const root = parseBase64(encodedRoot);
  const name = origin.split(' - ')[0] ?? '';
  const ours = note
    .slice(end + 2)
    .split('\n')
    .filter((line) => isSignature(line, name, logId));
  const [signature] = ours;
  if (end < 0 || root === undefined || signature === undefined || ours.length > 1)
    throw new Misfit('the checkpoint of the log is not signed by the log');
  return { envelope: `${text}\n${signature}\n`, size, root };
}

/** `— NAME BASE64`, which begins with the first 4 bytes of the log's id. */
function isSignature(line: string, name: string, logId: Buffer): boolean {
  const start = `— ${name} `;
  const bytes = line.startsWith(start) ? parseBase64(line.slice(start.length)) : undefined;
  return bytes !== undefined && bytes.length > 4 && bytes.subarray(0, 4).equals(logId.subarray(0, 4));
}

function toCount(text: string): number {
  const count = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new Misfit('a number in the log entry is none');
  return count;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
