import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readPageScript } from '../../src/cli/page-script.ts';
import type { Report } from '../../src/model/report.ts';
import { renderHtml } from '../../src/report/html.ts';
import { citedOf, hostile, hostileText, large, pending, proven, unproven, violated } from '../report/fixture.ts';
import { openBrowser, openFile, type Opened, type OpenOptions } from './browser.ts';

const script = await readPageScript();
const times = /^(\d{4}-\d\d-\d\d.*Z|violated|holds|counterexample|doubt)$/;
const emoji = '👩‍🚀🏴‍☠️é́́́́';
/** So long that no page can show it whole. */
const long = `${hostileText}${emoji}${'A'.repeat(10_000)}`;
const reports = {
  proven,
  violated,
  unproven,
  pending,
  hostile: hostile(violated),
  shaped: hostile(violated, (text) => (times.test(text) ? text : hostileText)),
  long: hostile(violated, (text) => (times.test(text) ? text : `${text} ${long}`)),
  big: large(500, 20_000),
  crowd: withBreach(large(500, 20_000)),
} as const;
type Name = keyof typeof reports;

let browser: Browser;
let folder: string;
const opened: Opened[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  folder = mkdtempSync(join(tmpdir(), 'tally-pages-'));
  for (const [name, report] of Object.entries(reports)) writeFileSync(fileOf(name), render(report));
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});
/** Whatever was done with a page: it asked for nothing and complained of nothing. */
afterEach(async () => {
  for (const { page, errors, requests } of opened.splice(0)) {
    await page.context().close();
    expect(errors).toEqual([]);
    expect(requests).toEqual([]);
  }
});

function fileOf(name: string): string {
  return join(folder, `${name}.html`);
}

function render(report: Report): string {
  return renderHtml(report, {
    command: 'tally verify report.sigstore.json --key tally.pub.pem --evidence evidence',
    signedBy: 'SHA256:AbCdEfGh0123456789AbCdEfGh0123456789AbCdEfG',
    records: citedOf(report),
    script,
    sha256Base64: (text) => createHash('sha256').update(text).digest('base64'),
  });
}

async function open(name: Name, options: OpenOptions = {}): Promise<Page> {
  const made = await openFile(browser, pathToFileURL(fileOf(name)).href, options);
  opened.push(made);
  return made.page;
}

/** A breach among thousands of connections, in a process that is folded away. */
function withBreach(report: Report): Report {
  const connection = report.connections[12_345];
  const claims = report.claims.map((claim) =>
    claim.id === 'egress-declared'
      ? {
          ...claim,
          result: 'violated' as const,
          findings: [
            {
              code: 'undeclared-endpoint',
              kind: 'counterexample' as const,
              subject: connection?.endpoint ?? '',
              detail: 'The declaration does not name it.',
              evidence: [connection?.id ?? ''],
            },
          ],
        }
      : claim,
  );
  return { ...report, verdict: 'violated', claims };
}

async function count(page: Page, selector: string): Promise<number> {
  return page.locator(selector).count();
}

/** Asked from outside: the policy of the page lets nothing in it evaluate text. */
async function becomesTrue(page: Page, expression: string): Promise<void> {
  await expect.poll(() => page.evaluate(expression), { timeout: 60_000 }).toBe(true);
}

const every = Object.keys(reports) as Name[];
const sizes = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];

describe.each(every)('the page of a report that is %s', (name) => {
  it.each(sizes)('is not wider than a screen of $width pixels', async (size) => {
    const page = await open(name, size);
    expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBe(size.width);
  });

  it('is made of our own elements, and no text became one', async () => {
    const page = await open(name);
    expect(await count(page, 'img, iframe, object, embed, link, form, a[href^="javascript:"]')).toBe(0);
    // its data and its script; where nothing has a time there is no data
    expect(await count(page, 'script')).toBe(name === 'hostile' ? 1 : 2);
    expect(await page.evaluate(`[...document.querySelectorAll('a')].filter((a) => a.host !== '').length`)).toBe(0);
  });
});

