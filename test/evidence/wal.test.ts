import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openWal, recoverWal, type WalRecord } from '../../src/evidence/wal.ts';
import { encodeHeader, encodeMark, encodeRecord, parseWal } from '../../src/evidence/wal-format.ts';
import { flip } from './flip.ts';
import { scratchFolder } from './scratch-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const records: readonly WalRecord[] = ['one', '', 'three', 'x'.repeat(300), '\n'].map((text, at) => ({
  receivedAt: 1_700_000_000_000_000_000n + BigInt(at),
  record: Buffer.from(text),
}));

/** A log into which these groups were synced one after the other. */
async function walOf(groups: readonly (readonly WalRecord[])[]): Promise<string> {
  const path = join(await scratchFolder(), 'wal', 'tetragon', 'node-1');
  const wal = await openWal(path, { firstSeq: 7, maxDelayMs: 0 });
  for (const group of groups) await Promise.all(group.map(({ record, receivedAt }) => wal.append(record, receivedAt)));
  await wal.close();
  return path;
}

describe('WAL', () => {
  it('has literal bytes', () => {
    const salt = Buffer.from('01020304', 'hex');
    expect(encodeHeader(7, salt).toString('hex')).toBe('74616c6c7977616c010203040000000000000007def65004');
    expect(encodeRecord(salt, Buffer.from('hi'), 5n).toString('hex')).toBe('01000000020000000000000005f183ad266869');
    expect(encodeMark(salt, 24).toString('hex')).toBe('02000000000000000000000018b208d7e2');
  });

  it('gives back every record, in order, once', async () => {
    const path = await walOf([records, [], records]);
    const content = await recoverWal(path);
    expect(content).toMatchObject({ firstSeq: 7, torn: undefined });
    expect(content.records).toEqual([...records, ...records]);
  });

  it('goes on in an existing file', async () => {
    const path = await walOf([records]);
    const wal = await openWal(path, { firstSeq: 99 });
    expect(wal).toMatchObject({ firstSeq: 7, recovered: { records } });
    await Promise.all([wal.append(Buffer.from('more'), 1n), wal.close()]);
    expect((await recoverWal(path)).records).toEqual([...records, { receivedAt: 1n, record: Buffer.from('more') }]);
  });

  it('is empty where there is no file', async () => {
    expect(await recoverWal(join(await scratchFolder(), 'none'))).toMatchObject({ firstSeq: undefined, records: [] });
  });

  it('is read by its owner alone, also when it was not before', async () => {
    const path = await walOf([records]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await chmod(path, 0o644);
    await (await openWal(path)).close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('resolves only after a sync, and syncs records together', async () => {
    const path = join(await scratchFolder(), 'wal');
    const wal = await openWal(path, { maxDelayMs: 20 });
    const probe = await open(path);
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync');
    await probe.close();
    const durable: number[] = [];
    await Promise.all(
      records.map(({ record }) => wal.append(record, 0n).then(() => durable.push(sync.mock.calls.length))),
    );
    expect(durable).toEqual(records.map(() => 1));
    await wal.close();
  });

  it('syncs at once when enough is waiting', async () => {
    const path = join(await scratchFolder(), 'wal');
    const wal = await openWal(path, { maxDelayMs: 1e9, maxBytes: 1000 });
    await Promise.all([wal.append(Buffer.alloc(500), 0n), wal.append(Buffer.alloc(500), 0n)]);
    expect((await recoverWal(path)).records).toHaveLength(2);
    const late = wal.append(Buffer.alloc(1), 0n);
    await wal.close(); // does not wait for the delay
    await late;
  });

  it('takes nothing after it was closed', async () => {
    const wal = await openWal(join(await scratchFolder(), 'wal'));
    await wal.close();
    await expect(wal.append(Buffer.alloc(1), 0n)).rejects.toThrow('is closed');
  });
});

describe('WAL after a crash', () => {
  it('has, cut at any byte, exactly the records that lie before the cut, and can be appended to', async () => {
    const path = await walOf([records.slice(0, 2), records.slice(2)]);
    const whole = await readFile(path);
    const salt = parseWal(whole, path).salt;
    const ends: number[] = [];
    let end = 24;
    for (const group of [records.slice(0, 2), records.slice(2)]) {
      for (const { record, receivedAt } of group) ends.push((end += encodeRecord(salt, record, receivedAt).length));
      end += encodeMark(salt, end).length;
    }
    expect(end).toBe(whole.length);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      await writeFile(path, whole);
      await truncate(path, cut);
      const wal = await openWal(path, { firstSeq: 7, maxDelayMs: 0 });
      const survivors = records.filter((_, at) => (ends[at] ?? 0) <= cut);
      expect(wal.recovered.records).toEqual(survivors);
      const { torn } = wal.recovered;
      if (torn !== undefined) expect(torn.offset + torn.bytes).toBe(cut);
      const last = { receivedAt: 9n, record: Buffer.from('after') };
      await wal.append(last.record, last.receivedAt);
      await wal.close();
      expect(await recoverWal(path)).toMatchObject({ firstSeq: 7, records: [...survivors, last], torn: undefined });
    }
  });

  it('never loses or alters an acknowledged record without saying so, whichever bit is flipped', async () => {
    const path = await walOf([records.slice(0, 3), records.slice(3)]);
    const whole = await readFile(path);
    const lastMark = whole.length - 17;
    for (let offset = 0; offset < whole.length; offset += 1) {
      const damaged = flip(whole, offset, offset % 8);
      if (offset < lastMark) {
        expect(() => parseWal(damaged, path), `byte ${String(offset)}`).toThrow(`${path}: `);
      } else {
        expect(parseWal(damaged, path)).toMatchObject({ records, torn: { offset: lastMark, bytes: 17 } });
      }
    }
  });

  it('cuts what was never synced, even when later parts of it reached the disk', () => {
    const salt = Buffer.alloc(4, 1);
    const synced = Buffer.concat([encodeHeader(0, salt), encodeRecord(salt, Buffer.from('safe'), 1n)]);
    const mark = encodeMark(salt, synced.length);
    const lost = encodeRecord(salt, Buffer.from('lost'), 2n);
    const bytes = Buffer.concat([synced, mark, Buffer.alloc(lost.length), encodeRecord(salt, Buffer.from('late'), 3n)]);
    const content = parseWal(bytes, 'x');
    expect(content.records.map(({ record }) => record.toString())).toEqual(['safe']);
    expect(content.torn).toEqual({ offset: synced.length + mark.length, bytes: 2 * lost.length });
  });

  it('is not misled by a record that holds a frame of another log', () => {
    const [salt, otherSalt] = [Buffer.alloc(4, 1), Buffer.alloc(4, 2)];
    const hostile = encodeRecord(salt, encodeMark(otherSalt, 1_000_000), 1n);
    const bytes = Buffer.concat([encodeHeader(0, salt), hostile.subarray(0, -1)]);
    expect(parseWal(bytes, 'x').torn).toEqual({ offset: 24, bytes: hostile.length - 1 });
  });

  it('reads any records back from any split', () => {
    const record = fc.record({
      receivedAt: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      record: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(record),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.nat(),
        (written, random, choice) => {
          const salt = Buffer.from(random);
          const frames = written.map((each) => encodeRecord(salt, each.record, each.receivedAt));
          const bytes = Buffer.concat([encodeHeader(0, salt), ...frames]);
          expect(parseWal(bytes, 'x').records).toEqual(written);
          const cut = 24 + (choice % (bytes.length - 23));
          const { records: before, torn } = parseWal(bytes.subarray(0, cut), 'x');
          expect(before).toEqual(written.slice(0, before.length));
          expect(torn?.offset ?? cut).toBe(24 + Buffer.concat(frames.slice(0, before.length)).length);
        },
      ),
    );
  });
});

describe('WAL on a full disk', () => {
  it('rejects what is not written, keeps what was, and works again after reopening', async () => {
    const path = join(await scratchFolder(), 'wal');
    const wal = await openWal(path, { maxDelayMs: 0 });
    await wal.append(Buffer.from('kept'), 1n);
    const probe = await open(path);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync').mockRejectedValueOnce(full);
    await probe.close();
    const refused = { code: 'input', retryable: true, cause: full };
    await expect(wal.append(Buffer.from('lost'), 2n)).rejects.toMatchObject(refused);
    await expect(wal.append(Buffer.from('lost too'), 3n)).rejects.toMatchObject(refused);
    await wal.close();
    const again = await openWal(path, { maxDelayMs: 0 });
    await again.append(Buffer.from('sent again'), 4n);
    await again.close();
    const texts = (await recoverWal(path)).records.map(({ record }) => record.toString());
    expect(texts).toEqual(['kept', 'sent again']);
  });
});
