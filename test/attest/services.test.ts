import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { generateKeyPair, loadPrivateKey, loadPublicKey } from '../../src/attest/keys.ts';
import { type Signed, type SigningServices, signStatement } from '../../src/attest/sign.ts';
import { toStatement } from '../../src/attest/statement.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import { verifyBundle } from '../../src/attest/verify.ts';
import { TallyError } from '../../src/model/errors.ts';
import { flip } from '../evidence/flip.ts';
import {
  type Answer,
  type Fake,
  fakeFulcio,
  fakeRekor,
  fakeTsa,
  hang,
  host,
  identity,
  nobody,
  opensslTsa,
  serve,
  type Service,
  toRoot,
  toToken,
  type TsaKind,
} from './fake-services.ts';

const { privatePem, publicPem } = generateKeyPair();
const privateKey = loadPrivateKey(privatePem, {});
const publicKey = loadPublicKey(publicPem);
const statement = toStatement({ manifestSha256: 'a'.repeat(64), declarationSha256: 'b'.repeat(64), predicate: {} });
const tampered = expect.objectContaining({ code: 'integrity' }) as Error;
const misused = expect.objectContaining({ code: 'usage' }) as Error;
const patience = { timeout: 5000, retries: 0, pause: 1 };

function sign(services: SigningServices, key: KeyObject = privateKey): Promise<Signed> {
  return signStatement(statement, { privateKey: key, services: { patience, ...services } });
}

async function signed(services: SigningServices, key: KeyObject = privateKey): Promise<Buffer> {
  const { bundle, failures } = await sign(services, key);
  expect(failures).toEqual([]);
  if (bundle === undefined) throw new Error('not signed');
  return bundle;
}

function trust(...fakes: readonly Fake[]): ReturnType<typeof parseTrustedRoot> {
  return parseTrustedRoot(toRoot(...fakes.map(({ root }) => root)), 'root.json');
}

/** Changes a JSON answer of a service. */
function changed(service: Service, change: (answer: string) => string): Service {
  return async (body, path) => {
    const answer: Answer = await service(body, path);
    const text = answer.body.toString();
    const other = change(text);
    expect(other).not.toBe(text);
    return { ...answer, body: other };
  };
}

const own = (await sign({})).bundle ?? Buffer.alloc(0);
/** A log that nobody here used. */
const stranger = await fakeRekor();

