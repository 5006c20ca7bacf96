import { createPrivateKey, type KeyObject } from 'node:crypto';
import { generateKeyPair, loadPrivateKey } from '../attest/keys.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** No key was given: it was made for one report alone. */
  readonly throwAway: boolean;
}

/** The key in a file, else that of TALLY_KEY in the environment, else a new one. */
export function openSigningKey(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): SigningKey {
  const throwAway = (file ?? env['TALLY_KEY']) === undefined;
  const privateKey = throwAway ? createPrivateKey(generateKeyPair().privatePem) : loadPrivateKey(file, env);
  return { privateKey, throwAway };
}
