import { createHash } from 'node:crypto';

/** Of a task that belongs to no other trace: the same task always gives the same id. */
export function toTraceId(task: string): string {
  return digest(['trace', task], 16);
}

/** Of one span of a task: `parts` are what names it for good. */
export function toSpanId(task: string, parts: readonly (string | number)[]): string {
  return digest(['span', task, ...parts], 8);
}

/** Tells equal texts of one task apart from others, without telling them. Who can guess a text can check the guess. */
export function toFingerprint(task: string, text: string): string {
  return digest(['text', task, text], 8);
}

/** Ids are never all zeros: that is what no id looks like. */
function digest(parts: readonly (string | number)[], bytes: number): string {
  const hash = createHash('sha256').update(JSON.stringify(['tallystick/v1', ...parts]));
  const hex = hash.digest('hex').slice(0, bytes * 2);
  return /^0+$/.test(hex) ? hex.replace(/.$/, '1') : hex;
}