describe('a timestamp', () => {
  it.each(['ec', 'rsa'] as TsaKind[])(
    'of an authority by OpenSSL (%s) is verified under its certificates',
    async (kind) => {
      const tsa = opensslTsa(kind);
      const { url, asked } = await serve(tsa.service);
      const before = Date.now();
      const bundle = await signed({ timestamp: { url } });
      expect(asked).toHaveLength(1);
      const { checked, notChecked } = verifyBundle(bundle, publicKey, { trusted: trust(tsa), needsTimestamp: true });
      const [, time = ''] = /^an RFC 3161 timestamp: the signature was there at (\S+)$/.exec(checked[0] ?? '') ?? [];
      expect(Math.abs(Date.parse(time) - before)).toBeLessThan(600_000);
      expect(notChecked).toEqual([]);
    },
  );

  it('is what OpenSSL too verifies, over the bytes of the signature', async () => {
    const tsa = opensslTsa();
    const bundle = parseBundle(await signed({ timestamp: { url: (await serve(tsa.service)).url } }));
    const stamps = bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
    writeFileSync(join(tsa.folder, 'kept.tsr'), stamps[0]?.signedTimestamp ?? '');
    writeFileSync(join(tsa.folder, 'sig'), bundle.content.dsseEnvelope.signatures[0]?.sig ?? '');
    const command = 'ts -verify -data sig -in kept.tsr -CAfile ca.pem -untrusted leaf.pem';
    const said = execFileSync('openssl', command.split(' '), { cwd: tsa.folder, stdio: 'pipe' });
    expect(said.toString()).toContain('Verification: OK');
  });

  it('of the mock is verified, and under an Ed25519 key', async () => {
    const tsa = await fakeTsa();
    const other = generateKeyPair('ed25519');
    const bundle = await signed(
      { timestamp: { url: (await serve(tsa.service)).url } },
      loadPrivateKey(other.privatePem, {}),
    );
    expect(verifyBundle(bundle, loadPublicKey(other.publicPem), { trusted: trust(tsa) }).checked).toHaveLength(1);
  });

  it('is told as not checked without a trusted root, and refused under another’s', async () => {
    const bundle = await signed({ timestamp: { url: (await serve(opensslTsa().service)).url } });
    const { checked, notChecked } = verifyBundle(bundle, publicKey);
    expect(checked).toEqual([]);
    expect(notChecked).toEqual([expect.stringContaining('RFC 3161 timestamp (give --trusted-root FILE)')]);
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(opensslTsa()) })).toThrow(tampered);
    expect(() => verifyBundle(bundle, publicKey, { needsTimestamp: true })).toThrow(misused);
  });

  it('that was taken out is missed where one is required', () => {
    const tsa = opensslTsa();
    expect(() => verifyBundle(own, publicKey, { trusted: trust(tsa), needsTimestamp: true })).toThrow(
      'holds no timestamp, though one is required',
    );
  });

  it('of another signature is refused, in the bundle and as an answer', async () => {
    const tsa = opensslTsa();
    const { url } = await serve(tsa.service);
    const [one, two] = [await signed({ timestamp: { url } }), await signed({ timestamp: { url } })];
    const stampOf = (bundle: Buffer): string => /"signedTimestamp":"([^"]+)"/.exec(bundle.toString())?.[1] ?? '';
    const swapped = Buffer.from(one.toString().replace(stampOf(one), stampOf(two)));
    expect(() => verifyBundle(swapped, publicKey, { trusted: trust(tsa) })).toThrow(tampered);
    expect(() => verifyBundle(swapped, publicKey)).toThrow('a timestamp of something else');
    const old = Buffer.from(stampOf(one), 'base64');
    const stale = await serve(() => ({ status: 200, type: 'application/timestamp-reply', body: old }));
    const { bundle, failures } = await sign({ timestamp: { url: stale.url } });
    expect(failures).toEqual([
      {
        service: 'timestamp',
        url: stale.url,
        why: 'its answer does not fit (a timestamp of something else): check its URL, and ask whoever runs it',
      },
    ]);
    expect(parseBundle(bundle ?? Buffer.alloc(0)).verificationMaterial.timestampVerificationData).toBeUndefined();
  });

  it.each([
    ['parts of a minute', '$1.5Z'],
    ['one digit after the second', '$1.Z'],
  ])('whose time has %s can’t be verified, so it is not taken', async (_, replacement) => {
    const tsa = opensslTsa();
    const { url } = await serve(async (body, path) => {
      const answer = await tsa.service(body, path);
      const text = Buffer.from(answer.body).toString('latin1');
      const pattern = replacement === '$1.5Z' ? /(\d{12})\d\dZ/g : /(\d{13})\dZ/g;
      return { ...answer, body: Buffer.from(text.replace(pattern, replacement), 'latin1') };
    });
    const { bundle, failures } = await sign({ timestamp: { url } });
    expect(failures[0]?.why).toContain('its time is written in a way that can’t be verified');
    expect(verifyBundle(bundle ?? Buffer.alloc(0), publicKey).notChecked).toEqual([]);
  });

  it('signed in a way that can’t be verified is not taken', async () => {
    const { failures } = await sign({ timestamp: { url: (await serve(opensslTsa('rsa-sha512').service)).url } });
    expect(failures[0]?.why).toContain('ECDSA, or RSA with SHA-256, can be');
  });
});

