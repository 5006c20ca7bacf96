import { setTimeout as sleep } from 'node:timers/promises';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { isRetryable, type SendFailure } from './failure.ts';
import type { Target } from './target.ts';

/** What a backend said to a batch that it took. */
export interface Answer {
  /** Spans that it refused for good. */
  readonly rejected: number;
  /** Its own words, where it had any. */
  readonly told: string | undefined;
}

/**
 * Sends one batch. The SDK's HTTP exporter retries by itself; over gRPC it is done here, within the same time. Throws
 * what the exporter failed with, or a timeout where the backend keeps a connection open without an end.
 */
export async function sendBatch(exporter: SpanExporter, batch: ReadableSpan[], target: Target): Promise<Answer> {
  const { protocol, timeoutMs } = target;
  const deadline = Date.now() + timeoutMs;
  for (let pause = 1000; ; pause *= 1.5) {
    try {
      return await withPartialSuccess(() => exportOnce((done) => exporter.export(batch, done), target));
    } catch (error) {
      const isLast = protocol !== 'grpc' || !isRetryable(error) || Date.now() + pause > deadline;
      if (isLast) throw error;
      await sleep(pause);
    }
  }
}

/** One call of an exporter. Throws what it failed with, or a timeout where it never answers. */
export async function exportOnce(
  send: (done: (result: ExportResult) => void) => void,
  { timeoutMs }: Target,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const result = await new Promise<ExportResult>((resolve) => {
    const error: SendFailure = Object.assign(new Error('Request timed out'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => resolve({ code: ExportResultCode.FAILED, error }), 2 * timeoutMs + 1000);
    send(resolve);
  });
  clearTimeout(timer);
  if (result.code !== ExportResultCode.SUCCESS) throw result.error ?? new Error('the exporter failed without a reason');
}

/** The SDK tells a partial success nowhere but in its diagnostic log: it is listened to while a batch is under way. */
async function withPartialSuccess(send: () => Promise<void>): Promise<Answer> {
  let rejected = 0;
  let told: string | undefined;
  const ignore = (): void => undefined;
  const warn = (message: string, ...details: unknown[]): void => {
    const [detail] = details;
    if (!message.startsWith('Received Partial Success') || typeof detail !== 'string') return;
    const partial = JSON.parse(detail) as { rejectedSpans?: number; errorMessage?: string };
    rejected += partial.rejectedSpans ?? 0;
    told = partial.errorMessage;
  };
  const logger = { error: ignore, warn, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  try {
    await send();
  } finally {
    diag.disable();
  }
  return { rejected, told };
}
