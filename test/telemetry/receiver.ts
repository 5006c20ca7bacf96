import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import {
  decodeMetrics,
  decodeRequest,
  encodeResponse,
  type ReceivedMetric,
  type ReceivedSpan,
} from './otlp-messages.ts';

/** How a receiver answers: the HTTP status (or gRPC's), never, or with spans refused. */
export interface Behaviour {
  status?: number;
  /** Answers with `status` so many times, then takes what comes. */
  times?: number;
  silent?: boolean;
  rejected?: { readonly spans: number; readonly message: string };
  headers?: Readonly<Record<string, string>>;
}

export interface Receiver {
  readonly url: string;
  readonly behaviour: Behaviour;
  /** Every span as often as it was sent and taken. */
  readonly spans: ReceivedSpan[];
  /** Every metric as often as it was sent and taken. */
  readonly metrics: ReceivedMetric[];
  /** Headers of each request. */
  readonly requests: Readonly<Record<string, unknown>>[];
}

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of its own, and one certificate for 127.0.0.1 that serves either side. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'tally-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
    '-subj',
    '/CN=test ca',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', path('key.pem'), '-out', path('request.pem'), '-subj', '/CN=localhost');
  writeFileSync(path('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const sign = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('names')];
  openssl('x509', '-req', '-in', path('request.pem'), ...sign, '-out', path('cert.pem'), '-days', '2');
  return { ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') };
}

export async function openHttpReceiver(behaviour: Behaviour = {}, tls?: Certificates): Promise<Receiver> {
  const receiver: Receiver = { url: '', behaviour, spans: [], metrics: [], requests: [] };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      receiver.requests.push({ ...request.headers, path: request.url });
      if (behaviour.silent === true) return;
      const code = isRefused(behaviour) ? behaviour.status : undefined;
      if (code !== undefined) {
        response.writeHead(code, behaviour.headers).end('refused on purpose');
        return;
      }
      const raw = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      if (request.url?.endsWith('/v1/metrics') === true) receiver.metrics.push(...decodeMetrics(body));
      else receiver.spans.push(...decodeRequest(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(bodyOf(behaviour));
    });
  };
  const server =
    tls === undefined
      ? createHttp(answer)
      : createHttps({ ...read(tls), requestCert: true, rejectUnauthorized: true }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}` });
}

function read({ ca, cert, key }: Certificates): { ca: Buffer; cert: Buffer; key: Buffer } {
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
}

function isRefused(behaviour: Behaviour): boolean {
  if (behaviour.status === undefined || behaviour.times === 0) return false;
  if (behaviour.times !== undefined) behaviour.times -= 1;
  return true;
}

function bodyOf({ rejected }: Behaviour): Buffer {
  return rejected === undefined ? Buffer.alloc(0) : Buffer.from(encodeResponse(rejected.spans, rejected.message));
}

const bytes = (value: Buffer): Buffer => value;
const serviceOf = (path: string): ServiceDefinition => ({
  export: {
    path: `/opentelemetry.proto.collector.${path}/Export`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
});

export async function openGrpcReceiver(behaviour: Behaviour = {}, tls?: Certificates): Promise<Receiver> {
  const receiver: Receiver = { url: '', behaviour, spans: [], metrics: [], requests: [] };
  const answerWith =
    (take: (request: Buffer) => void): handleUnaryCall<Buffer, Buffer> =>
    (call, callback) => {
      receiver.requests.push(call.metadata.getMap());
      if (behaviour.silent === true) return;
      const code = isRefused(behaviour) ? behaviour.status : undefined;
      if (code !== undefined) {
        callback(Object.assign(new Error('refused on purpose'), { code, details: 'refused on purpose' }));
        return;
      }
      take(call.request);
      callback(null, bodyOf(behaviour));
    };
  const server = new Server();
  const takeSpans = answerWith((body) => receiver.spans.push(...decodeRequest(body)));
  const takeMetrics = answerWith((body) => receiver.metrics.push(...decodeMetrics(body)));
  server.addService(serviceOf('trace.v1.TraceService'), { export: takeSpans });
  server.addService(serviceOf('metrics.v1.MetricsService'), { export: takeMetrics });
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : secure(tls);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  onTestFinished(() => server.forceShutdown());
  return Object.assign(receiver, { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}` });
}

function secure(tls: Certificates): ServerCredentials {
  const { ca, cert, key } = read(tls);
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

export const grpcStatus = status;