describe('the first screen', () => {
  it.each(sizes)('says verdict, why, window, signer and assumptions at $width pixels', async (size) => {
    const page = await open('violated', size);
    for (const words of ['Violated', 'where none of its processes ran.', '42 s', 'SHA256:AbCdEfGh', '2 accepted']) {
      const box = await page.getByText(words).first().boundingBox();
      expect(box, words).not.toBeNull();
      expect((box?.y ?? Infinity) + (box?.height ?? 0), words).toBeLessThanOrEqual(size.height);
    }
  });
});

describe('hostile text', () => {
  it.each(['hostile', 'shaped', 'long'] as const)('runs nothing and is seen as text (%s)', async (name) => {
    const page = await open(name);
    page.on('dialog', () => expect.unreachable('a script of the report ran'));
    const text = await page.evaluate<string>(`document.body.innerText`);
    expect(text).toContain('<script>alert(1)</script>');
    expect(text).toContain('\\u{202e}gnp.exe');
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
    if (name === 'long') expect(text).toContain('more characters)');
  });

  it('is text in what the script makes, too', async () => {
    const page = await open('shaped');
    await page.getByRole('button', { name: 'Next finding' }).click();
    await page.locator('.stage .label.row').first().click();
    const said = await page.locator('.live').innerText();
    expect(said).toContain('<script>alert(1)</script>');
    expect(said).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
    expect(await count(page, '.live img, .live script')).toBe(0);
  });
});

describe('without JavaScript', () => {
  it('shows verdict, claims, findings, evidence lines and the time line', async () => {
    const page = await open('violated', { javaScript: false });
    await expect(page.locator('h1').innerText()).resolves.toContain('Violated');
    expect(await page.locator('.claim').count()).toBe(15);
    expect(await page.locator('#claim-egress-declared .finding').isVisible()).toBe(true);
    expect(await page.locator('.still svg.timeline').isVisible()).toBe(true);
    expect(await count(page, '.still path.join')).toBe(2);
    expect(await page.locator('.live, .keys').first().isVisible()).toBe(false);
    const record = page.locator('#claim-egress-declared .record').first();
    expect(await record.locator('pre').isVisible()).toBe(false);
    await record.locator('summary').click();
    expect(await record.locator('pre').isVisible()).toBe(true);
    expect(await record.innerText()).toMatch(/Leaf hash\s+[0-9]{64}/);
  });

  it('says how much of a large task is not drawn and where it is', async () => {
    const page = await open('big', { javaScript: false });
    const text = (await page.locator('main').textContent()) ?? '';
    expect(text).toMatch(/\d+ more processes/);
    expect(text).toContain('Show the first 150 of 6667 rows; all are in report.json');
    expect(await count(page, '#uses tbody tr')).toBe(150);
  });
});

