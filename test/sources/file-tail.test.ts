import { appendFile, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Records } from '../../src/evidence/record-log.ts';
import { TallyError } from '../../src/model/errors.ts';
import { followLines, type FollowTuning } from '../../src/sources/file-tail.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { newDisk } from './file-tail-disk.ts';
import { type Runs, runsOf } from './file-tail-run.ts';

interface Place {
  readonly path: string;
  readonly runs: Runs;
  readonly away: (second: number) => string;
}

/** A line of that second. */
function line(second: number, pad = ''): string {
  return `{"pad":"${pad}","time":"${clock(second)}"}`;
}

function clock(second: number): string {
  return new Date(Date.UTC(2026, 4, 1, 12) + second * 1000).toISOString().replace('.000Z', '.000000000Z');
}

async function place(tuning: FollowTuning = {}): Promise<Place> {
  const folder = await scratchFolder();
  const path = join(folder, 'tetragon.log');
  const away = (second: number): string =>
    join(folder, `tetragon-2026-05-01T12-00-${String(second).padStart(2, '0')}.000.log`);
  return { path, away, runs: runsOf(path, newDisk(), folder, tuning) };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2);
}

describe('lines', () => {
  it('are taken in whole, without their ends, from the beginning of the file; empty ones are no records', async () => {
    const { path, runs } = await place();
    await writeFile(path, 'a\r\n\n\r\nb\n{"half":');
    await runs.start();
    await until(() => runs.lines().length === 2);
    await sleep(20);
    expect(runs.lines()).toEqual(['a', 'b']);
    await appendFile(path, '1}\n');
    await runs.caughtUp();
    expect(runs.lines()).toEqual(['a', 'b', '{"half":1}']);
    expect(runs.disk.gaps).toEqual([]);
  });

  it('of 10 MB, with zero bytes and without JSON are kept byte for byte', async () => {
    const { path, runs } = await place();
    const hostile = [line(1, 'x'.repeat(10_000_000)), 'a\0b', '\0\0\0', 'no JSON \u202e', line(2)];
    await writeFile(path, `${hostile.join('\n')}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines().map((kept, at) => kept === hostile[at])).toEqual([true, true, true, true, true]);
    expect(runs.disk.gaps).toEqual([]);
  });

  it('that are no text, or too long, are one gap between the lines around them', async () => {
    const { path, runs } = await place({ longestLine: 300_000 });
    const bad = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('\n{"x":"\xc3"}\n', 'latin1')]);
    await writeFile(path, `${line(100)}\n`);
    await appendFile(path, bad);
    await appendFile(path, `${line(200)}\n`);
    await runs.start();
    await runs.caughtUp();
    await appendFile(path, `${'y'.repeat(1_000_000)}\n${line(300)}\n${'z'.repeat(300_000)}\r\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([line(100), line(200), line(300), 'z'.repeat(300_000)]);
    const first = line(100).length + 1;
    expect(runs.disk.gaps).toMatchObject([
      { stream: 'tetragon', origin: 'n', why: 'broken-line', count: 2, from: clock(70), until: clock(230) },
      { why: 'broken-line', count: 1, from: clock(170), until: clock(330) },
    ]);
    expect(runs.disk.gaps[0]?.detail).toContain(`at byte ${first}, ${first + 3} (`);
  });

  it('without an end are a record when their file is rotated away, if they are JSON, else a gap', async () => {
    const { path, away, runs } = await place();
    await writeFile(path, `${line(1)}\n${line(2)}`);
    await runs.start();
    await until(() => runs.lines().length === 1);
    await rename(path, away(2));
    await writeFile(path, `${line(3)}\n{"cut":`);
    await until(() => runs.lines().length === 3);
    await rename(path, away(4));
    await writeFile(path, `${line(5)}\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([line(1), line(2), line(3), line(5)]);
    expect(runs.disk.gaps).toMatchObject([{ why: 'truncated-file', count: 1, from: '2026-05-01T11:59:33.000000000Z' }]);
  });
});

describe('rotation', () => {
  it('is followed through files that came and went between two looks, plain and compressed', async () => {
    const { path, away, runs } = await place({ pollMs: 300 });
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    for (const second of [12, 13, 14]) {
      await appendFile(path, `${line(second)}\n`);
      await rename(path, away(second));
      if (second !== 13) {
        await writeFile(`${away(second)}.gz`, gzipSync(await readFile(away(second))));
        await rm(away(second));
      }
      await writeFile(path, '');
    }
    await appendFile(path, `${line(15)}\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 12, 13, 14, 15].map((second) => line(second)));
    expect(runs.disk.gaps).toEqual([]);
  });

  it('while it was down is followed from where it stopped, also into a compressed file', async () => {
    const { path, away, runs } = await place();
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.kill();
    await appendFile(path, `${line(2)}\n`);
    await writeFile(`${away(10)}.gz`, gzipSync(await readFile(path)));
    await writeFile(away(11), `${line(3)}\n`);
    await rm(path);
    await writeFile(path, `${line(4)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 2, 3, 4].map((second) => line(second)));
    expect(runs.disk.gaps).toEqual([]);
  });

  it('is followed although it was killed before anything was acknowledged, once with nothing kept and once with all', async () => {
    const { path, away, runs: first } = await place();
    await writeFile(path, `${line(1)}\n${line(2)}\n`);
    await first.start();
    await first.caughtUp();
    await first.stop();
    const position = JSON.parse(await readFile(first.statePath, 'utf8')) as object;
    const disk = newDisk();
    const runs = runsOf(path, disk, await scratchFolder());
    await writeFile(runs.statePath, JSON.stringify({ ...position, offset: 0, seq: 0 })); // the file is known, nothing is kept
    disk.isStuck = true;
    const file = await runs.start();
    while (file.status().lagBytes === 0) await sleep(2);
    await sleep(50); // some looks
    await runs.kill(2);
    disk.isStuck = false;
    await writeFile(`${away(10)}.gz`, gzipSync(await readFile(path)));
    await rm(path);
    await writeFile(path, `${line(3)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 2, 3].map((second) => line(second)));
    expect(disk.gaps).toEqual([]);
  });

  it('while it was down is followed from a file that had been empty', async () => {
    const { path, away, runs } = await place();
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    await rename(path, away(10));
    await writeFile(path, '');
    await appendFile(path, `${line(2)}\n`);
    await runs.caughtUp();
    await rename(path, away(11));
    await writeFile(path, '');
    await runs.caughtUp();
    await runs.stop();
    await appendFile(path, `${line(3)}\n`);
    await writeFile(`${away(12)}.gz`, gzipSync(await readFile(path)));
    await rm(path);
    await writeFile(path, `${line(4)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 2, 3, 4].map((second) => line(second)));
    expect(runs.disk.gaps).toEqual([]);
  });

  it('leaves rotated files of before the first start alone', async () => {
    const { path, away, runs } = await place();
    await writeFile(away(10), `${line(1)}\n`);
    await writeFile(path, `${line(2)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([line(2)]);
  });

  it('that deleted what was not read is a gap between the lines around it', async () => {
    const { path, away, runs } = await place();
    await writeFile(path, `${line(100)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    await rm(path);
    await writeFile(away(10), `${line(200)}\n`);
    await writeFile(path, `${line(300)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([100, 200, 300].map((second) => line(second)));
    expect(runs.disk.gaps).toMatchObject([{ why: 'stream-gap', from: clock(70), until: clock(230), count: null }]);
  });

  it('waits for a compressed file to be whole, and tells a gap when it never is', async () => {
    const { path, away, runs } = await place({ patienceMs: 300 });
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    const noise = Array.from({ length: 3000 }, (_, n) => line(n + 2, String(Math.sin(n))));
    await rename(path, away(9));
    const packed = gzipSync(`${noise.join('\n')}\n`);
    await writeFile(`${away(10)}.gz`, packed.subarray(0, packed.length / 2));
    await writeFile(path, `${line(9000)}\n`);
    await runs.start();
    await until(() => runs.lines().length > 100);
    await writeFile(`${away(10)}.gz`, packed);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([line(1), ...noise, line(9000)]);
    expect(runs.disk.gaps).toEqual([]);
    await runs.stop();
    await rename(path, away(11));
    await writeFile(`${away(12)}.gz`, packed.subarray(0, packed.length / 2));
    await writeFile(path, `${line(9001)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.disk.gaps.map(({ why }) => why)).toContain('truncated-file');
    expect(runs.lines().at(-1)).toBe(line(9001));
  });

  it('of a link that points to another file is followed', async () => {
    const { path, runs } = await place();
    await writeFile(`${path}.monday`, `${line(1)}\n`);
    await writeFile(`${path}.tuesday`, '');
    await symlink(`${path}.monday`, path);
    await runs.start();
    await runs.caughtUp();
    await appendFile(`${path}.monday`, `${line(2)}\n`);
    await symlink(`${path}.tuesday`, `${path}.new`);
    await rename(`${path}.new`, path);
    await appendFile(`${path}.tuesday`, `${line(3)}\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 2, 3].map((second) => line(second)));
    expect(runs.disk.gaps).toEqual([]);
  });
});

describe('a file that is not what it was', () => {
  it('because it was emptied is read from its beginning, with a gap', async () => {
    const { path, runs } = await place({ pollMs: 300 });
    await writeFile(path, `${line(100)}\n`);
    await runs.start();
    await runs.caughtUp();
    await truncate(path);
    await appendFile(path, `${line(200)}\n${line(201)}\n${line(202)}\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([100, 200, 201, 202].map((second) => line(second)));
    expect(runs.disk.gaps).toMatchObject([{ why: 'truncated-file', from: clock(70), until: clock(230) }]);
  });

  it('because its inode was used again is not taken for the old one, even if it begins alike', async () => {
    const { path, runs } = await place();
    const alike = 'x'.repeat(5000); // an agent's arguments can make all lines begin alike
    await writeFile(path, `${line(100, alike)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    await rm(path);
    await writeFile(path, `${line(200, alike)}\n${line(201, alike)}\n`);
    const state = JSON.parse(await readFile(runs.statePath, 'utf8')) as { id: { ino: string } };
    state.id.ino = String((await stat(path, { bigint: true })).ino);
    await writeFile(runs.statePath, JSON.stringify(state));
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([100, 200, 201].map((second) => line(second, alike)));
    expect(runs.disk.gaps).toMatchObject([{ why: 'stream-gap', from: clock(70), until: clock(230) }]);
  });

  it('because a power failure took its end goes on after what is left, with a gap', async () => {
    const { path, runs } = await place({ saveMs: 1e9, reportMs: 1e9 });
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    await appendFile(path, `${line(2)}\n${line(3)}\n`);
    await until(() => runs.lines().length === 3);
    await runs.kill();
    await truncate(path, 2 * (line(1).length + 1) + 5);
    await runs.start();
    await until(() => runs.disk.gaps.length > 0);
    await appendFile(path, `\n${line(4)}\n`);
    await runs.caughtUp();
    expect(runs.lines()).toEqual([line(1), line(2), line(3), line(3).slice(0, 5), line(4)]);
    expect(runs.disk.gaps).toMatchObject([{ why: 'truncated-file' }]);
  });
});

describe('the position', () => {
  it.each([
    ['lost', (path: string): Promise<void> => rm(path)],
    ['damaged', (path: string): Promise<void> => writeFile(path, '{"version":1')],
  ])('that is %s makes it read all that is there, with a gap', async (_, harm) => {
    const { path, away, runs } = await place();
    await writeFile(path, `${line(100)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    await rename(path, away(10));
    await writeFile(path, `${line(200)}\n`);
    await harm(runs.statePath);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([100, 100, 200].map((second) => line(second)));
    expect(runs.disk.gaps).toMatchObject([{ why: 'stream-gap', from: null, until: clock(130) }]);
  });

  it('that is ahead of the records is not believed', async () => {
    const { path, runs } = await place();
    await writeFile(path, `${line(100)}\n${line(101)}\n`);
    await runs.start();
    await runs.caughtUp();
    await runs.stop();
    runs.lines().pop();
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines().slice(1)).toEqual([line(100), line(101)]);
    expect(runs.disk.gaps).toMatchObject([{ why: 'stream-gap', from: null }]);
  });

  it('counts broken lines as no records', async () => {
    const { path, runs } = await place({ saveMs: 1e9, reportMs: 1e9 });
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    await appendFile(path, Buffer.concat([Buffer.from([0xff, 10]), Buffer.from(`${line(2)}\n${line(3)}\n`)]));
    await until(() => runs.lines().length === 3);
    await runs.kill();
    await appendFile(path, `${line(4)}\n`);
    await runs.start();
    await runs.caughtUp();
    expect(runs.lines()).toEqual([1, 2, 3, 4].map((second) => line(second)));
  });
});

describe('a log that can not keep records', () => {
  it('is waited for, without loss and without a gap, and said to be so once', async () => {
    const { path, runs } = await place({ patienceMs: 200 });
    await writeFile(path, `${line(1)}\n`);
    await runs.start();
    await runs.caughtUp();
    runs.disk.isFull = true;
    await appendFile(path, `${line(2)}\n${line(3)}\n`);
    await until(() => runs.troubles.length > 0);
    await sleep(400);
    expect(runs.lines()).toEqual([line(1)]);
    runs.disk.isFull = false;
    await runs.caughtUp();
    await runs.stop();
    expect(runs.lines()).toEqual([1, 2, 3].map((second) => line(second)));
    expect(runs.disk.gaps).toEqual([]);
    expect(runs.troubles).toEqual([`${path}: records can not be kept at the moment`, `${path}: followed again`]);
    const states = runs.told().map(({ state, resumed, why }) => [state, resumed, why]);
    expect(states.filter(([state, resumed]) => state === 'connected' && resumed !== true)).toHaveLength(1);
    expect(states).toContainEqual(['disconnected', undefined, 'records can not be kept at the moment']);
  });

  it('gets no more than a bounded number of bytes ahead of what it acknowledges', async () => {
    const { path } = await place();
    await writeFile(path, `${line(1, 'x'.repeat(10_000))}\n`.repeat(500));
    let handed = 0;
    const records: Records = {
      log: () =>
        Promise.resolve({
          nextSeq: 0,
          append: (record: Buffer) => {
            handed += record.length;
            return new Promise<void>(() => undefined);
          },
        }),
      gap: () => Promise.resolve(),
    };
    const statePath = `${path}.state`;
    const options = {
      path,
      statePath,
      records,
      stream: 's',
      origin: 'o',
      inFlight: 100_000,
      pollMs: 1,
      patienceMs: 20,
    };
    const file = await followLines(options);
    const end = new AbortController();
    const done = file.run(end.signal);
    await until(() => handed > 50_000);
    await sleep(50);
    end.abort();
    await done;
    expect(handed).toBeLessThanOrEqual(100_000);
  });

  it('but keeps some of what came after the refused record gets each record once', async () => {
    const { path } = await place();
    const all = Array.from({ length: 40 }, (_, n) => line(n));
    await writeFile(path, `${all.join('\n')}\n`);
    const kept: string[] = [];
    let calls = 0;
    const records: Records = {
      log: () =>
        Promise.resolve({
          get nextSeq() {
            return kept.length;
          },
          async append(record: Buffer) {
            calls += 1;
            const isRefused = calls % 7 === 3;
            await sleep(calls % 5);
            if (isRefused) throw new TallyError('input', 'full', { retryable: true });
            kept.push(record.toString());
          },
        }),
      gap: () => Promise.resolve(),
    };
    const options = { path, statePath: `${path}.state`, records, stream: 's', origin: 'o', pollMs: 1, retryMs: 1 };
    const file = await followLines(options);
    const end = new AbortController();
    const done = file.run(end.signal);
    await until(() => kept.length >= 40 && file.status().isConnected);
    end.abort();
    await done;
    expect([...kept].sort()).toEqual([...all].sort());
  });

  it('for good ends the following with its error', async () => {
    const { path } = await place();
    await writeFile(path, `${line(1)}\n`);
    const broken = new Error('a bug');
    const records: Records = {
      log: () => Promise.resolve({ nextSeq: 0, append: () => Promise.reject(broken) }),
      gap: () => Promise.resolve(),
    };
    const file = await followLines({ path, statePath: `${path}.state`, records, stream: 's', origin: 'o', pollMs: 1 });
    await expect(file.run(new AbortController().signal)).rejects.toBe(broken);
  });
});

describe('what is told of the way in', () => {
  it('is connected, connected again now and then, and that it stopped; after a restart it goes on', async () => {
    const { path, runs } = await place({ reportMs: 20 });
    await writeFile(path, `${line(100)}\n`);
    await runs.start();
    await until(() => runs.told().length > 2);
    await runs.stop();
    const before = runs.told();
    expect(before[0]).toMatchObject({
      kind: 'stream',
      node: 'n',
      state: 'connected',
      way: 'export',
      since: clock(130),
    });
    expect(before[0]).not.toHaveProperty('resumed');
    expect(before[1]).toMatchObject({ state: 'connected', resumed: true, since: clock(130) });
    expect(before.at(-1)).toMatchObject({ state: 'disconnected', why: 'collector stopped', since: clock(130) });
    await runs.start();
    await until(() => runs.told().length > before.length);
    await runs.kill();
    const after = runs.told().slice(before.length);
    expect(after[0]).toMatchObject({ state: 'connected', resumed: true, since: clock(130) });
    const times = runs.told().map(({ time }) => String(time));
    expect(times).toEqual([...new Set(times)].sort());
  });

  it('is, after a loss, disconnected and then connected anew, since the first line that was found', async () => {
    const { path, runs } = await place({ reportMs: 1e9, pollMs: 300 });
    await writeFile(path, `${line(100)}\n`);
    await runs.start();
    await runs.caughtUp();
    await truncate(path);
    await appendFile(path, `${line(200)}\n`);
    await until(() => runs.told().length > 2);
    expect(runs.told()).toMatchObject([
      { state: 'connected', since: clock(130) },
      { state: 'disconnected', why: 'tetragon.log was emptied or rewritten while it was followed' },
      { state: 'connected', since: clock(230) },
    ]);
    expect(runs.told()[2]).not.toHaveProperty('resumed');
  });

  it('is nothing while there is no file, which it waits for', async () => {
    const { path, runs } = await place();
    await runs.start();
    await until(() => runs.troubles.length > 0);
    expect(runs.troubles).toEqual([`${path}: there is no such file`]);
    expect(runs.told()).toEqual([]);
    await writeFile(path, `${line(1)}\n`);
    await until(() => runs.told().length > 0);
    expect(runs.lines()).toEqual([line(1)]);
    expect(runs.told()[0]).toMatchObject({ state: 'connected' });
  });
});

it('tells how far it lags and what it kept', async () => {
  const { path, runs } = await place();
  await writeFile(path, `${line(100)}\n${line(101)}\n`);
  const file = await runs.start();
  await runs.caughtUp();
  expect(file.status()).toMatchObject({ path, isConnected: true, lagBytes: 0, records: 2, gaps: 0 });
  expect(file.status().lastTime).toBe(BigInt(Date.parse(clock(101))) * 1_000_000n);
  runs.disk.isFull = true;
  await appendFile(path, 'x\n');
  await until(() => file.status().lagBytes > 0);
  expect(file.status().lagBytes).toBe(2);
});
