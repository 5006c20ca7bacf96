import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { signersOf } from './log-checkpoint.ts';
import { Misfit } from './misfit.ts';
import type { Trusted } from './trusted-root.ts';

type Log = Trusted['tlogs'][number];

/**
 * What is known of an entry that the library verified, in plain words. The log's promise covers number and time of the entry and the log's
 * id; without it they are what anyone wrote there, and its place in the tree is all that is known. Then `times` of
 * timestamps on the signature say when the log's key has to be valid. Throws Misfit where the entry says it is from another log.
 */
export function tellEntry(entry: TransparencyLogEntry, logs: readonly Log[], times: readonly Date[]): string {
  const { inclusionPromise: promise, inclusionProof: proof } = entry;
  const since = promise === undefined ? undefined : new Date(Number(entry.integratedTime) * 1000);
  const signers = proof?.checkpoint === undefined ? logs : signersOf(proof.checkpoint.envelope, logs);
  const named = signers.filter(({ logID }) => isSameId(logID, Buffer.from(entry.logId?.keyId ?? [])));
  if (named.length === 0) throw new Misfit('the log entry bears the id of another log than signed for it');
  const log = named.find((one) => isValid(one, since === undefined ? times : [since]));
  if (log === undefined)
    throw new Misfit('the key of the log was not valid when the entry was made, or no one knows when that was');
  const index = BigInt(promise === undefined ? (proof?.logIndex ?? '') : entry.logIndex);
  const told = `an entry on the signature in the transparency log ${log.baseURL}: number ${String(index)}`;
  return since === undefined ? told : `${told}, there since ${since.toISOString()}`;
}

/** An id may be the 4 bytes alone that stand in checkpoints. */
function isSameId(one: Buffer, other: Buffer): boolean {
  const length = Math.min(one.length, other.length);
  if (length === 4) return one.subarray(0, 4).equals(other.subarray(0, 4));
  return one.equals(other);
}

/** What the library takes for a key without an end. */
const never = 8_640_000_000_000_000;

function isValid({ validFor: { start, end } }: Log, times: readonly Date[]): boolean {
  if (times.length === 0) return end.getTime() === never;
  return times.every((time) => start <= time && time <= end);
}
