import { readFile } from 'node:fs/promises';
import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { TallyError } from '../../model/errors.ts';
import { type Protocol, protocols } from './protocols.ts';

/** What was asked for; what is left out comes from `OTEL_EXPORTER_OTLP_…` in the environment, else from the defaults. */
export interface TargetOptions {
  readonly url?: string | undefined;
  readonly protocol?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Files (PEM). */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly certKey?: string | undefined;
}

/** A backend to send to. */
export interface Target {
  readonly url: string;
  readonly protocol: Protocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** For one batch, retries included. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
}

/** What is sent, as paths and variables name it. */
export type Signal = 'traces' | 'metrics';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where to send to. `url` is a base, as in OTEL_EXPORTER_OTLP_ENDPOINT: over HTTP `/v1/traces` (or the signal's) is put
 * behind it unless it ends so. Undefined where nothing names a backend. Throws TallyError `usage` or `input` for what can't be used.
 */
export async function openTarget(
  options: TargetOptions,
  env: Environment,
  signal: Signal = 'traces',
): Promise<Target | undefined> {
  const setting = settingsOf(env, signal);
  const general = options.url ?? setting('ENDPOINT', false);
  const specific = options.url === undefined ? setting('ENDPOINT', true) : undefined;
  const raw = specific ?? general;
  if (raw === undefined) return undefined;
  const url = parseUrl(raw);
  const protocol = toProtocol(options.protocol ?? setting('PROTOCOL'), url);
  const path = url.pathname.replace(/\/+$/, '');
  const isWhole = specific !== undefined || path.endsWith(`/v1/${signal}`);
  if (protocol === 'http/protobuf' && !isWhole) url.pathname = `${path}/v1/${signal}`;
  return {
    url: url.href,
    protocol,
    headers: { ...headersOf(setting), ...options.headers },
    tls: await openTls(options, setting),
    timeoutMs: toTimeout(setting('TIMEOUT')),
    compression: toCompression(setting('COMPRESSION')),
  };
}

/** What names a backend in messages: no user, no password, no query. */
export function nameOf({ url }: Target): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname}`;
}

/** A setting of the environment; `own`: only the signal's own, or only that for all signals. */
type Setting = (name: string, own?: boolean) => string | undefined;

/** That for the signal counts before that for all. */
function settingsOf(env: Environment, signal: Signal): Setting {
  return (name, own) => {
    const names = [...(own === false ? [] : [`${signal.toUpperCase()}_${name}`]), ...(own === true ? [] : [name])];
    return names
      .map((one) => env[`OTEL_EXPORTER_OTLP_${one}`]?.trim())
      .find((value) => value !== undefined && value !== '');
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new TallyError('usage', `The backend must be an http:// or https:// URL, such as http://localhost:4318.`);
}

/** 4317 is registered for gRPC; every other port is taken for HTTP. */
function toProtocol(asked: string | undefined, { port }: URL): Protocol {
  if (asked === undefined) return port === '4317' ? 'grpc' : 'http/protobuf';
  const known = protocols.find((protocol) => protocol === asked);
  if (known !== undefined) return known;
  throw new TallyError('usage', `The protocol ${JSON.stringify(asked)} is none of: ${protocols.join(', ')}.`);
}

function headersOf(setting: Setting): Record<string, string> {
  return {
    ...parseKeyPairsIntoRecord(setting('HEADERS', false)),
    ...parseKeyPairsIntoRecord(setting('HEADERS', true)),
  };
}

async function openTls({ ca, cert, certKey }: TargetOptions, setting: Setting): Promise<Target['tls']> {
  const files = {
    ca: ca ?? setting('CERTIFICATE'),
    cert: cert ?? setting('CLIENT_CERTIFICATE'),
    key: certKey ?? setting('CLIENT_KEY'),
  };
  if ((files.cert === undefined) !== (files.key === undefined))
    throw new TallyError(
      'usage',
      'A client certificate and its key go together: give both (--cert, --cert-key) or none.',
    );
  const tls: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const file = files[part];
    if (file !== undefined) tls[part] = await readPem(file);
  }
  return tls;
}

async function readPem(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new TallyError('input', `A certificate or key for the backend can't be read: ${file}; check the path.`, {
      cause,
    });
  });
}

function toTimeout(text: string | undefined): number {
  if (text === undefined) return 10_000;
  const ms = Number(text);
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new TallyError(
    'usage',
    `OTEL_EXPORTER_OTLP_TIMEOUT must be milliseconds, such as 10000, not ${JSON.stringify(text)}.`,
  );
}

function toCompression(text: string | undefined): Target['compression'] {
  if (text === undefined) return 'gzip';
  if (text === 'gzip' || text === 'none') return text;
  throw new TallyError('usage', `OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none, not ${JSON.stringify(text)}.`);
}
