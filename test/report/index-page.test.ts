import { describe, expect, it } from 'vitest';
import type { ListedTask } from '../../src/model/listed-task.ts';
import { pageNames } from '../../src/report/index-page.ts';
import { hostileText } from './fixture.ts';
import { breach, fleet, gap, hoursIn, listed, reason, render, unjudged, wait } from './index-tasks.ts';

const first = (...given: Parameters<typeof render>): string => render(...given)[0]?.html ?? '';
/** Text of a page, without its style and marks. */
const textOf = (html: string): string =>
  html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
const section = (html: string, id: string): string =>
  new RegExp(`<section[^>]* id="${id}">.*?</section>`, 's').exec(html)?.[0] ?? '';

const unproven = (id: string, hours: number, ...open: readonly ReturnType<typeof reason>[]): ListedTask =>
  listed(id, hours, { verdict: 'unproven', open });
const violated = (id: string, hours: number): ListedTask => listed(id, hours, { verdict: 'violated', open: [breach] });

describe('the head', () => {
  it('counts each verdict and says what the worst means', () => {
    const page = first([listed('a'), violated('b', 1), unproven('c', 2, gap), unjudged('d', 3)]);
    const text = textOf(page);
    expect(text).toContain('1 of 4 tasks proven');
    expect(text).toContain('The evidence of 1 task shows something that does not agree with what was declared.');
    expect(text).toContain('33 % of those that were judged are proven.');
    expect(page).toContain('<header class="verdict violated">');
    expect(page).toContain('<title>1 of 4 tasks proven</title>');
  });

  it('never looks proven while a task is not', () => {
    const looks = (...tasks: ListedTask[]): string | undefined =>
      /<header class="verdict (\w+)">/.exec(first(tasks))?.[1];
    expect(looks(listed('a'))).toBe('proven');
    expect(looks(listed('a'), unjudged('b'))).toBe('unjudged');
    expect(looks(listed('a'), listed('b', 0, { verdict: 'pending', open: [wait] }))).toBe('pending');
    expect(looks(listed('a'), unproven('b', 0, gap))).toBe('unproven');
    expect(looks()).toBe('unjudged');
    expect(looks(listed('a', 0, { verdict: 'splendid' as 'proven' }))).toBe('unproven');
  });

  it('never rounds a share up', () => {
    const share = (proven: number, all: number): string | undefined => {
      const tasks = Array.from({ length: all }, (_, i) => (i < proven ? listed(`t${i}`) : unproven(`t${i}`, 0, gap)));
      return /([\w ]*\d+ %) of those/.exec(textOf(first(tasks)))?.[1]?.trim();
    };
    expect([share(999, 1000), share(1000, 1000), share(1, 1000), share(0, 10)]).toEqual([
      '99 %',
      '100 %',
      'below 1 %',
      '0 %',
    ]);
  });

  it('is as of the newest time in the evidence', () => {
    const page = first([listed('a', 5), listed('b', 1, { judgedUntil: '2026-03-09T01:02:03.5Z' }), unjudged('c', 9)]);
    expect(textOf(page)).toContain('As of 2026-03-09 01:02:03.500 UTC');
  });

  it('names how the tasks were chosen, on every page', () => {
    const tasks = fleet(700, 100);
    const all = render(tasks, { filters: { state: 'final', verdict: '-', type: '<b>"dns"' }, all: 9000 });
    expect(all).toHaveLength(3);
    expect(textOf(all[0]?.html ?? '')).toContain('700 of 9000 tasks of one store');
    for (const { html } of all) {
      expect(textOf(html)).toContain(
        'tasks of one store, chosen by state: final verdict: not judged yet type: &lt;b&gt;&quot;dns&quot;',
      );
    }
    expect(textOf(first(tasks, { all: 700 }))).toContain('all 700 tasks of one store');
  });
});

