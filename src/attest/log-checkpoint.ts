import { verify } from 'node:crypto';
import { Misfit } from './misfit.ts';
import type { Trusted } from './trusted-root.ts';

type Log = Trusted['tlogs'][number];

/** A checkpoint with the cosignatures of many witnesses is a few kilobytes. */
const mostCharacters = 1 << 16;

interface Line {
  readonly name: string;
  /** The first 4 bytes say which key, the rest is the signature. */
  readonly bytes: Buffer;
}

/** Throws Misfit for names of signers that are more than a name: the library takes them for regular expressions. */
export function checkNames(envelope: string): void {
  if (envelope.length > mostCharacters) throw new Misfit('the checkpoint of the log is too long');
  if (!linesOf(envelope).every(({ name }) => /^[A-Za-z0-9.:/_-]+$/.test(name)))
    throw new Misfit('a name in the checkpoint of the log can’t be used');
}

/** Those whose key made a signature on the checkpoint. */
export function signersOf(envelope: string, logs: readonly Log[]): Log[] {
  const text = Buffer.from(envelope.slice(0, envelope.indexOf('\n\n') + 1));
  const lines = linesOf(envelope);
  return logs.filter(({ logID, publicKey }) =>
    lines.some(
      ({ bytes }) =>
        logID.subarray(0, 4).equals(bytes.subarray(0, 4)) && verify(undefined, text, publicKey, bytes.subarray(4)),
    ),
  );
}

/** As the library finds them. */
function linesOf(envelope: string): Line[] {
  const signatures = envelope.slice(envelope.indexOf('\n\n') + 2);
  return [...signatures.matchAll(/\u2014 (\S+) (\S+)\n/g)].map(([, name = '', encoded = '']) => ({
    name,
    bytes: Buffer.from(encoded, 'base64'),
  }));
}
