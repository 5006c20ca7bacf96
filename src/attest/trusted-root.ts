import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { TallyError } from '../model/errors.ts';

/** Whose certificates, log entries and timestamps count. */
export type Trusted = Omit<TrustMaterial, 'publicKey'>;

/** Reads a Sigstore TrustedRoot (JSON). Throws `input` for anything else. */
export function parseTrustedRoot(text: string, name: string): Trusted {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(text));
    const { certificateAuthorities, timestampAuthorities, tlogs, ctlogs } = toTrustMaterial(root);
    return { certificateAuthorities, timestampAuthorities, tlogs, ctlogs };
  } catch (cause) {
    // the library throws whatever it trips over
    throw new TallyError('input', `${name}: is no Sigstore trusted root (JSON with keys and certificates)`, { cause });
  }
}

export const noTrust: Trusted = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
