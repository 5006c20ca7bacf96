import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListedTask } from '../../src/model/listed-task.ts';
import type { IndexOptions } from '../../src/report/index-page.ts';
import { hostileText } from '../report/fixture.ts';
import { fleet, render } from '../report/index-tasks.ts';
import { type Opened, openBrowser, openFile, type OpenOptions } from './browser.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await openBrowser();
  folder = mkdtempSync(join(tmpdir(), 'tally-index-'));
  site('small', fleet(420, 30 * 24), { reportOf: (task) => (hasReport(task) ? reportOf(task) : undefined) });
  site('large', fleet(10_000, 24 * 300));
  const hostile = fleet(600, 300).map((task) => ({
    ...task,
    id: `${hostileText}\u{1f469}\u200d\u{1f680}${task.id}${'long'.repeat(2500)}`,
    type: `${hostileText}${task.type}${'x'.repeat(10_000)}`,
    agent: hostileText.repeat(10),
    open: [{ claim: hostileText, code: 'y'.repeat(5000), kind: hostileText, findings: 1e15 }],
  }));
  site('hostile', hostile, { filters: { type: hostileText.repeat(10) } });
  site('empty', []);
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Odd ones, as the store keeps some reports and others not. */
const hasReport = ({ id }: ListedTask): boolean => Number(id.slice(-1)) % 2 === 1;
const reportOf = ({ id }: ListedTask): string => `reports/${encodeURIComponent(`${id}%40x`)}/report.html`;

function site(name: string, tasks: readonly ListedTask[], options: Partial<IndexOptions> = {}): void {
  mkdirSync(join(folder, name));
  for (const file of render(tasks, options)) writeFileSync(join(folder, name, file.name), file.html);
  if (options.reportOf === undefined) return;
  for (const task of tasks.filter(hasReport)) {
    const path = join(folder, name, decodeURIComponent(reportOf(task)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '<!doctype html><title>report</title>');
  }
}

const open = async (file: string, options?: OpenOptions): Promise<Opened> =>
  openFile(browser, pathToFileURL(join(folder, file)).href, options);
const overflow = async (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const pages = [
  'small/index.html',
  'small/tasks-1.html',
  'large/index.html',
  'large/tasks-20.html',
  'hostile/index.html',
  'hostile/tasks-2.html',
  'empty/index.html',
];

describe.each(pages)('%s', (file) => {
  it.each([
    ['wide', { width: 1280 }],
    ['narrow', { width: 390, height: 844 }],
    ['dark', { dark: true }],
    ['without JavaScript', { javaScript: false }],
  ])('opens %s: no error, no request, nothing beside the page', async (_, options) => {
    const { page, errors, requests } = await open(file, options);
    expect([errors, requests]).toEqual([[], []]);
    expect(await overflow(page)).toBe(0);
    expect(await page.locator('h1').isVisible()).toBe(true);
    await page.context().close();
  });
});

// pages of many lines are like those of few
const kinds = ['small/index.html', 'small/tasks-1.html', 'hostile/index.html', 'empty/index.html'];

it.each(kinds.flatMap((file) => [false, true].map((dark) => ({ file, dark }))))(
  'axe has no serious finding in $file (dark: $dark)',
  async ({ file, dark }) => {
    const { page } = await open(file, { dark });
    const { violations } = await runAxe(page);
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
    await page.context().close();
  },
);

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly impact: string; readonly nodes: readonly string[] }[];
  readonly passes: number;
}

/** Through the debugger, not a script element: the page's policy stays in force. */
async function runAxe(page: Page): Promise<AxeResult> {
  await page.evaluate(readFileSync(axe, 'utf8'));
  const result = await page.evaluate<AxeResult>(
    `axe.run().then(({ violations, passes }) => ({
       violations: violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html }) => html) })),
       passes: passes.length,
     }))`,
  );
  expect(result.passes).toBeGreaterThan(10);
  return result;
}

describe('links', () => {
  it.each(['small', 'large'])('of every page of %s lead to a file that is there, and to a line in it', async (name) => {
    const todo = ['index.html'];
    const seen = new Set<string>();
    let followed = 0;
    const { page } = await open(`${name}/index.html`);
    for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      await page.goto(pathToFileURL(join(folder, name, file)).href);
      const hrefs = await page.evaluate<string[]>(`[...document.links].map(({ href }) => href)`);
      const ids = new Set(await page.evaluate<string[]>(`[...document.querySelectorAll('[id]')].map(({ id }) => id)`));
      for (const href of hrefs) {
        const url = new URL(href);
        const path = fileURLToPath(url.href.split('#')[0] ?? '');
        expect(existsSync(path), path).toBe(true);
        followed += 1;
        if (path.endsWith(join(name, file)) && url.hash !== '') expect(ids.has(url.hash.slice(1)), href).toBe(true);
        if (/\/(index|tasks-\d+)\.html$/.test(path)) todo.push(path.slice(join(folder, name).length + 1));
      }
    }
    expect(seen.size).toBe(name === 'small' ? 2 : 21);
    expect(followed).toBeGreaterThan(100);
    await page.context().close();
  });

  it('to a line on another page stand on it', async () => {
    const { page } = await open('large/index.html');
    const href = await page.locator('#violated a[href^="tasks-"]').first().getAttribute('href');
    const name = await page.locator('#violated a[href^="tasks-"]').first().textContent();
    await page.goto(
      pathToFileURL(join(folder, 'large', (href ?? '').split('#')[0] ?? '')).href +
        `#${(href ?? '').split('#')[1] ?? ''}`,
    );
    expect(await page.locator('tr:target .name').textContent()).toContain(name);
    await page.context().close();
  });
});

describe('the list of tasks', () => {
  it('is narrowed by keyboard, without JavaScript', async () => {
    const { page } = await open('small/index.html', { javaScript: false });
    const rows = page.locator('#tasks tbody tr');
    expect(await rows.count()).toBe(100);
    await page.locator('#show-all').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#show-violated').isChecked()).toBe(true);
    const shown = await rows.filter({ visible: true }).allInnerTexts();
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((text) => !text.includes('✗ violated'))).toEqual([]);
    expect(await page.locator('#types tbody tr').filter({ visible: true }).count()).toBe(5);
    await page.context().close();
  });
});

describe('the first screen', () => {
  it.each([
    [1280, 900],
    [390, 844],
  ])('tells the counts at %i pixels', async (width, height) => {
    const { page } = await open('small/index.html', { width, height });
    for (const place of ['h1', '.why', '.counts .violated dd', '.counts .proven dd']) {
      const box = await page.locator(place).first().boundingBox();
      expect((box?.y ?? Infinity) + (box?.height ?? 0), place).toBeLessThan(height);
    }
    await page.context().close();
  });
});

it('prints all rows on paper without a scroll bar', async () => {
  const { page } = await open('small/index.html');
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 718, height: 1000 });
  expect(await page.evaluate('document.body.scrollWidth')).toBeLessThanOrEqual(718);
  expect(await page.locator('.filter').isVisible()).toBe(false);
  await page.context().close();
});
