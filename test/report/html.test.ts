import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPageScript } from '../../src/cli/page-script.ts';
import { claimIds } from '../../src/model/claim.ts';
import type { Report } from '../../src/model/report.ts';
import { type HtmlOptions, renderHtml } from '../../src/report/html.ts';
import { bare, contradictory, unexplained } from './unexplained.ts';
import { citedOf, hostile, hostileText, large, pending, proven, unproven, violated } from './fixture.ts';

const sha256Base64 = (text: string): string => createHash('sha256').update(text).digest('base64');
const command = 'tally verify report.sigstore.json --key tally.pub.pem --evidence evidence/';
const script = await readPageScript();
const options: HtmlOptions = { command, signedBy: 'key 3f9a1c', script, sha256Base64, records: citedOf(violated) };
const render = (report: Report): string => renderHtml(report, options);
/** Only the free text is hostile, so that the time line is drawn and findings open. */
const shaped = hostile(violated, (text) =>
  /^(\d{4}-\d\d-.*Z|violated|holds|counterexample)$/.test(text) ? text : hostileText,
);
const reports: [string, Report][] = [
  ...Object.entries({ proven, violated, unproven, pending, large: large(60, 400) }),
  ['hostile in every field', hostile(violated)],
  ['hostile in every free text', shaped],
];

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** The page up to its data, the text of the data, and that of the script, which must be the last things in it. */
function split(html: string): { before: string; data: string; script: string } {
  const end = `<script type="module">${script}</script>\n</body>\n</html>\n`;
  expect(html.endsWith(end)).toBe(true);
  const rest = html.slice(0, -end.length);
  const [before = '', data = ''] = rest.split('<script type="application/json" id="data">');
  return { before, data: data.replace(/<\/script>\n$/, ''), script };
}

