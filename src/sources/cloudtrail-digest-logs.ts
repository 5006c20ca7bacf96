import { byTime, type Digest, type ValidDigest } from './cloudtrail-digest-file.ts';
import { parseLogName, plainName, toBaseName } from './cloudtrail-names.ts';
import { type AuditObject, emptyRow } from './cloudtrail-object-row.ts';
import { groupBy } from './order.ts';

export interface LogFile {
  readonly object: string;
  readonly sha256: string;
  readonly trailing: boolean;
  readonly evidence: string;
}

/** One row for each log file that is here, and for each that a valid digest lists and is not. */
export function logRows(
  logs: readonly LogFile[],
  valid: readonly ValidDigest[],
  digests: readonly Digest[],
): AuditObject[] {
  const entries = groupBy(listEntries(valid), ({ object }) => plainName(object));
  const doubtful = new Map(
    listEntries(digests.filter((digest) => digest.why !== '')).map(({ object, digest }) => [
      plainName(object),
      digest.file.object,
    ]),
  );
  const newest = newestEnds(valid);
  const present = new Set(logs.map(({ object }) => plainName(object)));
  const missing = [...entries.values()].flatMap(([entry]): AuditObject[] => {
    if (entry === undefined || present.has(plainName(entry.object))) return [];
    return [
      {
        ...listedRow(entry, entry.digest.file.evidence),
        state: 'missing',
        why: `${entry.digest.file.object} lists it.`,
      },
    ];
  });
  return [
    ...missing,
    ...logs.map((log): AuditObject => {
      const listing = entries.get(plainName(log.object)) ?? [];
      const match = listing.find(({ hash }) => hash === log.sha256) ?? listing[0];
      if (match === undefined) return unlistedRow(log, newest, doubtful.get(plainName(log.object)));
      const row = { ...listedRow(match, log.evidence), object: log.object };
      if (match.hash !== log.sha256)
        return { ...row, state: 'altered', why: 'Its content is not the one whose hash the digest lists.' };
      return log.trailing ? { ...row, state: 'altered', why: 'Bytes follow its gzip stream.' } : row;
    }),
  ];
}

interface Entry {
  readonly object: string;
  readonly hash: string;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly digest: Digest;
}

function listEntries(digests: readonly Digest[]): Entry[] {
  return [...digests].sort(byTime).flatMap((digest) =>
    (digest.content?.logFiles ?? []).map((log) => ({
      object: toBaseName(log.s3Object),
      hash: log.hashValue,
      oldest: log.oldestEventTime ?? null,
      newest: log.newestEventTime ?? null,
      digest,
    })),
  );
}

function listedRow(entry: Entry, evidence: string): AuditObject {
  const name = parseLogName(entry.object);
  return {
    ...emptyRow(entry.digest.name, entry.object, evidence),
    kind: 'log',
    from_time: entry.oldest,
    until: entry.newest,
    delivered: name?.delivered ?? null,
    state: 'listed',
    listed_by: entry.digest.file.object,
  };
}

function unlistedRow(log: LogFile, newest: ReadonlyMap<string, string>, doubtful: string | undefined): AuditObject {
  const name = parseLogName(log.object);
  const end = newest.get(`${name?.account ?? ''}/${name?.region ?? ''}`);
  // The name tells the minute: a file of the minute in which the newest digest ends may have come after it.
  const pending = name !== undefined && end !== undefined && name.delivered.slice(0, 16) >= end.slice(0, 16);
  const listed =
    doubtful === undefined ? 'No digest that is here lists it' : `Only ${doubtful} lists it, which is not valid`;
  return {
    ...emptyRow(undefined, log.object, log.evidence),
    kind: 'log',
    account: name?.account ?? null,
    region: name?.region ?? null,
    delivered: name?.delivered ?? null,
    state: pending ? 'pending' : 'unlisted',
    why: pending ? `${listed} yet: it was delivered after the newest.` : `${listed}.`,
  };
}

function newestEnds(valid: readonly ValidDigest[]): Map<string, string> {
  const ends = new Map<string, string>();
  for (const { name, content } of valid) {
    const key = `${name.account}/${name.region}`;
    if (!name.backfill && content.digestEndTime > (ends.get(key) ?? '')) ends.set(key, content.digestEndTime);
  }
  return ends;
}
