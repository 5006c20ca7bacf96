import { TallyError } from '../model/errors.ts';
import { parseMetrics, toSeriesKey } from './prometheus-text.ts';
import { printable } from './sensor-line.ts';

const longestPage = 32 * 1024 * 1024;

/** Their series are one for each program that ever ran on the node, and tell nothing of loss. */
const perProgram = new Set(['tetragon_events_total', 'tetragon_policy_events_total', 'tetragon_syscalls_total']);

/**
 * The agent's counters: `process_start_time_seconds` and `tetragon_…`, without histograms and series per program.
 *
 * Throws TallyError `input`, retryable, when they can't be had whole. A counter that is not there would count as zero.
 */
export async function askMetrics(url: string, deadlineMs: number): Promise<Record<string, number>> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'text/plain;version=0.0.4' },
      redirect: 'error',
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await readPage(response);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return selectMetrics(text);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    const why = printable(`${error instanceof Error ? error.message : String(error)}${cause}`);
    throw new TallyError('input', `metrics: ${why}`, { cause: error, retryable: true });
  }
}

/** Throws SyntaxError where the page is none, or a counter has no value. */
export function selectMetrics(text: string): Record<string, number> {
  const samples = parseMetrics(text).filter(
    ({ name }) =>
      (name === 'process_start_time_seconds' || name.startsWith('tetragon_')) &&
      !name.endsWith('_bucket') &&
      !perProgram.has(name),
  );
  const broken = samples.find(({ name, value }) => name.endsWith('_total') && !Number.isFinite(value));
  if (broken !== undefined) throw new SyntaxError(`${broken.name} has no number`);
  const finite = samples.filter(({ value }) => Number.isFinite(value)); // JSON knows no other
  return Object.fromEntries(finite.map((sample) => [toSeriesKey(sample), sample.value]));
}

async function readPage(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > longestPage) throw new Error(`more than ${longestPage} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
