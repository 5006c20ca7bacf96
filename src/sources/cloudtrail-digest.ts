import {
  byTime,
  type Digest,
  type DigestFile,
  isValid,
  judgeDigests,
  previousName,
  type ValidDigest,
} from './cloudtrail-digest-file.ts';
import { type LogFile, logRows } from './cloudtrail-digest-logs.ts';
import { type DigestName, plainName, toBaseName, toDigestName } from './cloudtrail-names.ts';
import { type AuditObject, emptyRow } from './cloudtrail-object-row.ts';
import type { PublicKey } from './cloudtrail-signature.ts';
import { compareText, groupBy } from './order.ts';

export interface DigestCheckInput {
  readonly digests: readonly DigestFile[];
  readonly logs: readonly LogFile[];
  readonly publicKeys: readonly PublicKey[];
}

/**
 * The offline check of CloudTrail's digest chains (facts/cloudtrail.md 8): one row for each digest and log file that
 * is here, and for each that a valid digest names and is not. Never throws: whatever is wrong is in the rows.
 * Order is fixed by content, not by the order of the input.
 */
export function checkDigests({ digests, logs, publicKeys }: DigestCheckInput): AuditObject[] {
  const judged = judgeDigests(withoutRepeats(digests), publicKeys);
  const valid = judged.filter(isValid);
  const rows = [...chainRows(judged), ...logRows(logs, valid, judged)];
  return rows.sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

/** One that came in more than once, as after a stop between taking it and noting so, is one digest still. */
function withoutRepeats(digests: readonly DigestFile[]): DigestFile[] {
  const same = groupBy(digests, ({ object, sha256, trailing, signature }) =>
    JSON.stringify([object, sha256, trailing, signature]),
  );
  return [...same.values()].flatMap((files) => files.sort((a, b) => compareText(a.evidence, b.evidence)).slice(0, 1));
}

function chainRows(digests: readonly Digest[]): AuditObject[] {
  const chains = groupBy(digests, ({ name }) => (name === undefined ? '' : chainKey(name)));
  return [...chains.values()].flatMap((chain) => {
    const members = chain.filter(isValid).sort(byTime);
    return [...chain.map((digest) => digestRow(digest, members, chain)), ...missingRows(members, chain)];
  });
}

function digestRow(digest: Digest, members: readonly ValidDigest[], chain: readonly Digest[]): AuditObject {
  const { name, file, why } = digest;
  const starting = digest.content?.previousDigestS3Object === null;
  const successor = members.find((member) => previousName(member) === plainName(file.object));
  const row = emptyRow(name, file.object, file.evidence);
  if (!isValid(digest)) {
    // What an invalid digest says of its own times is worth nothing: its valid neighbours bound what it leaves open.
    const until = successor?.content.digestStartTime ?? name?.end ?? null;
    return {
      ...row,
      from_time: coveredUntil(members, until),
      until,
      delivered: name?.end ?? null,
      state: 'invalid',
      starting,
      why,
    };
  }
  const { digestStartTime, digestEndTime } = digest.content;
  const later = starting && chain.some((other) => other !== digest && (other.name?.end ?? '') <= digestStartTime);
  return {
    ...row,
    from_time: digestStartTime,
    until: digestEndTime,
    delivered: digestEndTime,
    state: 'valid',
    starting,
    why: later ? 'A new chain starts here: logging or log file validation was off before it.' : '',
  };
}

/** Predecessors that are named and not here, and stretches between digests that no name covers. */
function missingRows(members: readonly ValidDigest[], chain: readonly Digest[]): AuditObject[] {
  const present = new Set(chain.map(({ file }) => plainName(file.object)));
  const invalid = new Set(chain.filter(({ why }) => why !== '').map(({ file }) => plainName(file.object)));
  return members.flatMap((digest): AuditObject[] => {
    const start = digest.content.digestStartTime;
    const before = coveredUntil(members, start);
    const previous = digest.content.previousDigestS3Object;
    const absent = previous !== null && !present.has(previousName(digest));
    const named = absent ? toBaseName(previous) : toDigestName(digest.name, start);
    const row = {
      ...emptyRow(digest.name, named, digest.file.evidence),
      until: start,
      delivered: start,
      state: 'missing' as const,
    };
    if (absent) {
      const from_time = before !== null && before < start ? before : hourBefore(start); // each digest covers an hour
      return [{ ...row, from_time, why: `${digest.file.object} names it as its predecessor.` }];
    }
    const explained = invalid.has(previousName(digest));
    if (digest.name.backfill || explained || before === null || before >= start) return [];
    return [{ ...row, from_time: before, why: 'No digest covers this stretch, and none names one that would.' }];
  });
}

/** How far the valid digests that start before `time` reach, but no further than it. */
function coveredUntil(members: readonly ValidDigest[], time: string | null): string | null {
  const ends = members
    .filter(({ content }) => time === null || content.digestStartTime < time)
    .map(({ content }) => (time !== null && content.digestEndTime > time ? time : content.digestEndTime));
  return ends.reduce<string | null>((last, end) => (last === null || end > last ? end : last), null);
}

function chainKey(name: DigestName): string {
  return [name.backfill, name.account, name.region, name.trail, name.homeRegion].join('/');
}

function hourBefore(time: string): string {
  return new Date(Date.parse(time) - 3_600_000).toISOString().replace('.000Z', 'Z');
}

function sortKey(row: AuditObject): string {
  const { kind, account, region, trail, until, delivered, object, state, evidence } = row;
  return [kind, account, region, trail, until ?? delivered, object, state, evidence]
    .map((part) => part ?? '')
    .join('\n');
}
