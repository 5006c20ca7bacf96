import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { openSealWorker } from '../../src/collect/seal-worker.ts';
import { listWal } from '../../src/evidence/wal-folder.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { openTestStore, readTexts } from '../evidence/store-fixture.ts';

const dist = process.env['TALLY_DIST'] ?? join(import.meta.dirname, '../../dist');
const built = pathToFileURL(join(dist, 'collect/seal-process.js'));
const time = 1_790_000_000_000_000_000n;

it('seals in another process', async () => {
  const store = await openTestStore(undefined, { openSealer: (context) => openSealWorker(context, built) });
  const log = await store.log('tetragon', 'n');
  const texts = Array.from({ length: 3000 }, (_, at) => `{"at":${at},"arguments":"API_TOKEN=abcdefghijklmnop"}`);
  await Promise.all(texts.map((text) => log.append(Buffer.from(text), time)));
  expect(await store.seal()).toBe(1);
  const kept = await readTexts(store.path, 'tetragon', 'n');
  expect(kept).toHaveLength(3000);
  expect(kept[2999]).toMatch(/^\{"at":2999,"arguments":"API_TOKEN=\*[0-9a-f]{14}\*"\}$/);
  await store.close();
});

it('tells an error of the sealing process as what it is', async () => {
  const sealer = await openSealWorker({ store: await scratchFolder(), maskKey: Buffer.alloc(32) }, built);
  const wal = join(await scratchFolder(), 'x.wal');
  await writeFile(wal, 'no log file at all, but longer than a header');
  const file = { path: wal, stream: 's', origin: 'o', firstSeq: 0, records: 1, bytes: 0 };
  await expect(sealer.draft(file, 0)).rejects.toMatchObject({ name: 'TallyError', code: 'integrity' });
  await sealer.close();
});

it('goes on with a new process when one dies, and keeps the log files until then', async () => {
  const folder = await scratchFolder();
  const scripts = {
    start: 'throw new Error("dies at once");',
    work: `process.on('message', (m) => m.kind === 'open' ? process.send({ kind: 'open' }) : process.kill(process.pid, 'SIGKILL'));`,
  };
  const dying: URL[] = [];
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, `${name}.mjs`), script);
    dying.push(pathToFileURL(join(folder, `${name}.mjs`)));
  }
  const problems: Error[] = [];
  const store = await openTestStore(undefined, {
    openSealer: (context) => openSealWorker(context, dying.shift() ?? built),
    onProblem: (error) => problems.push(error),
  });
  const log = await store.log('tetragon', 'n');
  await log.append(Buffer.from('one'), time);
  await expect(store.seal()).rejects.toMatchObject({ code: 'input', retryable: true });
  await log.append(Buffer.from('two'), time);
  expect(await listWal(store.path)).toHaveLength(2);
  await vi.waitFor(() => expect(store.stats().sealing).toMatchObject({ waitingFiles: 0, failures: 2 }), 20_000);
  await store.seal();
  expect(problems).toHaveLength(2);
  expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['one', 'two']);
  await store.close();
});
