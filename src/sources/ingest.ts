import { basename } from 'node:path';
import { maskSecrets } from '../evidence/mask.ts';
import { sealStream } from '../evidence/seal.ts';
import type { Segment } from '../model/record.ts';
import type { Database } from '../query/database.ts';
import { readCloudTrail } from './cloudtrail-files.ts';
import { toRecord } from './cloudtrail-record.ts';
import { type LineForm, type Problem, stageJsonLines } from './json-lines.ts';
import { isDocument, readDocument } from './resolution-files.ts';
import { createStaged, relationOf, type StagedRecord, stageRecords } from './staged.ts';
import { decodeFrame, readFrames } from './tetragon-frames.ts';
import { toNs } from './time-ns.ts';

/** Paths of the evidence to take in (design 9). */
export interface Inputs {
  readonly tetragon: readonly string[];
  readonly sensor: readonly string[];
  readonly cloudtrail: readonly string[];
  readonly resolutions: readonly string[];
}

export interface Ingested {
  readonly segments: readonly Segment[];
  readonly problems: readonly Problem[];
}

interface Context {
  readonly database: Database;
  readonly evidence: string;
  readonly maskKey: Buffer;
}

const lineForms = {
  tetragon: { stream: 'tetragon', originKey: 'node_name', timeKey: 'time', noOrigin: 'unknown' },
  sensor: { stream: 'sensor', originKey: 'node', timeKey: 'time', noOrigin: 'unknown' },
  resolutions: { stream: 'resolution', originKey: 'origin', timeKey: 'time', noOrigin: 'lines' },
} as const satisfies Record<string, LineForm>;

/** Reads every input, masks secrets and seals it into the evidence folder. `step` is told what is being read. */
export async function ingest(context: Context, inputs: Inputs, step: (what: string) => void): Promise<Ingested> {
  const parts: Ingested[] = [];
  const frames = inputs.tetragon.filter(isFrameFile);
  const lines = inputs.tetragon.filter((path) => !isFrameFile(path));
  if (lines.length > 0) parts.push(await (step('tetragon'), ingestLines(context, lineForms.tetragon, lines)));
  if (frames.length > 0) parts.push(await (step('tetragon frames'), ingestFrames(context, frames)));
  if (inputs.sensor.length > 0)
    parts.push(await (step('sensor'), ingestLines(context, lineForms.sensor, inputs.sensor)));
  if (inputs.cloudtrail.length > 0)
    parts.push(await (step('cloudtrail'), ingestCloudTrail(context, inputs.cloudtrail)));
  if (inputs.resolutions.length > 0)
    parts.push(await (step('resolutions'), ingestResolutions(context, inputs.resolutions)));
  return { segments: parts.flatMap((part) => part.segments), problems: parts.flatMap((part) => part.problems) };
}

function isFrameFile(path: string): boolean {
  return /\.binpb(\.gz|\.zst)?$/.test(path);
}

async function ingestLines(context: Context, form: LineForm, paths: readonly string[]): Promise<Ingested> {
  const { relation, problems } = await stageJsonLines(context.database, form, paths, context.maskKey);
  return { segments: await sealStream(context.database, context.evidence, form.stream, relation), problems };
}

async function ingestFrames(context: Context, paths: readonly string[]): Promise<Ingested> {
  const problems: Problem[] = [];
  async function* records(): AsyncGenerator<StagedRecord> {
    for (const path of paths) {
      const broken: number[] = [];
      for await (const item of readFrames(path)) {
        if (item.kind === 'broken') {
          const detail = `${basename(path)} could not be read from byte ${item.offset} on: ${item.why}`;
          problems.push({ stream: 'tetragon', file: basename(path), why: 'truncated-file', detail, count: 1 });
          continue;
        }
        const { bytes } = maskSecrets(Buffer.from(item.frame), context.maskKey);
        const decoded = decodeFrame(bytes);
        if (decoded.kind === 'broken') broken.push(item.offset);
        else yield { ...frameHead(decoded.line), raw: bytes };
      }
      if (broken.length > 0) {
        const detail = `${broken.length} frames of ${basename(path)} are no events: at byte ${broken.slice(0, 20).join(', ')}`;
        problems.push({ stream: 'tetragon', file: basename(path), why: 'broken-line', detail, count: broken.length });
      }
    }
  }
  const relation = await stageRecords(context.database, 'tetragon-grpc', records(), 'bytes');
  const segments = await sealStream(context.database, context.evidence, 'tetragon-grpc', relation, 'bytes');
  return { segments, problems };
}

function frameHead(line: string): { origin: string; timeNs: bigint } {
  const { node_name: node, time } = JSON.parse(line) as { node_name?: string; time?: string };
  return { origin: node === undefined || node === '' ? 'unknown' : node, timeNs: toNs(time) };
}

async function ingestCloudTrail(context: Context, paths: readonly string[]): Promise<Ingested> {
  const problems: Problem[] = [];
  const inventory: StagedRecord[] = [];
  const segments: Segment[] = [];
  const staged = new Map<string, StagedRecord[]>();
  const flush = async (): Promise<void> => {
    for (const [stream, records] of staged) {
      const rows = records.splice(0).map(({ origin, timeNs, raw }) => [origin, timeNs, String(raw)]);
      await context.database.insert(`${relationOf(stream)}_rows`, rows);
    }
  };
  let held = 0;
  for await (const item of readCloudTrail(paths)) {
    if (item.kind === 'problem') {
      problems.push({
        stream: 'cloudtrail',
        file: item.object,
        why: item.code,
        detail: `${item.object}: ${item.why}`,
        count: 1,
      });
      continue;
    }
    const { stream, origin, timeNs, raw, inventory: entry } = toRecord(item, context.maskKey);
    const records = staged.get(stream) ?? [];
    if (!staged.has(stream)) await createStaged(context.database, stream, 'text');
    staged.set(stream, records);
    records.push({ origin, timeNs, raw: raw.toString() });
    inventory.push({ origin, timeNs, raw: JSON.stringify(entry) });
    held += raw.length;
    if (held > 32 * 1024 * 1024) {
      await flush();
      held = 0;
    }
  }
  await createStaged(context.database, 'cloudtrail-object', 'text');
  staged.set('cloudtrail-object', inventory);
  await flush();
  for (const stream of [...staged.keys()].sort()) {
    segments.push(...(await sealStream(context.database, context.evidence, stream, relationOf(stream))));
  }
  return { segments, problems };
}

async function ingestResolutions(context: Context, paths: readonly string[]): Promise<Ingested> {
  const documents: StagedRecord[] = [];
  const lines: string[] = [];
  for (const path of paths) {
    if (await isDocument(path)) documents.push({ origin: 'ip-ranges', timeNs: 0n, raw: await readDocument(path) });
    else lines.push(path);
  }
  const parts: Ingested[] = [];
  if (lines.length > 0) parts.push(await ingestLines(context, lineForms.resolutions, lines));
  if (documents.length > 0) {
    const relation = await stageRecords(context.database, 'resolution-document', documents);
    parts.push({
      segments: await sealStream(context.database, context.evidence, 'resolution-document', relation),
      problems: [],
    });
  }
  return { segments: parts.flatMap((part) => part.segments), problems: parts.flatMap((part) => part.problems) };
}
