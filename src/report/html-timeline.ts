import { markup, nothing, type Markup } from './markup.ts';
import { countTimeline, drawTimeline, hatch } from './timeline-svg.ts';
import { foldTimeline, type Timeline } from './timeline.ts';
import { plural } from './words.ts';

/** `timeline` is undefined when nothing has a time. Without a script the drawing is folded to what a page can show. */
export function renderTimeline(timeline: Timeline | undefined): Markup {
  const heading = markup`<h2>The two halves on one time line</h2>
<p class="lead">Above, what the kernel saw the task’s processes do; below, on the same clock, what the provider logged for its credentials. A line
joins a use with the connection it was made over. What stands alone stands out.</p>`;
  if (timeline === undefined)
    return markup`<section id="timeline">${heading}<p class="none">Nothing of the task has a time, so there is nothing to draw.</p></section>`;
  const { drawing, left } = drawTimeline(foldTimeline(timeline));
  const { coverageLeft } = timeline;
  return markup`<section id="timeline">${heading}${hatch}
<div class="live" id="live" hidden></div>
<div class="still"><div class="scroll">${drawing}</div><p class="none">Drawn: ${countTimeline(timeline, left)}.</p></div>
${coverageLeft === 0 ? nothing : markup`<p class="none">Not drawn: ${plural(coverageLeft, 'more source')} that watched, in the table of coverage.</p>`}
<p class="legend">${legend.map(({ sample, text }) => markup`<span><svg width="26" height="14" viewBox="0 0 26 14" aria-hidden="true">${sample}</svg>${text}</span>`)}</p>
<p class="none keys">Zoom: drag over a stretch of time, or hold Ctrl and turn the wheel. Keys in the time line: + − 0 zoom, ← → move, ↑ ↓ next line, n p next and previous finding, t the task’s own time.</p>
</section>`;
}

const legend: readonly { readonly sample: Markup; readonly text: string }[] = [
  {
    sample: markup`<rect class="bar matched" x="1" y="2" width="24" height="10" rx="2"/>`,
    text: 'connection with its use',
  },
  {
    sample: markup`<rect class="bar quiet" x="1" y="4" width="24" height="6" rx="2"/>`,
    text: 'connection that needs none',
  },
  {
    sample: markup`<rect class="bar doubt" x="1.5" y="2" width="23" height="10" rx="2"/>`,
    text: 'connection in doubt',
  },
  {
    sample: markup`<path class="cross" d="M2 4l6 6m0-6l-6 6"/><rect class="bar breach" x="11" y="2" width="14" height="10" rx="2"/>`,
    text: 'connection in a breach',
  },
  { sample: markup`<circle class="dot matched" cx="13" cy="7" r="4.5"/>`, text: 'use with its connection' },
  { sample: markup`<circle class="dot matched open" cx="13" cy="7" r="4.5"/>`, text: 'denied or failed use' },
  { sample: markup`<path class="dot doubt" d="M13 0l7 7l-7 7l-7-7z"/>`, text: 'use in doubt' },
  { sample: markup`<path class="dot breach" d="M13 0l7 7l-7 7l-7-7z"/>`, text: 'use in a breach' },
  { sample: markup`<rect class="gap sample" x="1" y="1" width="24" height="12"/>`, text: 'gap in the records' },
  { sample: markup`<rect class="cover" x="1" y="4" width="24" height="7" rx="2"/>`, text: 'source that watched' },
  { sample: markup`<line class="window" x1="13" y1="0" x2="13" y2="14"/>`, text: 'edge of the task’s window' },
];
