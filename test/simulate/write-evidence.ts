import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Inputs } from '../../src/sources/ingest.ts';
import type { CloudFile, Evidence } from './evidence.ts';

/** Where evidence was written, as `tally audit` is told it. */
export interface Written {
  readonly task: string;
  readonly config: string;
  readonly inputs: Inputs;
}

/**
 * Writes evidence into a folder that may be there or not. What a world has none of is not given: no lines of the sensor are no
 * file. `compress` writes lines as .gz; the trail's objects are compressed where their names say so.
 */
export async function writeEvidence(evidence: Evidence, folder: string, { compress = false } = {}): Promise<Written> {
  await mkdir(folder, { recursive: true });
  const task = join(folder, 'task.yaml');
  const config = join(folder, 'config.yaml');
  await writeFile(task, evidence.declaration);
  await writeFile(config, evidence.config);
  for (const [index, policy] of evidence.policies.entries()) {
    await writeFile(join(folder, index === 0 ? 'granted.json' : `granted-${index + 1}.json`), policy);
  }
  const writeLines = async (source: 'tetragon' | 'sensor'): Promise<string[]> => {
    if (evidence[source].length === 0) return [];
    const bytes = Buffer.from(evidence[source].map(({ text }) => `${text}\n`).join(''));
    const path = join(folder, compress ? `${source}.jsonl.gz` : `${source}.jsonl`);
    await writeFile(path, compress ? pack(bytes) : bytes);
    return [path];
  };
  const tetragon = await writeLines('tetragon');
  const sensor = await writeLines('sensor');
  const cloudtrail = await writeObjects(evidence.cloudtrail, join(folder, 'cloudtrail'));
  return { task, config, inputs: { tetragon, sensor, cloudtrail, resolutions: [] } };
}

/** The folder, where there is anything to put into it. */
export async function writeObjects(files: readonly CloudFile[], folder: string): Promise<string[]> {
  for (const { path, text, metadata } of files) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    const bytes = Buffer.from(text);
    await writeFile(place, path.endsWith('.gz') ? pack(bytes) : bytes);
    if (metadata !== undefined) await writeFile(`${place}.metadata.json`, JSON.stringify(metadata, undefined, 1));
  }
  return files.length === 0 ? [] : [folder];
}

function pack(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 1 });
}
