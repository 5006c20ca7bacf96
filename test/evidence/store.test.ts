import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLiveSealer } from '../../src/evidence/live-seal.ts';
import { logKey } from '../../src/evidence/sealed-logs.ts';
import { segmentLedger } from '../../src/evidence/segment-ledger.ts';
import type { Sealer } from '../../src/evidence/sealer.ts';
import { openStore } from '../../src/evidence/store.ts';
import { readStore, readUnsealed } from '../../src/evidence/store-read.ts';
import { listWal } from '../../src/evidence/wal-folder.ts';
import {
  copyOf,
  filesBelow,
  openTestStore,
  readGaps,
  readRecords,
  readTexts,
  signer,
  storeOptions,
} from './store-fixture.ts';
import { scratchFolder } from './scratch-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const time = 1_790_000_000_000_000_000n; // 2026-09-21T14:13:20Z

describe('store', () => {
  it('seals what was appended, in order, under its ledger, and removes the log', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'node-1');
    const texts = Array.from({ length: 5000 }, (_, at) => JSON.stringify({ at }));
    await Promise.all(texts.map((text, at) => log.append(Buffer.from(text), time + BigInt(at))));
    expect(log.nextSeq).toBe(5000);
    expect(await store.seal()).toBe(1);
    expect(await listWal(store.path)).toEqual([]);
    const { segments } = await readStore(store.path);
    expect(segments).toMatchObject([
      {
        stream: 'tetragon',
        origin: 'node-1',
        firstSeq: 0,
        lastSeq: 4999,
        firstTime: '2026-09-21T14:13:20.000000000Z',
        lastTime: '2026-09-21T14:13:20.000004999Z',
        file: 'segments/tetragon/2026-09-21/node-1-0-4999.parquet',
      },
    ]);
    expect(await readTexts(store.path, 'tetragon', 'node-1')).toEqual(texts);
    expect(await store.seal()).toBe(0);
  });

  it('keeps frames as bytes and masks secrets, but not in what tallystick writes itself', async () => {
    const store = await openTestStore();
    const frame = Buffer.from([0x0a, 0x00, 0xff, 0x80, 0x0a]);
    const secret = '{"arguments":"API_TOKEN=abcdefghijklmnop"}';
    await Promise.all([
      (await store.log('tetragon-grpc', 'n')).append(frame, time),
      (await store.log('tetragon', 'n')).append(Buffer.from(secret), time),
      (await store.log('tally', 'declared')).append(Buffer.from(secret), time),
    ]);
    expect(await store.seal()).toBe(3);
    const records = await readRecords(store.path);
    expect(records.get(logKey({ stream: 'tetragon-grpc', origin: 'n' }))?.[0]?.raw).toEqual(frame);
    expect(await readTexts(store.path, 'tally', 'declared')).toEqual([secret]);
    const [masked = ''] = await readTexts(store.path, 'tetragon', 'n');
    expect(masked).toMatch(/^\{"arguments":"API_TOKEN=\*[0-9a-f]{14}\*"\}$/);
    expect(masked).toHaveLength(secret.length);
  });

  it('keeps any text: empty, with NUL, of hostile streams and origins', async () => {
    const store = await openTestStore();
    const names = ['', '../../x', '\0', "'; DROP TABLE live_rows; --", 'ä\ud800', 'x'.repeat(4000), 'a\nb'];
    const texts = ['', 'a\0b', '\0', '\u{1F600}\u2028', "'"];
    for (const name of names) {
      const log = await store.log(`s${name}`, name);
      await Promise.all(texts.map((text) => log.append(Buffer.from(text), time)));
    }
    await store.flush();
    const copy = await copyOf(store.path);
    await store.seal();
    const again = await openTestStore(copy);
    await again.seal();
    for (const path of [store.path, copy]) {
      for (const name of names) expect(await readTexts(path, `s${name}`, name)).toEqual(texts);
      expect((await filesBelow(path)).filter((file) => !/^(segments|ledger)\/|^writer/.test(file))).toEqual([
        'ledger.vkey',
      ]);
    }
  });

  it('replaces what is no UTF-8 in a text and says so', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n', { timeOf: () => time + 5n });
    await log.append(Buffer.from([0x41, 0xff, 0x42]), time);
    await store.seal();
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['A\uFFFDB']);
    expect(await readGaps(store.path)).toEqual([
      {
        stream: 'tetragon',
        origin: 'n',
        from: '2026-09-21T14:13:20.000000005Z',
        until: '2026-09-21T14:13:20.000000005Z',
        why: 'broken-line',
        detail: 'records are no text in UTF-8: the bytes that are none were replaced',
        count: 1,
      },
    ]);
  });

  it('refuses a name that no ledger entry could hold', async () => {
    const store = await openTestStore();
    await expect(store.log('s', 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'input' });
  });

  it('seals a log of itself by size and by age, while records go on coming', async () => {
    const store = await openTestStore(undefined, { sealBytes: 20_000, sealAge: 0.4 });
    const log = await store.log('tetragon', 'n');
    for (let at = 0; at < 30; at += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, n) => log.append(Buffer.alloc(500, `${at}.${n} `), time)));
      if (at % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await vi.waitFor(async () => {
      const { segments } = await readStore(store.path);
      expect(segments.at(-1)?.lastSeq).toBe(299);
      expect(segments.length).toBeGreaterThan(4);
    }, 20_000);
    expect((await readTexts(store.path, 'tetragon', 'n')).length).toBe(300);
  });

  it('refuses everything once it is closed, having sealed what came before', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n');
    const kept = log.append(Buffer.from('kept'), time);
    await store.close();
    await kept;
    await expect(log.append(Buffer.from('late'), time)).rejects.toMatchObject({ code: 'input', retryable: true });
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['kept']);
    expect(await listWal(store.path)).toEqual([]);
  });

  it('lists what is not sealed while it is written', async () => {
    const store = await openTestStore();
    await (await store.log('tetragon', 'n/1')).append(Buffer.from('one'), time);
    await store.seal();
    await (await store.log('tetragon', 'n/1')).append(Buffer.from('two'), time + 1n);
    expect(await readUnsealed(store.path)).toMatchObject([
      { stream: 'tetragon', origin: 'n/1', firstSeq: 1, records: 1, firstTime: time + 1n, lastTime: time + 1n },
    ]);
    expect(await readUnsealed(join(store.path, 'none'))).toEqual([]);
  });
});

