import { TallyError } from '../../model/errors.ts';
import { toText } from '../hostile-text.ts';
import { nameOf, type Target } from './target.ts';

/** Errors of the SDK's exporters: `code` is an HTTP status, a gRPC status, or Node's own code. */
export type SendFailure = Error & {
  readonly code?: number | string;
  readonly details?: string;
  readonly data?: string;
};

/** Status codes of gRPC that say that the same request may be taken later (OTLP specification, "Failures"). */
const retryableGrpc = new Set([1, 4, 8, 10, 11, 14, 15]);
const network = /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH)/;
const certificate = /certificate|self.signed|CERT|ERR_TLS|SSL|wrong version number/i;

export function isRetryable(error: unknown): boolean {
  const { code, message, details } = error as SendFailure;
  if (certificate.test(`${String(code)} ${message} ${details ?? ''}`)) return false;
  if (typeof code === 'number') return code < 100 ? retryableGrpc.has(code) : false;
  if (typeof code === 'string') return network.test(code);
  return message === 'Request timed out' || message.includes('retryable');
}

/** What went wrong in words that say what to do. */
export function toFailure(error: unknown, target: Target, sent: number, what = 'the trace'): TallyError {
  const failure = error as SendFailure;
  const retryable = isRetryable(error);
  const said = toText([failure.details, failure.data, failure.message].find((text) => text) ?? '', 300);
  const before = sent === 0 ? '' : ` ${sent} spans were taken before; sent again they keep their ids.`;
  const message = `The backend ${nameOf(target)} did not take ${what}: ${adviceOf(failure, target, retryable)}${before}`;
  return new TallyError('input', message, { cause: error, retryable, details: said === '' ? [] : [said] });
}

function adviceOf({ code, message, details = '' }: SendFailure, { protocol }: Target, retryable: boolean): string {
  const other = protocol === 'grpc' ? 'http/protobuf' : 'grpc';
  if (certificate.test(`${String(code)} ${message} ${details}`))
    return 'its certificate, or ours, was not accepted; check the URL’s scheme, --ca, --cert and --cert-key.';
  if (code === 401 || code === 403 || code === 7 || code === 16)
    return 'it asks for other credentials; check --header or OTEL_EXPORTER_OTLP_HEADERS.';
  if (code === 404 || code === 405 || code === 415 || code === 12 || /Parse Error|Protocol error/i.test(message))
    return `it knows no such request; check the URL, or try --protocol ${other}.`;
  if (code === 413) return 'a request was too large for it; raise its limit, or lower --max-spans.';
  if (code === 4 || code === 'ETIMEDOUT' || message === 'Request timed out')
    return 'it did not answer in time; try again later, or raise OTEL_EXPORTER_OTLP_TIMEOUT (milliseconds).';
  if (code === 14 || (typeof code === 'string' && network.test(code)))
    return 'it can’t be reached; check that it runs and the URL, and try again: nothing was lost.';
  if (retryable) return 'it has too much to do (429, 502, 503 or 504); try again later: nothing was lost.';
  return `it refused it (${typeof code === 'number' ? code : (code ?? 'no code')}); its log may tell why.`;
}
