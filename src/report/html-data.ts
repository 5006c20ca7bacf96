import type { CitedRecords } from '../model/cited-record.ts';
import { verbatim, type Markup } from './markup.ts';
import { pruneLanes, type Lane, type Mark, type Standing } from './timeline-lanes.ts';
import type { Timeline } from './timeline.ts';
import { toMillis } from './times.ts';
import { clip, clipMiddle, visible } from './visible.ts';

/** What the script is given at the most; what is beyond is only in report.json, and the page says so. */
const limits = { kernel: { marks: 30_000, lanes: 2000 }, provider: { marks: 12_000, lanes: 1000 } } as const;
const maxGaps = 500;
const standings: readonly Standing[] = ['matched', 'quiet', 'doubt', 'breach'];

/** `assets/report/` has the same shape as a JSDoc type: change both. */
interface PageData {
  readonly from: number;
  readonly until: number;
  readonly window: readonly (number | null)[];
  readonly strings: readonly string[];
  readonly kernel: readonly DataLane[];
  readonly provider: readonly DataLane[];
  /** Half (0 kernel, 1 provider), from, until, what. */
  readonly gaps: readonly (readonly [number, number | null, number | null, string])[];
  /** Name, from, until, what. */
  readonly coverage: readonly (readonly [string, number | null, number | null, string])[];
  /** Place on the page of each record that is shown. */
  readonly records: Readonly<Record<string, number>>;
  /** Marks, lanes and gaps that did not fit. */
  readonly left: number;
}

interface DataLane {
  readonly name: string;
  readonly title: string;
  readonly depth: number;
  /** From, for how long, and 1 where the end is not known. */
  readonly life?: readonly number[];
  /** Name of each row by its place in `strings`, and of each of its marks six numbers, of a use eight: see {@link toNumbers}. */
  readonly rows: readonly (readonly [number, readonly (number | string)[]])[];
}

/** The time line with every mark, for the script: a block of JSON that no browser runs. */
export function renderData(timeline: Timeline, records: CitedRecords): Markup {
  const json = JSON.stringify(toData(timeline, records));
  // the text of a script element ends at its end tag only, but a comment in it may begin another: so no angle bracket
  const safe = json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return verbatim(`<script type="application/json" id="data">${safe}</script>`);
}

function toData(timeline: Timeline, { records }: CitedRecords): PageData {
  const kernel = bound(timeline.kernel, limits.kernel);
  const provider = bound(timeline.provider, limits.provider);
  const strings = new Map<string, number>();
  const intern = (text: string): number => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  const places = new Map<string, number>();
  for (const mark of kernel.lanes.flatMap((lane) => lane.rows.flatMap((row) => row.marks)))
    places.set(mark.id, places.size);
  const joins = new Map(
    timeline.joins.map(({ use, connection, shared }) => [use, [places.get(connection) ?? -1, Number(shared)] as const]),
  );
  const toLane = (lane: Lane, isUse: boolean): DataLane => ({
    name: clipMiddle(lane.label, 80),
    title: clip(lane.title, 300),
    depth: lane.depth,
    ...(lane.life === undefined
      ? {}
      : {
          life: [lane.life.from - timeline.from, lane.life.until - lane.life.from, Number(lane.life.open)],
        }),
    rows: lane.rows.map((row) => [
      intern(clipMiddle(row.name, 160)),
      row.marks.flatMap((mark) => toNumbers(mark, timeline.from, isUse ? (joins.get(mark.id) ?? noJoin) : [], intern)),
    ]),
  });
  const lanes = {
    kernel: kernel.lanes.map((lane) => toLane(lane, false)),
    provider: provider.lanes.map((lane) => toLane(lane, true)),
  };
  const { start, end } = timeline.window;
  return {
    from: timeline.from,
    until: timeline.until,
    window: [start ?? null, end ?? null],
    ...lanes,
    strings: [...strings.keys()],
    gaps: timeline.gaps
      .slice(0, maxGaps)
      .map(({ half, gap }) => [
        half === 'kernel' ? 0 : 1,
        toMillis(gap.from) ?? null,
        toMillis(gap.until) ?? null,
        clip(`${gap.stream}/${gap.origin}: ${gap.why}`, 300),
      ]),
    coverage: timeline.coverage.map((row) => [
      clipMiddle(row.name, 80),
      row.from ?? null,
      row.until ?? null,
      clip(row.title, 300),
    ]),
    records: Object.fromEntries(records.map(({ id }, i) => [visible(id), i + 1])),
    left: kernel.left + provider.left + Math.max(timeline.gaps.length - maxGaps, 0),
  };
}

const noJoin = [-1, 0];

/** From, for how long, standing (+4 where hollow), id in two parts, remark; of a use its connection or -1, and 1 where it is shared. */
function toNumbers(
  { id, from, until, standing, hollow, remark }: Mark,
  start: number,
  join: readonly number[],
  intern: (text: string) => number,
): (number | string)[] {
  const look = standings.indexOf(standing) + (hollow ? 4 : 0);
  const shown = clip(id, 300);
  const cut = shown.search(/(?<=\/)[1-9]\d{0,14}$/);
  const [head, tail] = cut < 0 ? ['', shown] : [shown.slice(0, cut), Number(shown.slice(cut))];
  return [from - start, until - from, look, intern(head), tail, intern(clip(remark, 200)), ...join];
}

/** What stands out stays first; what has no room is counted. */
function bound(
  lanes: readonly Lane[],
  limit: { readonly marks: number; readonly lanes: number },
): { readonly lanes: readonly Lane[]; readonly left: number } {
  const standsOut = ({ standing }: Mark): boolean => standing === 'breach' || standing === 'doubt';
  const all = lanes.flatMap((lane) => lane.rows.flatMap((row) => row.marks));
  let out = Math.min(all.filter(standsOut).length, limit.marks);
  let plain = limit.marks - out;
  let room = limit.lanes;
  let left = 0;
  const kept = pruneLanes(lanes, (lane) => {
    const rows = lane.rows.flatMap((row) => {
      const marks = row.marks.filter((mark) => (standsOut(mark) ? out-- > 0 : plain-- > 0));
      left += row.marks.length - marks.length;
      return marks.length === 0 ? [] : [{ ...row, marks }];
    });
    const hasOut = rows.some((row) => row.marks.some(standsOut));
    if (!hasOut && room-- <= 0) {
      left += 1 + rows.reduce((sum, row) => sum + row.marks.length, 0);
      return undefined;
    }
    return { ...lane, rows };
  });
  return { lanes: kept, left };
}