it('names its pages before they are drawn', () => {
  for (const count of [0, 1, 100, 101, 500, 501, 1000, 1001])
    expect(pageNames(count)).toEqual(
      render(Array.from({ length: count }, (_, i) => listed(`t${i}`))).map(({ name }) => name),
    );
  expect(pageNames(501)).toEqual(['index.html', 'tasks-1.html', 'tasks-2.html']);
});

describe('verdicts over time', () => {
  const rows = (page: string): string[][] =>
    [...section(page, 'time').matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/g)].map(
      ([, label = '', cells = '']) => [label, ...[...cells.matchAll(/>(\d+)</g)].map(([, count = '']) => count)],
    );

  it('stacks a bar for each day, and tells the same as a table', () => {
    const page = first([
      listed('a', 1),
      violated('b', 2),
      unproven('c', 3, gap),
      listed('d', 24 * 4),
      unjudged('e', 24 * 4),
    ]);
    expect(rows(page)).toEqual([
      ['2026-03-05', '0', '0', '0', '1', '1', '2'],
      ['2026-03-01', '1', '1', '0', '0', '1', '3'],
    ]);
    const bars = [...section(page, 'time').matchAll(/<g><title>(.*?)<\/title>(.*?)<\/g>/g)];
    expect(bars.map(([, title]) => title)).toEqual([
      '2026-03-01: 1 violated, 1 unproven, 1 proven',
      '2026-03-05: 1 not judged yet, 1 proven',
    ]);
    const parts = [
      ...(bars[0]?.[2] ?? '').matchAll(/class="part (\w+)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g),
    ];
    expect(parts.map(([, look]) => look)).toEqual(['violated', 'unproven', 'proven']);
    // from the bottom, each on the one before
    expect(parts.map(([, , y, size]) => [Number(y), Number(size)])).toEqual([
      [137.5, 42.5],
      [95, 42.5],
      [52.5, 42.5],
    ]);
  });

  it.each([
    ['hour', 40, '2026-03-02 15:00'],
    ['day', 24 * 50, '2026-04-19'],
    ['week', 24 * 365, 'week of 2027-02-22'],
    ['month', 24 * 365 * 4, '2030-02'],
  ])('has a bar for each %s over %i hours', (unit, hours, label) => {
    const page = first([listed('a', 0), listed('b', hours - 0.5)]);
    expect(textOf(section(page, 'time'))).toContain(`Each bar is one ${unit} (UTC)`);
    expect(rows(page)[0]?.[0]).toBe(label);
  });

  it('keeps a lone violated task visible among thousands', () => {
    const tasks = [...Array.from({ length: 5000 }, (_, i) => listed(`t${i}`)), violated('bad', 0)];
    expect(section(first(tasks), 'time')).toMatch(/class="part violated" [^>]* height="3"/);
  });

  it('does not stretch over a century for one task with a wrong time', () => {
    const page = first([listed('old', 0, { declared: '1971-01-01T00:00:00Z' }), listed('a', 1), listed('b', 2)]);
    expect(textOf(section(page, 'time'))).toContain('1 earlier task not drawn.');
    expect(rows(page)).toEqual([['2026-03', '0', '0', '0', '0', '2', '2']]);
  });

  it('draws nothing where no task has a time', () => {
    expect(section(first([listed('a', 0, { declared: 'yesterday' })]), 'time')).toContain('there is nothing to draw');
  });
});

