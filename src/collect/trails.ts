import { join } from 'node:path';
import type { Logger } from 'pino';
import { fileNameOf } from '../evidence/file-name.ts';
import type { Records, WayIn } from '../evidence/record-log.ts';
import { readStore } from '../evidence/store-read.ts';
import type { CloudTrailSource } from '../model/collector.ts';
import { literal, openDatabase } from '../query/database.ts';
import { followLookup } from '../sources/cloudtrail-lookup.ts';
import { followTrail } from '../sources/cloudtrail-s3.ts';
import type { Metrics } from './metrics.ts';
import type { PlaceStatus } from '../sources/cloudtrail-status.ts';
import type { TakenObject } from '../sources/cloudtrail-taken.ts';

export interface Trails {
  readonly ways: readonly WayIn[];
  /** Asks how every trail is set: at the boundaries of tasks. */
  readonly boundary: () => Promise<void>;
  /** What is not read as it should be. */
  readonly ready: () => readonly string[];
  /** Brings the trails' numbers up to date. */
  readonly measure: () => void;
}

export const noTrails: Trails = {
  ways: [],
  boundary: () => Promise.resolve(),
  ready: () => [],
  measure: () => undefined,
};

/** The ways in of every configured trail. */
export function openTrails(
  sources: readonly CloudTrailSource[],
  records: Records,
  store: string,
  maskKey: Buffer,
  metrics: Metrics,
  log: Logger,
): Trails {
  const began = Date.now(); // the age of a digest that never comes must grow too
  const trails = sources.map((source) => {
    const about = log.child({ bucket: source.bucket });
    const state = join(store, 'state', `cloudtrail-${fileNameOf(`${source.bucket}/${source.prefix}`)}`);
    const tell = (level: 'info' | 'warn' | 'error', message: string): void => about[level](message);
    const trail = followTrail(source, records, {
      maskKey,
      state,
      taken: (since) => takenObjects(store, since),
      log: tell,
    });
    const lookup = source.lookup ? [followLookup(source, records, { state, log: tell })] : [];
    return { trail, ways: [trail, ...lookup] };
  });
  const places = (): readonly PlaceStatus[] => trails.flatMap(({ trail }) => trail.status().places);
  return {
    ways: trails.flatMap(({ ways }) => ways),
    boundary: async () => {
      await Promise.all(trails.map(({ trail }) => trail.snapshot()));
    },
    ready: () =>
      places().flatMap(({ account, region, state, why }) =>
        state === 'ok' ? [] : [`CloudTrail ${account} ${region}: ${why === '' ? state : why}`],
      ),
    measure: () => {
      for (const { account, region, taken, refused, newestDigest } of places()) {
        metrics.trailObjects.set({ account, region }, taken);
        metrics.trailRefused.set({ account, region }, refused);
        const newest = newestDigest === undefined ? began : Date.parse(newestDigest);
        metrics.newestDigest.set({ account, region }, newest / 1000);
      }
    },
  };
}

/** What the store's inventory says was taken since then; what waits to be sealed may be taken twice, which does no harm. */
async function* takenObjects(store: string, since: Date): AsyncGenerator<TakenObject> {
  const { segments } = await readStore(store);
  const files = segments
    .filter(({ stream, lastTime }) => stream === 'cloudtrail-object' && Date.parse(lastTime ?? '') >= since.getTime())
    .map(({ file }) => literal(join(store, file)));
  if (files.length === 0) return;
  const database = await openDatabase();
  try {
    const rows = await database.all(
      `SELECT raw ->> '$.object' AS object, raw ->> '$.etag' AS etag FROM read_parquet([${files.join(', ')}])`,
    );
    for (const { object, etag } of rows)
      yield { object: String(object), etag: typeof etag === 'string' ? etag : undefined };
  } finally {
    await database.close();
  }
}
