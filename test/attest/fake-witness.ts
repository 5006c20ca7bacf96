import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A witness as C2SP tlog-witness and tlog-cosignature describe it, written from these alone: it shares no code with the client. */
export interface FakeWitness {
  readonly url: string;
  readonly vkey: string;
  /** Bodies of the requests that it was sent. */
  readonly requests: string[];
  /** Logs that it knows, by origin. */
  readonly logs: Map<string, KnownLog>;
  /** Answers instead of the witness, where it returns true. */
  instead: ((request: IncomingMessage, response: ServerResponse, body: string) => boolean) | undefined;
  /** Cosigns, as an answer may be made up of several. */
  line(text: string): string;
}

interface KnownLog {
  /** 32 bytes, Ed25519. */
  readonly key: Buffer;
  size: number;
  root: Buffer;
}

export interface WitnessOptions {
  readonly name?: string;
  /** POSIX seconds of its clock. */
  readonly now?: number;
}

const sha256 = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.from([1]), left, right);

export async function startWitness({
  name = 'witness.example.org/w1',
  now = 1_795_000_000,
}: WitnessOptions = {}): Promise<FakeWitness> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const typed = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
  ]);
  const id = sha256(`${name}\n`, typed).subarray(0, 4);
  const witness: FakeWitness = {
    url: '',
    vkey: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    requests: [],
    logs: new Map(),
    instead: undefined,
    line: (text) => `— ${name} ${Buffer.concat([id, cosign(text, now, privateKey)]).toString('base64')}\n`,
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      witness.requests.push(body);
      if (witness.instead?.(request, response, body) === true) return;
      const { status, type, text } = answer(witness, request, body);
      response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(witness, { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/w` });
}

function cosign(text: string, time: number, key: KeyObject): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(time));
  return Buffer.concat([timestamp, sign(null, Buffer.from(`cosignature/v1\ntime ${String(time)}\n${text}`), key)]);
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly text?: string;
}

function answer(witness: FakeWitness, { method, url }: IncomingMessage, body: string): Reply {
  if (method !== 'POST' || url !== '/w/add-checkpoint') return { status: 405 };
  const [, oldText = '', proofText = '', note = ''] = /^old (0|[1-9]\d*)\n((?:[^\n]+\n)*)\n([^]*)$/.exec(body) ?? [];
  const end = note.indexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const [origin = '', sizeText = '', rootText = ''] = text.split('\n');
  const proof =
    proofText === ''
      ? []
      : proofText
          .slice(0, -1)
          .split('\n')
          .map((line) => Buffer.from(line, 'base64'));
  if (oldText === '' || origin === '' || proof.length > 63 || proof.some(({ length }) => length !== 32))
    return { status: 400 };
  const log = witness.logs.get(origin);
  if (log === undefined) return { status: 404 };
  if (!isSigned(text, note.slice(end + 1), log.key)) return { status: 403 };
  const [old, size, root] = [Number(oldText), Number(sizeText), Buffer.from(rootText, 'base64')];
  if (old > size) return { status: 400 };
  if (old !== log.size) return { status: 409, type: 'text/x.tlog.size', text: `${String(log.size)}\n` };
  if (old === size && size > 0 && !root.equals(log.root)) return { status: 409 };
  if (!isConsistent(old, size, log.root, root, proof)) return { status: 422 };
  log.size = size;
  log.root = root;
  return { status: 200, text: witness.line(text) };
}

function isSigned(text: string, lines: string, key: Buffer): boolean {
  const publicKey = { key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' as const };
  return lines
    .split('\n')
    .map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4))
    .some((signature) => signature.length === 64 && verify(null, Buffer.from(text), publicKey, signature));
}

/**
 * RFC 6962 §2.1.2 read backwards: the proof is taken apart by the recursion that makes it, which gives the old root and
 * the new one.
 */
export function isConsistent(
  old: number,
  size: number,
  oldRoot: Buffer,
  root: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (old === 0) return proof.length === 0;
  const left = [...proof];
  const walk = (m: number, n: number, whole: boolean): { before: Buffer; after: Buffer } => {
    if (m === n) {
      const hash = whole ? oldRoot : (left.shift() ?? Buffer.alloc(0));
      return { before: hash, after: hash };
    }
    let k = 1;
    while (k * 2 < n) k *= 2;
    if (m <= k) {
      const inside = walk(m, k, whole);
      return { before: inside.before, after: node(inside.after, left.shift() ?? Buffer.alloc(0)) };
    }
    const inside = walk(m - k, n - k, false);
    const hash = left.shift() ?? Buffer.alloc(0);
    return { before: node(hash, inside.before), after: node(hash, inside.after) };
  };
  const { before, after } = walk(old, size, true);
  return left.length === 0 && before.equals(oldRoot) && after.equals(root);
}
