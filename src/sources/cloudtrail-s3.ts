import type { Records, WayIn } from '../evidence/record-log.ts';
import type { CloudTrailSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { AwsError } from './aws-error.ts';
import { openTrailApi } from './cloudtrail-api.ts';
import { openBucket } from './cloudtrail-bucket.ts';
import { openFiler } from './cloudtrail-filer.ts';
import { accountRoot, daysBack, type Place, regionsOf, toPlaces } from './cloudtrail-folders.ts';
import { openPublicKeys } from './cloudtrail-keys.ts';
import { takeNew } from './cloudtrail-place.ts';
import type { RoundTools } from './cloudtrail-round.ts';
import { openSettings } from './cloudtrail-settings.ts';
import { type Level, type PlaceStatus, type PlaceWatch, watchPlace } from './cloudtrail-status.ts';
import { openTaken, type TakenObject } from './cloudtrail-taken.ts';
import { allOf, openLimiter } from './limiter.ts';
import { orTrouble } from './or-trouble.ts';
import { pause } from './pause.ts';

export interface FollowOptions {
  /** That of the store, so that what is sealed is what the inventory says. */
  readonly maskKey: Buffer;
  /** Folder for positions; losing it loses no evidence. */
  readonly state: string;
  /** What inventory records of the store say was taken since that time; asked for once, at the start. */
  readonly taken?: (since: Date) => AsyncIterable<TakenObject>;
  readonly log?: (level: Level, message: string) => void;
  /** ms since the epoch */
  readonly now?: () => number;
  /** Objects asked for in one page of a listing. */
  readonly pageSize?: number;
  /** Bytes that an object may have, stored or decompressed; larger ones are refused and told. */
  readonly limit?: number;
}

/** How it stands with a trail; times in ms since the epoch. */
export interface TrailStatus {
  readonly bucket: string;
  readonly places: readonly PlaceStatus[];
  /** Trails' settings: when they were last asked for, and what stood in the way. */
  readonly snapshot: { readonly asked: number | undefined; readonly why: string };
  /** Why the public keys of a region could not be asked for; '' when all is well. */
  readonly keys: string;
}

export interface TrailWayIn extends WayIn {
  status(): TrailStatus;
  /** Asks for the trails' settings now, as at the boundary of a task; resolves once they were asked for. Never rejects. */
  snapshot(): Promise<void>;
}

/** Trails change seldom, and each question is kept. */
const snapshotSeconds = 300;
/** A snapshot this young serves another boundary too. */
const freshMs = 10_000;
/** Days before yesterday get late objects only: they are listed this often. */
const oldDaysMs = 900_000;
const daySeconds = 86_400;

/**
 * Follows the bucket of a trail: log and digest files of every expected account and region, the public keys that verify the
 * digests, and how the trails are set. Whatever goes wrong is told in the status, the log and, where it lasts, in the store,
 * and tried again.
 */
export function followTrail(source: CloudTrailSource, records: Records, options: FollowOptions): TrailWayIn {
  const { now = Date.now, log = () => undefined } = options;
  const bucket = openBucket(source, options.pageSize ?? 1000);
  const api = openTrailApi(source);
  const filer = openFiler(records, options.maskKey, now);
  const keys = openPublicKeys(api, filer, now);
  const places = toPlaces(source.chains);
  const watches = places.map((place) => {
    const location = `s3://${source.bucket}/${accountRoot(source, place.account)}CloudTrail-Digest/${place.region}/`;
    return { place, watch: watchPlace(place, location, now, log) };
  });
  const lookback = Math.max(source.lookback, daySeconds);
  const tools = {
    ...{ source, bucket, filer, keys },
    ...{ limiter: openLimiter(4), largeLimiter: openLimiter(1), limit: options.limit ?? 256 << 20 },
    attempts: new Map<string, number>(),
  };
  const settings = openSettings(api, filer, places, now, log);
  let running: AbortSignal | undefined;
  let keysWhy = '';
  let wake = (): void => undefined;

  const refreshKeys = async ({ span, signal }: RoundTools): Promise<void> => {
    const troubles: string[] = [];
    for (const region of regionsOf(places)) {
      const error = await orTrouble(() => keys.refresh(region, span, [], signal));
      if (error !== undefined) troubles.push(error.message);
      if (error instanceof AwsError && error.trouble === 'credentials') break;
    }
    const why = troubles.join('; ');
    if (why !== keysWhy && why !== '' && !signal.aborted) log('error', `CloudTrail public keys: ${why}`);
    keysWhy = why;
  };

  const roundOf = async (
    place: Place,
    watch: PlaceWatch,
    days: readonly string[],
    tools: RoundTools,
  ): Promise<boolean> => {
    const outcome = await orTrouble(() => takeNew(place, days, tools));
    if (tools.signal.aborted) return false;
    const gap = watch.ended(outcome);
    if (gap !== undefined) await orTrouble(() => records.gap(gap));
    return !(outcome instanceof TallyError) && outcome.failed.length === 0;
  };

  /** Whether everything that is there has been taken. */
  const round = async (days: readonly string[], tools: RoundTools): Promise<boolean> => {
    const { asked } = settings.status();
    if (asked === undefined || now() - asked >= Math.max(source.interval, snapshotSeconds) * 1000)
      await settings.ask(tools.signal);
    // Filed only after all that was delivered before it: a snapshot names the newest digest.
    const snapshots = settings.waiting();
    await refreshKeys(tools);
    const whole = await allOf(watches.map(({ place, watch }) => roundOf(place, watch, days, tools)));
    await settings.file(snapshots);
    if (watches.some(({ watch }) => watch.status().state === 'credentials')) {
      bucket.reopen();
      api.reopen();
    }
    return whole.every(Boolean);
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    const recorded = options.taken?.(new Date(now() - lookback * 1000)) ?? nothing();
    const taken = await openTaken(options.state, source.bucket, recorded);
    let oldListed = -Infinity;
    while (!signal.aborted) {
      const time = now();
      const days = daysBack(time, lookback);
      const all = time - oldListed >= oldDaysMs;
      const span = { from: time - lookback * 1000, until: time };
      const whole = await round(all ? days : days.slice(0, 2), { ...tools, taken, span, signal });
      if (all && whole) oldListed = time;
      const saved = await orTrouble(() => taken.save(days.at(-1) ?? ''));
      if (saved instanceof TallyError) log('warn', saved.message);
      await pause(source.interval, signal, (stop) => (wake = stop));
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    running = signal;
    try {
      await follow(signal);
    } finally {
      running = undefined;
      bucket.close();
      api.reopen();
    }
  };

  return {
    run,
    status: () => ({
      bucket: source.bucket,
      places: watches.map(({ watch }) => watch.status()),
      snapshot: settings.status(),
      keys: keysWhy,
    }),
    snapshot: async () => {
      const { asked } = settings.status();
      if (running === undefined || (asked !== undefined && now() - asked < freshMs)) return;
      await settings.ask(running);
      wake();
    },
  };
}

async function* nothing(): AsyncGenerator<never> {
  // no records to ask
}
