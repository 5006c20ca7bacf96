import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { credentials, Metadata } from '@grpc/grpc-js';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { TallyError } from '../../model/errors.ts';
import type { Target } from './target.ts';

/** The SDK's exporter for a backend; `close` ends its connections, also those that a slow backend holds. */
export interface OpenExporter {
  readonly exporter: SpanExporter;
  readonly close: () => Promise<void>;
}

export function openExporter(target: Target): OpenExporter {
  try {
    return target.protocol === 'grpc' ? openGrpc(target) : openHttp(target);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TallyError('input', `The settings for the backend can't be used: ${why}`, { cause });
  }
}

function openHttp({ url, headers, tls, timeoutMs, compression }: Target): OpenExporter {
  const agent = url.startsWith('https:')
    ? new HttpsAgent({ keepAlive: true, ...tls })
    : new HttpAgent({ keepAlive: true });
  const exporter = new HttpExporter({
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

function openGrpc({ url, headers, tls, timeoutMs, compression }: Target): OpenExporter {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { ca, cert, key } = tls;
  const exporter = new GrpcExporter({
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