describe('the time line', () => {
  it('draws both halves, joins matched pairs and shows what stands alone', async () => {
    const page = await open('violated');
    expect(await count(page, '.kernel .bar.matched')).toBe(2);
    expect(await count(page, '.kernel .bar.breach')).toBe(1);
    expect(await count(page, '.provider path.dot.breach')).toBe(1);
    expect(await count(page, '.overlay .join')).toBe(2);
    expect(await page.locator('.still').isVisible()).toBe(false);
    expect(await count(page, '.covered .cover')).toBe(2);
  });

  it('shades gaps on the half that lacks records', async () => {
    const page = await open('unproven');
    expect(await count(page, '.kernel rect.gap')).toBe(1);
    expect(await count(page, '.provider rect.gap')).toBe(0);
  });

  it('filters by text: process, endpoint, session, action', async () => {
    const page = await open('violated');
    const filter = page.getByLabel('Filter', { exact: true });
    for (const [words, shown] of [
      ['evil', '1 of 7 connections, 0 of 4 uses'],
      ['GREP', '1 of 7 connections, 0 of 4 uses'],
      ['zz01', '0 of 7 connections, 1 of 4 uses'],
      ['GetHostedZone', '0 of 7 connections, 1 of 4 uses'],
      ['no such thing', '0 of 7 connections, 0 of 4 uses'],
    ] as const) {
      await filter.fill(words);
      await page.getByText(shown).waitFor();
    }
    await filter.fill('');
    await page.getByText('all 7 connections and 4 uses').waitFor();
  });

  it('shows only what stands out', async () => {
    const page = await open('violated');
    await page.getByLabel('Only what stands out (3)').check();
    await page.getByText('1 of 7 connections, 2 of 4 uses').waitFor();
    await becomesTrue(page, `document.querySelectorAll('.kernel .bar').length === 1`);
    expect(await page.locator('.kernel .line').allInnerTexts()).toEqual([
      expect.stringContaining('ironclaw 4701'),
      expect.stringContaining('bash 4702'),
      expect.stringContaining('grep 4706'),
      expect.stringContaining('collector.evil.example:443'),
    ]);
  });

  it('zooms by button, by wheel and by dragging, and comes back', async () => {
    const page = await open('violated');
    const labels = async (): Promise<string> => (await page.locator('.axis text.tick').allTextContents()).join(' ');
    const changed = (before: string): Promise<void> =>
      becomesTrue(
        page,
        `[...document.querySelectorAll('.axis text.tick')].map((text) => text.textContent).join(' ') !== ${JSON.stringify(before)}`,
      );
    const whole = await labels();
    await page.getByRole('button', { name: '+', exact: true }).click();
    await changed(whole);
    const nearer = await labels();
    await page.getByRole('button', { name: 'All' }).click();
    await changed(nearer);
    expect(await labels()).toBe(whole);
    const box = await page.locator('.axis').boundingBox();
    const y = (box?.y ?? 0) + 10;
    await page.mouse.move(500, y);
    await page.mouse.down();
    await page.mouse.move(700, y);
    await page.mouse.up();
    await changed(whole);
    const dragged = await labels();
    expect(dragged).not.toBe(whole);
    await page.mouse.move(700, y + 80);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -200);
    await page.keyboard.up('Control');
    await changed(dragged);
  });

  it('is used by keyboard alone: from line to line, zoom, from finding to finding, to the evidence line', async () => {
    const page = await open('violated');
    await page.getByLabel('Filter', { exact: true }).focus();
    const inStage = (): Promise<boolean> => page.evaluate(`document.activeElement?.closest('.line') !== null`);
    for (let i = 0; i < 15 && !(await inStage()); i += 1) await page.keyboard.press('Tab');
    const focused = (): Promise<string> => page.evaluate(`document.activeElement?.textContent ?? ''`);
    expect(await focused()).toContain('ironclaw 4701');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toContain('bash 4702');
    const before = await page.locator('.kernel .line').count();
    await page.keyboard.press('Enter');
    await becomesTrue(page, `document.querySelectorAll('.kernel .line').length < ${String(before)}`);
    expect(await focused()).toContain('bash 4702');
    expect(await page.locator('.kernel .label:focus').getAttribute('aria-expanded')).toBe('false');
    const axis = await page.locator('.axis').textContent();
    await page.keyboard.press('+');
    await becomesTrue(page, `document.querySelector('.axis')?.textContent !== ${JSON.stringify(axis)}`);
    await page.keyboard.press('n');
    await page.locator('.detail h3', { hasText: 'collector.evil.example:443' }).waitFor();
    await becomesTrue(page, `document.querySelector('.kernel .bar.picked') !== null`);
    const link = page.locator('.detail a');
    expect(await link.innerText()).toBe('tetragon/node-1/18207');
    await link.focus();
    await page.keyboard.press('Enter');
    const text = page.locator('#claim-egress-declared .record pre');
    await text.waitFor({ state: 'visible' });
    expect(await text.innerText()).toContain('"arguments"');
  });

  it('goes from a use to its connection', async () => {
    const page = await open('violated');
    await page.locator('.provider .label.row', { hasText: 'ListResourceRecordSets' }).click();
    await page.getByRole('button', { name: 'show its connection' }).click();
    await page.locator('.detail h3', { hasText: 'route53.amazonaws.com:443' }).waitFor();
    await becomesTrue(page, `document.querySelector('.overlay .join.picked') !== null`);
  });
});

