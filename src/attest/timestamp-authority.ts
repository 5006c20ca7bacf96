import { randomBytes } from 'node:crypto';
import { Misfit } from './misfit.ts';
import { ask, type Patience } from './post.ts';
import { parseTimestamp, type Timestamp, toNonce, toTimestampQuery } from './timestamp.ts';

/** Asks an RFC 3161 authority over HTTP (§3.4) for a timestamp of the signature. */
export async function askForTimestamp(url: string, signature: Buffer, patience: Patience): Promise<Timestamp> {
  const nonce = randomBytes(6);
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: new Uint8Array(toTimestampQuery(signature, nonce)),
  };
  const timestamp = parseTimestamp(await ask(url, request, patience), signature);
  if (timestamp.nonce?.equals(toNonce(nonce)) !== true)
    throw new Misfit('the timestamp answers another request than ours');
  return timestamp;
}
