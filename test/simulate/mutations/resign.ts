import { signDigest } from '../provider/key.ts';
import { sha256 } from '../provider/text.ts';
import type { CloudFile, Evidence } from '../evidence.ts';
import { byTime } from './task-life.ts';

interface Digest {
  digestEndTime: string;
  digestS3Bucket: string;
  digestS3Object: string;
  previousDigestS3Object: string | null;
  previousDigestHashValue: string | null;
  previousDigestSignature: string | null;
  logFiles: { s3Object: string; hashValue: string }[];
}

/** Lists and signs anew what the provider itself wrote otherwise: every chain fits its log files again. */
export function resign(evidence: Evidence): void {
  const logs = new Map(evidence.cloudtrail.filter(({ kind }) => kind === 'log').map((file) => [file.path, file.text]));
  const signed = new Map<string, { sha256: string; signature: string }>();
  for (const file of digestsOf(evidence)) {
    const content = JSON.parse(file.text) as Digest;
    const previous = signed.get(content.previousDigestS3Object ?? '');
    if (previous !== undefined) {
      content.previousDigestHashValue = previous.sha256;
      content.previousDigestSignature = previous.signature;
    }
    for (const log of content.logFiles) {
      const text = logs.get(log.s3Object);
      if (text !== undefined) log.hashValue = sha256(text);
    }
    file.text = JSON.stringify(content);
    const hash = sha256(file.text);
    const place = `${content.digestS3Bucket}/${content.digestS3Object}`;
    const signature = signDigest([content.digestEndTime, place, hash, content.previousDigestSignature ?? 'null']);
    file.metadata = { ...file.metadata, 'x-amz-meta-signature': signature };
    signed.set(content.digestS3Object, { sha256: hash, signature });
  }
}

export function digestsOf(evidence: Evidence): CloudFile[] {
  return evidence.cloudtrail.filter(({ kind }) => kind === 'digest').sort((a, b) => byTime(a.at, b.at));
}
