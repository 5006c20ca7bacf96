/** One line about the sensor (design 9, `--sensor`): a record of stream `sensor`, origin = node. */
export interface SensorLine {
  readonly kind: 'health' | 'stream' | 'canary';
  readonly node: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
}

/** Reads the wall clock: ns since the epoch. */
export type Clock = () => bigint;

/** The system's clock, which Node gives in whole milliseconds, cut off: never ahead of the true time. */
export function wallClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** ns since the epoch as RFC 3339 in UTC, to the nanosecond. */
export function toTime(ns: bigint): string {
  const whole = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}

export function toRecord(line: SensorLine): Buffer {
  return Buffer.from(JSON.stringify(line));
}

/** Foreign text for a reason: one short line of plain ASCII. */
export function printable(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(/[^\x20-\x7e]+/g, '?');
  return line.length > 240 ? `${line.slice(0, 237)}...` : line;
}
