import type { Ns } from '../world.ts';

const second = 1_000_000_000n;
let lastSecond = -1n;
let lastText = '';

/** RFC 3339 with 0, 3, 6 or 9 digits, as protojson prints a Timestamp. */
export function toRfc3339(at: Ns): string {
  const seconds = at / second;
  if (seconds !== lastSecond) {
    lastSecond = seconds;
    lastText = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  }
  const nanos = Number(at - seconds * second);
  if (nanos === 0) return `${lastText}Z`;
  if (nanos % 1_000_000 === 0) return `${lastText}.${String(nanos / 1_000_000).padStart(3, '0')}Z`;
  if (nanos % 1000 === 0) return `${lastText}.${String(nanos / 1000).padStart(6, '0')}Z`;
  return `${lastText}.${String(nanos).padStart(9, '0')}Z`;
}

/** microseconds, for distances between the hooks of one call. */
export function us(count: number): Ns {
  return BigInt(count) * 1000n;
}

export function later(one: Ns, other: Ns): Ns {
  return one > other ? one : other;
}