describe('opening a store', () => {
  it('is refused for a second writer in this process', async () => {
    const store = await openTestStore();
    await expect(openStore(store.path, storeOptions)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining(`in use by another collector (pid ${process.pid})`) as string,
    });
    await store.close();
    await openTestStore(store.path);
  });

  it('is refused with another key, and leaves the store free', async () => {
    const store = await openTestStore();
    await store.close();
    const other = { origin: 'test.example/ledger', privateKey: generateKeyPairSync('ed25519').privateKey };
    await expect(openStore(store.path, { ...storeOptions, signer: other })).rejects.toMatchObject({ code: 'key' });
    await openTestStore(store.path);
  });

  it('is an input error for readers where there is no store', async () => {
    const folder = await scratchFolder();
    await expect(readStore(folder)).rejects.toMatchObject({ code: 'input' });
    await expect(readStore(join(folder, 'none'))).rejects.toMatchObject({ code: 'input' });
  });

  it('goes on where a killed writer was, and tells of its torn end', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n');
    await log.append(Buffer.from('one'), time);
    await store.seal();
    await log.append(Buffer.from('two'), time + 1n);
    const copy = await copyOf(store.path);
    const [wal = ''] = await listWal(copy);
    await appendFile(wal, Buffer.from('01000000ff', 'hex'));
    const before = Date.now();
    const again = await openTestStore(copy);
    const next = await again.log('tetragon', 'n');
    expect(next.nextSeq).toBe(2);
    await next.append(Buffer.from('three'), time + 2n);
    await again.seal();
    expect(await readTexts(copy, 'tetragon', 'n')).toEqual(['one', 'two', 'three']);
    const gaps = await readGaps(copy);
    expect(gaps).toMatchObject([
      { stream: 'tetragon', origin: 'n', from: '2026-09-21T14:13:20.000000001Z', why: 'stream-gap', count: null },
    ]);
    expect(Date.parse(gaps[0]?.until ?? '')).toBeGreaterThanOrEqual(before);
    await again.close();
    await (await openTestStore(copy)).seal();
    expect(await readGaps(copy)).toEqual(gaps);
  });

  it('takes a torn file without any record, also of the gaps themselves, and uses its name again', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n');
    await Promise.all([log.append(Buffer.from('one'), time), store.gap(gap('n'))]);
    const copy = await copyOf(store.path);
    for (const wal of await listWal(copy)) {
      const bytes = await readFile(wal);
      const name = bytes.indexOf(']') + 1;
      await writeFile(wal, bytes.subarray(0, name + 5));
    }
    const again = await openTestStore(copy);
    await (await again.log('tetragon', 'n')).append(Buffer.from('first'), time);
    await again.seal();
    expect(await readTexts(copy, 'tetragon', 'n')).toEqual(['first']);
    expect((await readGaps(copy)).map(({ stream }) => stream).sort()).toEqual(['tally', 'tetragon']);
    expect(await listWal(copy)).toEqual([]);
  });

  it('removes what an interrupted sealing left, and logs that are sealed already', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n');
    await Promise.all(['one', 'two', 'three'].map((text) => log.append(Buffer.from(text), time)));
    await store.flush();
    const unsealed = await copyOf(store.path);
    await store.seal();
    const copy = await copyOf(store.path);
    const [wal = ''] = await listWal(unsealed);
    const name = wal.slice(unsealed.length);
    await mkdir(join(copy, 'wal/tetragon'), { recursive: true });
    await writeFile(join(copy, name), await readFile(wal));
    await writeFile(join(copy, `${name}.tmp`), 'x');
    await mkdir(join(copy, 'segments/tetragon/2020-01-01'), { recursive: true });
    await writeFile(join(copy, 'segments/tetragon/2020-01-01/n-3-9.parquet'), 'x');
    await writeFile(join(copy, 'segments/tetragon/2020-01-01/n-3-9.parquet.tmp'), 'x');
    await mkdir(join(copy, 'ledger/tile/0/000.p'), { recursive: true });
    await writeFile(join(copy, 'ledger/tile/0/000.p/7'), 'x');
    await openTestStore(copy);
    expect(await filesBelow(copy)).toEqual(await filesBelow(store.path));
    expect(await readTexts(copy, 'tetragon', 'n')).toEqual(['one', 'two', 'three']);
  });

  it('stops when records that had been safe on disk are gone or altered', async () => {
    const store = await openTestStore(undefined, { openSealer: () => Promise.reject(new Error('no sealer')) });
    const log = await store.log('tetragon', 'n');
    for (const text of ['one', 'two', 'three']) {
      await log.append(Buffer.from(text), time);
      await store.seal().catch(() => undefined);
    }
    const damages: ((files: string[]) => Promise<void>)[] = [
      async ([, second = '']) => rm(second),
      async ([first = '']) => {
        const bytes = await readFile(first);
        await writeFile(first, Buffer.from(bytes.toString('latin1').replace('one', 'eno'), 'latin1'));
      },
    ];
    for (const damage of damages) {
      const copy = await copyOf(store.path);
      const files = await listWal(copy);
      expect(files).toHaveLength(3);
      await damage(files);
      await expect(openStore(copy, storeOptions)).rejects.toMatchObject({ code: 'integrity' });
    }
  });
});

