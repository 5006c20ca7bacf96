import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Store } from '../../src/evidence/store.ts';
import type { WayIn } from '../../src/evidence/record-log.ts';
import type { CloudTrailSource } from '../../src/model/collector.ts';
import { type FollowOptions, followTrail, type TrailWayIn } from '../../src/sources/cloudtrail-s3.ts';
import { type AwsProxy, json, startProxy } from '../collect/aws-proxy.ts';
import { type Moto, motoAccount, startMoto } from '../collect/moto.ts';
import { openTestStore, readRecords, storeOptions } from '../evidence/store-fixture.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { caseFolder, filesOf } from './cloudtrail-fixtures.ts';

export const account = motoAccount;
export const region = 'us-east-1';
/** A time after the recorded cases, which lie within one day. */
export const time = Date.parse('2026-11-21T15:00:00Z');

export interface Aws {
  /** Where tests put things: past the proxy. */
  readonly s3: S3Client;
  readonly moto: string;
  readonly proxy: AwsProxy;
}

/** moto with a proxy before it, for all tests of a file; each test makes a bucket of its own. */
export function useAws(): () => Aws {
  let moto: Moto | undefined;
  let aws: Aws | undefined;
  beforeAll(async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE12',
      AWS_SECRET_ACCESS_KEY: 'example',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    });
    moto = await startMoto();
    const s3 = new S3Client({ region, endpoint: moto.url, forcePathStyle: true });
    aws = { s3, moto: moto.url, proxy: await startProxy(moto.url) };
  });
  afterAll(async () => {
    aws?.s3.destroy();
    await aws?.proxy.stop();
    await moto?.stop();
  });
  return () => {
    if (aws === undefined) throw new Error('the server is not up');
    return aws;
  };
}

/** The public keys of the recorded cases, which moto does not have. */
export async function serveKeys({ proxy }: Aws, name = 'c01-benign'): Promise<void> {
  const file = await readFile(join(caseFolder(name), 'public-keys.json'), 'utf8');
  const { PublicKeyList } = JSON.parse(file) as { PublicKeyList: Record<string, string>[] };
  // On the wire, times are seconds since the epoch.
  const seconds = (text = ''): number => Date.parse(text) / 1000;
  const list = PublicKeyList.map(({ ValidityStartTime, ValidityEndTime, ...key }) => ({
    ...key,
    ValidityStartTime: seconds(ValidityStartTime),
    ValidityEndTime: seconds(ValidityEndTime),
  }));
  proxy.rules.push(({ operation }) => (operation === 'ListPublicKeys' ? json({ PublicKeyList: list }) : undefined));
}

/** A new bucket; rules and requests of the proxy begin anew. */
export async function newBucket({ s3, proxy }: Aws): Promise<string> {
  proxy.rules.splice(0);
  proxy.requests.splice(0);
  const bucket = `trail-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

export async function put(
  { s3 }: Aws,
  bucket: string,
  key: string,
  body: Buffer | string,
  metadata: Record<string, string> = {},
): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata: metadata }));
}

/** Puts the files of a case as CloudTrail delivers them; `only` says which, by file name. */
export async function putCase(
  aws: Aws,
  bucket: string,
  { name = 'c01-benign', prefix = '', only = (): boolean => true }: PutOptions = {},
): Promise<void> {
  const folder = caseFolder(name);
  for (const path of await filesOf(join(folder, 'AWSLogs'))) {
    if (path.endsWith('.metadata.json') || !only(basename(path))) continue;
    await put(aws, bucket, prefix + relative(folder, path), await readFile(path), await readMetadata(path));
  }
}

export interface PutOptions {
  readonly name?: string;
  readonly prefix?: string;
  readonly only?: (file: string) => boolean;
}

async function readMetadata(path: string): Promise<Record<string, string>> {
  const text = await readFile(`${path}.metadata.json`, 'utf8').catch(() => '{}');
  const metadata = JSON.parse(text) as Record<string, string>;
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.replace('x-amz-meta-', ''), value]));
}

export function sourceOf(aws: Aws, bucket: string, fields: Partial<CloudTrailSource> = {}): CloudTrailSource {
  return {
    bucket,
    prefix: '',
    region,
    endpoint: aws.proxy.url,
    chains: [{ account, region, name: 'org-trail' }],
    interval: 0.05,
    lookback: 2 * 86_400,
    lookup: false,
    ...fields,
  };
}

export interface Followed {
  readonly trail: TrailWayIn;
  readonly store: Store & { readonly path: string };
  readonly messages: string[];
  stop(): Promise<void>;
}

export type Options = Partial<FollowOptions> & { readonly store?: Followed['store'] };

/** Follows a bucket into a store of its own until it is stopped, or the test ends. */
export async function follow(source: CloudTrailSource, { store, ...options }: Options = {}): Promise<Followed> {
  const kept = store ?? (await openTestStore());
  const messages: string[] = [];
  const trail = followTrail(source, kept, {
    maskKey: storeOptions.maskKey,
    state: options.state ?? (await scratchFolder()),
    now: () => time,
    log: (level, message) => messages.push(`${level} ${message}`),
    ...options,
  });
  return { trail, store: kept, messages, stop: start(trail) };
}

/** Runs a way in; gives what ends it. */
export function start(way: WayIn): () => Promise<void> {
  const end = new AbortController();
  const running = way.run(end.signal);
  running.catch(() => undefined); // thrown by stop, to whoever waits for it
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
  };
  onTestFinished(() => stop().catch(() => undefined));
  return stop;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** Seals, and gives the texts of all records by stream, sorted. */
export async function sealedTexts({ store }: Followed): Promise<Record<string, string[]>> {
  await store.seal();
  const texts: Record<string, string[]> = {};
  for (const [log, records] of await readRecords(store.path)) {
    const [stream] = JSON.parse(log) as [string, string];
    texts[stream] = [...(texts[stream] ?? []), ...records.map(({ raw }) => raw.toString())].sort();
  }
  return texts;
}
