import { describe, expect, it } from 'vitest';
import { parseBundle, toBundle } from '../../src/attest/bundle.ts';

const literal =
  '{"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json",' +
  '"signatures":[{"keyid":"HINT","sig":"c2ln"}]},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",' +
  '"verificationMaterial":{"publicKey":{"hint":"HINT"},"tlogEntries":[]}}\n';

describe('bundle', () => {
  it('has literal bytes', () => {
    expect(toBundle(Buffer.from('{}'), Buffer.from('sig'), { hint: 'HINT' }).toString()).toBe(literal);
  });

  it.each(['bundle+json;version=0.1', 'bundle+json;version=0.2', 'bundle+json;version=0.3', 'bundle.v0.3+json'])(
    'is read as application/vnd.dev.sigstore.%s',
    (version) => {
      const text = literal.replace('bundle.v0.3+json', version);
      expect(parseBundle(Buffer.from(text)).content.dsseEnvelope.payload).toEqual(Buffer.from('{}'));
    },
  );

  it.each([
    ['no JSON', literal.slice(1)],
    ['null', 'null'],
    ['another media type', literal.replace('sigstore.bundle', 'other')],
    ['two signatures', literal.replace('[{', '[{"keyid":"","sig":"c2ln"},{')],
    ['no signature', literal.replace('"sig":"c2ln"', '"sig":""')],
    ['no key', literal.replace('"publicKey":{"hint":"HINT"},', '')],
    [
      'a bare signature',
      literal.replace(
        /"dsseEnvelope":.*?]},/,
        '"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="},"signature":"AA=="},',
      ),
    ],
  ])('is refused: %s', (_, text) => {
    expect(() => parseBundle(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'integrity' }));
  });
});