function gap(origin: string): Parameters<Awaited<ReturnType<typeof openTestStore>>['gap']>[0] {
  return { stream: 'tetragon', origin, from: null, until: null, why: 'stream-gap', detail: 'test', count: null };
}

describe('a sealer that fails', () => {
  it('is replaced, its work is done once, and a call to seal tells of the failure', async () => {
    const problems: string[] = [];
    const failures = ['before', 'after', 'open'];
    const store = await openTestStore(undefined, {
      onProblem: (error) => problems.push(error.message),
      openSealer: async (context): Promise<Sealer> => {
        if (failures[0] === 'open') throw new Error(failures.shift());
        const sealer = await openLiveSealer(context);
        return {
          close: () => sealer.close(),
          draft: async (wal, from) => {
            const failure = failures.shift();
            if (failure === 'before') throw new Error(failure);
            const draft = await sealer.draft(wal, from);
            if (failure !== undefined) throw new Error(failure);
            return draft;
          },
        };
      },
    });
    const log = await store.log('tetragon', 'n');
    await log.append(Buffer.from('one'), time);
    await expect(store.seal()).rejects.toMatchObject({ code: 'input', retryable: true });
    await log.append(Buffer.from('two'), time);
    await expect(store.seal()).rejects.toThrow('after');
    await log.append(Buffer.from('three'), time);
    await expect(store.seal()).rejects.toThrow('open');
    await store.seal();
    expect(problems).toEqual(['before', 'after', 'open']);
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['one', 'two', 'three']);
    expect(await listWal(store.path)).toEqual([]);
  });
});

