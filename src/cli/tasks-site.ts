import { createHash } from 'node:crypto';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf } from '../evidence/file-name.ts';
import { summaryFolder } from '../judge/task-summary.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { inOrder } from '../report/index-page-counts.ts';
import { type IndexOptions, pageNames, renderIndex } from '../report/index-page.ts';
import { openSite, type SiteFolder } from './site-folder.ts';
import { version } from './version.ts';

export interface SiteInput extends Pick<IndexOptions, 'filters' | 'all'> {
  readonly folder: string;
  readonly store: string;
  readonly tasks: readonly ListedTask[];
  /** Copies the reports of so many tasks at most: of violated ones first, then of the newest. */
  readonly reports: number;
  readonly step: (what: string) => void;
}

export interface WrittenSite {
  readonly pages: number;
  readonly reports: number;
}

/** Writes the overview of tasks, with their reports beside it, so that the folder can be published as it is. */
export async function writeSite({ folder, store, tasks, reports, step, ...about }: SiteInput): Promise<WrittenSite> {
  step('choosing reports');
  const chosen = await chooseReports(store, tasks, reports);
  const names = chosen.flatMap(({ id }) => reportFiles.map((file) => nameOf(id, file)));
  const site = await openSite(folder, store, [...pageNames(tasks.length), ...names]);
  step('copying reports');
  const copied = new Map<string, string>();
  for (const { id } of chosen) if (await copyReport(site, store, id)) copied.set(id, hrefOf(id));
  step('writing pages');
  const pages = renderIndex(tasks, {
    ...about,
    reportOf: ({ id }) => copied.get(id),
    version,
    sha256Base64: (text) => createHash('sha256').update(text).digest('base64'),
  });
  for (const { name, html } of pages) await site.write(name, html);
  await site.finish();
  return { pages: pages.length, reports: copied.size };
}

/** The page, and what its reader checks it by: the bundle and the manifest. */
const reportFiles = ['report.html', 'report.sigstore.json', 'manifest.json'] as const;

function nameOf(task: string, file: (typeof reportFiles)[number]): string {
  return `reports/${fileNameOf(task)}/${file}`;
}

/** Those of violated tasks first: however many tasks come after one, they can't push its report out. Then the newest. */
async function chooseReports(store: string, tasks: readonly ListedTask[], most: number): Promise<ListedTask[]> {
  const newest = inOrder(tasks).reverse();
  const isViolated = ({ verdict }: ListedTask): boolean => verdict === 'violated';
  const chosen: ListedTask[] = [];
  for (const task of [...newest.filter(isViolated), ...newest.filter((task) => !isViolated(task))]) {
    if (chosen.length >= most) break;
    if (await hasReport(store, task)) chosen.push(task);
  }
  return chosen;
}

/**
 * One that says another verdict than the summary is left out: the newer report was written elsewhere, and what is linked must not
 * contradict the overview.
 */
async function hasReport(store: string, { id, verdict }: ListedTask): Promise<boolean> {
  const folder = summaryFolder(store, id);
  if (verdict === null || (await readVerdict(join(folder, 'report.json'))) !== verdict) return false;
  const page = await lstat(join(folder, 'report.html')).catch(() => undefined);
  return page?.isFile() === true;
}

async function copyReport(site: SiteFolder, store: string, task: string): Promise<boolean> {
  const [page, ...beside] = reportFiles;
  const folder = summaryFolder(store, task);
  if (!(await site.copy(join(folder, page), nameOf(task, page)))) return false;
  for (const file of beside) await site.copy(join(folder, file), nameOf(task, file));
  return true;
}

/** A name that is percent-encoded itself is encoded once more in an address. */
function hrefOf(task: string): string {
  return `reports/${encodeURIComponent(fileNameOf(task))}/report.html`;
}

/** From the start of the file alone: a report may be big, and the order of its keys is fixed (schema, verdict). */
async function readVerdict(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(400), 0, 400, 0);
    return /^\{[^{}]{0,200}?"verdict":\s*"(\w+)"/.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
  } finally {
    await file.close();
  }
}