describe('a task of 500 processes, 20,000 connections and 6,667 uses', () => {
  it('is a file and a document of bounded size', async () => {
    expect(statSync(fileOf('big')).size).toBeLessThan(2_000_000);
    const page = await open('big');
    await page.getByText('all 20,000 connections and 6,667 uses').waitFor();
    await becomesTrue(page, `document.querySelectorAll('.kernel .line').length > 0`);
    expect(await count(page, '*')).toBeLessThan(20_000);
    expect(await count(page, '.live *')).toBeLessThan(6000);
    const milliseconds = await page.evaluate<number>(
      `Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)`,
    );
    process.stdout.write(`  big page: loaded and drawn in ${String(milliseconds)} ms\n`);
  });

  it('draws only the lines that are seen, however many are unfolded', async () => {
    const page = await open('big');
    await page.getByRole('button', { name: 'Unfold' }).click();
    await becomesTrue(page, `document.querySelector('.kernel .space').getBoundingClientRect().height > 100000`);
    expect(await count(page, '.kernel .line')).toBeLessThan(60);
    const longest = await page.evaluate<{ tasks: number; longest: number }>(`(async () => {
      const long = [];
      const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
      observer.observe({ type: 'longtask' });
      for (let i = 0; i < 60; i += 1) {
        document.querySelector('.kernel .pane').scrollBy(0, 300);
        await new Promise((done) => requestAnimationFrame(done));
      }
      await new Promise((done) => setTimeout(done, 100));
      return { tasks: long.length, longest: Math.round(Math.max(0, ...long)) };
    })()`);
    process.stdout.write(
      `  big page: ${String(longest.tasks)} long tasks while scrolling, the longest ${String(longest.longest)} ms\n`,
    );
    expect(await count(page, '.kernel .line')).toBeLessThan(60);
    const top = await page.evaluate(`document.querySelector('.kernel .pane')?.scrollTop`);
    expect(top).toBe(18_000);
  });

  it('opens what stands out, wherever it is', async () => {
    const page = await open('crowd');
    await page.getByRole('button', { name: 'Next finding' }).click();
    await becomesTrue(page, `document.querySelector('.kernel .bar.breach.picked') !== null`);
    expect(await page.locator('.detail').innerText()).toContain('tetragon/node-1/30545');
  });
});

describe('on paper', () => {
  it('shows the whole drawing instead of the tools, and all claims open', async () => {
    const page = await open('proven');
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.still svg.timeline').isVisible()).toBe(true);
    expect(await page.locator('.tools').isVisible()).toBe(false);
    const noted = `document.querySelector('#claim-context-bound .finding')`;
    expect(await page.evaluate(`${noted}.checkVisibility()`)).toBe(true);
    expect(await page.evaluate(`${noted}.getBoundingClientRect().height`)).toBeGreaterThan(20);
  });
});

describe.each([false, true])('for a screen reader, dark: %s', (dark) => {
  it.each(['proven', 'violated', 'unproven', 'pending', 'crowd'] as const)(
    '%s has no serious finding',
    async (name) => {
      const page = await open(name, { dark });
      if (name === 'violated') {
        await page.getByRole('button', { name: 'Next finding' }).click();
        await page.locator('#claim-egress-declared .record summary').first().click();
      }
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<{ violations: AxeViolation[] }>('axe.run()');
      const serious = violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map(({ html }) => html.slice(0, 200))
              .slice(0, 3)
              .join(' | ')}`,
        );
      expect(serious).toEqual([]);
    },
  );
});

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}