describe('a log entry', () => {
  it('is verified, and tells log and time', async () => {
    const rekor = await fakeRekor();
    const { url, asked } = await serve(rekor.service);
    const bundle = await signed({ rekor: { url: `${url}/` } });
    expect(JSON.parse(asked[0]?.toString() ?? '')).toMatchObject({ kind: 'dsse', apiVersion: '0.0.1' });
    const { checked } = verifyBundle(bundle, publicKey, { trusted: trust(rekor), needsLogEntry: true });
    expect(checked).toEqual([expect.stringContaining(`in the transparency log https://${host}: number `)]);
    expect(verifyBundle(bundle, publicKey).notChecked).toEqual([expect.stringContaining('the transparency log: ')]);
  });

  it.each([
    [
      'about something else',
      (text: string) =>
        text.replace(
          /"body":"[^"]+"/,
          `"body":"${Buffer.from('{"kind":"dsse","apiVersion":"0.0.1","spec":{}}').toString('base64')}"`,
        ),
      'about something else',
    ],
    [
      'at another place',
      (text: string) => text.replace('"hashes":[]', `"hashes":["${'00'.repeat(32)}"]`),
      'not at its place',
    ],
    ['without proof', (text: string) => text.replace('"inclusionProof"', '"other"'), 'no proof'],
    [
      'under a checkpoint of another log',
      (text: string) => text.replace(`— ${host} `, '— other.example.com '),
      'not signed by the log',
    ],
    ['in no JSON', () => '<html>', ''],
    ['of no body', () => '{"a":{}}', ''],
  ])('that comes %s is left out and told', async (_, change, why) => {
    const { url } = await serve(changed((await fakeRekor()).service, change));
    const { bundle, failures } = await sign({ rekor: { url } });
    expect(failures).toMatchObject([{ service: 'rekor', url }]);
    expect(failures[0]?.why).toMatch(/^its answer does not fit/);
    expect(failures[0]?.why).toContain(why);
    expect(verifyBundle(bundle ?? Buffer.alloc(0), publicKey).notChecked).toEqual([]);
  });

  it('that the log has already, from an attempt whose answer was lost, is fetched from it', async () => {
    const [rekor, other] = [
      await fakeRekor(),
      await serve(() => ({ status: 200, type: 'application/json', body: '{}' })),
    ];
    const path = `/api/v1/log/entries/${'ab'.repeat(40)}`;
    let kept: Answer | undefined;
    const { url, asked } = await serve(async (body, at) => {
      if (at === path && kept !== undefined) return { ...kept, status: 200 };
      kept = await rekor.service(body, at);
      return { status: 409, type: 'application/json', body: '{}', location: `${other.url}${path}` };
    });
    const bundle = await signed({ rekor: { url } });
    expect(verifyBundle(bundle, publicKey, { trusted: trust(rekor) }).checked).toHaveLength(1);
    expect([asked.length, other.asked.length]).toEqual([2, 0]);
  });

  it('under another key than ours is left out and told', async () => {
    const rekor = await fakeRekor();
    const { url } = await serve((body, path) => {
      const proposal = JSON.parse(body.toString()) as { spec: { proposedContent: { verifiers: string[] } } };
      proposal.spec.proposedContent.verifiers = [Buffer.from(generateKeyPair().publicPem).toString('base64')];
      return rekor.service(Buffer.from(JSON.stringify(proposal)), path);
    });
    const { failures } = await sign({ rekor: { url } });
    expect(failures[0]?.why).toContain('the log entry is under another key');
  });

  it('of a log that the trusted root does not know is refused', async () => {
    const bundle = await signed({ rekor: { url: (await serve((await fakeRekor()).service)).url } });
    expect(() => verifyBundle(bundle, publicKey, { trusted: trust(stranger) })).toThrow(tampered);
  });
});

