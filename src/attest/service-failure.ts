import { TallyError } from '../model/errors.ts';
import { Misfit } from './misfit.ts';
import type { Patience } from './post.ts';

export type Service = 'keyless' | 'rekor' | 'timestamp';

export interface ServiceFailure {
  readonly service: Service;
  readonly url: string;
  /** What went wrong, and what to do. Words of the service may be in it: hostile. */
  readonly why: string;
}

/** What is told of it. `isSigned`: whether there is a signature all the same. */
export function tellFailure({ service, url, why }: ServiceFailure, isSigned: boolean): string {
  const rest = isSigned
    ? `The report is written and signed, but without ${parts[service]}.`
    : 'The report is written, but not signed.';
  return `${names[service]} ${url}: ${why}. ${rest}`;
}

const names = { keyless: 'keyless signing at', rekor: 'the transparency log', timestamp: 'the timestamp authority' };
const parts = { keyless: 'a certificate', rekor: 'an entry in that log', timestamp: 'its timestamp' };

export function toFailure(service: Service, url: string, error: unknown, patience: Patience): ServiceFailure {
  return { service, url, why: whyOf(error, patience) };
}

/** Never the message of an error as it is: what was sent, a token too, may be in it. */
function whyOf(error: unknown, patience: Patience): string {
  const errors = chainOf(error);
  const own = errors.find((one) => one instanceof TallyError);
  if (own !== undefined) return own.message;
  const status = errors.map(statusOf).find((one) => one !== undefined);
  if (status !== undefined) return `it refused (HTTP ${status}): ${adviceOn(status)}`;
  if (errors.some(isTimeout)) return `it gave no answer within ${patience.timeout / 1000} s: try again later`;
  const code = errors.map(codeOf).find((one) => one !== undefined);
  if (code !== undefined) return `it can’t be reached (${code}): check its URL, and that it runs`;
  const misfit = errors.find((one) => one instanceof Misfit);
  const detail = misfit === undefined ? '' : ` (${misfit.message})`;
  return `its answer does not fit${detail}: check its URL, and ask whoever runs it`;
}

function adviceOn(status: number): string {
  if (status < 400) return 'it sends elsewhere, which is not followed: check its URL';
  if (status === 401 || status === 403) return 'check that the token is for this service and not expired';
  if (status === 404 || status === 405) return 'check its URL';
  if (status >= 500 || status === 429) return 'try again later, or ask whoever runs it';
  return 'check the token and the URL, or ask whoever runs it';
}

function isTimeout(error: Error): boolean {
  return error.name === 'TimeoutError' || /time(d-?)?out$/i.test(String((error as { code?: unknown }).code));
}

const network =
  /^(E[A-Z]+|UND_ERR_[A-Z_]+|ERR_TLS_[A-Z_]+|CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/;

/** Of Node: ECONNREFUSED, ENOTFOUND, a certificate that does not fit. */
function codeOf(error: Error): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && network.test(code) ? code : undefined;
}

function chainOf(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let one = error; one instanceof Error && errors.length < 10; one = one.cause) errors.push(one);
  return errors;
}

/** The status of an HTTP answer that is an error. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error ? (error as { statusCode?: unknown }).statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
