import type { GapRecord } from '../evidence/record-log.ts';
import type { TallyError } from '../model/errors.ts';
import { AwsError, type AwsTrouble } from './aws-error.ts';
import type { Place } from './cloudtrail-folders.ts';
import { parseDigestName } from './cloudtrail-names.ts';
import type { PlaceResult } from './cloudtrail-place.ts';

/** `empty`: a chain that is expected has no digest there. `store`: the store has no room. */
export type PlaceState = 'starting' | 'ok' | 'empty' | 'store' | AwsTrouble;

/** How it stands with an account and region; times in ms since the epoch. */
export interface PlaceStatus extends Place {
  readonly state: PlaceState;
  /** A sentence with what to do; '' when all is well. */
  readonly why: string;
  /** Since when it is in this state. */
  readonly since: number;
  /** When everything that was there had last been taken; undefined before the first time. */
  readonly complete: number | undefined;
  /** End of the newest digest seen, RFC 3339. */
  readonly newestDigest: string | undefined;
  readonly taken: number;
  readonly refused: number;
}

export type Level = 'info' | 'warn' | 'error';

export interface PlaceWatch {
  status(): PlaceStatus;
  /** Takes the outcome of a round; gives the gap that is to be recorded, where there is one. */
  ended(outcome: PlaceResult | TallyError): GapRecord | undefined;
}

/** A trouble is lasting, and told in the store, from here on. */
const lastingMs = 15 * 60_000;
const repeatMs = 3_600_000;

/** Follows one place over the rounds; `location` is where its digests should lie. */
export function watchPlace(
  place: Place,
  location: string,
  now: () => number,
  log: (level: Level, message: string) => void,
): PlaceWatch {
  const name = `CloudTrail ${place.account}/${place.region}`;
  let status: PlaceStatus = {
    ...place,
    state: 'starting',
    why: '',
    since: now(),
    complete: undefined,
    newestDigest: undefined,
    taken: 0,
    refused: 0,
  };
  let told: number | undefined;

  const change = (state: PlaceState, why: string): void => {
    if (state !== status.state) {
      const from = status.state;
      status = { ...status, state, since: now() };
      if (state !== 'ok') log('error', `${name}: ${why}`);
      else if (from !== 'starting') log('info', `${name}: in order again`);
    }
    status = { ...status, why };
  };

  /** What is missing now can come later, so this says only when it could not be looked at. */
  const gap = (from: number, detail: string): GapRecord => ({
    stream: 'cloudtrail',
    origin: `${place.account}_${place.region}`,
    from: new Date(from).toISOString(),
    until: new Date(now()).toISOString(),
    why: 'object-missing',
    detail,
    count: null,
  });

  const tell = (): GapRecord | undefined => {
    const { state, why, since, complete } = status;
    const due = state === 'empty' || now() - since >= lastingMs;
    if (!due || (told !== undefined && now() - told < repeatMs)) return undefined;
    told = now();
    return gap(complete ?? since, why);
  };

  return {
    status: () => status,
    ended: (outcome) => {
      const before = status;
      if ('message' in outcome) {
        change(outcome instanceof AwsError ? outcome.trouble : 'store', outcome.message);
        return tell();
      }
      const newest = newestOf(outcome.digests, before.newestDigest);
      status = {
        ...status,
        newestDigest: newest,
        taken: status.taken + outcome.taken,
        refused: status.refused + outcome.refused.length,
      };
      for (const { object, why } of outcome.refused) log('warn', `${name}: ${object}: ${why}`);
      const absent = absentTrails(place, outcome.digests);
      const [failed] = outcome.failed;
      if (failed !== undefined) change(failed.trouble, failed.message);
      else if (absent !== undefined) {
        change(
          'empty',
          `no digest file of ${absent} lies in ${location}; switch log file validation on, or correct prefix, organization and chains in sources.cloudtrail`,
        );
      } else change('ok', '');
      if (failed === undefined) status = { ...status, complete: now() };
      if (status.state !== 'ok') return tell();
      const lasted = told;
      told = undefined;
      return lasted === undefined ? undefined : gap(before.complete ?? before.since, `${before.why} (until now)`);
    },
  };
}

/** The trails that are expected and have no digest; undefined when there is none. */
function absentTrails(place: Place, digests: readonly string[]): string | undefined {
  const names = digests.flatMap((digest) => parseDigestName(digest) ?? []);
  const own = names.filter(({ account, region }) => account === place.account && region === place.region);
  if (place.trails.length === 0) return own.length === 0 ? 'any trail' : undefined;
  const absent = place.trails.filter((name) => !own.some(({ trail }) => trail === name));
  return absent.length === 0 ? undefined : absent.join(', ');
}

function newestOf(digests: readonly string[], before: string | undefined): string | undefined {
  return digests.reduce<string | undefined>((newest, digest) => {
    const name = parseDigestName(digest);
    return name === undefined || name.backfill || name.end < (newest ?? '') ? newest : name.end;
  }, before);
}
