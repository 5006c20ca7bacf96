import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { TallyError } from '../model/errors.ts';
import { parseDigestName, parseLogName, plainName } from './cloudtrail-names.ts';
import { gunzipFirstMember, isGzip } from './gzip-member.ts';
import { compareText } from './order.ts';

export type CloudTrailKind = 'log' | 'digest' | 'backfill' | 'public-keys' | 'trails';

/**
 * What was found about one object before secrets in its text were masked: sealed as a record of its own, since
 * masking changes the bytes that a digest's hash covers.
 */
export interface CloudTrailInventory {
  readonly object: string;
  readonly kind: CloudTrailKind;
  /** Over the uncompressed bytes, lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes follow the gzip stream. */
  readonly trailing: boolean;
  /** The S3 object's metadata, keys `x-amz-meta-…` in lower case; empty when it was not kept. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CloudTrailObject {
  readonly kind: 'object';
  readonly stream: 'cloudtrail' | 'cloudtrail-digest' | 'cloudtrail-config';
  readonly object: string;
  /** Empty where neither name nor content tells. */
  readonly account: string;
  readonly region: string;
  readonly text: string;
  readonly inventory: CloudTrailInventory;
}

/** A file that gave no object: becomes a gap. `unknown-file` is readable JSON of no known form. */
export interface CloudTrailProblem {
  readonly kind: 'problem';
  readonly object: string;
  readonly code: 'truncated-file' | 'unreadable-file' | 'unknown-file' | 'object-missing';
  readonly why: string;
}

export type CloudTrailItem = CloudTrailObject | CloudTrailProblem;

const metadataSuffix = '.metadata.json';

/**
 * Reads what `--cloudtrail` names: folders are searched for `.json` and `.json.gz`, files are taken as they are. What
 * a file is, its content tells; layout and names are trusted for nothing. One file is in memory at a time, order is by
 * name. Throws TallyError('input') for a path that is not there.
 */
export async function* readCloudTrail(paths: readonly string[]): AsyncGenerator<CloudTrailItem> {
  const files = await listFiles(paths);
  const objects = files.filter((file) => !file.endsWith(metadataSuffix));
  const metadataFiles = files.filter((file) => file.endsWith(metadataSuffix));
  yield* findOrphans(metadataFiles, objects);
  for (const file of objects) yield* readOne(file, metadataFiles);
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

async function* readOne(file: string, metadataFiles: readonly string[]): AsyncGenerator<CloudTrailItem> {
  const object = basename(file);
  const content = await readContent(file);
  if ('code' in content) {
    yield { kind: 'problem', object, ...content };
    return;
  }
  const text = content.bytes.toString('utf8');
  const value = parseJson(text);
  if (value === undefined) {
    yield { kind: 'problem', object, code: 'unreadable-file', why: 'it is not JSON' };
    return;
  }
  const shape = classify(value, object);
  if (shape === undefined) {
    yield {
      kind: 'problem',
      object,
      code: 'unknown-file',
      why: 'its JSON is no form of CloudTrail’s that is known here',
    };
    return;
  }
  const metadata = await readMetadata(file, metadataFiles);
  if (metadata === undefined) {
    yield {
      kind: 'problem',
      object,
      code: 'unreadable-file',
      why: 'the metadata file beside it is not a JSON object of strings',
    };
  }
  const { kind, stream, account, region } = shape;
  yield {
    kind: 'object',
    stream,
    object,
    account,
    region,
    text,
    inventory: {
      object,
      kind,
      sha256: createHash('sha256').update(content.bytes).digest('hex'),
      bytes: content.bytes.length,
      trailing: content.trailing,
      metadata: metadata ?? {},
    },
  };
}

type Content = { bytes: Buffer; trailing: boolean } | Pick<CloudTrailProblem, 'code' | 'why'>;

async function readContent(file: string): Promise<Content> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new TallyError('input', `${file} can't be read.`, { cause });
  }
  if (!isGzip(bytes)) return { bytes, trailing: false };
  try {
    const { content, trailing } = gunzipFirstMember(bytes, constants.MAX_STRING_LENGTH);
    return { bytes: content, trailing };
  } catch (cause) {
    return {
      code: 'truncated-file',
      why: `it can't be decompressed: ${cause instanceof Error ? cause.message : 'unknown error'}`,
    };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
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

type Shape = Pick<CloudTrailObject, 'stream' | 'account' | 'region'> & { readonly kind: CloudTrailKind };
type Json = Readonly<Record<string, unknown>>;

function classify(value: unknown, object: string): Shape | undefined {
  if (Array.isArray(value))
    return isRecord(value[0]) ? logShape(value, object) : configShape(value, 'trails', isSnapshot);
  if (!isJson(value)) return undefined;
  if (Array.isArray(value['Records'])) return logShape(value['Records'], object);
  if (typeof value['digestStartTime'] === 'string' || 'digestS3Object' in value) return digestShape(value, object);
  if (Array.isArray(value['PublicKeyList'])) return configShape([value], 'public-keys', () => true);
  return configShape([value], 'trails', isSnapshot);
}

function logShape(records: readonly unknown[], object: string): Shape {
  const name = parseLogName(object);
  const first = records.find(isRecord);
  return {
    kind: 'log',
    stream: 'cloudtrail',
    account: name?.account ?? text(first?.['recipientAccountId']),
    region: name?.region ?? text(first?.['awsRegion']),
  };
}

function digestShape(digest: Json, object: string): Shape {
  const name = parseDigestName(object);
  return {
    kind: name?.backfill === true ? 'backfill' : 'digest',
    stream: 'cloudtrail-digest',
    account: name?.account ?? text(digest['awsAccountId']),
    region:
      name?.region ?? /\/CloudTrail-Digest\/([a-z0-9-]{1,32})\//.exec(String(digest['digestS3Object']))?.[1] ?? '',
  };
}

function configShape(
  values: readonly unknown[],
  kind: 'trails' | 'public-keys',
  fits: (value: Json) => boolean,
): Shape | undefined {
  const [first] = values;
  if (!isJson(first) || !values.every((value) => isJson(value) && fits(value))) return undefined;
  return { kind, stream: 'cloudtrail-config', account: text(first['account']), region: text(first['region']) };
}

/** Records of a log file; also those of bare lists, as they are shared without the envelope. */
function isRecord(value: unknown): value is Json {
  return isJson(value) && typeof value['eventName'] === 'string' && typeof value['eventSource'] === 'string';
}

function isSnapshot(value: Json): boolean {
  return ['trails', 'trailList', 'IsLogging', 'EventSelectors', 'AdvancedEventSelectors'].some((key) => key in value);
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names from content become parts of record ids: only what an account id or region can be. */
function text(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9-]{1,32}$/.test(value) ? value : '';
}
