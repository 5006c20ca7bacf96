import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { CloudTrailSource } from '../model/collector.ts';
import { callAws, clientSettings } from './aws-error.ts';

/** One object of a listing. */
export interface ListedObject {
  readonly key: string;
  readonly etag: string;
  /** Bytes as stored. */
  readonly size: number;
}

export interface FetchedObject {
  readonly bytes: Buffer;
  readonly etag: string;
  /** Keys `x-amz-meta-…` in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bucket that a trail delivers to. Calls throw AwsError. */
export interface Bucket {
  list(prefix: string, signal: AbortSignal): Promise<ListedObject[]>;
  /** `too-large` when the stored object has more than `limit` bytes. */
  fetch(key: string, limit: number, signal: AbortSignal): Promise<FetchedObject | 'too-large'>;
  /** Looks for credentials anew. */
  reopen(): void;
  close(): void;
}

export function openBucket(source: CloudTrailSource, pageSize: number): Bucket {
  const open = (): S3Client =>
    new S3Client({
      ...clientSettings(source.region, source.endpoint),
      forcePathStyle: source.endpoint !== undefined,
      followRegionRedirects: true,
    });
  let client = open();
  const place = (key: string): string => `s3://${source.bucket}/${key}`;
  return {
    list: async (prefix, signal) => {
      const listed: ListedObject[] = [];
      let token: string | undefined;
      do {
        // Keys are chosen by whoever may write: without an encoding, control characters in one break the whole answer.
        const input = { Bucket: source.bucket, Prefix: prefix, EncodingType: 'url', MaxKeys: pageSize } as const;
        const command = new ListObjectsV2Command({ ...input, ContinuationToken: token });
        const page = await callAws({ what: `listing ${place(prefix)}`, seconds: 120, signal }, (abortSignal) =>
          client.send(command, { abortSignal }),
        );
        for (const { Key, ETag = '', Size = 0 } of page.Contents ?? []) {
          const key = decodeKey(Key ?? '');
          if (key?.startsWith(prefix) === true) listed.push({ key, etag: ETag, size: Size });
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return listed;
    },
    fetch: (key, limit, signal) =>
      callAws({ what: `reading ${place(key)}`, seconds: 300, signal }, async (abortSignal) => {
        const answer = await client.send(new GetObjectCommand({ Bucket: source.bucket, Key: key }), { abortSignal });
        const body = answer.Body as Readable;
        const bytes = await readBody(body, limit, abortSignal);
        if (bytes === undefined) return 'too-large';
        if (answer.ContentLength !== undefined && answer.ContentLength !== bytes.length)
          throw new Error(`only ${bytes.length} of ${answer.ContentLength} bytes came`);
        return { bytes, etag: answer.ETag ?? '', metadata: toMetadata(answer.Metadata ?? {}) };
      }),
    reopen: () => {
      client.destroy();
      client = open();
    },
    close: () => client.destroy(),
  };
}

/** Undefined when there is more than `limit` bytes, whatever the headers say. */
async function readBody(body: Readable, limit: number, signal: AbortSignal): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => void body.destroy(new Error('the download took too long or was stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  } finally {
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function toMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`x-amz-meta-${key.toLowerCase()}`, value]));
}
