import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GapRecord } from '../../src/evidence/record-log.ts';
import { openTestStore, readGaps, readTexts } from './store-fixture.ts';
import { scratchFolder } from './scratch-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const second = 1_000_000_000n;
const time = 1_790_000_000n * second; // 2026-09-21T14:13:20Z
const retryable = { code: 'input', retryable: true };

/** A record `N …` whose own time is N seconds after `time`. */
function record(n: number, bytes = 0): Buffer {
  return Buffer.concat([Buffer.from(`${n} `), Buffer.alloc(bytes, 'x')]);
}

function timeOf(bytes: Buffer): bigint {
  return time + BigInt(Number.parseInt(bytes.toString('latin1', 0, 10), 10)) * second;
}

function at(n: number): string {
  return `${new Date((1_790_000_000 + n) * 1000).toISOString().slice(0, 19)}.000000000Z`;
}

type Handle = Awaited<ReturnType<typeof open>>;

async function handlePrototype(): Promise<Handle> {
  const probe = await open('/dev/null');
  await probe.close();
  return Object.getPrototypeOf(probe) as Handle;
}

async function gapsOf(store: { path: string; seal(): Promise<number> }): Promise<GapRecord[]> {
  let gaps: GapRecord[] = [];
  await vi.waitFor(async () => {
    await store.seal();
    gaps = await readGaps(store.path);
    expect(gaps).not.toEqual([]);
  }, 20_000);
  return gaps;
}

describe('memory for waiting records', () => {
  it('is bounded over all logs: what goes beyond is refused at once, counted and told as a gap', async () => {
    const store = await openTestStore(undefined, { memory: 50 * 1017 });
    const a = await store.log('tetragon', 'a', { timeOf });
    const b = await store.log('tetragon', 'b', { timeOf });
    let release: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const sync = vi.spyOn(await handlePrototype(), 'datasync').mockImplementation(() => stuck);
    const outcomes = Array.from({ length: 80 }, (_, n) =>
      (n % 2 === 0 ? a : b).append(record(n, 998 - String(n).length + 1), time),
    );
    await expect(outcomes[79]).rejects.toMatchObject(retryable); // while the rest still waits
    expect(store.stats()).toMatchObject({ waitingBytes: 50 * 1017 });
    await expect(a.append(record(60, 60_000), time)).rejects.toMatchObject(retryable);
    sync.mockRestore();
    release();
    const settled = await Promise.allSettled(outcomes);
    expect(settled.map(({ status }) => status)).toEqual(
      Array.from({ length: 80 }, (_, n) => (n < 50 ? 'fulfilled' : 'rejected')),
    );
    expect(await gapsOf(store)).toMatchObject([
      { origin: 'a', from: at(50), until: at(78), why: 'stream-gap', count: 16 },
      { origin: 'b', from: at(51), until: at(79), why: 'stream-gap', count: 15 },
    ]);
    expect(store.stats()).toMatchObject({ waitingBytes: 0, pendingGaps: 0 });
  });
});

describe('a disk that can not be written', () => {
  it('has its records refused, then told as one gap with exact bounds and count, and the log goes on by itself', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n', { timeOf });
    const resent = await store.log('tetragon', 'resent', { timeOf, resends: true });
    await Promise.all([log.append(record(0), time), resent.append(record(0), time)]);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const prototype = await handlePrototype();
    const write = vi.spyOn(prototype, 'writev').mockRejectedValue(full);
    const refused = [log.append(record(5), time), log.append(record(2), time), resent.append(record(1), time)];
    for (const each of refused) await expect(each).rejects.toMatchObject({ ...retryable, cause: full });
    await expect(log.append(record(9), time)).rejects.toMatchObject(retryable);
    await expect(store.seal()).rejects.toMatchObject(retryable);
    expect(log.nextSeq).toBe(1);
    write.mockRestore();
    await vi.waitFor(() => log.append(record(10), time), 20_000);
    await resent.append(record(1), time);
    const gaps = await gapsOf(store);
    expect(gaps).toHaveLength(1);
    // What was tried while waiting for the disk counts too, by its own time.
    expect(gaps[0]).toMatchObject({ stream: 'tetragon', origin: 'n', from: at(2), why: 'stream-gap' });
    expect(gaps[0]?.count).toBe(store.stats().logs.find(({ origin }) => origin === 'n')?.refused);
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['0 ', '10 ']);
    expect(await readTexts(store.path, 'tetragon', 'resent')).toEqual(['0 ', '1 ']);
  });

  it('leaves nothing of a record that it wrote and did not sync', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n', { timeOf });
    await log.append(record(0), time);
    vi.spyOn(await handlePrototype(), 'datasync').mockRejectedValueOnce(new Error('EIO'));
    await expect(log.append(record(1), time)).rejects.toMatchObject(retryable);
    await vi.waitFor(() => log.append(record(2), time), 20_000);
    expect(await gapsOf(store)).toMatchObject([{ from: at(1) }]);
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['0 ', '2 ']);
  });

  it('ends a store that is closed meanwhile, which says that gaps are lost', async () => {
    const store = await openTestStore();
    const log = await store.log('tetragon', 'n', { timeOf });
    await log.append(record(0), time);
    const write = vi.spyOn(await handlePrototype(), 'writev').mockRejectedValue(new Error('EIO'));
    await expect(log.append(record(1), time)).rejects.toMatchObject(retryable);
    await expect(store.close()).rejects.toMatchObject(retryable);
    write.mockRestore();
    const again = await openTestStore(store.path);
    await again.seal();
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(['0 ']);
  });
});

describe('a disk that is full', () => {
  it('loses no acknowledged record, and the gaps count exactly those that were refused', async ({ skip }) => {
    const mount = await scratchFolder();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mount]);
    if (mounted.status !== 0) skip('this user may not mount');
    onTestFinished(() => void spawnSync('umount', [mount]));
    const store = await openTestStore(join(mount, 'store'), { sealBytes: 400_000 });
    const filler = join(mount, 'filler');
    await writeFile(filler, Buffer.alloc(1_000_000));
    const log = await store.log('tetragon', 'n', { timeOf });
    const kept: string[] = [];
    const lost: number[] = [];
    let n = 0;
    const send = async (): Promise<void> => {
      const text = `${n} ${randomBytes(1500).toString('base64')}`;
      const number = n;
      n += 1;
      await log.append(Buffer.from(text), time).then(
        () => kept.push(text),
        () => lost.push(number),
      );
    };
    for (const end = Date.now() + 60_000; lost.length < 500 && Date.now() < end;) {
      await Promise.all(Array.from({ length: 50 }, send));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(lost.length).toBeGreaterThan(400);
    await rm(filler);
    await vi.waitFor(
      () => expect(store.stats()).toMatchObject({ pendingGaps: 0, sealing: { waitingFiles: 0 } }),
      60_000,
    );
    const gaps = await gapsOf(store);
    expect(gaps.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(lost.length);
    for (const each of lost)
      expect(gaps.some(({ from, until }) => (from ?? '') <= at(each) && at(each) <= (until ?? ''))).toBe(true);
    await rm(filler, { force: true });
    await store.close();
    expect(await readTexts(store.path, 'tetragon', 'n')).toEqual(kept);
  });
});
