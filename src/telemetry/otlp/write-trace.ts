import { randomBytes } from 'node:crypto';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { TallyError } from '../../model/errors.ts';
import type { TaskTrace } from '../task-trace.ts';
import { toBatches } from './batches.ts';
import type { Exported } from './export-trace.ts';
import { toReadableSpan, toResource } from './readable-span.ts';

/**
 * Writes a trace as OTLP JSON, one ExportTraceServiceRequest on a line, which is what the OpenTelemetry Collector's file
 * exporter writes and its otlpjsonfile receiver reads. The file appears whole or not at all. Only a
 * regular file is written over: a device or a link to one would be lost.
 */
export async function writeTrace(trace: TaskTrace, path: string, version: string): Promise<Exported> {
  const resource = toResource(version);
  const part = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  let spans = 0;
  await checkPath(path);
  try {
    const handle = await open(part, 'wx'); // never through a link that someone laid there
    try {
      for (const batch of toBatches(trace.spans())) {
        const line = JsonTraceSerializer.serializeRequest(batch.map((span) => toReadableSpan(span, resource, version)));
        await handle.appendFile(Buffer.concat([line ?? new Uint8Array(), Buffer.from('\n')]));
        spans += batch.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause; // not the file system's
    throw new TallyError('input', `${path}: can't be written; check the path and the room on the disk.`, { cause });
  }
  return { spans, rejected: 0, told: [] };
}

async function checkPath(path: string): Promise<void> {
  const there = await lstat(path).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TallyError('input', `${path}: can't be written; check the path and the room on the disk.`, { cause });
  });
  if (there?.isFile() === false)
    throw new TallyError('usage', `${path} is there already and is no regular file; give another name (--file).`);
}
