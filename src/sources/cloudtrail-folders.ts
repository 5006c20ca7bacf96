import type { CloudTrailSource } from '../model/collector.ts';

/** An account and region that must deliver, with the trail names that are expected there; none: any. */
export interface Place {
  readonly account: string;
  readonly region: string;
  readonly trails: readonly string[];
}

/** The objects of one UTC day, of one sort, of one place. */
export interface DayFolder {
  readonly day: string;
  /** Key up to and with the last slash. */
  readonly prefix: string;
}

/** The places of a source, each once, in the order of the configuration. */
export function toPlaces(chains: CloudTrailSource['chains']): Place[] {
  const places = new Map<string, Place>();
  for (const { account, region, name } of chains) {
    const key = `${account}_${region}`;
    const trails = [...(places.get(key)?.trails ?? []), ...(name === undefined ? [] : [name])];
    places.set(key, { account, region, trails: [...new Set(trails)] });
  }
  return [...places.values()];
}

/** Where everything of an account lies (facts/cloudtrail.md 7, 8). */
export function accountRoot(source: Pick<CloudTrailSource, 'prefix' | 'organization'>, account: string): string {
  const parts = [source.prefix.replace(/\/+$/, ''), 'AWSLogs', source.organization ?? '', account];
  return `${parts.filter((part) => part !== '').join('/')}/`;
}

export function dayFolder(
  root: string,
  sort: 'CloudTrail' | 'CloudTrail-Digest',
  region: string,
  day: string,
): DayFolder {
  return { day, prefix: `${root}${sort}/${region}/${day.replaceAll('-', '/')}/` };
}

/** UTC days (yyyy-mm-dd) from `lookback` seconds ago to today, the newest first; `now` in ms. */
export function daysBack(now: number, lookback: number): string[] {
  const days: string[] = [];
  const newest = Math.floor((now + clockSlack) / dayMs);
  for (let day = newest; day >= Math.floor((now - lookback * 1000) / dayMs); day--) {
    days.push(new Date(day * dayMs).toISOString().slice(0, 10));
  }
  return days;
}

const dayMs = 86_400_000;
/** Around midnight the provider's day may have begun before ours. */
const clockSlack = 600_000;

/** The folder of any object; one whose key tells no day counts as of `now`. */
export function folderOf(key: string, now: number): DayFolder {
  const day = /\/(\d{4})\/(\d\d)\/(\d\d)\/[^/]+$/.exec(key)?.slice(1).join('-');
  return { day: day ?? new Date(now).toISOString().slice(0, 10), prefix: key.slice(0, key.lastIndexOf('/') + 1) };
}

export function regionsOf(places: readonly Place[]): string[] {
  return [...new Set(places.map(({ region }) => region))];
}
