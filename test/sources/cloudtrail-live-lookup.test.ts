import { beforeEach, expect, test } from 'vitest';
import { followLookup, type LookupWayIn } from '../../src/sources/cloudtrail-lookup.ts';
import type { Store } from '../../src/evidence/store.ts';
import { json, jsonError } from '../collect/aws-proxy.ts';
import { openTestStore, readRecords } from '../evidence/store-fixture.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { account, newBucket, region, sourceOf, start, time, until, useAws } from './cloudtrail-live-fixture.ts';

const aws = useAws();
beforeEach(() => newBucket(aws()));

interface LookupRequest {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly NextToken?: string;
}

/** LookupEvents on the wire: the newest first, `size` a page; times are seconds since the epoch. */
function serveEvents(events: readonly { id: string; at: number }[], size: number): LookupRequest[] {
  const asked: LookupRequest[] = [];
  aws().proxy.rules.push(({ operation, body }) => {
    if (operation !== 'LookupEvents') return undefined;
    const request = JSON.parse(body) as LookupRequest;
    asked.push(request);
    const found = events
      .filter(({ at }) => at / 1000 >= request.StartTime && at / 1000 <= request.EndTime)
      .sort((a, b) => b.at - a.at);
    const from = Number(request.NextToken ?? 0);
    const Events = found.slice(from, from + size).map(({ id, at }) => ({
      EventId: id,
      EventTime: at / 1000,
      CloudTrailEvent: JSON.stringify({ eventID: id, recipientAccountId: account, password: 'hunter2-example' }),
    }));
    return json({ Events, ...(from + size < found.length ? { NextToken: String(from + size) } : {}) });
  });
  return asked;
}

interface Looked {
  readonly lookup: LookupWayIn;
  readonly store: Store & { readonly path: string };
  stop(): Promise<void>;
}

async function look(state: string, now: () => number, store?: Looked['store']): Promise<Looked> {
  const kept = store ?? (await openTestStore());
  const source = sourceOf(aws(), 'unused', { lookback: 3 * 3600 });
  const lookup = followLookup(source, kept, { state, now, pace: 0.01 });
  return { lookup, store: kept, stop: start(lookup) };
}

async function idsOf({ store }: Looked): Promise<string[]> {
  await store.seal();
  const records = (await readRecords(store.path)).get(JSON.stringify(['cloudtrail-lookup', `${account}_${region}`]));
  return (records ?? []).map(({ raw }) => (JSON.parse(raw.toString()) as { eventID: string }).eventID).sort();
}

const minutes = (count: number): number => time - count * 60_000;

test('every page is kept, each event once, from where it stopped on', async () => {
  const events = Array.from({ length: 12 }, (_, index) => ({ id: `e${10 + index}`, at: minutes(5 + index * 3) }));
  events.push({ id: 'e-old', at: minutes(150) }, { id: 'too-old', at: minutes(300) });
  const asked = serveEvents(events, 5);
  const state = await scratchFolder();
  const first = await look(state, () => time);
  await until(() => first.lookup.status()[0]?.until === time);
  await first.stop();
  const expected = ['e-old', ...Array.from({ length: 12 }, (_, index) => `e${10 + index}`)].sort();
  expect(await idsOf(first)).toEqual(expected);
  expect(first.lookup.status()).toEqual([{ region, until: time, kept: 13, why: '' }]);
  expect(asked.some(({ NextToken }) => NextToken === '5')).toBe(true);

  // An event that turns up late, within the overlap, is found; the others are not kept again.
  events.push({ id: 'late', at: minutes(10) }, { id: 'new', at: minutes(-30) });
  asked.splice(0);
  const now = minutes(-60);
  const again = await look(state, () => now, first.store);
  await until(() => again.lookup.status()[0]?.until === now);
  await again.stop();
  expect(await idsOf(again)).toEqual([...expected, 'late', 'new'].sort());
  expect(Math.min(...asked.map(({ StartTime }) => StartTime))).toBe(minutes(20) / 1000);
});

test('no more than what AWS keeps is asked for, and throttling or lack of rights ends nothing', async () => {
  let denied = true;
  aws().proxy.rules.push(({ operation }) =>
    operation === 'LookupEvents' && denied ? jsonError(400, 'AccessDeniedException') : undefined,
  );
  const asked = serveEvents([], 5);
  const state = await scratchFolder();
  const source = sourceOf(aws(), 'unused', { lookback: 31 * 86_400 });
  const store = await openTestStore();
  const messages: string[] = [];
  const lookup = followLookup(source, store, {
    state,
    now: () => time,
    pace: 0,
    log: (level, message) => messages.push(`${level} ${message}`),
  });
  const stop = start(lookup);
  await until(() => lookup.status()[0]?.why !== '');
  expect(messages).toEqual([expect.stringMatching(/^error LookupEvents: LookupEvents in us-east-1: access is denied/)]);
  await stop();
  denied = false;
  let left = 3;
  aws().proxy.rules.unshift(({ operation }) =>
    operation === 'LookupEvents' && left-- > 0 ? jsonError(400, 'ThrottlingException') : undefined,
  );
  const again = await look(state, () => time, store);
  await until(() => again.lookup.status()[0]?.until === time);
  expect(asked.length).toBeGreaterThanOrEqual(4);
});
