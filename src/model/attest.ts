import { z } from 'zod';

const text = z.string().min(1, 'must not be empty');

function toUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

/** The configuration is sealed with the evidence and shown to whoever checks it: what is secret must not stand in it. */
const serviceUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).refine((value) => {
  const url = toUrl(value);
  return url === undefined || [url.username, url.password, url.search, url.hash].every((part) => part === '');
}, 'must hold no user name, password, query or fragment, since the configuration is sealed');

/** For what others on the network must not read. */
const privateUrl = serviceUrl.refine((value) => {
  const url = toUrl(value);
  return url?.protocol !== 'http:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}, 'must be an https:// URL: what is sent there is not for others on the network (http:// only to this machine)');

/** NAME+HEXID+BASE64 of an Ed25519 key for cosignatures: its base64 begins with type 4. */
const witnessKey = text.regex(
  /^[^\s+]+\+[0-9a-f]{8}\+B[A-P][A-Za-z0-9+/]{42}$/,
  'must be the verifier key of a witness: NAME+HEXID+BASE64 of an Ed25519 key for cosignatures (type 4)',
);

const witness = z.strictObject({
  /** Its submission prefix: `/add-checkpoint` is added. */
  url: serviceUrl,
  vkey: witnessKey,
});

/** Services that add to the signature of a report, each off unless it stands here (docs/signing.md). */
export const attestSchema = z
  .strictObject({
    /** Signs with a short-lived certificate on an OIDC identity instead of the key. */
    keyless: z
      .strictObject({
        fulcio: privateUrl,
        /** File of the OIDC token, else it is SIGSTORE_ID_TOKEN of the environment. The token never stands here. */
        tokenFile: text.optional(),
      })
      .optional(),
    /** Puts an entry on the signature into a transparency log (Rekor, API version 1). It is sent the whole statement. */
    rekor: z.strictObject({ url: privateUrl }).optional(),
    /** Asks an RFC 3161 authority for a timestamp over the signature. It is sent a hash. */
    timestamp: z.strictObject({ url: serviceUrl }).optional(),
    /** Asks for cosignatures of the ledger's checkpoint (C2SP tlog-witness). They are sent the checkpoint and hashes. */
    witnesses: z
      .array(witness)
      .refine(
        (witnesses) => new Set(witnesses.map(({ vkey }) => vkey)).size === witnesses.length,
        'must name each witness once',
      )
      .default([]),
    /** Name of the ledger in its checkpoints: witnesses tell ledgers apart by it. */
    origin: text
      .max(255)
      .regex(/^[^\s+\p{Cc}\p{Z}]+$/u, 'must have no spaces, plus or control characters')
      .optional(),
  })
  .refine(
    ({ keyless, rekor, timestamp }) => keyless === undefined || rekor !== undefined || timestamp !== undefined,
    'keyless needs rekor or timestamp: the certificate is valid for minutes, and without either nobody can tell later that it was used within them',
  );

export type WitnessSettings = z.output<typeof witness>;
export type AttestSettings = z.output<typeof attestSchema>;
