// What can be done to a bundle, and whether cosign still takes it; our verifier must take none that is around a statement of ours.
/* global Buffer */
const edit = (change) => (bytes) => {
  const bundle = JSON.parse(bytes.toString());
  change(bundle);
  return Buffer.from(JSON.stringify(bundle));
};

const envelope = (change) => edit(({ dsseEnvelope }) => change(dsseEnvelope, dsseEnvelope.signatures[0]));

const recode = (text, change) => {
  const bytes = Buffer.from(text, 'base64');
  return (change(bytes) ?? bytes).toString('base64');
};

const replaced = (text, from, to) => {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`there is no ${from} in it`);
  return changed;
};

/** Changes of what is signed, and of what makes it whole: every verifier must refuse them. */
export const signedChanges = [
  {
    what: 'another verdict in the payload',
    change: envelope((one) => {
      const text = Buffer.from(one.payload, 'base64').toString();
      one.payload = Buffer.from(replaced(text, '"violated"', '"proven"')).toString('base64');
    }),
  },
  {
    what: 'white space added to the payload',
    change: envelope((one) => (one.payload = recode(one.payload, (bytes) => Buffer.concat([bytes, Buffer.from(' ')])))),
  },
  {
    what: 'one bit of the signature',
    change: envelope((_, one) => (one.sig = recode(one.sig, (bytes) => void (bytes[bytes.length - 1] ^= 1)))),
  },
  { what: 'a signature of zeros', change: envelope((_, one) => (one.sig = recode(one.sig, (bytes) => bytes.fill(0)))) },
  { what: 'an empty signature', change: envelope((_, one) => (one.sig = '')) },
  { what: 'no signature', change: envelope((one) => (one.signatures = [])) },
  { what: 'another payload type', change: envelope((one) => (one.payloadType = 'application/json')) },
  { what: 'no envelope', change: edit((bundle) => delete bundle.dsseEnvelope) },
  { what: 'half of the file', change: (bytes) => bytes.subarray(0, bytes.length >> 1) },
  { what: 'a file without its last brace', change: (bytes) => bytes.subarray(0, bytes.lastIndexOf('}')) },
  { what: 'an empty file', change: () => Buffer.alloc(0) },
];

/**
 * Changes outside of what is signed. `cosign` tells what it does: it looks up the key by no hint, but passes over a signature whose
 * keyid is neither empty nor the key's SSH fingerprint.
 */
export const unsignedChanges = [
  { what: 'another keyid', cosign: 'refuses', change: envelope((_, one) => (one.keyid = 'another')) },
  { what: 'no keyid', cosign: 'takes', change: envelope((_, one) => delete one.keyid) },
  {
    what: 'another hint of the key',
    cosign: 'takes',
    change: edit((bundle) => (bundle.verificationMaterial.publicKey.hint = 'another')),
  },
  { what: 'the file laid out in lines', cosign: 'takes', change: (bytes) => relaid(bytes) },
  {
    what: 'an older media type',
    cosign: 'takes',
    change: edit((bundle) => (bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2')),
  },
];

const relaid = (bytes) => Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), null, 2));

/**
 * The bundle with one byte of base64 replaced by another one, at `count` places spread over payload and signature, first and last ones
 * included. Bits that base64 leaves unused in its last letter are not among them.
 */
export function oneByteChanged(bytes, count) {
  const text = bytes.toString();
  const { payload, signatures } = JSON.parse(text).dsseEnvelope;
  const places = [payload, signatures[0].sig].flatMap((field) => {
    const start = text.indexOf(field);
    const last = field.replace(/=+$/, '').length - 1 - (field.endsWith('=') ? 1 : 0);
    const half = Math.ceil(count / 2);
    return Array.from({ length: half }, (_, at) => start + Math.round((at * last) / (half - 1)));
  });
  return places.map((at) => {
    const changed = Buffer.from(bytes);
    changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
    return { what: `byte ${at}`, changed };
  });
}
