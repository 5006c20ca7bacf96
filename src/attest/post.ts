import { statusOf } from './service-failure.ts';
import { Misfit } from './misfit.ts';

/** How long and how often a service is asked. */
export interface Patience {
  /** Milliseconds for one answer. */
  readonly timeout: number;
  /** Further attempts, where the service can't be reached or is in trouble itself. */
  readonly retries: number;
  /** Milliseconds before one. */
  readonly pause: number;
}

export const patient: Patience = { timeout: 10_000, retries: 1, pause: 1000 };

/** Answers of services are a few kilobytes. */
const mostBytes = 1 << 20;

/** An answer that is an error. None of the service's own words: it might send back what was sent to it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly statusCode: number;
  /** Where it points to; hostile. */
  readonly location: string | undefined;

  constructor(response: Response) {
    super(`HTTP ${String(response.status)}`);
    this.statusCode = response.status;
    this.location = response.headers.get('location') ?? undefined;
  }
}

/**
 * Asks a service and reads its answer, with retries. Throws Refusal where that is an error or a redirection: what is sent
 * (a token, a report) is for this URL alone. Proxies of the environment are not used.
 */
export async function ask(
  url: string,
  request: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  { timeout, retries, pause }: Patience,
): Promise<Buffer> {
  for (let left = retries; ; left -= 1) {
    try {
      return await askOnce(url, request, timeout);
    } catch (error) {
      const status = statusOf(error);
      const mayPass = status === undefined ? !(error instanceof Misfit) : status >= 500 || status === 429;
      if (left <= 0 || !mayPass) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function askOnce(url: string, request: RequestInit, timeout: number): Promise<Buffer> {
  // `manual` hands a redirection over as the answer that it is; `error` would not say that there was one
  const response = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.timeout(timeout) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Refusal(response);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > mostBytes) throw new Misfit('it is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** URL of a path below that of a service. */
export function under(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`;
}

/** The same with JSON both ways. */
export async function askJson(url: string, body: unknown, patience: Patience): Promise<unknown> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const request = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await ask(url, request, patience);
  try {
    return JSON.parse(answer.toString());
  } catch (cause) {
    throw new Misfit('it is no JSON', { cause });
  }
}
