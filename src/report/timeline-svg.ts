import { markup, nothing, type Markup } from './markup.ts';
import { toTicks } from './time-axis.ts';
import { mergeMarks, type DrawnMark } from './timeline-merge.ts';
import { worst, type Lane } from './timeline-lanes.ts';
import type { Timeline } from './timeline.ts';
import { showSpan, toMillis } from './times.ts';
import { clip, clipMiddle } from './visible.ts';
import { plural } from './words.ts';

const width = 1140;
const plot = { left: 300, right: 1122 };
const laneHeight = 22;
const rowHeight = 18;
const axisHeight = 30;
const headHeight = 30;
const halfGap = 22;
const maxJoins = 400;
const maxGaps = 200;

type Scale = (time: number) => number;

interface Half {
  readonly top: number;
  readonly bottom: number;
  readonly drawing: readonly Markup[];
  readonly places: ReadonlyMap<string, { readonly mark: DrawnMark; readonly y: number }>;
}

/** The drawing, and what there was no room for in it. */
export interface Drawn {
  readonly drawing: Markup;
  readonly left: { readonly gaps: number; readonly joins: number };
}

/** Both halves on one axis as one SVG: kernel above, provider below, matched pairs joined. */
export function drawTimeline(timeline: Timeline): Drawn {
  const margin = (timeline.until - timeline.from) * 0.015;
  const [start, end] = [timeline.from - margin, timeline.until + margin];
  const scale: Scale = (time) => {
    const share = Math.min(Math.max((time - start) / (end - start), 0), 1);
    return round(plot.left + share * (plot.right - plot.left));
  };
  const crowded = countMarks(timeline.kernel) > 300 || countMarks(timeline.provider) > 300;
  const kernel = drawHalf('kernel', 'Kernel: what the machine saw', timeline.kernel, axisHeight, scale, crowded);
  const below = kernel.bottom + halfGap;
  const provider = drawHalf('provider', 'Provider: what its log says', timeline.provider, below, scale, crowded);
  const covered = provider.bottom + halfGap;
  const height = covered + headHeight + timeline.coverage.length * rowHeight + 10;
  const gaps = gapsInView(timeline);
  const joins = drawJoins(timeline, kernel, provider);
  const drawing = markup`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="Time line: processes and their connections above, uses of the credentials below">
<defs><clipPath id="labels"><rect x="0" y="0" width="${plot.left - 12}" height="${height}"/></clipPath></defs>
${drawAxis(start, end, scale, height)}
${gaps.slice(0, maxGaps).map((one) => drawGap(one, { kernel, provider }[one.half], scale))}
${drawWindow(timeline, scale, height)}
<g class="joins${crowded ? ' crowded' : ''}">${joins.slice(0, maxJoins)}</g>
${kernel.drawing}
${provider.drawing}
${timeline.coverage.length === 0 ? nothing : drawCoverage(timeline, covered, scale)}
</svg>`;
  return {
    drawing,
    left: { gaps: Math.max(gaps.length - maxGaps, 0), joins: Math.max(joins.length - maxJoins, 0) },
  };
}

/** Beside the drawing, which is not displayed where the script has made its own: a pattern of what is not displayed paints nothing. */
export const hatch: Markup = markup`<svg class="none-seen" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="7"/></pattern></defs></svg>`;

