/** Bytes of an answer that are read: cosignatures take a few hundred. */
const longestAnswer = 64 * 1024;

/** POSTs a text and reads a short answer. Rejects when there is none, when it is long, redirects, or the signal aborts. */
export async function postLimited(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; type: string; body: string }> {
  const response = await fetch(url, { method: 'POST', body, signal, redirect: 'error' });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > longestAnswer) throw new Error('its answer is too long');
    parts.push(part);
  }
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: Buffer.concat(parts).toString(),
  };
}
