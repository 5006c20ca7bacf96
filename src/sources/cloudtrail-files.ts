import { constants } from 'node:buffer';
import type { Stats } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { TallyError } from '../model/errors.ts';
import { plainName } from './cloudtrail-names.ts';
import { type CloudTrailItem, type CloudTrailProblem, parseJson, parseObject } from './cloudtrail-object.ts';
import { compareText } from './order.ts';

const metadataSuffix = '.metadata.json';

/**
 * Reads what `--cloudtrail` names: folders are searched for `.json` and `.json.gz`, files are taken as they are. What
 * a file is, its content tells; layout and names are trusted for nothing. One file is in memory at a time, order is by
 * name. Throws TallyError('input') for a path that is not there.
 */
export async function* readCloudTrail(paths: readonly string[]): AsyncGenerator<CloudTrailItem> {
  const files = await listFiles(paths);
  const named = new Set(paths);
  const objects = files.filter((file) => !file.endsWith(metadataSuffix));
  const metadataFiles = files.filter((file) => file.endsWith(metadataSuffix));
  yield* findOrphans(metadataFiles, objects);
  for (const file of objects) {
    const items = parseObject({
      object: basename(file),
      bytes: await readBytes(file),
      metadata: await readMetadata(file, metadataFiles),
      limit: constants.MAX_STRING_LENGTH,
    });
    for (const item of items) yield named.has(file) ? item : withoutPlanted(item, file);
  }
}

/**
 * Keys and trail snapshots judge the log files, so whoever can write log files must not be able to add some: in a folder they are
 * believed from files of their own names outside the bucket's own layout only.
 */
function withoutPlanted(item: CloudTrailItem, file: string): CloudTrailItem {
  if (item.kind === 'problem') return item;
  const { kind } = item.inventory;
  if (kind !== 'public-keys' && kind !== 'trails') return item;
  const name = basename(file);
  if (/^(public-keys|trails)[^/]*\.json$/.test(name) && !resolve(file).includes('/AWSLogs/')) return item;
  const why = `it holds ${kind === 'trails' ? 'trail snapshots' : 'public keys'}, which are read only from a file ${kind}.json outside AWSLogs/`;
  return { kind: 'problem', object: item.object, code: 'unknown-file', why };
}

async function listFiles(paths: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const inside = (await statInput(path)).isDirectory() ? await listFolder(path) : [path];
    for (const file of inside) found.set(await realpath(file), file);
  }
  return [...found.values()].sort((a, b) => compareText(basename(a), basename(b)) || compareText(a, b));
}

async function listFolder(path: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!/\.json(\.gz)?$/.test(entry.name)) continue;
    if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(file)))) files.push(file);
  }
  return files;
}

async function statInput(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new TallyError('input', `${path} can't be read; give a folder or files of CloudTrail with --cloudtrail.`, {
      cause,
    });
  }
}

/** False for a link that leads nowhere. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Metadata that was kept for an object which is not here says that the object once was. */
function* findOrphans(metadataFiles: readonly string[], objects: readonly string[]): Generator<CloudTrailProblem> {
  const present = new Set(objects.map((file) => plainName(basename(file))));
  for (const file of metadataFiles) {
    const object = basename(file).slice(0, -metadataSuffix.length);
    if (present.has(plainName(object))) continue;
    yield { kind: 'problem', object, code: 'object-missing', why: 'its metadata is here, the object itself is not' };
  }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TallyError('input', `${file} can't be read.`, { cause });
  }
}

const metadataSchema = z.record(z.string(), z.string());

/** The metadata file beside the object, else the only one of that name elsewhere; undefined when it is broken. */
async function readMetadata(
  file: string,
  metadataFiles: readonly string[],
): Promise<Record<string, string> | undefined> {
  const named = metadataFiles.filter(
    (other) => plainName(basename(other, metadataSuffix)) === plainName(basename(file)),
  );
  const path = named.find((other) => other === file + metadataSuffix) ?? (named.length === 1 ? named[0] : undefined);
  if (path === undefined) return {};
  const parsed = metadataSchema.safeParse(parseJson(await readFile(path, 'utf8')));
  if (!parsed.success) return undefined;
  return Object.fromEntries(Object.entries(parsed.data).map(([key, value]) => [key.toLowerCase(), value]));
}