function drawHalf(
  kind: 'kernel' | 'provider',
  title: string,
  lanes: readonly Lane[],
  top: number,
  scale: Scale,
  crowded: boolean,
): Half {
  const drawing: Markup[] = [markup`<text class="half" x="0" y="${top + 19}">${title}</text>`];
  const places = new Map<string, { mark: DrawnMark; y: number }>();
  let y = top + headHeight;
  if (lanes.length === 0) {
    drawing.push(markup`<text class="name" x="0" y="${y + 14}">nothing seen</text>`);
    y += laneHeight;
  }
  for (const lane of lanes) {
    drawing.push(drawLane(lane, y, scale));
    y += laneHeight;
    for (const row of lane.rows) {
      const marks = mergeMarks(row.marks, scale, crowded);
      const middle = y + rowHeight / 2;
      const standing = worst(row.marks);
      const sign = standing === 'breach' ? '✗ ' : standing === 'doubt' ? '? ' : '';
      const label = sign + clipMiddle(row.label, 42 - 2 * Math.min(lane.depth, 6));
      drawing.push(markup`<g clip-path="url(#labels)"><text class="row ${standing}" x="${indent(lane) + 14}" y="${middle + 4}"><title>${clip(row.label, 400)}</title>${label}</text></g>
${marks.map((mark, i) => (kind === 'kernel' ? drawBar(mark, middle) : drawDot(mark, middle, marks[i + 1]?.x)))}
`);
      for (const mark of marks) for (const id of mark.ids) places.set(id, { mark, y: middle });
      y += rowHeight;
    }
    y += 3;
  }
  return { top, bottom: y, drawing, places };
}

function drawLane(lane: Lane, y: number, scale: Scale): Markup {
  const { life } = lane;
  const label = clipMiddle(lane.label, 38 - 2 * Math.min(lane.depth, 6));
  const title = clip(lane.title, 400);
  const [x, end] = life === undefined ? [0, 0] : [scale(life.from), scale(life.until)];
  return markup`<line class="rule" x1="0" y1="${y}" x2="${width}" y2="${y}"/>
<g clip-path="url(#labels)"><text class="name" x="${indent(lane)}" y="${y + 15}"><title>${title}</title>${label}</text></g>
${life === undefined ? nothing : markup`<rect class="life${life.open ? ' open' : ''}" x="${x}" y="${y + 9}" width="${round(Math.max(end - x, 2))}" height="5" rx="2.5"><title>${title}</title></rect>`}
`;
}

/** Shapes differ as well as colours: full bar, thin bar, dashed outline, bar with a cross before it. */
function drawBar(mark: DrawnMark, y: number): Markup {
  const tall = mark.standing === 'quiet' ? 6 : 10;
  const bar = markup`<rect class="bar ${mark.standing}${mark.hollow ? ' open' : ''}" x="${mark.x}" y="${y - tall / 2}" width="${round(Math.max(mark.end - mark.x, 3))}" height="${tall}" rx="2"><title>${mark.title}</title></rect>`;
  if (mark.standing !== 'breach') return bar;
  const x = mark.x - 9;
  return markup`${bar}<path class="cross" d="M${x - 3} ${y - 3}l6 6m0-6l-6 6"/>`;
}

function drawDot(mark: DrawnMark, y: number, next = Infinity): Markup {
  const open = mark.hollow ? ' open' : '';
  const shape =
    mark.standing === 'matched' || mark.standing === 'quiet'
      ? markup`<circle class="dot ${mark.standing}${open}" cx="${mark.x}" cy="${y}" r="4.5"><title>${mark.title}</title></circle>`
      : markup`<path class="dot ${mark.standing}${open}" d="M${mark.x} ${y - 7}l7 7l-7 7l-7-7z"><title>${mark.title}</title></path>`;
  if (mark.ids.length === 1 || next - mark.x < 36) return shape;
  return markup`${shape}<text class="count" x="${mark.x + 9}" y="${y + 4}">×${mark.ids.length}</text>`;
}

function drawAxis(start: number, end: number, scale: Scale, height: number): Markup {
  const ticks = toTicks(start, end, 8);
  const lines = ticks.map(({ time, label }) => {
    const x = scale(time);
    return markup`<line class="tick" x1="${x}" y1="22" x2="${x}" y2="${height}"/><text class="tick" x="${x}" y="14">${label}</text>`;
  });
  return markup`<text class="tick first" x="0" y="14">${new Date(start).toISOString().slice(0, 10)}, UTC</text>${lines}`;
}

