import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toBundle } from '../../src/attest/bundle.ts';
import { childrenOf, type Der, parseDer, tags, toDer } from '../../src/attest/der.ts';
import { signDsse } from '../../src/attest/dsse.ts';
import { generateKeyPair, keyHint, loadPrivateKey } from '../../src/attest/keys.ts';
import { checkVerifier } from '../../src/attest/log-verifier.ts';
import { Misfit } from '../../src/attest/misfit.ts';
import { patient } from '../../src/attest/post.ts';
import { enterIntoLog } from '../../src/attest/rekor.ts';
import { type SigningServices, signStatement } from '../../src/attest/sign.ts';
import { statementPayloadType, toStatement } from '../../src/attest/statement.ts';
import { askForTimestamp } from '../../src/attest/timestamp-authority.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import { verifyBundle } from '../../src/attest/verify.ts';
import {
  type Ca,
  type Fake,
  fakeFulcio,
  fakeRekor,
  host,
  identity,
  opensslTsa,
  type Root,
  serve,
  toRoot,
} from './fake-services.ts';

const privateKey = loadPrivateKey(generateKeyPair().privatePem, {});
const publicKey = createPublicKey(privateKey);
const own = toStatement({ manifestSha256: 'a'.repeat(64), declarationSha256: 'b'.repeat(64), predicate: {} });
/** Not in our form: nothing but signatures protects what is around it. */
const foreign = Buffer.from(
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://example.com/predicate/v1',
    subject: [{ name: 'file', digest: { sha256: 'c'.repeat(64) } }],
    predicate: {},
  }),
);
const tampered = expect.objectContaining({ code: 'integrity' }) as Error;

async function sign(statement: Buffer, services: SigningServices): Promise<Buffer> {
  const { bundle, failures } = await signStatement(statement, { privateKey, services });
  expect(failures).toEqual([]);
  if (bundle === undefined) throw new Error('not signed');
  return bundle;
}

function trust(...roots: readonly Root[]): ReturnType<typeof parseTrustedRoot> {
  return parseTrustedRoot(toRoot(...roots), 'root.json');
}

const at = async ({ service }: Fake): Promise<{ url: string }> => ({ url: (await serve(service)).url });

interface Entry {
  logIndex: string;
  integratedTime: string;
  logId: { keyId: string };
  inclusionPromise?: unknown;
  inclusionProof: { logIndex: string; checkpoint: { envelope: string } };
}

/** A bundle by others with its one log entry changed. */
function changed(bundle: Buffer, change: (entry: Entry) => unknown): Buffer {
  const json = JSON.parse(bundle.toString()) as { verificationMaterial: { tlogEntries: [Entry] } };
  change(json.verificationMaterial.tlogEntries[0]);
  return Buffer.from(JSON.stringify(json));
}

describe('a log entry without the promise of its log', () => {
  const forge = (entry: Entry): void => {
    delete entry.inclusionPromise;
    Object.assign(entry, { integratedTime: '1500000000', logIndex: '424242' });
  };

  it('tells its place in the tree, and no time or number that anyone could have written', async () => {
    const rekor = await fakeRekor();
    const bundle = await sign(foreign, { rekor: await at(rekor) });
    const { checked } = verifyBundle(changed(bundle, forge), publicKey, { trusted: trust(rekor.root) });
    expect(checked).toEqual([`an entry on the signature in the transparency log https://${host}: number 0`]);
  });

  it('is refused where it bears the id of another log', async () => {
    const [rekor, other] = [await fakeRekor(), await fakeRekor()];
    const bundle = await sign(foreign, { rekor: await at(rekor) });
    const [log] = (JSON.parse(toRoot(other.root)) as { tlogs: { logId: { keyId: string } }[] }).tlogs;
    const lie = changed(bundle, (entry) => {
      forge(entry);
      entry.logId.keyId = log?.logId.keyId ?? '';
    });
    expect(() => verifyBundle(lie, publicKey, { trusted: trust(rekor.root, other.root) })).toThrow(
      'the id of another log',
    );
  });

  it('needs a key of the log that was valid at the time of the timestamp, or has no end', async () => {
    const [rekor, tsa] = [await fakeRekor(), opensslTsa()];
    const root = trust(rekor.root, tsa.root);
    const endingIn = (year: number): typeof root => ({
      ...root,
      tlogs: root.tlogs.map((log) => ({
        ...log,
        validFor: { start: new Date('2020-01-01T00:00:00Z'), end: new Date(`${String(year)}-01-01T00:00:00Z`) },
      })),
    });
    const alone = changed(await sign(foreign, { rekor: await at(rekor) }), forge);
    const stamped = changed(await sign(foreign, { rekor: await at(rekor), timestamp: await at(tsa) }), forge);
    expect(verifyBundle(alone, publicKey, { trusted: root }).checked).toHaveLength(1);
    expect(() => verifyBundle(alone, publicKey, { trusted: endingIn(9000) })).toThrow(
      'not valid when the entry was made',
    );
    expect(verifyBundle(stamped, publicKey, { trusted: endingIn(9000) }).checked).toHaveLength(2);
    expect(() => verifyBundle(stamped, publicKey, { trusted: endingIn(2021) })).toThrow(
      'not valid when the entry was made',
    );
  });
});

