import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { TallyError } from '../../model/errors.ts';
import type { Target } from './target.ts';

/** The SDK's exporter for a backend; `close` ends its connections, also those that a slow backend holds. */
export interface OpenExporter<Exporter> {
  readonly exporter: Exporter;
  readonly close: () => Promise<void>;
}

export function openExporter(target: Target): OpenExporter<SpanExporter> {
  return open<SpanExporter>(target, {
    grpc: (options) => new GrpcExporter(options),
    http: (options) => new HttpExporter(options),
  });
}

export function openMetricExporter(target: Target): OpenExporter<PushMetricExporter> {
  return open<PushMetricExporter>(target, {
    grpc: (options) => new GrpcMetricExporter(options),
    http: (options) => new HttpMetricExporter(options),
  });
}

interface CommonOptions {
  readonly url: string;
  readonly timeoutMillis: number;
}

interface HttpOptions extends CommonOptions {
  readonly headers: Record<string, string>;
  readonly httpAgentOptions: () => HttpAgent;
}

interface GrpcOptions extends CommonOptions {
  readonly metadata: Metadata;
  readonly credentials: ChannelCredentials;
}

interface Make<Exporter> {
  readonly grpc: (options: GrpcOptions) => Exporter;
  readonly http: (options: HttpOptions) => Exporter;
}

function open<Exporter extends { shutdown(): Promise<void> }>(
  target: Target,
  make: Make<Exporter>,
): OpenExporter<Exporter> {
  try {
    return target.protocol === 'grpc' ? openGrpc(target, make.grpc) : openHttp(target, make.http);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TallyError('input', `The settings for the backend can't be used: ${why}`, { cause });
  }
}

function openHttp<Exporter>(
  { url, headers, tls, timeoutMs, compression }: Target,
  make: Make<Exporter>['http'],
): OpenExporter<Exporter> {
  const agent = url.startsWith('https:')
    ? new HttpsAgent({ keepAlive: true, ...tls })
    : new HttpAgent({ keepAlive: true });
  const exporter = make({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    ...toOption(compression),
    httpAgentOptions: () => agent,
  });
  const close = (): Promise<void> => {
    agent.destroy();
    return Promise.resolve();
  };
  return { exporter, close };
}

function openGrpc<Exporter extends { shutdown(): Promise<void> }>(
  { url, headers, tls, timeoutMs, compression }: Target,
  make: Make<Exporter>['grpc'],
): OpenExporter<Exporter> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { ca, cert, key } = tls;
  const exporter = make({
    url,
    metadata,
    timeoutMillis: timeoutMs,
    ...toOption(compression),
    credentials: url.startsWith('https:')
      ? credentials.createSsl(ca ?? null, key ?? null, cert ?? null)
      : credentials.createInsecure(),
  });
  return { exporter, close: () => exporter.shutdown() };
}

/** Its type is an enum of a package that is not ours to import; the enum's values are the words that we have. */
function toOption(compression: Target['compression']): object {
  return { compression };
}