function drawCoverage({ coverage, from, until }: Timeline, top: number, scale: Scale): Markup {
  const rows = coverage.map((row, i) => {
    const y = top + headHeight + i * rowHeight;
    const [x, end] = [scale(row.from ?? from), scale(row.until ?? until)];
    const title = clip(row.title, 400);
    return markup`<g clip-path="url(#labels)"><text class="row" x="14" y="${y + 13}"><title>${title}</title>${clipMiddle(row.name, 42)}</text></g>
<rect class="cover" x="${x}" y="${y + 6}" width="${round(Math.max(end - x, 2))}" height="7" rx="2"><title>${title}</title></rect>
`;
  });
  return markup`<text class="half" x="0" y="${top + 19}">Coverage: who watched, and when</text>${rows}`;
}

function drawWindow(timeline: Timeline, scale: Scale, height: number): Markup {
  const lines = Object.values(timeline.window).flatMap((time) => (time === undefined ? [] : [scale(time)]));
  return markup`${lines.map((x) => markup`<line class="window" x1="${x}" y1="22" x2="${x}" y2="${height}"><title>Edge of the task's window</title></line>`)}`;
}

interface GapInView {
  readonly half: 'kernel' | 'provider';
  readonly from: number;
  readonly until: number;
  readonly what: string;
}

function gapsInView({ gaps, from: start, until: end }: Timeline): GapInView[] {
  return gaps.flatMap(({ half, gap }) => {
    const from = toMillis(gap.from) ?? start;
    const until = toMillis(gap.until) ?? end;
    const what = `Gap in ${gap.stream}/${gap.origin}, ${showSpan(gap.from, gap.until)}: ${gap.why}`;
    return until < start || from > end ? [] : [{ half, from, until, what }];
  });
}

function drawGap({ from, until, what }: GapInView, { top, bottom }: Half, scale: Scale): Markup {
  const [x, end] = [scale(from), scale(until)];
  return markup`<rect class="gap" x="${x}" y="${top + 2}" width="${round(Math.max(end - x, 4))}" height="${bottom - top}"><title>${clip(what, 400)}</title></rect>
<text class="gap" x="${round(Math.min(Math.max((x + end) / 2, plot.left + 12), plot.right - 12))}" y="${top + 19}">gap</text>`;
}

function drawJoins(timeline: Timeline, kernel: Half, provider: Half): Markup[] {
  const lines = new Map<string, Markup>();
  for (const join of timeline.joins) {
    const connection = kernel.places.get(join.connection);
    const use = provider.places.get(join.use);
    if (connection === undefined || use === undefined) continue;
    const x = Math.min(Math.max(use.mark.x, connection.mark.x), Math.max(connection.mark.end, connection.mark.x));
    const path = `M${x} ${connection.y}L${use.mark.x} ${use.y}`;
    lines.set(path, markup`<path class="join${join.shared ? ' shared' : ''}" d="${path}"/>`);
  }
  return [...lines.values()];
}

function countMarks(lanes: readonly Lane[]): number {
  return lanes.reduce((sum, lane) => sum + lane.rows.reduce((count, row) => count + row.marks.length, 0), 0);
}

function indent(lane: Lane): number {
  return 12 * Math.min(lane.depth, 6);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** What is drawn and what is not, said in numbers. */
export function countTimeline(timeline: Timeline, { gaps, joins }: Drawn['left']): string {
  const left = [
    ...(gaps === 0 ? [] : [plural(gaps, 'more gap')]),
    ...(joins === 0 ? [] : [`${plural(joins, 'more line')} that would join a use with its connection`]),
  ];
  const undated = timeline.undated === 0 ? '' : `; ${timeline.undated} without a usable time are not drawn`;
  return `${plural(countMarks(timeline.kernel), 'connection')} and ${plural(countMarks(timeline.provider), 'use')}${undated}${left.map((what) => `; not drawn: ${what}`).join('')}`;
}
