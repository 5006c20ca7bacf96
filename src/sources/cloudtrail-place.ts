import type { ListedObject } from './cloudtrail-bucket.ts';
import { accountRoot, dayFolder, type DayFolder, type Place } from './cloudtrail-folders.ts';
import { toBaseName } from './cloudtrail-names.ts';
import { openRound, type RoundResult, type RoundTools } from './cloudtrail-round.ts';
import { allOf } from './limiter.ts';

/** What a round brought, and the names of the digests that lie in the folders. */
export interface PlaceResult extends RoundResult {
  readonly digests: readonly string[];
}

/** An object in one of the folders. */
export interface Found extends ListedObject {
  readonly folder: DayFolder;
}

/**
 * Takes what is new in the folders of one place. Digests are listed first and taken last: at any moment every log file that
 * a digest in the store names has been taken before it, as far as it was there. Throws AwsError when a folder can't be
 * listed, and the retryable `input` of a store that has no room.
 */
export async function takeNew(place: Place, days: readonly string[], tools: RoundTools): Promise<PlaceResult> {
  const root = accountRoot(tools.source, place.account);
  const list = async (sort: 'CloudTrail' | 'CloudTrail-Digest'): Promise<Found[]> =>
    (await allOf(days.map((day) => listFolder(dayFolder(root, sort, place.region, day), tools)))).flat();
  const digests = await list('CloudTrail-Digest');
  const logs = await list('CloudTrail');
  const round = openRound(place, tools);
  await round.take(logs);
  // A digest whose log files could not be read now waits with them, and those after it: else something would look gone.
  await round.takeInOrder(digests);
  return { ...round.result, digests: digests.map(({ key }) => toBaseName(key)) };
}

async function listFolder(folder: DayFolder, { bucket, limiter, signal }: RoundTools): Promise<Found[]> {
  const listed = await limiter(() => bucket.list(folder.prefix, signal));
  return listed
    .filter(({ key }) => /\.json(\.gz)?$/.test(key) && !key.endsWith('.metadata.json'))
    .map((object) => ({ ...object, folder }));
}
