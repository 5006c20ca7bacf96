import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { summaryFolder } from '../../src/judge/task-summary.ts';
import { openWorkshop, runTally } from '../cases/shared-case.ts';
import { declare, openTestStore, putCase, readCase, received, type TestStore } from '../judge/stored-case.ts';
import { workFolder } from './command-line.ts';

const name = 'c01-benign';
const files = readCase(name);

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let store: TestStore;
let site: string;

/** Judges as the collector does: the report is kept beside the store. */
async function judge(task: string, out = summaryFolder(store.path, task)): Promise<number> {
  const ran = await runTally([
    ...['report', task, '--store', store.path, '--out', out, '--key', workshop.key],
    ...['--no-seal', '--quiet'],
  ]);
  return ran.exitCode;
}

const write = async (...flags: string[]): ReturnType<typeof runTally> =>
  runTally(['tasks', '--store', store.path, '--html', site, ...flags]);
const read = (name: string): string => readFileSync(join(site, name), 'utf8');
const links = (page: string): string[] =>
  [...read(page).matchAll(/<a href="([^"#]+)[^"]*"/g)].map(([, href = '']) => decodeURIComponent(href));
const allFiles = (): string[] =>
  readdirSync(site, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(site.length + 1))
    .sort();

/** Needs to be encoded as a file name, and that once more in an address. */
const odd = 'team+a@b=1';

beforeAll(async () => {
  workshop = await openWorkshop();
  site = join(workshop.folder, 'site');
  store = await openTestStore(workshop.key);
  await putCase(store, name);
  declare(store, '2026-11-21T09:00:00Z', files.task.replaceAll(files.id, 'early').replace('dns-', 'zone-'));
  declare(store, '2026-11-21T09:30:00Z', files.task.replaceAll(files.id, odd));
  await store.seal();
});
afterAll(async () => {
  await store.close();
  await workshop.close();
});

describe('tally tasks --html', () => {
  it('keeps in a summary why a task is open', async () => {
    expect([await judge(files.id), await judge(odd)]).toEqual([0, 3]);
    const summary = (task: string): { open: { claim: string; code: string; kind: string; findings: number }[] } =>
      JSON.parse(readFileSync(join(summaryFolder(store.path, task), 'summary.json'), 'utf8')) as ReturnType<
        typeof summary
      >;
    expect(summary(files.id).open).toEqual([]);
    const report = JSON.parse(readFileSync(join(summaryFolder(store.path, odd), 'report.json'), 'utf8')) as {
      claims: { id: string; findings: { code: string; kind: string }[] }[];
    };
    const told = report.claims.flatMap(({ id, findings }) =>
      findings.filter(({ kind }) => kind !== 'note').map(({ code, kind }) => `${id} ${code} ${kind}`),
    );
    expect(told.length).toBeGreaterThan(0);
    expect(summary(odd).open.map(({ claim, code, kind }) => `${claim} ${code} ${kind}`)).toEqual([...new Set(told)]);
    expect(summary(odd).open.reduce((sum, { findings }) => sum + findings, 0)).toBe(told.length);
  });

  it('writes a page whose links lead to copies of the reports', async () => {
    const ran = await write();
    expect(ran).toEqual({ exitCode: 0, stdout: `Wrote ${site}/index.html: 3 tasks, 2 reports.\n`, stderr: '' });
    expect(read('index.html')).toContain('1 of 3 tasks proven');
    const found = [...new Set(links('index.html'))].sort();
    expect(found).toEqual([`reports/${files.id}/report.html`, 'reports/team%2Ba%40b%3D1/report.html']);
    expect(found.filter((href) => !existsSync(join(site, href)))).toEqual([]);
    expect(read(`reports/${files.id}/report.html`)).toBe(
      readFileSync(join(summaryFolder(store.path, files.id), 'report.html'), 'utf8'),
    );
    const verified = await runTally([
      ...['verify', join(site, `reports/${files.id}/report.sigstore.json`), '--key', workshop.pub],
      ...['--evidence', store.path],
    ]);
    expect(verified.exitCode).toBe(0);
  });

  it('writes nothing anew where nothing changed', async () => {
    const state = (): string[] => allFiles().map((name) => `${name} ${statSync(join(site, name)).ino}`);
    const before = state();
    await write();
    expect(state()).toEqual(before);
    const report = join(summaryFolder(store.path, files.id), 'report.html');
    copyFileSync(report, `${report}.new`);
    utimesSync(`${report}.new`, 1e9, 1e9);
    rmSync(report);
    copyFileSync(`${report}.new`, report);
    rmSync(`${report}.new`);
    await write();
    const changed = state().filter((line, i) => line !== before[i]);
    expect(changed.map((line) => line.split(' ')[0])).toEqual([`reports/${files.id}/report.html`]);
  });

  it('names the filters, and takes away what they leave out, and nothing else', async () => {
    writeFileSync(join(site, 'CNAME'), 'example.com');
    writeFileSync(join(site, 'reports', 'mine.html'), 'mine');
    const ran = await write('--type', 'dns-validation', '--state', 'final', '--verdict', 'proven');
    expect(ran.stdout).toContain('1 task, 1 report.');
    for (const named of ['1 of 3 tasks of one store', 'state: final', 'verdict: proven', 'type: dns-validation'])
      expect(read('index.html')).toContain(named);
    expect(allFiles()).toEqual([
      ...['CNAME', 'index.html'],
      ...['manifest.json', 'report.html', 'report.sigstore.json'].map((name) => `reports/${files.id}/${name}`),
      ...['reports/mine.html', 'tally-tasks.json'],
    ]);
    await write();
    expect(allFiles()).toHaveLength(10);
  });

  it('copies no more reports than it was told to, the newest', async () => {
    expect((await write('--reports', '1')).stdout).toContain('3 tasks, 1 report.');
    expect(new Set(links('index.html'))).toEqual(new Set([`reports/${files.id}/report.html`]));
    expect((await write('--reports', '0')).stdout).toContain('3 tasks, 0 reports.');
    expect(links('index.html')).toEqual([]);
    expect(await write('--reports', 'many')).toMatchObject({ exitCode: 2 });
    expect(await runTally(['tasks', '--store', store.path, '--reports', '1'])).toMatchObject({ exitCode: 2 });
  });

  it('prints the list as before with --json, and nothing with --quiet', async () => {
    const listed = JSON.parse((await write('--json')).stdout) as Record<string, unknown>[];
    expect(listed.map(({ id }) => id)).toEqual(['early', odd, files.id]);
    expect(Object.keys(listed[0] ?? {})).toEqual(
      expect.arrayContaining(['id', 'type', 'declared', 'state', 'verdict', 'window', 'counts', 'pendingUntil']),
    );
    expect(listed[2]).toMatchObject({ verdict: 'proven', open: [] });
    expect(await write('--quiet')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('reads the summary of an older version, and one whose reasons are broken', async () => {
    const path = join(summaryFolder(store.path, odd), 'summary.json');
    const kept = readFileSync(path, 'utf8');
    onTestFinished(() => writeFileSync(path, kept));
    const { open, ...older } = JSON.parse(kept) as Record<string, unknown>;
    expect(open).toBeDefined();
    for (const summary of [older, { ...older, open: [{ claim: 7 }] }]) {
      writeFileSync(path, JSON.stringify(summary));
      expect((await write()).stdout).toContain('3 tasks, 2 reports.');
      expect(read('index.html')).toContain('not kept: judged by an older version');
    }
  });

  it('links no report that says another verdict than the summary', async () => {
    const path = join(summaryFolder(store.path, odd), 'summary.json');
    const kept = readFileSync(path, 'utf8');
    onTestFinished(() => writeFileSync(path, kept));
    writeFileSync(path, kept.replace('"unproven"', '"violated"'));
    expect((await write()).stdout).toContain('3 tasks, 1 report.');
    expect(links('index.html').join()).not.toContain('team');
  });

  it('follows no link out of the store', async () => {
    const path = join(summaryFolder(store.path, files.id), 'report.html');
    const kept = readFileSync(path);
    rmSync(path);
    symlinkSync('/etc/hostname', path);
    onTestFinished(() => {
      rmSync(path);
      writeFileSync(path, kept);
    });
    expect((await write()).stdout).toContain('3 tasks, 1 report.');
    expect(existsSync(join(site, `reports/${files.id}/report.html`))).toBe(false);
  });

  it('refuses the store itself, a page from elsewhere, a linked folder, and what can’t be written', async () => {
    const work = workFolder();
    const into = async (folder: string): Promise<unknown> => {
      const ran = await runTally(['tasks', '--store', store.path, '--html', folder]);
      expect(ran.exitCode).toBe(2);
      return ran.stderr;
    };
    expect(await into(store.path)).toContain('lies in the store');
    expect(await into(join(store.path, 'reports', 'site'))).toContain('lies in the store');
    work.write('index.html', 'my home page');
    expect(await into(work.path('.'))).toContain('has an index.html from elsewhere');
    expect(readFileSync(work.path('index.html'), 'utf8')).toBe('my home page');
    mkdirSync(work.path('linked'));
    symlinkSync(join(store.path, 'reports'), work.path('linked/reports'));
    expect(await into(work.path('linked'))).toContain('is a link elsewhere');
    expect(await into(work.path('index.html'))).toContain('--html');
  });

  it('removes nothing that an altered list names', async () => {
    await write();
    const work = workFolder();
    const precious = work.write('precious.html', 'kept');
    const list = JSON.parse(read('tally-tasks.json')) as { files: string[] };
    const more = [precious, `../${precious}`, 'CNAME', 'reports/../CNAME', 'reports/../../x/report.html', 7];
    writeFileSync(join(site, 'tally-tasks.json'), JSON.stringify({ ...list, files: [...list.files, ...more] }));
    expect(await write()).toMatchObject({ exitCode: 0 });
    expect([existsSync(precious), existsSync(join(site, 'CNAME'))]).toEqual([true, true]);
  });

  it('takes an empty store', async () => {
    const empty = await openTestStore(workshop.key);
    empty.put('tally', 'config', received(files.declared, files.config));
    await empty.seal();
    const folder = join(workshop.folder, 'empty');
    const ran = await runTally(['tasks', '--store', empty.path, '--html', folder]);
    await empty.close();
    expect(ran.stdout).toBe(`Wrote ${folder}/index.html: 0 tasks, 0 reports.\n`);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('No task');
  });
});
