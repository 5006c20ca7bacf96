import { join } from 'node:path';
import { expect, it } from 'vitest';
import { followExport } from '../../src/sources/file-tail.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { openTestStore, readGaps, readTexts } from '../evidence/store-fixture.ts';
import { lineWriter } from './file-tail-writer.ts';

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it('goes on in a real store where it stopped, over rotation, with a store too small for all at once', async () => {
  const folder = await scratchFolder();
  const writer = lineWriter(join(folder, 'export.log'));
  const path = join(folder, 'store');
  for (let run = 0; run < 3; run += 1) {
    const store = await openTestStore(path, { memory: 300_000 });
    const options = { node: 'n', path: writer.path, records: store, pollMs: 5, retryMs: 10 };
    const file = await followExport({ ...options, statePath: join(path, 'state/export.json') });
    const end = new AbortController();
    const done = file.run(end.signal);
    if (run === 0) {
      await writer.write(1);
      await until(() => file.status().isConnected);
    }
    for (let batch = 0; batch < 4; batch += 1) {
      await writer.write(40, 10_000);
      await writer.rotate(batch % 2 === 0);
    }
    await writer.write(10);
    await until(() => {
      const { records, lagBytes, isConnected } = file.status();
      return run < 2 ? records > 50 : isConnected && lagBytes === 0 && store.stats().waitingBytes === 0;
    });
    end.abort();
    await done;
    await store.close();
  }
  expect(await readTexts(path, 'tetragon', 'n')).toEqual(writer.written);
  expect(await readGaps(path)).toEqual([]);
  const told = (await readTexts(path, 'sensor', 'n')).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told.at(-1)).toMatchObject({ state: 'disconnected', way: 'export', why: 'collector stopped' });
});
