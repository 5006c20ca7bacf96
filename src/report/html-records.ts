import type { CitedRecord, CitedRecords } from '../model/cited-record.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { showTime } from './times.ts';
import { clip, clipMiddle } from './visible.ts';

/** The evidence lines of one page: each is shown once, where it is asked for first, and linked from everywhere else. */
export interface EvidenceLines {
  /** The line itself, or a link to where it stands; its bare id when it is not among the records. */
  take(id: string): Markup;
  link(id: string): Markup;
  /** Those that nobody took. */
  rest(): readonly Markup[];
}

export function toEvidenceLines({ records }: CitedRecords): EvidenceLines {
  const places = new Map(records.map((record, i) => [record.id, i + 1]));
  const taken = new Set<number>();
  const link = (id: string): Markup => {
    const place = places.get(id);
    const code = markup`<code>${clipMiddle(id, 56)}</code>`;
    return place === undefined ? code : markup`<a href="#record-${place}">${code}</a>`;
  };
  const show = (place: number): readonly Markup[] => {
    const record = records[place - 1];
    if (record === undefined || taken.has(place)) return [];
    taken.add(place);
    return [renderRecord(record, place)];
  };
  return {
    link,
    take: (id) => markup`${show(places.get(id) ?? 0)[0] ?? markup`<p class="cited">${link(id)}</p>`}`,
    rest: () => records.flatMap((_, i) => show(i + 1)),
  };
}

/** Where a browser goes to a place inside closed details, it opens them: so the place is inside. */
function renderRecord(record: CitedRecord, place: number): Markup {
  const { id, leaf, file, bytes, time, text, left } = record;
  return markup`<details class="record"><summary><code>${clipMiddle(id, 110)}</code></summary><div id="record-${place}">
<dl>${time === undefined ? nothing : markup`<dt>Time</dt><dd>${showTime(time)}</dd>`}<dt>Record</dt><dd><code>${clip(id, 400)}</code></dd><dt>Leaf hash</dt><dd><code>${clip(leaf, 64)}</code></dd><dt>Sealed in</dt><dd><code>${clip(file, 300)}</code>, ${bytes} bytes</dd></dl>
${
  text === ''
    ? nothing
    : markup`<pre tabindex="0">${text.split('\n').map(
        (line) => markup`${line}
`,
      )}</pre>`
}${left === '' ? nothing : markup`<p class="none">Left out here: ${clip(left, 300)}.</p>`}</div></details>
`;
}

export function renderRecords(lines: EvidenceLines, { records, more }: CitedRecords): Markup {
  const rest = lines.rest();
  const told = [
    records.length === 0
      ? 'The page was made without the evidence: report.json names the records.'
      : 'Records stand under the findings that cite them; here are those of issued credentials, uses and connections.',
    ...(more === 0 ? [] : [`${more} more records are cited than are shown: report.json names them all.`]),
  ];
  return markup`<section id="evidence"><h2>Evidence lines</h2>
<p class="lead">What the sensor and the provider delivered, as it was sealed: secrets were masked before. The leaf hash is SHA-256 over the record and its
envelope, a leaf of the Merkle tree whose root is in the ledger. ${told.join(' ')}</p>
${rest.length === 0 ? nothing : markup`<details class="fold lines"><summary>Show ${rest.length} evidence lines</summary><div class="records">${rest}</div></details>`}</section>`;
}
