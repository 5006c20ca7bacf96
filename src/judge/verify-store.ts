import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { openCheckpoint } from '../evidence/checkpoint.ts';
import { ledgerFolder } from '../evidence/ledger-segments.ts';
import { leafHash, merkleRoot } from '../evidence/merkle.ts';
import { tampered } from '../evidence/tampered.ts';
import { readLedger } from '../evidence/tiles.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest, Segment } from '../model/record.ts';
import type { Database } from '../query/database.ts';
import { ownStream } from './own-records.ts';
import { isInRange, lookSince } from './store-segments.ts';
import { findTask, readConfig } from './store-tasks.ts';
import type { Checks } from './verify-evidence.ts';

/** Beside segments and ledger in a live store: a collector's working files, which no report leans on. */
const runtimeParts = ['wal', 'state', 'reports', 'writer.lock', 'control.sock', 'ledger.vkey'];

/**
 * Checks what a report from a live store leans on against the store as it is now, which may have grown since: its ledger
 * continues the one that was signed, the segments were entries of that one, and no file is there that the ledger does not
 * name. Throws TallyError `integrity` that names the file.
 */
export async function verifyStore(store: string, manifest: Manifest): Promise<Checks> {
  const entries = await verifyLedger(store, manifest);
  verifyFiles(manifest);
  const present = await readdir(store, { withFileTypes: true });
  const runtime = present.filter(({ name }) => runtimeParts.some((part) => name === part || isLock(name)));
  const expected = new Set(['segments', 'ledger', ...runtime.map(({ name }) => name)]);
  const extra = present.find(({ name }) => !expected.has(name));
  if (extra !== undefined)
    throw new TallyError('integrity', `${extra.name} is in the store, but nobody vouches for it.`);
  const names = runtime.map(({ name }) => name).sort();
  return {
    checked: [
      `the ledger, now of ${entries} segments, continues the one that was signed`,
      'the ledger names every file under segments/ and ledger/',
    ],
    notChecked: names.length === 0 ? [] : [`the collector's own working files in the store: ${names.join(', ')}`],
  };
}

function isLock(name: string): boolean {
  return name.startsWith('writer.lock');
}

/** A writer may be amid sealing: what no ledger names is an error once it stays so. Gives the number of entries. */
async function verifyLedger(store: string, manifest: Manifest): Promise<number> {
  for (let tries = (await isWritten(store)) ? 20 : 1; ; tries -= 1) {
    try {
      const { entries } = await readLedger(ledgerFolder(store), manifest.ledger.vkey);
      verifyPrefix(entries, manifest);
      await verifyNoOthers(store, entries);
      return entries.length;
    } catch (error) {
      if (!(error instanceof TallyError) || tries <= 1) throw error;
      await sleep(250);
    }
  }
}

async function isWritten(store: string): Promise<boolean> {
  return (await readdir(store)).some(isLock);
}

function verifyPrefix(entries: readonly Buffer[], { ledger, segments }: Manifest): void {
  const signed = openCheckpoint(Buffer.from(ledger.checkpoint), ledger.vkey, 'manifest.json');
  if (entries.length < signed.size) {
    throw tampered(
      'ledger/checkpoint',
      `has ${entries.length} entries; it had ${signed.size} when the report was signed`,
    );
  }
  const prefix = entries.slice(0, signed.size);
  if (!merkleRoot(prefix.map((entry) => leafHash(entry))).equals(signed.root)) {
    throw tampered('ledger/checkpoint', 'is of another history than the one that was signed: the ledger was forked');
  }
  const known = new Set(prefix.map((entry) => entry.toString()));
  const stranger = segments.find((segment) => !known.has(canonicalJson(segment).toString()));
  if (stranger !== undefined) throw tampered('manifest.json', `names ${stranger.file}, which is not in the ledger`);
}

async function verifyNoOthers(store: string, entries: readonly Buffer[]): Promise<void> {
  const named = new Set(entries.map((entry) => (JSON.parse(entry.toString()) as Segment).file));
  const walk = async (part: string): Promise<void> => {
    for (const entry of await readdir(join(store, part), { withFileTypes: true })) {
      const path = `${part}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (!entry.isFile() || !named.has(path))
        throw tampered(path, 'is in the store, but its ledger does not name it');
    }
  };
  if (named.size > 0) await walk('segments');
}

/** The manifest lists exactly the files of the segments that it names. */
function verifyFiles({ segments, files }: Manifest): void {
  const wanted = segments.map(({ file, fileSha256 }) => ({ path: file, sha256: fileSha256 }));
  if (!canonicalJson(wanted).equals(canonicalJson(files))) {
    throw tampered('manifest.json', 'lists other files than those of its segments');
  }
}

/**
 * That the report leans on everything it has to: each segment in the task's range, once the segments that it names were
 * checked. Older ones may be left out, since where they are is then a gap.
 */
export async function verifyChoice(database: Database, store: string, manifest: Manifest, task: string): Promise<void> {
  const { entries } = await readLedger(ledgerFolder(store), manifest.ledger.vkey, { unfinished: 'ignore' });
  const { size } = openCheckpoint(Buffer.from(manifest.ledger.checkpoint), manifest.ledger.vkey, 'manifest.json');
  const chosen = new Set(manifest.segments.map(({ file }) => file));
  const left = entries
    .slice(0, size)
    .map((entry) => JSON.parse(entry.toString()) as Segment)
    .filter(({ file }) => !chosen.has(file));
  const since = left.some(isOwn)
    ? '' // what was declared may be in what is left out
    : lookSince(
        await findTask(database, store, manifest.segments, task),
        (await readConfig(database, store, manifest.segments)).config,
      );
  const needed = left.find((segment) => isInRange(segment, since));
  if (needed !== undefined)
    throw tampered('manifest.json', `leaves out ${needed.file}, which the report has to lean on`);
}

function isOwn({ stream }: Segment): boolean {
  return stream === ownStream;
}