describe('what keeps tasks from being proven', () => {
  const attributed = reason('egress-attributed', 'unattributed-address');
  const tasks = [
    unproven('a', 1, gap),
    unproven('b', 2, gap, attributed),
    unproven('c', 3, { ...attributed, findings: 4 }, reason('sensor-continuity', 'sensor-loss')),
    listed('ok', 4),
    unproven('d', 5, gap, gap),
    listed('old', 6, { verdict: 'unproven', open: null }),
  ];

  it('ranks claims and codes by tasks, with how many have no other reason, and the newest as an example', () => {
    const text = textOf(section(first(tasks), 'open'));
    expect(text).toContain('Counted over 4 tasks that were judged and not proven');
    expect(text).toContain(
      'Nothing was lost between the kernel and the record sensor-continuity 4 tasks ' +
        'stream-gap doubt 3 tasks , 2 alone 3 findings newest d ' +
        'sensor-loss doubt 1 task , never alone 1 finding newest c ' +
        'Every address reached is tied to a name egress-attributed 2 tasks ' +
        'unattributed-address doubt 2 tasks , never alone 5 findings newest c',
    );
    expect(text).toContain('Of 1 more task it was not kept why');
  });

  it('draws bars as long as there are tasks', () => {
    const lengths = [...section(first(tasks), 'open').matchAll(/class="fill" width="([\d.]+)"/g)].map(
      ([, length]) => length,
    );
    expect(lengths).toEqual(['750', '250', '500']);
  });

  it('stays bounded whatever a summary names', () => {
    const open = Array.from({ length: 3000 }, (_, i) => reason(`claim-${i % 300}`, `code-${i}`));
    const page = first([unproven('a', 1, ...open)]);
    expect(textOf(section(page, 'open'))).toContain('and 276 more claims');
    expect(page.length).toBeLessThan(250_000);
  });
});

describe('types', () => {
  it('has a row for each, with its share, its last verdict and a strip of its last runs', () => {
    const tasks = [listed('a', 1), violated('b', 2), listed('c', 3, { type: 'other' }), unjudged('d', 4)];
    const rows = section(first(tasks), 'types').split('<tr>').slice(2);
    expect(textOf(rows[0] ?? '')).toContain('dns-validation 3 50 % 1 of 2 1 violated, 1 not judged yet ✗ violated b');
    expect(rows[0]).toContain('aria-label="last 3 runs: 1 violated, 1 not judged yet, 1 proven"');
    expect(
      [...(rows[0] ?? '').matchAll(/class="run (\w+)"[^>]* height="(\d+)"/g)].map(([, look, size]) => [look, size]),
    ).toEqual([
      ['proven', '3'],
      ['violated', '19'],
      ['unjudged', '7'],
    ]);
    expect(textOf(rows[1] ?? '')).toContain('other 1 100 % 1 of 1 none ✓ proven c');
  });

  it('folds the rarest of many', () => {
    const tasks = Array.from({ length: 300 }, (_, i) => listed(`t${i}`, i, { type: `type-${i % 70}` }));
    expect(textOf(section(first(tasks), 'types'))).toContain('and 20 more types with 80 tasks');
  });
});