describe('a log entry under a stranger’s key', () => {
  const stranger = generateKeyPair().publicPem;

  it.each([
    ['our own form', own],
    ['another form', foreign],
  ])('is refused around a statement in %s', async (_, statement) => {
    const rekor = await fakeRekor();
    const signature = signDsse(statementPayloadType, statement, privateKey);
    const hint = keyHint(publicKey);
    const signed = { statement, signature, keyid: hint, by: { key: createPublicKey(stranger) }, verifier: stranger };
    const entry = await enterIntoLog((await at(rekor)).url, signed, patient);
    const bundle = toBundle(statement, signature, { hint }, { logEntries: [entry] });
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(rekor.root) })).toThrow('under another key');
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(rekor.root) })).toThrow(tampered);
    if (statement === own) expect(() => verifyBundle(bundle, publicKey)).toThrow('under another key');
  });

  const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
  const spki = (pem: string): string => base64(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
  const kinds: [string, (pem: string) => unknown][] = [
    ['dsse 0.0.1', (pem) => ({ kind: 'dsse', apiVersion: '0.0.1', spec: { signatures: [{ verifier: base64(pem) }] } })],
    [
      'hashedrekord 0.0.1',
      (pem) => ({
        kind: 'hashedrekord',
        apiVersion: '0.0.1',
        spec: { signature: { publicKey: { content: base64(pem) } } },
      }),
    ],
    [
      'intoto 0.0.2',
      (pem) => ({
        kind: 'intoto',
        apiVersion: '0.0.2',
        spec: { content: { envelope: { signatures: [{ publicKey: base64(pem) }] } } },
      }),
    ],
    [
      'dsse 0.0.2',
      (pem) => ({
        kind: 'dsse',
        apiVersion: '0.0.2',
        spec: { dsseV002: { signatures: [{ verifier: { publicKey: { rawBytes: spki(pem) } } }] } },
      }),
    ],
    [
      'hashedrekord 0.0.2',
      (pem) => ({
        kind: 'hashedrekord',
        apiVersion: '0.0.2',
        spec: { hashedRekordV002: { signature: { verifier: { publicKey: { rawBytes: spki(pem) } } } } },
      }),
    ],
  ];

  it.each(kinds)('is told from one under ours (%s)', (_, toBody) => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(() => checkVerifier(toBody(pem), { key: publicKey })).not.toThrow();
    expect(() => checkVerifier(toBody(stranger), { key: publicKey })).toThrow(Misfit);
    expect(() => checkVerifier(toBody(pem), { certificate: Buffer.from('certificate') })).toThrow(Misfit);
    expect(() => checkVerifier({ ...(toBody(pem) as object), spec: {} }, { key: publicKey })).toThrow(Misfit);
  });
});

describe('a checkpoint', () => {
  it.each([
    ['a pattern as a name of a signer', 'rekor.{1,3}xample.com', 'a name in the checkpoint'],
    ['a name without end', 'a'.repeat(70_000), 'too long'],
  ])('with %s is refused', async (_, name, why) => {
    const rekor = await fakeRekor();
    const bundle = changed(await sign(foreign, { rekor: await at(rekor) }), ({ inclusionProof: { checkpoint } }) => {
      checkpoint.envelope = checkpoint.envelope.replace(/(— )(\S+)( \S+\n)$/, `$1$2$3$1${name}$3`);
      expect(checkpoint.envelope).toContain(name);
    });
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(rekor.root) })).toThrow(why);
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(rekor.root) })).toThrow(tampered);
  });
});

describe('a certificate', () => {
  /** Signed keyless, past all checks of signing. */
  async function certified(
    ca: Ca,
    tsa: Fake,
    subject: string,
    extensions: { oid: string; value: string }[],
  ): Promise<Buffer> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const certificate = await ca.issueCertificate({
      publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: subject,
      extensions,
    });
    const signature = signDsse(statementPayloadType, own, pair.privateKey);
    const { bytes } = await askForTimestamp((await at(tsa)).url, signature, patient);
    return toBundle(own, signature, { certificate }, { timestamps: [bytes] });
  }
  const issuer = { oid: '1.3.6.1.4.1.57264.1.8', value: identity.issuer };

  it('is verified with subject and issuer, and never without an issuer', async () => {
    const [fulcio, tsa] = [await fakeFulcio(), opensslTsa()];
    const trusted = trust(fulcio.root, tsa.root);
    const whole = await certified(fulcio.ca, tsa, identity.subject, [issuer]);
    expect(verifyBundle(whole, identity, { trusted }).checked).toHaveLength(1);
    const without = await certified(fulcio.ca, tsa, identity.subject, []);
    for (const name of ['', identity.issuer])
      expect(() => verifyBundle(without, { ...identity, issuer: name }, { trusted })).toThrow('no issuer');
    const empty = await certified(fulcio.ca, tsa, identity.subject, [{ ...issuer, value: '' }]);
    expect(() => verifyBundle(empty, { ...identity, issuer: '' }, { trusted })).toThrow('no issuer');
  });

  it('whose subject or issuer is the one asked for but for the highest bit of a byte is refused', async () => {
    const [fulcio, tsa] = [await fakeFulcio(), opensslTsa()];
    const trusted = trust(fulcio.root, tsa.root);
    const high = (text: string): string => text.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) | 0x80));
    for (const [subject, extension] of [
      [high(identity.subject), issuer],
      [identity.subject, { ...issuer, value: high(identity.issuer) }],
    ] as const) {
      const bundle = await certified(fulcio.ca, tsa, subject, [extension]);
      expect(() => verifyBundle(bundle, identity, { trusted })).toThrow('not plain ASCII');
    }
  });
});

