import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDigests } from '../../src/sources/cloudtrail-digest.ts';
import { readCloudTrail } from '../../src/sources/cloudtrail-files.ts';
import type { CloudTrailItem, CloudTrailObject } from '../../src/sources/cloudtrail-object.ts';
import type { AuditObject } from '../../src/sources/cloudtrail-object-row.ts';
import { parsePublicKeys } from '../../src/sources/cloudtrail-signature.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folder with recorded cases and real data; tests that lean on it must not pass without it. */
export const shared = process.env['TALLY_SHARED'] ?? join(root, '..', 'shared');
if (!existsSync(join(shared, 'cases'))) {
  throw new Error(`${shared} has no cases; set TALLY_SHARED to the folder with the recorded cases.`);
}

export function caseFolder(name: string): string {
  return join(shared, 'cases', name, 'cloudtrail');
}

/** Runs `use` on a scratch copy of a case's folder. */
export async function withCopy<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-cloudtrail-'));
  try {
    await cp(caseFolder(name), folder, { recursive: true });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Paths of all files below a folder, sorted. */
export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

export async function readAll(...paths: string[]): Promise<CloudTrailItem[]> {
  const items: CloudTrailItem[] = [];
  for await (const item of readCloudTrail(paths)) items.push(item);
  return items;
}

export function objectsOf(items: readonly CloudTrailItem[]): CloudTrailObject[] {
  return items.filter((item) => item.kind === 'object');
}

/** Record id under which the tests file an object: the stream and its place in it. */
export function evidenceOf(objects: readonly CloudTrailObject[], object: CloudTrailObject): string {
  const before = objects.slice(0, objects.indexOf(object)).filter(({ stream }) => stream === object.stream);
  return `${object.stream}/test/${before.length}`;
}

export function judge(items: readonly CloudTrailItem[]): AuditObject[] {
  const objects = objectsOf(items);
  const facts = (object: CloudTrailObject) => ({
    object: object.object,
    sha256: object.inventory.sha256,
    trailing: object.inventory.trailing,
    evidence: evidenceOf(objects, object),
  });
  return checkDigests({
    digests: objects
      .filter(({ stream }) => stream === 'cloudtrail-digest')
      .map((object) => ({
        ...facts(object),
        text: object.text,
        signature: object.inventory.metadata['x-amz-meta-signature'],
      })),
    logs: objects.filter(({ stream }) => stream === 'cloudtrail').map(facts),
    publicKeys: objects.flatMap(({ inventory, text }) =>
      inventory.kind === 'public-keys' ? (parsePublicKeys(text) ?? []) : [],
    ),
  });
}
