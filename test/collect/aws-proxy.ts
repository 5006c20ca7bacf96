import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request to AWS, as far as rules look at it. */
export interface AwsRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Operation of CloudTrail's JSON protocol, '' for S3. */
  readonly operation: string;
  /** Region of the credential scope. */
  readonly region: string;
  readonly accessKey: string;
  readonly body: string;
}

export interface AwsAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Closes the connection after so many bytes of the body. */
  readonly cutAfter?: number;
}

/** Gives an answer of its own, changes the one from behind, or lets the request pass (undefined). */
export type Rule = (request: AwsRequest) => AwsAnswer | ((answer: AwsAnswer) => AwsAnswer) | undefined;

/** A proxy before a fake AWS, to make it misbehave and to answer what it does not know. */
export interface AwsProxy {
  readonly url: string;
  /** Asked in turn for each request; the first that gives an answer counts. */
  readonly rules: Rule[];
  readonly requests: AwsRequest[];
  stop(): Promise<void>;
}

export async function startProxy(target: string): Promise<AwsProxy> {
  const rules: Rule[] = [];
  const requests: AwsRequest[] = [];
  const server = createServer((incoming, response) => void serve(incoming, response));
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(incoming);
    const asked = describe(incoming, body);
    requests.push(asked);
    let change = (answer: AwsAnswer): AwsAnswer => answer;
    for (const rule of rules) {
      const answer = rule(asked);
      if (answer === undefined) continue;
      if (typeof answer !== 'function') {
        send(response, answer);
        return;
      }
      change = answer;
      break;
    }
    send(response, change(await forward(target, incoming, body)));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rules,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** S3's form of an error. */
export function s3Error(status: number, code: string): AwsAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

/** CloudTrail's form of an answer, or of an error (AWS JSON 1.1). */
export function json(content: object): AwsAnswer {
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(content) };
}

export function jsonError(status: number, code: string): AwsAnswer {
  return { ...json({ __type: code, message: code }), status };
}

function describe({ method = '', url = '', headers }: IncomingMessage, body: Buffer): AwsRequest {
  const [, accessKey = '', region = ''] = /Credential=([^/]*)\/\d+\/([^/]*)\//.exec(headers.authorization ?? '') ?? [];
  const operation =
    String(headers['x-amz-target'] ?? '')
      .split('.')
      .at(-1) ?? '';
  return { method, path: url, operation, region, accessKey, body: body.toString() };
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<AwsAnswer> {
  return new Promise((resolve, reject) => {
    const onward = request(`${target}${url ?? ''}`, { method, headers }, (answer) => {
      readAll(answer).then((content) => {
        const kept = Object.entries(answer.headers).filter(([key]) => !/^(connection|transfer-encoding)$/.test(key));
        resolve({
          status: answer.statusCode ?? 502,
          headers: Object.fromEntries(kept.map(([key, value]) => [key, String(value)])),
          body: content,
        });
      }, reject);
    });
    onward.on('error', reject);
    onward.end(body);
  });
}

function send(response: ServerResponse, { status, headers, body, cutAfter }: AwsAnswer): void {
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
  if (cutAfter === undefined) response.end(body);
  else response.write(Buffer.from(body).subarray(0, cutAfter), () => response.destroy());
}
