/*
 * From times to pixels and back, and the round times of the axis.
 */

const second = 1000;
const minute = 60 * second;
const day = 1440 * minute;
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((many) => many * minute),
  ...[1, 2, 7, 14, 30, 90, 365].map((many) => many * day),
];

/**
 * @param {Page} page
 * @returns {Size}
 */
function sizeOf({ stage }) {
  const width = stage.clientWidth;
  const left = width < 640 ? 132 : 300;
  return { width, left, right: width - 18 };
}

/**
 * @param {TimeSpan} view
 * @param {Size} size
 * @returns {Frame}
 */
function toFrame(view, size) {
  const { left, right } = size;
  const factor = (right - left) / (view.until - view.from);
  return { ...size, scale: (time) => left + (time - view.from) * factor };
}

/**
 * The time at a place of the screen.
 * @param {Timeline} timeline
 * @param {number} clientX
 */
function toTime({ page, view }, clientX) {
  const { left, right } = sizeOf(page);
  const x = clientX - page.stage.getBoundingClientRect().left;
  return view.from + ((x - left) / (right - left)) * (view.until - view.from);
}

/**
 * The ticks of the axis, and of the grid behind the lines.
 * @param {Timeline} timeline
 * @param {Size} size
 */
function ticksOf({ data, view }, { left, right }) {
  return ticks(data.from + view.from, data.from + view.until, Math.max(2, (right - left) / 110));
}

/**
 * Round times, as src/report/time-axis.ts has them.
 * @param {number} from
 * @param {number} until
 * @param {number} most
 */
function ticks(from, until, most) {
  const apart = steps.find((size) => (until - from) / size <= most) ?? Math.ceil((until - from) / most / day) * day;
  const first = Math.ceil(from / apart) * apart;
  return Array.from({ length: Math.max(Math.floor((until - first) / apart) + 1, 0) }, (_, i) => {
    const time = first + i * apart;
    const iso = new Date(time).toISOString();
    const label = time % day === 0 ? iso.slice(0, 10) : iso.slice(11, apart < second ? 23 : apart < minute ? 19 : 16);
    return { time, label };
  });
}

/**
 * @param {number} x
 * @param {Size} size
 */
function clamp(x, { left, right }) {
  return Math.min(Math.max(x, left), right + 8);
}

/**
 * @param {number} time
 * @param {TimeSpan} view
 */
function within(time, view) {
  return time >= view.from && time <= view.until;
}
