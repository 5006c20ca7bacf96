import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { openStore } from '../../src/evidence/store.ts';
import { readStore } from '../../src/evidence/store-read.ts';
import { listWal } from '../../src/evidence/wal-folder.ts';
import { scratchFolder } from './scratch-folder.ts';
import { readTexts, signer, storeOptions } from './store-fixture.ts';

const dist = process.env['TALLY_DIST'] ?? join(import.meta.dirname, '../../dist');
const kills = Number(process.env['TALLY_KILLS'] ?? 20);

interface Writer {
  /** Resolves when it has the store, or has ended. */
  readonly open: Promise<unknown>;
  /** Resolves with what it printed as errors. */
  kill(): Promise<string>;
}

/** Appends what it has acknowledged, as lines `ORIGIN TEXT`, to `STORE.acknowledged`. */
function startWriter(path: string, run: number): Writer {
  const key = signer.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const script = join(import.meta.dirname, 'store-writer.mjs');
  const child = spawn(process.execPath, [script, dist, path, key, String(run), `${path}.acknowledged`]);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const closed = once(child, 'close');
  return {
    open: Promise.race([once(child.stdout, 'data'), closed]),
    async kill() {
      child.kill('SIGKILL');
      await closed;
      return errors;
    },
  };
}

it(`has every acknowledged record once after SIGKILL at ${kills} random moments, without repair`, async () => {
  const path = join(await scratchFolder(), 'store');
  let sealedBefore = 0;
  for (let run = 0; run < kills; run += 1) {
    const writer = startWriter(path, run);
    if (run % 4 !== 3) await writer.open; // now and then killed while it opens
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2000));
    expect(await writer.kill()).toBe('');
    const size = await readStore(path).then(
      (store) => store.size,
      () => 0,
    );
    expect(size).toBeGreaterThanOrEqual(sealedBefore);
    sealedBefore = size;
  }
  const last = startWriter(path, kills);
  await vi.waitFor(async () => expect((await readStore(path)).size).toBeGreaterThan(sealedBefore), 60_000);
  expect(await last.kill()).toBe('');
  const acknowledged = (await readFile(`${path}.acknowledged`, 'utf8')).split('\n');
  expect(acknowledged.length).toBeGreaterThan(1000);
  await (await openStore(path, storeOptions)).close();
  expect(await listWal(path)).toEqual([]);
  for (const origin of ['a', 'b', 'c']) {
    const kept = (await readTexts(path, 'tetragon', origin)).map((text) => text.replace(/ x*$/, ''));
    expect(new Set(kept).size).toBe(kept.length);
    const missing = new Set(acknowledged.filter((each) => each.startsWith(origin)).map((each) => each.slice(2)));
    for (const text of kept) missing.delete(text);
    expect([...missing]).toEqual([]);
  }
});

it('tells a second process whose store it is, and is free once that one is killed', async () => {
  const path = join(await scratchFolder(), 'store');
  const first = startWriter(path, 0);
  await first.open;
  const refusal = openStore(path, storeOptions);
  await expect(refusal).rejects.toMatchObject({ code: 'input' });
  await expect(refusal).rejects.toThrow(/is in use by another collector \(pid \d+\)/);
  await first.kill();
  await (await openStore(path, storeOptions)).close();
});

it('can be read at any time while another process writes and seals', async () => {
  const path = join(await scratchFolder(), 'store');
  const writer = startWriter(path, 0);
  await writer.open;
  let size = 0;
  while (size < 10) {
    const read = await readStore(path);
    expect(read.segments).toHaveLength(read.size);
    expect(read.size).toBeGreaterThanOrEqual(size);
    size = read.size;
  }
  expect(await writer.kill()).toBe('');
});