describe('keyless', () => {
  const keyless = (url: string, token = toToken()): SigningServices['keyless'] => ({
    fulcio: url,
    readToken: () => Promise.resolve(token),
  });

  it('is verified by identity, with a timestamp or a log entry', async () => {
    const [fulcio, rekor, tsa] = [await fakeFulcio(), await fakeRekor(), opensslTsa()];
    const trusted = trust(fulcio, rekor, tsa);
    const { url } = await serve(fulcio.service);
    for (const services of [
      { timestamp: { url: (await serve(tsa.service)).url } },
      { rekor: { url: (await serve(rekor.service)).url } },
    ]) {
      const bundle = await signed({ keyless: keyless(url), ...services });
      const { statement: read, checked, notChecked } = verifyBundle(bundle, identity, { trusted });
      expect(read.subject[0]?.name).toBe('manifest.json');
      expect(checked).toHaveLength(1);
      expect(notChecked).toHaveLength('rekor' in services ? 0 : 1);
      for (const other of [
        { ...identity, subject: identity.subject.slice(0, -1) },
        { ...identity, subject: '.*' },
        { ...identity, issuer: 'https://other.example.com' },
      ])
        expect(() => verifyBundle(bundle, other, { trusted })).toThrow('signed by another identity');
      expect(() => verifyBundle(bundle, identity, { trusted: trust(stranger, tsa, rekor) })).toThrow(tampered);
      // where the trusted root names logs of certificates, one of them has to know the certificate
      const { tlogs } = (await fakeRekor()).root;
      const logged = { ...fulcio, root: { ...fulcio.root, ctlogs: tlogs ?? [] } };
      expect(() => verifyBundle(bundle, identity, { trusted: trust(logged, rekor, tsa) })).toThrow('expected 1 SCTs');
      expect(() => verifyBundle(bundle, identity)).toThrow(misused);
      expect(() => verifyBundle(bundle, publicKey, { trusted })).toThrow(misused);
    }
  });

  it('is nothing for a bundle of a key', () => {
    expect(() => verifyBundle(own, identity, { trusted: trust(stranger) })).toThrow(misused);
  });

  it('signs nothing where the certificate is on another key, or no one can say when it was used', async () => {
    const fulcio = await fakeFulcio();
    const first = await serve(fulcio.service);
    await sign({ keyless: keyless(first.url), timestamp: { url: await nobody() } });
    const body = first.asked[0] ?? Buffer.alloc(0);
    const other = await serve(async () => {
      const request = JSON.parse(body.toString()) as { publicKeyRequest: { publicKey: { content: string } } };
      request.publicKeyRequest.publicKey.content = generateKeyPair().publicPem;
      return fulcio.service(Buffer.from(JSON.stringify(request)), '');
    });
    const tsa = { timestamp: { url: (await serve(opensslTsa().service)).url } };
    expect(await sign({ keyless: keyless(other.url), ...tsa })).toMatchObject({
      bundle: undefined,
      failures: [{ service: 'keyless', why: expect.stringContaining('the certificate is on another key') as string }],
    });
    expect(await sign({ keyless: keyless(first.url), timestamp: { url: await nobody() } })).toMatchObject({
      bundle: undefined,
      failures: [{ service: 'timestamp' }],
    });
  });

  it('takes no entry and no timestamp of a time at which the certificate is not valid', async () => {
    const [rekor, tsa] = [await fakeRekor(), opensslTsa()];
    for (const hours of [-1, 1]) {
      const { url } = await serve((await fakeFulcio(new Date(Date.now() + hours * 3_600_000))).service);
      const { bundle, failures } = await sign({
        keyless: keyless(url),
        rekor: { url: (await serve(rekor.service)).url },
        timestamp: { url: (await serve(tsa.service)).url },
      });
      expect(bundle).toBeUndefined();
      expect(failures.map(({ service }) => service).sort()).toEqual(['rekor', 'timestamp']);
      for (const { why } of failures) expect(why).toContain('a time at which the certificate is not valid');
    }
  });

  it.each([
    ['no JWT', 'secret-token-text'],
    ['no subject', toToken({ iss: identity.issuer, note: 'secret-token-text' })],
    ['an e-mail address that is not verified', toToken({ sub: 'a', email: 'a@example.com', email_verified: false })],
  ])('tells a token with %s without its text', async (_, token) => {
    const { url, asked } = await serve((await fakeFulcio()).service);
    const { bundle, failures } = await sign({ keyless: keyless(url, token), timestamp: { url } });
    expect(bundle).toBeUndefined();
    expect(failures[0]?.why).toContain('the OIDC token can’t be used');
    expect(JSON.stringify(failures)).not.toContain(token);
    expect(asked).toEqual([]);
  });

  it('does not tell the token that a service sends back', async () => {
    const token = toToken();
    const echo = await serve((body) => ({
      status: 400,
      type: 'application/json',
      body: JSON.stringify({ message: body.toString() }),
    }));
    const { failures } = await sign({ keyless: keyless(echo.url, token), timestamp: { url: echo.url } });
    expect(failures[0]?.why).toMatch(/^it refused \(HTTP 400\)/);
    expect(JSON.stringify(failures)).not.toContain(token.split('.')[1]);
  });
});

