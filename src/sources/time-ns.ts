/** RFC 3339 in UTC to ns since the epoch; 0 when it is none. */
export function toNs(time: string | undefined): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(time ?? '');
  const seconds = Date.parse(`${match?.[1] ?? ''}Z`);
  if (Number.isNaN(seconds)) return 0n;
  return BigInt(seconds) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}
