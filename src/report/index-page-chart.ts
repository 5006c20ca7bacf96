import { type Bucket, toBuckets } from './index-page-buckets.ts';
import { type Standing, standingMarks, standings, standingWords, tallyOf, tellTally } from './index-page-counts.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { plural } from './words.ts';

/** The drawing is stretched sideways to the width of the page, so it holds no text and only level stripes. */
const width = 1000;
const height = 180;
const plot = 170;
/** One violated task among thousands must be seen. */
const least = 3;

/** Verdicts over time: stacked bars, and the same as a table. */
export function renderChart(tasks: readonly ListedTask[]): Markup {
  const heading = markup`<h2>Verdicts over time</h2>`;
  const chart = toBuckets(tasks);
  if (chart === undefined)
    return markup`<section id="time">${heading}<p class="none">No task has a time, so there is nothing to draw.</p></section>`;
  const { unit, buckets, earlier } = chart;
  const top = roundUp(buckets.reduce((most, { total }) => Math.max(most, total), 1));
  const labels = [buckets[0], buckets[Math.floor(buckets.length / 2)], buckets.at(-1)];
  const half = top % 2 === 0 ? String(top / 2) : '';
  const before = earlier === 0 ? '' : ` ${plural(earlier, 'earlier task')} not drawn.`;
  return markup`<section id="time">${heading}
<p class="lead">Each bar is one ${unit} (UTC) in which tasks were declared, coloured by their last verdict.${before}</p>
<figure class="card">
<div class="axes"><div class="scale" aria-hidden="true"><span>${top}</span><span>${half}</span><span>0</span></div>
<svg class="bars" role="img" aria-label="Bars of tasks by ${unit} and verdict; the table below tells the same" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">
${patterns}<path class="grid" d="M0 ${height}H${width}M0 ${height - plot / 2}H${width}M0 ${height - plot}H${width}"/>
${buckets.map((bucket, i) => drawBar(bucket, i, buckets.length, top))}</svg></div>
<div class="dates" aria-hidden="true">${labels.map((bucket) => markup`<span>${bucket?.label ?? ''}</span>`)}</div>
${renderLegend(tasks)}</figure>
${renderTable(unit, buckets)}</section>`;
}

const patterns = markup`<defs><pattern id="stripes" width="8" height="6" patternUnits="userSpaceOnUse"><rect class="under unproven" width="8" height="6"/><rect class="over unproven" width="8" height="3.5"/></pattern>
<pattern id="lines" width="8" height="5" patternUnits="userSpaceOnUse"><rect class="under pending" width="8" height="5"/><rect class="over pending" width="8" height="1.2"/></pattern></defs>`;

function drawBar({ label, tally, total }: Bucket, index: number, count: number, top: number): Markup {
  if (total === 0) return nothing;
  const slot = width / count;
  let y = height;
  const parts = standings.flatMap((standing) => {
    if (tally[standing] === 0) return [];
    const size = Math.max(least, (tally[standing] / top) * plot);
    y -= size;
    return [drawPart(standing, index * slot + slot * 0.12, y, slot * 0.76, size)];
  });
  return markup`<g><title>${label}: ${tellTally(tally)}</title>${parts}</g>
`;
}

function drawPart(standing: Standing, x: number, y: number, w: number, h: number): Markup {
  return markup`<rect class="part ${standing}" x="${short(x)}" y="${short(Math.max(0, y))}" width="${short(w)}" height="${short(h)}"/>`;
}

function short(value: number): number {
  return Math.round(value * 10) / 10;
}

/** 1, 2, 4, 6, 10, 20, 40, 60, 100 …: all but 1 can be halved. */
function roundUp(value: number): number {
  for (let unit = 1; ; unit *= 10) for (const factor of [1, 2, 4, 6]) if (factor * unit >= value) return factor * unit;
}

/** The sign, the pattern and the number of each: nothing is told by colour alone. */
function renderLegend(tasks: readonly ListedTask[]): Markup {
  const tally = tallyOf(tasks);
  const entries = standings.map(
    (standing) =>
      markup`<span class="${standing}"><svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true"><rect class="part ${standing}" x="1" y="1" width="16" height="12"/></svg><i class="mark" aria-hidden="true">${standingMarks[standing]}</i>${standingWords[standing]} <b>${tally[standing]}</b></span>`,
  );
  return markup`<figcaption>${entries}</figcaption>`;
}

function renderTable(unit: string, buckets: readonly Bucket[]): Markup {
  const rows = buckets
    .filter(({ total }) => total > 0)
    .reverse()
    .map(
      ({ label, tally, total }) =>
        markup`<tr><th scope="row">${label}</th>${standings.map((standing) => markup`<td class="number">${tally[standing]}</td>`)}<td class="number">${total}</td></tr>
`,
    );
  const heads = standings.map((standing) => markup`<th scope="col" class="number">${standingWords[standing]}</th>`);
  return markup`<details class="fold"><summary>The same as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Verdicts by ${unit}"><table class="small">
<thead><tr><th scope="col">${unit}</th>${heads}<th scope="col" class="number">all</th></tr></thead><tbody>
${rows}</tbody></table></div></details>`;
}