describe('a service that fails', () => {
  const each = (url: string): [string, SigningServices][] => [
    ['keyless', { keyless: { fulcio: url, readToken: () => Promise.resolve(toToken()) } }],
    ['rekor', { rekor: { url } }],
    ['timestamp', { timestamp: { url } }],
  ];

  it('is told when it is down, and the key signs all the same', async () => {
    for (const [service, services] of each(await nobody())) {
      const { bundle, failures } = await sign(services);
      expect(failures).toMatchObject([
        { service, why: expect.stringContaining('can’t be reached (ECONNREFUSED)') as string },
      ]);
      if (service === 'keyless') expect(bundle).toBeUndefined();
      else expect(verifyBundle(bundle ?? Buffer.alloc(0), publicKey).notChecked).toEqual([]);
    }
  });

  it.each([
    [500, 'it refused (HTTP 500): try again later', 2],
    [429, 'it refused (HTTP 429): try again later', 2],
    [401, 'it refused (HTTP 401): check that the token', 1],
    [404, 'it refused (HTTP 404): check its URL', 1],
  ])('is told when it answers %d, and asked again where that may help', async (status, why, times) => {
    const { url, asked } = await serve(() => ({ status, type: 'text/plain', body: 'no' }));
    for (const [service, services] of each(url)) {
      asked.length = 0;
      const { failures } = await sign({ ...services, patience: { ...patience, retries: 1 } });
      expect(failures).toMatchObject([{ service, why: expect.stringContaining(why) as string }]);
      expect(asked).toHaveLength(times);
    }
  });

  it.each([false, true])('is waited for no longer than it may take (answer begun: %s)', async (head) => {
    const { url } = await hang(head);
    for (const [service, services] of each(url)) {
      const started = Date.now();
      const { failures } = await sign({ ...services, patience: { ...patience, timeout: 200 } });
      expect(failures).toMatchObject([{ service, why: 'it gave no answer within 0.2 s: try again later' }]);
      expect(Date.now() - started).toBeLessThan(5000);
    }
  });

  it('can’t fill the memory with its answer', async () => {
    const { url } = await serve(() => ({ status: 200, type: 'a/b', body: Buffer.alloc(3 << 20, '[') }));
    for (const [service, services] of each(url))
      expect((await sign(services)).failures).toMatchObject([
        { service, why: expect.stringContaining('it is too long') as string },
      ]);
  });

  it.each([301, 302, 303, 307, 308])('can’t send elsewhere what is sent to it (%d)', async (status) => {
    const other = await serve(() => ({ status: 200, type: 'application/json', body: '{}' }));
    const { url, asked } = await serve(() => ({ status, type: 'text/plain', body: '', location: other.url }));
    for (const [service, services] of each(url)) {
      asked.length = 0;
      const { failures } = await sign({ ...services, patience: { ...patience, retries: 1 } });
      expect(failures).toMatchObject([{ service, why: expect.stringContaining(`(HTTP ${status})`) as string }]);
      expect(failures[0]?.why).toContain('not followed');
      expect(asked).toHaveLength(1);
    }
    expect(other.asked).toEqual([]);
  });

  it('is asked itself, not a proxy of the environment', async () => {
    const proxy = await serve(() => ({ status: 200, type: 'text/plain', body: '' }));
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'PROXY', 'proxy'])
      vi.stubEnv(name, proxy.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { url, asked } = await serve(() => ({ status: 404, type: 'text/plain', body: '' }));
    for (const [, services] of each(url)) await sign(services);
    expect(asked).toHaveLength(3);
    expect(proxy.asked).toEqual([]);
  });

  it('leaves what the others add', async () => {
    const rekor = await fakeRekor();
    const bundle = await sign({ rekor: { url: (await serve(rekor.service)).url }, timestamp: { url: await nobody() } });
    expect(bundle.failures).toMatchObject([{ service: 'timestamp' }]);
    const { checked } = verifyBundle(bundle.bundle ?? Buffer.alloc(0), publicKey, { trusted: trust(rekor) });
    expect(checked).toHaveLength(1);
  });
});

