import { randomBytes } from 'node:crypto';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';
import { logKey } from '../../src/evidence/sealed-logs.ts';
import { describeSegment, rawKindOf } from '../../src/evidence/seal.ts';
import type { GapRecord } from '../../src/evidence/record-log.ts';
import { openStore, type Store, type StoreOptions } from '../../src/evidence/store.ts';
import { readStore } from '../../src/evidence/store-read.ts';
import { listWal, readWalFile } from '../../src/evidence/wal-folder.ts';
import { parseWal } from '../../src/evidence/wal-format.ts';
import { type Database, literal, openDatabase } from '../../src/query/database.ts';
import { scratchFolder } from './scratch-folder.ts';

export const signer = {
  origin: 'tallystick.dev/ledger',
  privateKey: generateKeyPairSync('ed25519').privateKey,
};

export const storeOptions: StoreOptions = {
  signer,
  maskKey: randomBytes(32),
  sealBytes: 1 << 24,
  sealAge: 3600,
  memory: 1 << 24,
};

/** A store that is closed, whatever comes of that, when the test ends. */
export async function openTestStore(
  path?: string,
  options: Partial<StoreOptions> = {},
): Promise<Store & { path: string }> {
  const folder = path ?? join(await scratchFolder(), 'store');
  const store = await openStore(folder, { ...storeOptions, ...options });
  onTestFinished(() => store.close().catch(() => undefined));
  return { ...store, path: folder };
}

export interface KeptRecord {
  readonly seq: number;
  readonly receivedAt: bigint;
  readonly raw: Buffer;
}

/**
 * Every record of a store by `logKey`, sealed ones and those in log files, in order of their numbers. Fails unless the
 * ledger verifies, each segment is what it names, and the numbers of each log are 0, 1, 2 …
 */
export async function readRecords(path: string): Promise<Map<string, KeptRecord[]>> {
  const records = new Map<string, KeptRecord[]>();
  const add = (key: string, record: KeptRecord): void => {
    const log = records.get(key) ?? [];
    if (record.seq < log.length)
      expect(log[record.seq]).toEqual(record); // sealed, and its log file not removed yet
    else expect(record.seq, key).toBe(log.push(record) - 1);
    records.set(key, log);
  };
  const database = await openDatabase({ threads: 1 });
  try {
    for (const segment of (await readStore(path)).segments) {
      const { stream, origin, file } = segment;
      expect(
        canonicalJson(await describeSegment(database, path, { stream, origin, file, raw: rawKindOf(stream) })),
      ).toEqual(canonicalJson(segment));
      for (const record of await readSegment(database, join(path, file), stream)) add(logKey(segment), record);
    }
  } finally {
    await database.close();
  }
  const logs = [];
  for (const file of await listWal(path)) {
    if (file.endsWith('.tmp')) continue;
    const { name, firstSeq, records: kept } = parseWal((await readWalFile(file)) ?? Buffer.alloc(0), file);
    if (name !== undefined && firstSeq !== undefined) logs.push({ name, firstSeq, kept });
  }
  logs.sort((a, b) => a.firstSeq - b.firstSeq);
  for (const { name, firstSeq, kept } of logs)
    kept.forEach(({ receivedAt, record }, at) => add(logKey(name), { seq: firstSeq + at, receivedAt, raw: record }));
  return records;
}

async function readSegment(database: Database, path: string, stream: string): Promise<KeptRecord[]> {
  const raw = rawKindOf(stream) === 'text' ? 'encode(raw)' : 'raw';
  const reader = await database.connection.runAndReadAll(`SELECT seq, received_at, ${raw} FROM ${literal(path)}`);
  return (reader.getRows() as [bigint, bigint, { bytes: Uint8Array }][]).map(([seq, receivedAt, { bytes }]) => ({
    seq: Number(seq),
    receivedAt,
    raw: Buffer.from(bytes),
  }));
}

export async function readTexts(path: string, stream: string, origin: string): Promise<string[]> {
  const records = (await readRecords(path)).get(logKey({ stream, origin })) ?? [];
  return records.map(({ raw }) => raw.toString());
}

export async function readGaps(path: string): Promise<GapRecord[]> {
  return (await readTexts(path, 'tally', 'gap')).map((text) => JSON.parse(text) as GapRecord);
}

/** What a store's folder would be had its writer been killed now; nothing may be written meanwhile. */
export async function copyOf(path: string): Promise<string> {
  const copy = join(await scratchFolder(), 'store');
  await cp(path, copy, { recursive: true, filter: (source) => !source.endsWith('writer.lock') });
  return copy;
}

export async function filesBelow(path: string): Promise<string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  return found
    .filter((item) => !item.isDirectory())
    .map((item) => join(item.parentPath, item.name).slice(path.length + 1))
    .sort();
}