describe('a timestamp', () => {
  const algorithm = (oid: string, ...parameters: Buffer[]): Buffer =>
    toDer(tags.sequence, Buffer.from(oid, 'hex'), ...parameters);
  const none = Buffer.from('0500', 'hex');
  const ecdsa = '06082a8648ce3d040302';
  const rsa = '06092a864886f70d010101';
  const rsaSha256 = '06092a864886f70d01010b';
  const sha256 = '0609608648016503040201';

  /** The same DER with each element of these bytes replaced. */
  function replaced(element: Der, from: Buffer, to: Buffer): Buffer {
    if (element.raw.equals(from)) return to;
    if ((element.tag & 0x20) === 0) return element.raw;
    return toDer(element.tag, ...childrenOf(element).map((child) => replaced(child, from, to)));
  }

  it.each([
    ['rsa', 'another name of its algorithm', algorithm(rsa, none), algorithm(rsaSha256, none)],
    ['rsa', 'the name of an ECDSA algorithm', algorithm(rsa, none), algorithm(ecdsa)],
    ['ec', 'the name of an RSA algorithm', algorithm(ecdsa), algorithm(rsa, none)],
    ['ec', 'parameters for its algorithm', algorithm(ecdsa), algorithm(ecdsa, none)],
    ['ec', 'parameters for its hash', algorithm(sha256), algorithm(sha256, none)],
  ] as const)('(%s) that was given %s is found', async (kind, _, from, to) => {
    const tsa = opensslTsa(kind);
    const bundle = (await sign(own, { timestamp: await at(tsa) })).toString();
    const [, stamp = ''] = /"signedTimestamp":"([^"]+)"/.exec(bundle) ?? [];
    const other = replaced(parseDer(Buffer.from(stamp, 'base64')), from, to).toString('base64');
    expect(other).not.toBe(stamp);
    const swapped = Buffer.from(bundle.replace(stamp, other));
    expect(() => verifyBundle(swapped, publicKey, { trusted: trust(tsa.root) })).toThrow(tampered);
    expect(() => verifyBundle(swapped, publicKey)).toThrow(tampered);
  });

  it('that is nested without end is refused', () => {
    let nested: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 15_000; depth += 1) nested = toDer(tags.sequence, nested);
    expect(() => parseDer(nested)).toThrow(Misfit);
    const signature = signDsse(statementPayloadType, own, privateKey);
    const bundle = toBundle(own, signature, { hint: keyHint(publicKey) }, { timestamps: [nested] });
    expect(() => verifyBundle(bundle, publicKey)).toThrow(tampered);
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust() })).toThrow(tampered);
  });
});

describe('the twin of an ECDSA signature', () => {
  /** Order of P-256 (SEC 2 §2.4.2). */
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  const toInteger = (value: bigint): Buffer => {
    const hex = value.toString(16).padStart(64, '0');
    return toDer(
      tags.integer,
      Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex.replace(/^(00)+(?=[0-7])/, ''), 'hex'),
    );
  };

  function twinOf(signature: Buffer): Buffer {
    const [r, s] = childrenOf(parseDer(signature));
    if (r === undefined || s === undefined) throw new Error('no signature');
    return toDer(tags.sequence, r.raw, toInteger(order - BigInt(`0x${s.content.toString('hex')}`)));
  }

  it('is as good as it, which docs/signing.md says; an entry or a timestamp tells them apart', async () => {
    const by = (key: KeyObject): { hint: string } => ({ hint: keyHint(key) });
    const signature = signDsse(statementPayloadType, own, privateKey);
    const twin = twinOf(signature);
    expect(twin).not.toEqual(signature);
    expect(verifyBundle(toBundle(own, twin, by(publicKey)), publicKey).payloadBytes).toEqual(own);
    const { bytes } = await askForTimestamp((await at(opensslTsa())).url, signature, patient);
    expect(() => verifyBundle(toBundle(own, twin, by(publicKey), { timestamps: [bytes] }), publicKey)).toThrow(
      tampered,
    );
  });
});
