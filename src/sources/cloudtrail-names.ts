/** What a log file's name says (facts/cloudtrail.md 7); the time is the minute of delivery. */
export interface LogName {
  readonly account: string;
  readonly region: string;
  readonly delivered: string;
}

/** What a digest file's name says (facts/cloudtrail.md 8); the time is the end of its range. */
export interface DigestName {
  readonly account: string;
  readonly region: string;
  readonly trail: string;
  readonly homeRegion: string;
  readonly end: string;
  readonly backfill: boolean;
}

export function parseLogName(object: string): LogName | undefined {
  const match = /^(\d{12})_CloudTrail(?:-(?!Digest_)[A-Za-z]+)?_([a-z0-9-]+)_(\d{8}T\d{4})Z_[^_]+$/.exec(object);
  const [, account, region, time] = match ?? [];
  const delivered = toTime(`${time ?? ''}00`);
  if (account === undefined || region === undefined || delivered === undefined) return undefined;
  return { account, region, delivered };
}

export function parseDigestName(object: string): DigestName | undefined {
  const pattern =
    /^(\d{12})_CloudTrail-Digest_([a-z0-9-]+)_(.+)_([a-z0-9-]+)_(\d{8}T\d{6})Z(_backfill)?\.json(?:\.gz)?$/;
  const [, account, region, trail, homeRegion, time, backfill] = pattern.exec(object) ?? [];
  const end = toTime(time ?? '');
  if (account === undefined || region === undefined || trail === undefined || homeRegion === undefined)
    return undefined;
  return end === undefined ? undefined : { account, region, trail, homeRegion, end, backfill: backfill !== undefined };
}

/** The name that the digest ending at `end` has in the chain of `name`. */
export function toDigestName(name: DigestName, end: string): string {
  const time = end.replaceAll(/[-:]/g, '');
  const tail = name.backfill ? '_backfill' : '';
  return `${name.account}_CloudTrail-Digest_${name.region}_${name.trail}_${name.homeRegion}_${time}${tail}.json.gz`;
}

/** Last part of an object key or path. */
export function toBaseName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** A name under which a compressed object and its decompressed copy are the same. */
export function plainName(object: string): string {
  return object.replace(/\.gz$/, '');
}

function toTime(compact: string): string | undefined {
  const text = compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z');
  return Number.isNaN(Date.parse(text)) || text === compact ? undefined : text;
}
