import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameOf } from '../evidence/file-name.ts';
import { summaryFolder } from '../judge/task-summary.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { inOrder } from '../report/index-page-counts.ts';
import { type IndexOptions, renderIndex } from '../report/index-page.ts';
import { openSite, type SiteFolder } from './site-folder.ts';
import { version } from './version.ts';

export interface SiteInput extends Pick<IndexOptions, 'filters' | 'all'> {
  readonly folder: string;
  readonly store: string;
  readonly tasks: readonly ListedTask[];
  /** Copies the reports of so many tasks at most, the newest. */
  readonly reports: number;
  readonly step: (what: string) => void;
}

export interface WrittenSite {
  readonly pages: number;
  readonly reports: number;
}

/** Writes the overview of tasks, with their reports beside it, so that the folder can be published as it is. */
export async function writeSite({ folder, store, tasks, reports, step, ...about }: SiteInput): Promise<WrittenSite> {
  const site = await openSite(folder, store);
  step('copying reports');
  const copied = new Map<string, string>();
  for (const task of inOrder(tasks).reverse()) {
    if (copied.size >= reports) break;
    if (await copyReport(site, store, task)) copied.set(task.id, hrefOf(task.id));
  }
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

/** A name that is percent-encoded itself is encoded once more in an address. */
function hrefOf(task: string): string {
  return `reports/${encodeURIComponent(fileNameOf(task))}/report.html`;
}

/**
 * The page, and what its reader checks it by: the bundle and the manifest. One that says another verdict than the summary is left out: the
 * newer report was written elsewhere, and what is linked must not contradict the overview.
 */
async function copyReport(site: SiteFolder, store: string, { id, verdict }: ListedTask): Promise<boolean> {
  const folder = summaryFolder(store, id);
  if (verdict === null || (await readVerdict(join(folder, 'report.json'))) !== verdict) return false;
  const name = `reports/${fileNameOf(id)}`;
  if (!(await site.copy(join(folder, 'report.html'), `${name}/report.html`))) return false;
  for (const beside of ['report.sigstore.json', 'manifest.json'])
    await site.copy(join(folder, beside), `${name}/${beside}`);
  return true;
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
