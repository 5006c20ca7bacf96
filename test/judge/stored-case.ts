import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ledgerKey, loadPrivateKey } from '../../src/attest/keys.ts';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';
import { fileNameOf } from '../../src/evidence/file-name.ts';
import { describeSegment, rawKindOf } from '../../src/evidence/seal.ts';
import { toVkey } from '../../src/evidence/signed-note.ts';
import { appendEntries } from '../../src/evidence/tiles.ts';
import { ledgerOrigin } from '../../src/judge/audit-task.ts';
import type { Segment } from '../../src/model/record.ts';
import { type Database, literal, openDatabase } from '../../src/query/database.ts';
import { readCloudTrail } from '../../src/sources/cloudtrail-files.ts';
import { toRecord } from '../../src/sources/cloudtrail-record.ts';
import { toNs } from '../../src/sources/time-ns.ts';
import { casesFolder, inputsOf, readLines } from '../cases/shared-case.ts';

export interface Received {
  readonly receivedAt: bigint;
  readonly raw: string | Uint8Array;
}

/** A live store that a test writes by itself: what is put waits until it is sealed, one segment for each (stream, origin). */
export interface TestStore {
  readonly path: string;
  put(stream: string, origin: string, records: readonly Received[]): void;
  /** Gives the segments that were sealed. */
  seal(): Promise<Segment[]>;
  close(): Promise<void>;
}

/** `key`: file of the private key that the collector would run under. */
export async function openTestStore(key: string): Promise<TestStore> {
  const path = mkdtempSync(join(tmpdir(), 'tally-store-'));
  const database = await openDatabase();
  const signer = { origin: ledgerOrigin, privateKey: ledgerKey(loadPrivateKey(key, {})) };
  writeFileSync(join(path, 'ledger.vkey'), `${toVkey(signer.origin, signer.privateKey)}\n`);
  const waiting = new Map<string, { stream: string; origin: string; records: Received[] }>();
  const next = new Map<string, number>();
  return {
    path,
    put(stream, origin, records) {
      const log = JSON.stringify([stream, origin]);
      const queue = waiting.get(log) ?? { stream, origin, records: [] };
      queue.records.push(...records);
      waiting.set(log, queue);
    },
    async seal() {
      const segments: Segment[] = [];
      for (const [log, { stream, origin, records }] of waiting) {
        const from = next.get(log) ?? 0;
        segments.push(await writeSegment(database, path, { stream, origin, from, records }));
        next.set(log, from + records.length);
      }
      waiting.clear();
      await appendEntries(join(path, 'ledger'), segments.map(canonicalJson), signer);
      return segments;
    },
    close: async () => {
      await database.close();
      rmSync(path, { recursive: true });
    },
  };
}

interface Run {
  readonly stream: string;
  readonly origin: string;
  readonly from: number;
  readonly records: readonly Received[];
}

async function writeSegment(
  database: Database,
  store: string,
  { stream, origin, from, records }: Run,
): Promise<Segment> {
  const raw = rawKindOf(stream);
  const day = new Date(Number((records[0]?.receivedAt ?? 0n) / 1_000_000n)).toISOString().slice(0, 10);
  const file = `segments/${fileNameOf(stream)}/${day}/${fileNameOf(origin)}-${from}-${from + records.length - 1}.parquet`;
  mkdirSync(dirname(join(store, file)), { recursive: true });
  await database.run(
    `CREATE OR REPLACE TABLE rows (seq BIGINT, received_at BIGINT, raw ${raw === 'text' ? 'VARCHAR' : 'BLOB'})`,
  );
  const appender = await database.connection.createAppender('rows');
  for (const [index, record] of records.entries()) {
    appender.appendBigInt(BigInt(from + index));
    appender.appendBigInt(record.receivedAt);
    if (typeof record.raw === 'string') appender.appendVarchar(record.raw);
    else appender.appendBlob(record.raw);
    appender.endRow();
  }
  appender.closeSync();
  await database.run(`COPY rows TO ${literal(join(store, file))} (FORMAT parquet, COMPRESSION zstd)`);
  return describeSegment(database, store, { stream, origin, file, raw });
}

