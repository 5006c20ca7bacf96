import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../evidence/atomic-file.ts';
import { fileNameOf } from '../evidence/file-name.ts';
import { isMissing } from '../evidence/missing-file.ts';
import type { Records } from '../evidence/record-log.ts';
import { readStore, readUnsealed, readVkey } from '../evidence/store-read.ts';
import type { TetragonSource } from '../model/collector.ts';
import { toNs } from '../sources/time-ns.ts';
import { readState } from './state.ts';
import { toRecord, toTime, wallClock } from '../sources/sensor-line.ts';

/** Says that the last collector ended in good order: it told itself that its streams broke. */
function marker(store: string): string {
  return join(store, 'state', 'clean-end');
}

export async function cleanEnd(store: string): Promise<void> {
  await writeFileAtomic(marker(store), '');
}

/**
 * A collector that was killed could not tell that its streams broke with it. Looks when they last brought something, before
 * the store is opened anew; the function returned then keeps a `disconnected` line of that time for each node. Frames
 * that came later and were not on disk yet are in that gap.
 */
export async function tellBrokenStreams(
  store: string,
  sources: readonly TetragonSource[],
): Promise<(records: Records) => Promise<void>> {
  const clean = await readFile(marker(store)).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
  const last =
    clean || (await readVkey(store)) === undefined ? new Map<string, bigint>() : await lastFrames(store, sources);
  return async (records) => {
    for (const [node, time] of last) {
      const log = await records.log('sensor', node);
      const why = 'the collector was ended without notice';
      // a microsecond, as tables count: behind the line that said last that the stream was there
      const at = toTime(time + 1000n);
      const line = { kind: 'stream', node, time: at, way: 'grpc', state: 'disconnected', why } as const;
      await log.append(toRecord(line), wallClock());
    }
    await rm(marker(store), { force: true });
    await syncFolder(dirname(marker(store))).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  };
}

/** Where it is written when a node's stream was connected last. */
export function connectedFile(store: string, node: string): string {
  return join(store, 'state', `stream-${fileNameOf(node)}.json`);
}

/**
 * When the stream of each node was there last, ns: the time of receipt of its last frame, or of its connection where that came
 * later; of the first record about its sensor where no frame ever came. Nodes that are followed no more are among them.
 */
async function lastFrames(store: string, sources: readonly TetragonSource[]): Promise<Map<string, bigint>> {
  const frames = new Map<string, bigint>();
  const begun = new Map<string, bigint>();
  const note = (stream: string, origin: string, first: bigint | undefined, last: bigint | undefined): void => {
    const at = frames.get(origin);
    if (stream === 'tetragon-grpc' && last !== undefined && (at === undefined || at < last)) frames.set(origin, last);
    const from = begun.get(origin);
    if (stream === 'sensor' && first !== undefined && (from === undefined || from > first)) begun.set(origin, first);
  };
  const { segments } = await readStore(store);
  for (const { stream, origin, firstTime, lastTime } of segments)
    note(stream, origin, toNs(firstTime ?? undefined), toNs(lastTime ?? undefined));
  for (const { stream, origin, firstTime, lastTime } of await readUnsealed(store))
    note(stream, origin, firstTime, lastTime);
  const last = new Map(frames);
  for (const { node, address } of sources) {
    const first = begun.get(node);
    if (address !== undefined && !last.has(node) && first !== undefined) last.set(node, first);
  }
  for (const [node, time] of last) {
    const connected = await readState<{ connected: string }>(connectedFile(store, node));
    const at = toNs(connected?.connected);
    if (at > time) last.set(node, at);
  }
  return last;
}
