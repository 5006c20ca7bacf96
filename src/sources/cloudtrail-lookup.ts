import { join } from 'node:path';
import type { Event } from '@aws-sdk/client-cloudtrail';
import type { Records, WayIn } from '../evidence/record-log.ts';
import type { CloudTrailSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { AwsError } from './aws-error.ts';
import { openTrailApi, type TrailApi } from './cloudtrail-api.ts';
import { regionsOf, toPlaces } from './cloudtrail-folders.ts';
import { openSeen, type Seen } from './cloudtrail-lookup-seen.ts';
import { parseJson } from './cloudtrail-object.ts';
import type { Level } from './cloudtrail-status.ts';
import { pause } from './pause.ts';

export interface LookupOptions {
  /** Folder for positions; losing it loses no evidence, but events are kept once more. */
  readonly state: string;
  readonly log?: (level: Level, message: string) => void;
  /** ms since the epoch */
  readonly now?: () => number;
  /** Seconds between requests in one region: AWS grants two a second to the whole account. */
  readonly pace?: number;
}

/** How far the look-up of a region has come; times in ms since the epoch. */
export interface LookupStatus {
  readonly region: string;
  /** Every event that was there up to here has been kept. */
  readonly until: number | undefined;
  readonly kept: number;
  /** '' when all is well. */
  readonly why: string;
}

export interface LookupWayIn extends WayIn {
  status(): LookupStatus[];
}

const dayMs = 86_400_000;
/** Events turn up late: what is younger than this is asked for again. */
const overlapMs = 20 * 60_000;
/** One walk through the pages spans so much at the most, so that a stop loses little of it. */
const spanMs = 3_600_000;
/** AWS keeps events so long. */
const oldestMs = 90 * dayMs - overlapMs;
const leastInterval = 300;

/**
 * Keeps the management events that LookupEvents tells in stream `cloudtrail-lookup`, one record an event, as a cross-check of
 * the log files. No digest covers them: they never count as the proof.
 */
export function followLookup(source: CloudTrailSource, records: Records, options: LookupOptions): LookupWayIn {
  const { now = Date.now, log = () => undefined, pace = 0.6 } = options;
  const api = openTrailApi(source);
  const statuses = new Map<string, LookupStatus>(
    regionsOf(toPlaces(source.chains)).map((region) => [region, { region, until: undefined, kept: 0, why: '' }]),
  );

  const catchUp = async (region: string, signal: AbortSignal): Promise<void> => {
    const path = join(options.state, `${region}.json`);
    const seen = await openSeen(path);
    const end = now();
    let from = Math.max(seen.until() ?? end - source.lookback * 1000, end - oldestMs) - overlapMs;
    while (from < end && !signal.aborted) {
      const until = Math.min(from + spanMs, end);
      const kept = await keepSpan({ api, records, seen, region, pace, now, signal }, from, until);
      await seen.save(until, until - overlapMs - spanMs);
      const before = statuses.get(region);
      statuses.set(region, { region, until, kept: (before?.kept ?? 0) + kept, why: '' });
      from = until;
    }
  };

  const attempt = async (region: string, signal: AbortSignal): Promise<void> => {
    try {
      await catchUp(region, signal);
    } catch (error) {
      if (!(error instanceof TallyError && error.retryable)) throw error;
      const before = statuses.get(region) ?? { region, until: undefined, kept: 0, why: '' };
      if (before.why !== error.message && !signal.aborted) log('error', `LookupEvents: ${error.message}`);
      statuses.set(region, { ...before, why: error.message });
      if (error instanceof AwsError && error.trouble === 'credentials') api.reopen();
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    try {
      while (!signal.aborted) {
        await Promise.all([...statuses.keys()].map((region) => attempt(region, signal)));
        await pause(Math.max(source.interval, leastInterval), signal);
      }
    } finally {
      api.reopen();
    }
  };
  return { run, status: () => [...statuses.values()] };
}

interface Walk {
  readonly api: TrailApi;
  readonly records: Records;
  readonly seen: Seen;
  readonly region: string;
  readonly pace: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Keeps the events of a span that were not kept before; the number of them. */
async function keepSpan(walk: Walk, from: number, until: number): Promise<number> {
  const { api, seen, region, pace, signal } = walk;
  let kept = 0;
  let token: string | undefined;
  do {
    const page = await api.events(region, { from, until, token }, signal);
    for (const event of page.events) {
      if (event.EventId === undefined || event.CloudTrailEvent === undefined || seen.has(event.EventId)) continue;
      await keepEvent(walk, event.CloudTrailEvent);
      seen.add(event.EventId, event.EventTime?.getTime() ?? until);
      kept += 1;
    }
    token = page.token;
    await pause(pace, signal);
  } while (token !== undefined && !signal.aborted);
  return kept;
}

async function keepEvent({ records, region, now }: Walk, event: NonNullable<Event['CloudTrailEvent']>): Promise<void> {
  const content = parseJson(event) as { recipientAccountId?: unknown } | null | undefined;
  const account = content?.recipientAccountId;
  const origin = typeof account === 'string' && /^\d{12}$/.test(account) ? account : '';
  const log = await records.log('cloudtrail-lookup', `${origin}_${region}`);
  await log.append(Buffer.from(event), BigInt(now()) * 1_000_000n);
}
