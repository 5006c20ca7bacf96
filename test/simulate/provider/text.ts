import { createHash } from 'node:crypto';
import type { Ns } from '../world.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** CloudTrail's times: RFC 3339 in whole seconds, what is below a second is cut. */
export function toSeconds(time: Ns): string {
  return `${toDate(time).toISOString().slice(0, 19)}Z`;
}

/** 20261121T101217Z, as names of digests have it. */
export function toCompact(time: Ns): string {
  return toSeconds(time).replaceAll(/[-:]/g, '');
}

/** 2026/11/21, the folder of a day. */
export function toDay(time: Ns): string {
  return toSeconds(time).slice(0, 10).replaceAll('-', '/');
}

const expirationForm = new Intl.DateTimeFormat('en-US', {
  ...({ month: 'short', day: 'numeric', year: 'numeric' } as const),
  ...({ hour: 'numeric', minute: '2-digit', second: '2-digit', hour12: true, timeZone: 'UTC' } as const),
});

/** `Nov 21, 2026, 10:48:24 AM`: how STS tells an expiration in records. */
export function toExpiration(time: Ns): string {
  // Newer runtimes put a narrow no-break space before AM, CloudTrail a plain one.
  return expirationForm.format(toDate(time)).replaceAll('\u202f', ' ');
}

/** So many characters of an id as AWS makes them (A-Z, 2-7), always the same for the same text. */
export function toBase32(text: string, count: number): string {
  return spell(text, count, letters);
}

/** The characters at the end of a log file's name: they mean nothing. */
export function toFileMark(text: string): string {
  return spell(text, 16, alphanumeric);
}

/** A UUID that is always the same for the same text. */
export function toUuid(text: string): string {
  const hex = sha256(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function spell(text: string, count: number, alphabet: string): string {
  const bytes = createHash('sha512').update(text).digest();
  return Array.from(bytes.subarray(0, count), (byte) => alphabet[byte % alphabet.length]).join('');
}

function toDate(time: Ns): Date {
  return new Date(Number(time / 1_000_000n));
}
