import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { casesFolder, inputsOf, listFiles, readLines } from '../../cases/shared-case.ts';
import type { CloudFile, Evidence } from '../evidence.ts';

const metadataSuffix = '.metadata.json';

/** A recorded case as evidence in memory. What lines and files are is not told: nothing looks for any in it. */
export function readCaseEvidence(name: string): Evidence {
  const { tetragon, sensor, cloudtrail } = inputsOf(name);
  const text = (file: string): string => readFileSync(join(casesFolder, name, file), 'utf8');
  const unknown = { node: '', at: 0n };
  return {
    declaration: text('task.yaml'),
    config: text('config.yaml'),
    policies: [text('granted.json')],
    tetragon: tetragon
      .flatMap(readLines)
      .map((line) => ({ ...unknown, hook: '', process: undefined, act: undefined, text: line })),
    sensor: sensor.flatMap(readLines).map((line) => ({ ...unknown, kind: 'health', text: line })),
    cloudtrail: cloudtrail.flatMap((folder) =>
      listFiles(folder)
        .filter((path) => !path.endsWith(metadataSuffix))
        .map((path) => readFile(folder, path)),
    ),
  };
}

function readFile(folder: string, path: string): CloudFile {
  const bytes = readFileSync(join(folder, path));
  const beside = join(folder, path + metadataSuffix);
  const metadata = existsSync(beside)
    ? (JSON.parse(readFileSync(beside, 'utf8')) as Record<string, string>)
    : undefined;
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  return { path, kind: 'log', text, metadata, at: 0n };
}
