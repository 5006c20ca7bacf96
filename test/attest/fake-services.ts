import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fulcioHandler, initializeCA, initializeTLog, initializeTSA } from '@sigstore/mock';
import { onTestFinished } from 'vitest';
import { childrenOf, parseDer } from '../../src/attest/der.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer | string;
  /** Where else it points to. */
  readonly location?: string;
}

/** What a service does with the body of a request. */
export type Service = (body: Buffer, path: string) => Promise<Answer> | Answer;

interface Running {
  readonly url: string;
  /** Bodies of requests so far. */
  readonly asked: Buffer[];
}

/** Serves it on loopback until the test ends. */
export async function serve(service: Service): Promise<Running> {
  const asked: Buffer[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    asked.push(Buffer.concat(parts));
    const { status, type, body, location } = await service(Buffer.concat(parts), request.url ?? '');
    response.writeHead(status, { 'content-type': type, ...(location === undefined ? {} : { location }) }).end(body);
  };
  const server = createServer((request, response) => void answer(request, response));
  await listen(server);
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

/** Takes requests and never answers; or only begins to. */
export async function hang(head = false): Promise<Running> {
  const server = createServer((_, response) => {
    if (head) response.writeHead(201, { 'content-type': 'application/json' }).write('{');
  });
  await listen(server);
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked: [] };
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** A port on which nobody listens. */
export async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${String(port)}`;
}

/** A Sigstore trusted root, as JSON. */
export interface Root {
  readonly tlogs?: readonly object[];
  readonly ctlogs?: readonly object[];
  readonly certificateAuthorities?: readonly object[];
  readonly timestampAuthorities?: readonly object[];
}

export function toRoot(...roots: readonly Root[]): string {
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: roots.flatMap(({ tlogs }) => tlogs ?? []),
    ctlogs: roots.flatMap(({ ctlogs }) => ctlogs ?? []),
    certificateAuthorities: roots.flatMap(({ certificateAuthorities }) => certificateAuthorities ?? []),
    timestampAuthorities: roots.flatMap(({ timestampAuthorities }) => timestampAuthorities ?? []),
  });
}

const longAgo = { start: '2020-01-01T00:00:00Z' };

function toLog(url: string, publicKey: Buffer): object {
  return {
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(publicKey), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: longAgo },
    logId: { keyId: base64(createHash('sha256').update(publicKey).digest()) },
  };
}

function toAuthority(...certificates: readonly Buffer[]): object {
  return {
    subject: { organization: 'example', commonName: 'example' },
    uri: 'http://localhost',
    certChain: { certificates: certificates.map((one) => ({ rawBytes: base64(one) })) },
    validFor: longAgo,
  };
}

export interface Fake {
  readonly service: Service;
  readonly root: Root;
}

export const host = 'rekor.example.com';

/**
 * Rekor, API version 1. The mock logs what is proposed as it is; Rekor keeps of a `dsse` proposal the hashes, the signature and
 * the key that checks it.
 */
export async function fakeRekor(): Promise<Fake> {
  const keyPair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const log = await initializeTLog(`https://${host}`, keyPair);
  return {
    root: { tlogs: [toLog(`https://${host}`, log.publicKey)] },
    service: async (body) => {
      const { spec } = JSON.parse(body.toString()) as {
        spec: { proposedContent: { envelope: string; verifiers: string[] } };
      };
      const { envelope, verifiers } = spec.proposedContent;
      const { payload, signatures } = JSON.parse(envelope) as { payload: string; signatures: { sig: string }[] };
      const hash = (data: Buffer): object => ({
        algorithm: 'sha256',
        value: createHash('sha256').update(data).digest('hex'),
      });
      const entry: unknown = await log.log({
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: hash(Buffer.from(envelope)),
          payloadHash: hash(Buffer.from(payload, 'base64')),
          signatures: [{ signature: signatures[0]?.sig, verifier: verifiers[0] }],
        },
      });
      return { status: 201, type: 'application/json', body: JSON.stringify(entry) };
    },
  };
}

export type Ca = Awaited<ReturnType<typeof initializeCA>>;

/** Fulcio without a log of certificates: the mock's own writes entries without a signature. `clock`: when its certificates begin. */
export async function fakeFulcio(clock?: Date): Promise<Fake & { readonly ca: Ca }> {
  const keyPair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ca = await initializeCA(keyPair, undefined, clock);
  const handler = fulcioHandler(ca);
  return {
    ca,
    root: {
      certificateAuthorities: [toAuthority(ca.rootCertificate)],
    },
    service: async (body) => {
      const { statusCode, response, contentType } = await handler.fn(body.toString());
      return { status: statusCode, type: contentType ?? 'text/plain', body: response };
    },
  };
}

export const identity = { subject: 'https://ci.example.com/job/7', issuer: 'https://issuer.example.com' };

/** An OIDC token as far as the fake looks at it. */
export function toToken(claims: object = { sub: identity.subject, iss: identity.issuer }): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`;
}

/** The timestamp authority of the mock, which takes JSON, behind RFC 3161's own request. */
export async function fakeTsa(): Promise<Fake> {
  const keyPair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const tsa = await initializeTSA(keyPair);
  return {
    root: { timestampAuthorities: [toAuthority(tsa.intCertificate, tsa.rootCertificate)] },
    service: async (body) => {
      const [, imprint, nonce] = childrenOf(parseDer(body));
      if (imprint === undefined || nonce === undefined) throw new Error('not a query');
      const answer = await tsa.timestamp({
        artifactHash: childrenOf(imprint)[1]?.content ?? Buffer.alloc(0),
        hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
        nonce: Number(`0x${nonce.content.toString('hex')}`),
        policyOID: '1.3.6.1.4.1.57264.2',
      });
      return { status: 201, type: 'application/timestamp-reply', body: answer };
    },
  };
}

const tsaConfig = `
[ req ]
distinguished_name = dn
prompt = no
[ dn ]
CN = tsa.example.com
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[ leaf ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = authority
[ authority ]
serial = ./serial
crypto_device = builtin
signer_cert = ./leaf.pem
certs = ./ca.pem
signer_key = ./leaf.key
signer_digest = SHA256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;

export type TsaKind = 'ec' | 'rsa' | 'rsa-sha512';

/** A timestamp authority by OpenSSL, its keys and certificates made here and now. */
export function opensslTsa(kind: TsaKind = 'ec'): Fake & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tally-tsa-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const config = kind === 'rsa-sha512' ? tsaConfig.replace('= SHA256', '= SHA512') : tsaConfig;
  writeFileSync(join(folder, 'tsa.cnf'), config);
  writeFileSync(join(folder, 'serial'), '01\n');
  const key = kind === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
  const make = (name: string, subject: string, ...more: readonly string[]): void => {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', subject, '-extensions', name];
    openssl('req', '-x509', ...key, '-nodes', '-config', 'tsa.cnf', '-days', '2', ...files, ...more);
  };
  make('ca', '/CN=ca.example.com');
  make('leaf', '/CN=tsa.example.com', '-CA', 'ca.pem', '-CAkey', 'ca.key');
  const toDer = (name: string): Buffer => openssl('x509', '-in', `${name}.pem`, '-outform', 'DER');
  return {
    folder,
    root: { timestampAuthorities: [toAuthority(toDer('leaf'), toDer('ca'))] },
    service: (body) => {
      writeFileSync(join(folder, 'query.tsq'), body);
      openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-out', 'reply.tsr');
      const reply = readFileSync(join(folder, 'reply.tsr'));
      return { status: 200, type: 'application/timestamp-reply', body: reply };
    },
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
