import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openSite } from '../../src/cli/site-folder.ts';
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

  it('copies reports of violated tasks before newer ones', async () => {
    const folder = summaryFolder(store.path, odd);
    for (const name of ['summary.json', 'report.json']) {
      const kept = readFileSync(join(folder, name), 'utf8');
      onTestFinished(() => writeFileSync(join(folder, name), kept));
      writeFileSync(join(folder, name), kept.replace(/("verdict": ?)"unproven"/, '$1"violated"'));
    }
    expect((await write('--reports', '1')).stdout).toContain('3 tasks, 1 report.');
    expect(new Set(links('index.html'))).toEqual(new Set(['reports/team%2Ba%40b%3D1/report.html']));
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

  it('reads type and agent of a task from its summary while the declaration is that one', async () => {
    const path = join(summaryFolder(store.path, odd), 'summary.json');
    const kept = readFileSync(path, 'utf8');
    onTestFinished(() => writeFileSync(path, kept));
    const listed = async (): Promise<unknown> =>
      (JSON.parse((await write('--json')).stdout) as Record<string, unknown>[])
        .filter(({ id }) => id === odd)
        .map(({ type, agent }) => ({ type, agent }));
    const [original] = (await listed()) as Record<string, unknown>[];
    const { declaration, ...older } = JSON.parse(kept) as Record<string, unknown>;
    const text = files.task.replaceAll(files.id, odd);
    expect(declaration).toEqual({ sha256: createHash('sha256').update(text).digest('hex'), ...original });
    const keep = (other: unknown): void => writeFileSync(path, JSON.stringify({ ...older, declaration: other }));
    const told = { ...(declaration as object), type: 'told', agent: 'by the summary' };
    keep(told);
    expect(await listed()).toEqual([{ type: 'told', agent: 'by the summary' }]);
    for (const other of [undefined, { ...told, sha256: 'f'.repeat(64) }, { ...told, type: 7 }, 'x']) {
      keep(other);
      expect(await listed()).toEqual([original]);
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
    expect(await into(work.path('.'))).toContain('index.html is from elsewhere');
    expect(existsSync(work.path('tally-tasks.json'))).toBe(false);
    expect(readFileSync(work.path('index.html'), 'utf8')).toBe('my home page');
    mkdirSync(work.path('linked'));
    symlinkSync(join(store.path, 'reports'), work.path('linked/reports'));
    expect(await into(work.path('linked'))).toContain('is no file of ours, but a link or a folder');
    expect(await into(work.path('index.html'))).toContain('--html');
  });

  it('neither writes nor removes behind a link to a folder', async () => {
    await write();
    const work = workFolder();
    mkdirSync(work.path('victim'));
    const victim = work.write('victim/report.html', 'kept');
    const folder = join(site, 'reports', files.id);
    rmSync(folder, { recursive: true });
    symlinkSync(work.path('victim'), folder);
    onTestFinished(() => rmSync(folder));
    const ran = await write();
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(`reports/${files.id}/report.html is no file of ours, but a link or a folder`);
    expect(readFileSync(victim, 'utf8')).toBe('kept');
    expect(await write('--reports', '0')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(victim, 'utf8')).toBe('kept');
    expect(readdirSync(work.path('victim'))).toEqual(['report.html']);
  });

  it('writes through no link that waits under a name of its own', async () => {
    const work = workFolder();
    const victim = work.write('victim', 'kept');
    for (const name of ['index.html', 'tally-tasks.json', `reports/${files.id}/report.html`]) {
      const folder = work.path(`site-${basename(name)}`);
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      symlinkSync(victim, join(folder, `${name}.tmp`));
      const into = async (): ReturnType<typeof runTally> =>
        runTally(['tasks', '--store', store.path, '--html', folder]);
      expect(await into()).toMatchObject({ exitCode: 0 });
      rmSync(join(folder, name));
      symlinkSync(victim, join(folder, name));
      const again = await into();
      expect(again).toMatchObject({ exitCode: 2 });
      expect(again.stderr).toContain(`${name} is no file`);
      expect(readFileSync(victim, 'utf8')).toBe('kept');
      expect(readlinkSync(join(folder, `${name}.tmp`))).toBe(victim);
    }
  });

  it('replaces and removes no file from elsewhere, and says which one is in its way', async () => {
    const work = workFolder();
    const name = `reports/${files.id}/report.html`;
    mkdirSync(work.path(`reports/${files.id}`), { recursive: true });
    work.write(name, 'mine');
    work.write('tasks-1.html', 'mine');
    const into = async (...flags: string[]): ReturnType<typeof runTally> =>
      runTally(['tasks', '--store', store.path, '--html', work.path('.'), ...flags]);
    const refused = await into();
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain(`${name} is from elsewhere; move it away`);
    expect(readdirSync(work.path('.')).sort()).toEqual(['reports', 'tasks-1.html']);
    await expect(openSite(work.path('.'), store.path, ['index.html', 'tasks-1.html'])).rejects.toThrow(
      'tasks-1.html is from elsewhere',
    );
    expect(await into('--reports', '0')).toMatchObject({ exitCode: 0 }); // needs neither
    expect(await into('--reports', '0')).toMatchObject({ exitCode: 0 });
    expect(await into()).toMatchObject({ exitCode: 2 });
    expect([readFileSync(work.path(name), 'utf8'), readFileSync(work.path('tasks-1.html'), 'utf8')]).toEqual([
      'mine',
      'mine',
    ]);
  });

  it('knows what a run left that was cut short', async () => {
    const work = workFolder();
    mkdirSync(work.path('site'));
    const cut = await openSite(work.path('site'), store.path, ['index.html', 'tasks-1.html']);
    await cut.write('index.html', 'half');
    await cut.write('tasks-1.html', 'half');
    for (const name of ['site/.tally-0123456789abcdef.tmp', 'site/.tally-mine.tmp'])
      utimesSync(work.write(name, ''), 1e9, 1e9);
    work.write('site/.tally-fedcba9876543210.tmp', 'of a run that is at work');
    const ran = await runTally(['tasks', '--store', store.path, '--html', work.path('site')]);
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(readdirSync(work.path('site')).sort()).toEqual([
      ...['.tally-fedcba9876543210.tmp', '.tally-mine.tmp', 'index.html', 'reports', 'tally-tasks.json'],
    ]);
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