describe('tasks and pages', () => {
  it('lists few on the first page alone', () => {
    expect(render(fleet(100, 50)).map(({ name }) => name)).toEqual(['index.html']);
  });

  it('links a name to its report, and else to its line', () => {
    const tasks = fleet(1200, 500).map((task, i) =>
      i === 3 || i === 1150
        ? { ...task, verdict: 'violated' as const, open: [breach] }
        : { ...task, verdict: 'proven' as const, open: [] },
    );
    const [index, ...lists] = render(tasks, {
      reportOf: ({ id }) => (id.endsWith('1150') ? 'reports/x%2525y/report.html' : undefined),
    });
    const links = [...section(index?.html ?? '', 'violated').matchAll(/<a href="([^"]*)">/g)].map(([, href]) => href);
    expect(links).toEqual(['reports/x%2525y/report.html', 'tasks-1.html#t4']);
    expect(lists[0]?.html).toContain('<tr id="t4" class="is-violated">');
    expect(lists.map(({ name }) => name)).toEqual(['tasks-1.html', 'tasks-2.html', 'tasks-3.html']);
  });

  it('changes only the last page when a task is added', () => {
    const tasks = fleet(1200, 500);
    const [, ...before] = render(tasks);
    const [, ...after] = render([...tasks, listed('new', 501)]);
    expect(after.map(({ html }, i) => html === before[i]?.html)).toEqual([true, true, false]);
  });

  it('tells what keeps one open, and that an older version kept none of it', () => {
    const page = first([
      unproven('a', 1, { ...gap, findings: 3 }),
      listed('b', 2, { verdict: 'pending', pendingUntil: hoursIn(30), state: 'ended', open: [wait] }),
      listed('c', 3, { verdict: 'unproven', open: null }),
    ]);
    const text = textOf(section(page, 'tasks'));
    expect(text).toContain('? unproven final stream-gap ×3');
    expect(text).toContain('… pending ended, waits until 2026-03-02 06:00 tail-open');
    expect(text).toContain('? unproven final not kept: judged by an older version');
    expect(text).toContain('7 processes 6 connections, 2 uses');
  });

  it('gives the same bytes whatever the order of the tasks, and without a clock', () => {
    const tasks = fleet(700, 500);
    const again = render(tasks.toReversed());
    expect(render(tasks).map(({ html }, i) => html === again[i]?.html)).toEqual([true, true, true]);
    expect(first(tasks).includes(new Date().toISOString().slice(0, 10))).toBe(false);
  });

  it('keeps the pages of 10,000 tasks small', () => {
    const [index, ...lists] = render(fleet(10_000, 24 * 300));
    expect(lists).toHaveLength(20);
    expect(index?.html.length).toBeLessThan(200_000);
    expect(Math.max(...lists.map(({ html }) => html.length))).toBeLessThan(400_000);
  });

  it('keeps them bounded where every text is as long as can be', () => {
    const long = hostileText.repeat(20);
    const tasks = fleet(600, 500).map((task, i) => ({
      ...task,
      id: `${i}${long}`,
      type: `${i % 90}${long}`,
      agent: long,
      open: [reason(long, long)],
      verdict: 'violated' as const,
    }));
    const sizes = render(tasks, { reportOf: () => `reports/${'%25'.repeat(200)}/report.html` }).map(
      ({ html }) => html.length,
    );
    expect(Math.max(...sizes)).toBeLessThan(1_500_000);
  });
});

describe('hostile text', () => {
  const id = `${hostileText}"><img src=x onerror=alert(1)>`;
  const change = (task: ListedTask): ListedTask => ({
    ...task,
    id: id + task.id,
    type: hostileText,
    agent: hostileText,
    declared: task.verdict === 'unproven' ? hostileText : task.declared,
    window: { start: hostileText, end: hostileText },
    pendingUntil: hostileText,
    judgedUntil: hostileText,
    open: [{ claim: hostileText, code: hostileText, kind: hostileText, findings: 1 }],
  });
  const pages = render(fleet(600, 200).map(change), { filters: { type: hostileText }, version: hostileText });

  it.each(pages)('stays text in $name', ({ html }) => {
    const body = html.replace(/<style>[^<]*<\/style>/, '<style></style>');
    const attributes: string[] = [];
    const rest = body
      .replace('<!doctype html>', '')
      .replace(/<\/?(\w+)((?: [\w-]+(?:="[^"<>]*")?)*)\/?>/g, (_, name: string, given: string) => {
        attributes.push(name, ...[...given.matchAll(/ ([\w-]+)(?:="[^"]*")?/g)].map(([, attribute = '']) => attribute));
        return '';
      });
    expect([...new Set(attributes)].filter((name) => /^(script|img|on\w+|style|src)$/.test(name))).toEqual(['style']);
    expect(/[<>]/.exec(rest)).toBeNull();
    expect(body.includes('&lt;script&gt;alert(1)&lt;/script&gt;')).toBe(true);
    expect(body.includes(String.raw`\u{202e}gnp.exe`)).toBe(true);
    const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;
    expect(acting.exec(body)).toBeNull();
    const links = [...body.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(links.filter((href) => !/^(#\w+|index\.html|tasks-\d+\.html(#t\d+)?)$/.test(href))).toEqual([]);
  });

  it.each(pages)('$name allows its own style and nothing else', async ({ html }) => {
    const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? '';
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64');
    const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
    expect(/<meta http-equiv.*/.exec(html)?.[0]).toBe(
      `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    );
    expect(/https?:|@import|url\((?!#)/.exec(html)).toBeNull();
  });
});