/** Records with these times of receipt, text as it is. */
export function received(time: string, ...raws: readonly (string | object)[]): Received[] {
  const receivedAt = toNs(time);
  return raws.map((raw) => ({ receivedAt, raw: typeof raw === 'string' ? raw : JSON.stringify(raw) }));
}

/** Declares a task to the store as the collector does. */
export function declare(store: TestStore, time: string, declaration: string, policies: readonly string[] = []): void {
  const task = /id: "?([^\s,}"]+)/.exec(declaration)?.[1] ?? '';
  store.put('tally', 'declared', received(time, { task, declaration, policies, late: false }));
}

/** A case's files as text, and its lines with their own times. */
export interface CaseFiles {
  readonly id: string;
  readonly task: string;
  readonly config: string;
  readonly policies: readonly string[];
  /** When it says that it was declared. */
  readonly declared: string;
  readonly tetragon: readonly Timed[];
  readonly sensor: readonly Timed[];
}

export interface Timed {
  readonly node: string;
  readonly time: bigint;
  readonly raw: string;
}

export function readCase(name: string): CaseFiles {
  const text = (file: string): string => readFileSync(join(casesFolder, name, file), 'utf8');
  const task = text('task.yaml');
  const { tetragon, sensor } = inputsOf(name);
  return {
    id: /id: ([^\s,}]+)/.exec(task)?.[1] ?? '',
    task,
    config: text('config.yaml'),
    policies: [text('granted.json')],
    declared: /declared: (\S+)/.exec(task)?.[1] ?? '',
    tetragon: tetragon.flatMap(readLines).map((raw) => toTimed(raw, 'node_name')),
    sensor: sensor.flatMap(readLines).map((raw) => toTimed(raw, 'node')),
  };
}

function toTimed(raw: string, nodeKey: string): Timed {
  const value = JSON.parse(raw) as Readonly<Record<string, string>>;
  return { node: value[nodeKey] ?? '', time: toNs(value['time']), raw };
}

/** In the order in which an audit seals them: then records have the same numbers. */
export function inSealedOrder(lines: readonly Timed[]): Timed[] {
  const keyed = new Map(lines.map((line) => [line.raw, { line, digest: digestOf(line.raw) }]));
  return [...keyed.values()]
    .sort((a, b) => (a.line.time === b.line.time ? (a.digest < b.digest ? -1 : 1) : a.line.time < b.line.time ? -1 : 1))
    .map(({ line }) => line);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Puts lines under a stream, each received when it says that it happened. */
export function putLines(store: TestStore, stream: string, lines: readonly Timed[]): void {
  for (const { node, time, raw } of lines) store.put(stream, node, [{ receivedAt: time, raw }]);
}

/** Puts a folder of CloudTrail objects as a collector that downloads them does. */
export async function putCloudTrail(store: TestStore, paths: readonly string[]): Promise<void> {
  const records: { stream: string; origin: string; receivedAt: bigint; raw: string }[] = [];
  for await (const item of readCloudTrail(paths)) {
    if (item.kind === 'problem') throw new Error(`${item.object}: ${item.why}`);
    const { stream, origin, timeNs, raw, inventory } = toRecord(item, Buffer.alloc(32, 7));
    records.push({ stream, origin, receivedAt: timeNs, raw: raw.toString() });
    records.push({ stream: 'cloudtrail-object', origin, receivedAt: timeNs, raw: JSON.stringify(inventory) });
  }
  const place = ({ receivedAt, raw }: { receivedAt: bigint; raw: string }): string =>
    `${String(receivedAt).padStart(20, '0')} ${digestOf(raw)}`;
  records.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  for (const { stream, origin, receivedAt, raw } of records) store.put(stream, origin, [{ receivedAt, raw }]);
}

/** A whole case in the store, not sealed yet. */
export async function putCase(store: TestStore, name: string, files = readCase(name)): Promise<CaseFiles> {
  store.put('tally', 'config', received(files.declared, files.config));
  declare(store, files.declared, files.task, files.policies);
  putLines(store, 'tetragon', inSealedOrder(files.tetragon));
  putLines(store, 'sensor', inSealedOrder(files.sensor));
  await putCloudTrail(store, inputsOf(name).cloudtrail);
  return files;
}