describe('ledger of segments', () => {
  it('has a segment once, also when the removal of its log failed and all is tried again', async () => {
    const store = await openTestStore(undefined, { openSealer: () => Promise.reject(new Error('not yet')) });
    await (await store.log('tetragon', 'n')).append(Buffer.from('one'), time);
    await expect(store.seal()).rejects.toThrow('not yet');
    const [path = ''] = await listWal(store.path);
    const file = { path, stream: 'tetragon', origin: 'n', firstSeq: 0, records: 1, bytes: 0 };
    const ledger = segmentLedger(store.path, signer);
    const sealer = await openLiveSealer({ store: store.path, maskKey: Buffer.alloc(32) });
    onTestFinished(() => sealer.close());
    const folder = await scratchFolder(); // can't be removed as a file
    await expect(ledger.seal([file, { ...file, path: folder }], sealer)).rejects.toThrow();
    await writeFile(path, 'comes back');
    expect(await ledger.seal([file], sealer)).toEqual({ files: 1, segments: 0 });
    expect(await listWal(store.path)).toEqual([]);
    expect((await readStore(store.path)).size).toBe(1);
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['one']);
  });
});

describe('any sequence of appends, seals, failures and kills', () => {
  const operation = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        log: fc.nat(2),
        count: fc.integer({ min: 1, max: 40 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('seal' as const),
        failure: fc.constantFrom(undefined, undefined, 'before', 'after'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), torn: fc.uint8Array({ maxLength: 30 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
  );

  it('keeps every acknowledged record once, in order, without a hole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 14 }), async (operations) => {
        let failure: string | undefined;
        const openSealer = async (context: Parameters<typeof openLiveSealer>[0]): Promise<Sealer> => {
          const sealer = await openLiveSealer(context);
          return {
            close: () => sealer.close(),
            draft: async (wal, from) => {
              if (failure === 'before') throw new Error(failure);
              const draft = await sealer.draft(wal, from);
              if (failure === 'after') throw new Error(failure);
              return draft;
            },
          };
        };
        const options = { ...storeOptions, sealBytes: 2000, openSealer };
        let path = join(await scratchFolder(), 'store');
        let store = await openStore(path, options);
        const written: string[][] = [[], [], []];
        for (const each of operations) {
          if (each.kind === 'append') {
            const log = await store.log('tetragon', `n${each.log}`);
            const texts = written[each.log] ?? [];
            const added = Array.from({ length: each.count }, (_, at) => `${each.log}: ${texts.length + at}`);
            await Promise.all([...added.map((text) => log.append(Buffer.from(text), time)), store.flush()]);
            texts.push(...added);
          } else if (each.kind === 'seal') {
            failure = each.failure;
            await store.seal().catch(() => undefined);
            failure = undefined;
          } else {
            await vi.waitUntil(() => store.stats().sealing.waitingFiles === 0, 10_000);
            const copy = await copyOf(path);
            await store.close();
            if (each.kind === 'close') {
              store = await openStore(path, options);
              continue;
            }
            const [wal] = await listWal(copy);
            if (wal !== undefined) await appendFile(wal, each.torn);
            path = copy;
            store = await openStore(path, options);
          }
        }
        await store.close();
        for (const [at, texts] of written.entries()) expect(await readTexts(path, 'tetragon', `n${at}`)).toEqual(texts);
      }),
      { numRuns: 15 },
    );
  });
});
