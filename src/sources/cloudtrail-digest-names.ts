import { z } from 'zod';
import type { CloudTrailSource } from '../model/collector.ts';
import { parseJson } from './cloudtrail-object.ts';
import { accountRoot } from './cloudtrail-folders.ts';

/** What a digest points at, whether or not it is valid: nothing of it is believed, it is only looked for. */
export interface DigestPointers {
  readonly fingerprint: string;
  /** ms since the epoch */
  readonly end: number;
  /** Keys of log files in the trail's own bucket and account. */
  readonly logs: readonly string[];
}

const schema = z.object({
  digestPublicKeyFingerprint: z.string().max(200),
  digestEndTime: z.string().transform((time) => Date.parse(time)),
  logFiles: z.array(z.object({ s3Bucket: z.string(), s3Object: z.string() })).max(10_000),
});

export function readPointers(text: string, source: CloudTrailSource, account: string): DigestPointers | undefined {
  const { data } = schema.safeParse(parseJson(text));
  if (data === undefined) return undefined;
  const root = accountRoot(source, account);
  const own = data.logFiles.filter(({ s3Bucket, s3Object }) => s3Bucket === source.bucket && s3Object.startsWith(root));
  return {
    fingerprint: data.digestPublicKeyFingerprint,
    end: data.digestEndTime,
    logs: own.map(({ s3Object }) => s3Object),
  };
}
