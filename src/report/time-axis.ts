const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((count) => count * day),
];

export interface Tick {
  readonly time: number;
  readonly label: string;
}

/** At most `most + 1` round times (UTC) in [from, until], labelled as finely as they are apart, midnight by its date. */
export function toTicks(from: number, until: number, most: number): readonly Tick[] {
  const span = until - from;
  const step = steps.find((size) => span / size <= most) ?? Math.ceil(span / most / day) * day;
  const first = Math.ceil(from / step) * step;
  const count = Math.floor((until - first) / step) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, i) => {
    const time = first + i * step;
    const iso = new Date(time).toISOString();
    const label = time % day === 0 ? iso.slice(0, 10) : iso.slice(11, step < second ? 23 : step < minute ? 19 : 16);
    return { time, label };
  });
}
