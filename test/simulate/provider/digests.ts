import type { CloudFile } from '../evidence.ts';
import type { LogFile } from './delivery.ts';
import { signDigest, trailKey } from './key.ts';
import { sha256, toCompact, toDay, toSeconds } from './text.ts';
import type { Ns, Trail } from '../world.ts';

export interface Previous {
  readonly path: string;
  readonly sha256: string;
  readonly signature: string;
}

const hour: Ns = 3600n * 1_000_000_000n;

/** The chain of a trail in its region: each digest lists what was delivered from the end of the one before to its own. */
export function renderDigests(trail: Trail, home: string, logs: readonly LogFile[]): CloudFile[] {
  const files: CloudFile[] = [];
  let previous: Previous | undefined;
  for (const [index, end] of trail.digests.entries()) {
    const start = trail.digests[index - 1] ?? end - hour;
    const listed = logs.filter(({ file }) => file.at >= start && file.at < end);
    const next = renderDigest(trail, home, { start, end, listed, previous });
    files.push(next.file);
    previous = next.previous;
  }
  return files;
}

/** One link of a chain, and what the next one has to say of it. */
export function renderDigest(
  trail: Trail,
  home: string,
  link: Omit<Part, 'path'>,
): { readonly file: CloudFile; readonly previous: Previous } {
  const { end, previous } = link;
  const path = pathOf(trail, home, end);
  const text = JSON.stringify(toContent(trail, { ...link, path }));
  const hash = sha256(text);
  const signature = signDigest([toSeconds(end), `${trail.bucket}/${path}`, hash, previous?.signature ?? 'null']);
  const metadata = { 'x-amz-meta-signature': signature, 'x-amz-meta-signature-algorithm': 'SHA256withRSA' };
  return {
    file: { path, kind: 'digest', text, metadata, at: end },
    previous: { path, sha256: hash, signature },
  };
}

function pathOf({ account, region, name }: Trail, home: string, end: Ns): string {
  const object = `${account}_CloudTrail-Digest_${region}_${name}_${home}_${toCompact(end)}.json.gz`;
  return `AWSLogs/${account}/CloudTrail-Digest/${region}/${toDay(end)}/${object}`;
}

interface Part {
  readonly start: Ns;
  readonly end: Ns;
  readonly path: string;
  readonly listed: readonly LogFile[];
  readonly previous: Previous | undefined;
}

function toContent(trail: Trail, { start, end, path, listed, previous }: Part): object {
  return {
    awsAccountId: trail.account,
    digestStartTime: toSeconds(start),
    digestEndTime: toSeconds(end),
    digestS3Bucket: trail.bucket,
    digestS3Object: path,
    digestPublicKeyFingerprint: trailKey().fingerprint,
    digestSignatureAlgorithm: 'SHA256withRSA',
    newestEventTime:
      listed
        .map(({ newest }) => newest)
        .sort()
        .at(-1) ?? null,
    oldestEventTime: listed.map(({ oldest }) => oldest).sort()[0] ?? null,
    previousDigestS3Bucket: previous === undefined ? null : trail.bucket,
    previousDigestS3Object: previous?.path ?? null,
    previousDigestHashValue: previous?.sha256 ?? null,
    previousDigestHashAlgorithm: previous === undefined ? null : 'SHA-256',
    previousDigestSignature: previous?.signature ?? null,
    logFiles: listed.map(({ file, oldest, newest, sha256: hash }) => ({
      s3Bucket: trail.bucket,
      s3Object: file.path,
      hashValue: hash ?? sha256(file.text),
      hashAlgorithm: 'SHA-256',
      newestEventTime: newest,
      oldestEventTime: oldest,
    })),
  };
}