/** A strict reader: well-formed tags, quoted attributes, closed in order, and no other angle bracket anywhere. */
function readTags(html: string): Tag[] {
  const tags: Tag[] = [];
  const open: string[] = [];
  const { before, data } = split(html);
  expect(data).not.toMatch(/[<>&]/);
  const body = `${before}</body></html>`.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, '');
  const rest = body.replace(
    /<(\/?)([a-zA-Z0-9]+)((?: [a-zA-Z0-9-]+(?:="[^"<>]*")?)*)(\/?)>/g,
    (_, end, name: string, attributes: string, self) => {
      if (end === '/') expect(open.pop()).toBe(name);
      else {
        if (self !== '/' && name !== 'meta') open.push(name);
        const pairs = [...attributes.matchAll(/ ([a-zA-Z0-9-]+)(?:="([^"]*)")?/g)];
        tags.push({ name, attributes: new Map(pairs.map((pair) => [pair[1] ?? '', pair[2] ?? ''])) });
      }
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  return tags;
}

const knownTags = new Set(
  (
    'html head meta title body main header nav section footer h1 h2 p a b small strong span div ul li dl dt dd code pre ' +
    'details summary table thead tbody tr th td svg defs pattern clipPath g line rect circle path text'
  ).split(' '),
);

describe.each(reports)('the page of a report that is %s', (_, report) => {
  const html = render(report);
  const tags = readTags(html);

  it('holds only tags of ours', () => {
    expect(tags.map((tag) => tag.name).filter((name) => !knownTags.has(name))).toEqual([]);
  });

  it('loads nothing and runs nothing', () => {
    const names = new Set(tags.flatMap((tag) => [...tag.attributes.keys()]));
    expect([...names].filter((name) => /^on|^src|^style$|^xlink|action|data/.test(name))).toEqual([]);
    const links = tags.flatMap((tag) => tag.attributes.get('href') ?? []);
    expect(links.filter((link) => !link.startsWith('#'))).toEqual([]);
    expect(html.replace(script, '')).not.toMatch(/https?:|@import|url\((?!#)/);
  });

  it('holds no control, bidi or zero-width character', () => {
    expect(html).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u,
    );
  });

  it('has a policy that allows its own style and its own script and nothing else', () => {
    const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? '';
    const policy = tags.find((tag) => tag.attributes.get('http-equiv') === 'Content-Security-Policy');
    expect(policy?.attributes.get('content')).toBe(
      [
        `default-src 'none'; style-src 'sha256-${sha256Base64(style)}'; script-src 'sha256-${sha256Base64(split(html).script)}'`,
        `base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
      ].join('; '),
    );
  });

  it('is the same, byte for byte, each time', () => {
    expect(render(structuredClone(report))).toBe(html);
  });

  it('gives each mark of the time line a title', () => {
    const drawing = /<svg class="timeline"[^]*?<\/svg>/.exec(html)?.[0] ?? '';
    const untitled = drawing.match(/<(?:rect|circle|path) class="(?:bar|dot|life|gap)[^>]*>(?!<title>)/g);
    expect(untitled).toBeNull();
  });
});

describe('the script', () => {
  it('has all its parts, no name twice, and none that nothing uses', () => {
    const folder = new URL('../../assets/report/', import.meta.url);
    for (const part of readdirSync(folder).filter((name) => name.endsWith('.js')))
      expect(script, part).toContain(readFileSync(new URL(part, folder), 'utf8'));
    const names = [...script.matchAll(/^(?:function\*?|const) (\w+)/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(50);
    expect(names).toEqual([...new Set(names)]);
    for (const name of names) expect(script.match(new RegExp(`\\b${name}\\b`, 'g'))?.length, name).toBeGreaterThan(1);
  });

  it('can stand in a page: nothing in it ends or hides its element', () => {
    expect(script).not.toMatch(/<\/script|<!--/i);
  });

  it('makes no markup of text, and asks for nothing', () => {
    expect(script).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp|import\b/,
    );
  });
});

describe('renderHtml', () => {
  it('says the verdict, why, who signed and how many claims hold before anything else', () => {
    const start = render(violated).split('<nav')[0] ?? '';
    expect(start).toContain('</span>Violated</h1>');
    expect(start).toContain('where none of its processes ran.');
    expect(start).toContain('12 of 15 hold');
    expect(start).toContain('key 3f9a1c');
    expect(start).toContain('co-tenants-isolated');
  });

  it('says when nobody signed', () => {
    expect(renderHtml(proven, { ...options, signedBy: '' })).toContain('this report bears no signature');
  });

  it('opens the claims that do not hold, and only those', () => {
    const html = render(unproven);
    const opened = claimIds.filter((id) => new RegExp(`id="claim-${id}" open>`).test(html));
    expect(opened).toEqual(['sensor-continuity', 'egress-explained']);
    expect(html).toContain('<code>tetragon/node-1/18239</code>');
  });

  it('never looks clean where nothing is said of why', () => {
    const claimOf = (html: string, id: string): string =>
      new RegExp(`<details class="claim [a-z]+" id="claim-${id}"[^]*?</details>`).exec(html)?.[0] ?? '';
    const open = claimOf(render(bare), 'tree-closed');
    expect(open).toContain('<code>unexplained-result</code>');
    expect(open).not.toContain('nothing in the evidence speaks against it');
    expect(render(bare)).toContain('<p>The report gives no reason.</p>');
    expect(render(unexplained)).toContain(
      'The report gives no reason. All claims hold, yet the verdict is not proven.',
    );
    expect(render(contradictory)).toContain('<b>14 of 15 hold</b>');
    expect(claimOf(render(contradictory), 'egress-declared')).toContain(
      '<span class="result violated">violated</span>',
    );
  });

  it('says how much it left out: entries of the trigger, gaps, sources', () => {
    const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
    const html = render({
      ...unproven,
      task: { ...unproven.task, trigger: Object.fromEntries(many(23, (n) => [`key${n}`, 'x'])) },
      gaps: many(507, () => unproven.gaps).flat(),
      coverage: many(7, () => unproven.coverage).flat(),
    });
    expect(html).toContain('<span>key19: x</span><span>and 3 more</span>');
    expect(html).toContain('; not drawn: 307 more gaps.</p>');
    expect(html).toContain('Not drawn: 2 more sources that watched, in the table of coverage.');
    expect(html).toContain('"left":7}');
    expect(render(unproven)).not.toMatch(/[;>] ?[Nn]ot drawn: /);
  });

  it('tells until when to wait', () => {
    expect(render(pending)).toContain('Wait until <strong>2026-03-01 12:00:00 UTC</strong>');
  });

  it('shows an evidence line under the finding that cites it, once, with its leaf, and links it from elsewhere', () => {
    const html = render(violated);
    const finding = /<div class="finding breach">[^]*?undeclared-endpoint[^]*?<\/details>/.exec(html)?.[0] ?? '';
    expect(finding).toContain('<code>tetragon/node-1/18207</code>');
    expect(finding).toContain(`<dt>Leaf hash</dt><dd><code>${'0'.repeat(64)}</code>`);
    expect(finding).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html.match(/id="record-1"/g)).toHaveLength(1);
  });

  it('says so where the records are not at hand', () => {
    expect(renderHtml(violated, { command, signedBy: '', script, sha256Base64 })).toContain(
      'report.json names the records',
    );
  });

  it('prints the exact command', () => {
    expect(render(proven)).toContain(`<pre><code>${command}</code></pre>`);
  });

  it('never shows a verdict or result that it does not know as a proof', () => {
    const html = render(hostile(proven));
    expect(html).toContain('<header class="verdict unproven">');
    expect(html).toContain('0 of 15 hold');
  });

  it('joins matched pairs and marks what stands alone by shape', () => {
    const html = render(violated);
    expect(html.match(/<path class="join"/g)).toHaveLength(2);
    expect(html).toMatch(/<rect class="bar breach"[^>]*><title>tcp collector\.evil\.example:443/);
    expect(html).toMatch(/<path class="cross" d="[^"]*"\/>/);
    expect(html).toMatch(/<path class="dot breach"[^>]*><title>route53:ListHostedZones/);
  });

  it('shades gaps on the half whose records are missing', () => {
    expect(render(unproven)).toMatch(/<rect class="gap"[^>]*><title>Gap in tetragon\/node-1, 2026-03-01 10:00:15/);
  });

  it('stays small for a large report, whatever its marks', () => {
    expect(render(large(500, 3000)).length).toBeLessThan(2_000_000);
    expect(render(large(5000, 50_000)).length).toBeLessThan(2_000_000);
  });

  it('says so when nothing of the task was seen', () => {
    const html = render({
      ...unproven,
      window: {},
      processes: [],
      connections: [],
      uses: [],
      egress: [],
      sessions: [],
    });
    expect(html).toContain('nothing of the task was seen');
    expect(html).toContain('there is nothing to draw');
  });
});