describe('no service', () => {
  it('leaves the bundle as it was before there were any', () => {
    const { mediaType, verificationMaterial } = JSON.parse(own.toString()) as Record<string, object>;
    expect(mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    expect(Object.keys(verificationMaterial ?? {})).toEqual(['publicKey', 'tlogEntries']);
  });
});

describe('every byte of a bundle with all that services add', () => {
  async function full(isKeyless: boolean): Promise<{ bundle: Buffer; trusted: ReturnType<typeof trust> }> {
    const [fulcio, rekor, tsa] = [await fakeFulcio(), await fakeRekor(), opensslTsa()];
    const token = { fulcio: (await serve(fulcio.service)).url, readToken: () => Promise.resolve(toToken()) };
    const bundle = await signed({
      ...(isKeyless ? { keyless: token } : {}),
      rekor: { url: (await serve(rekor.service)).url },
      timestamp: { url: (await serve(tsa.service)).url },
    });
    return { bundle, trusted: trust(fulcio, rekor, tsa) };
  }

  it('counts: no byte of it can be another', async () => {
    const { bundle, trusted } = await full(false);
    expect(verifyBundle(bundle, publicKey, { trusted }).checked).toHaveLength(2);
    for (let offset = 0; offset < bundle.length; offset += 1) {
      // all bits of every byte take minutes: each place has one of its eight, in turn
      const other = flip(bundle, offset, offset % 8);
      expect(() => verifyBundle(other, publicKey, { trusted }), `byte ${String(offset)}`).toThrow(TallyError);
    }
  });

  it('counts: no byte under the base64 of a timestamp, entry or certificate can be another', async () => {
    const { bundle, trusted } = await full(true);
    const text = bundle.toString();
    for (const name of ['signedTimestamp', 'canonicalizedBody', 'rawBytes', 'signedEntryTimestamp', 'rootHash']) {
      const [, encoded = ''] = new RegExp(`"${name}":"([^"]+)"`).exec(text) ?? [];
      const bytes = Buffer.from(encoded, 'base64');
      expect(bytes.length, name).toBeGreaterThan(0);
      for (let offset = 0; offset < bytes.length; offset += 1) {
        const other = text.replace(encoded, flip(bytes, offset, offset % 8).toString('base64'));
        expect(
          () => verifyBundle(Buffer.from(other), identity, { trusted }),
          `${name}, byte ${String(offset)}`,
        ).toThrow(tampered);
      }
    }
  });

  it.each([
    ['another index of the log', /"logIndex":"\d+"/, '"logIndex":"1"'],
    ['another time', /"integratedTime":"\d+"/, '"integratedTime":"1700000000"'],
    ['another size of the tree', '"treeSize":"1"', '"treeSize":"2"'],
    ['a number written otherwise', '"treeSize":"1"', '"treeSize":1'],
    ['another name beside the log’s signature', `\u2014 ${host}`, `\u2014 rekor.example.co.`],
    ['one more line in the checkpoint', '\\n"}', '\\n\u2014 other AAAAAAAA\\n"}'],
    ['another kind', '"kind":"dsse"', '"kind":"intoto"'],
    ['the timestamp twice', /(\{"signedTimestamp":"[^"]+"\})/, '$1,$1'],
    ['no promise', /"inclusionPromise":\{[^}]*\},/, ''],
  ])('counts: %s is found', async (_, pattern, replacement) => {
    const { bundle, trusted } = await full(false);
    const other = bundle.toString().replace(pattern, replacement);
    expect(other).not.toBe(bundle.toString());
    expect(() => verifyBundle(Buffer.from(other), publicKey, { trusted })).toThrow(tampered);
  });
});
