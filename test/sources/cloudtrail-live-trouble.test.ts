import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { TallyError } from '../../src/model/errors.ts';
import type { Store } from '../../src/evidence/store.ts';
import { type AwsRequest, jsonError, type Rule, s3Error } from '../collect/aws-proxy.ts';
import { openTestStore } from '../evidence/store-fixture.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import {
  account,
  type Followed,
  follow,
  newBucket,
  putCase,
  region,
  sealedTexts,
  serveKeys,
  sourceOf,
  time,
  until,
  useAws,
} from './cloudtrail-live-fixture.ts';

const aws = useAws();
let bucket: string;
beforeEach(async () => {
  bucket = await newBucket(aws());
  await serveKeys(aws());
  await putCase(aws(), bucket);
});

/** A rule that comes before all others. */
function first(rule: Rule): void {
  aws().proxy.rules.unshift(rule);
}

const isS3 = ({ operation }: AwsRequest): boolean => operation === '';
const isFetch = ({ path }: AwsRequest): boolean => /\.json\.gz/.test(path.split('?')[0] ?? '');
const stateOf = ({ trail }: Followed): string | undefined => trail.status().places[0]?.state;

/** Everything of the case is in the store, once. */
async function expectAll(followed: Followed): Promise<void> {
  await until(() => stateOf(followed) === 'ok');
  await followed.stop();
  const { cloudtrail = [], 'cloudtrail-digest': digests = [] } = await sealedTexts(followed);
  expect([cloudtrail.length, new Set(digests).size, digests.length]).toEqual([1, 6, 6]);
}

async function gapsOf(followed: Followed): Promise<Record<string, unknown>[]> {
  const { tally = [] } = await sealedTexts(followed);
  return tally.map((text) => JSON.parse(text) as Record<string, unknown>);
}

test('throttling is waited out, in S3’s form and in CloudTrail’s', async () => {
  const left = { s3: 4, api: 2 };
  first((request) => {
    if (isS3(request)) return left.s3-- > 0 ? s3Error(503, 'SlowDown') : undefined;
    return left.api-- > 0 ? jsonError(400, 'ThrottlingException') : undefined;
  });
  const followed = await follow(sourceOf(aws(), bucket));
  await expectAll(followed);
  expect(left.s3).toBeLessThan(0);
  expect(left.api).toBeLessThan(0);
});

test('a bucket that throttles for longer than the retries is told, and read when it lets us', async () => {
  let throttled = true;
  first((request) => (isS3(request) && throttled ? s3Error(503, 'SlowDown') : undefined));
  const followed = await follow(sourceOf(aws(), bucket));
  await until(() => stateOf(followed) === 'throttled');
  throttled = false;
  await expectAll(followed);
});

test('expired credentials are told, and what was missed is taken when there are new ones', async () => {
  let expired = true;
  first((request) => {
    if (!expired) return undefined;
    return isS3(request) ? s3Error(400, 'ExpiredToken') : jsonError(400, 'ExpiredTokenException');
  });
  let now = time;
  const followed = await follow(sourceOf(aws(), bucket), { now: () => now });
  await until(() => stateOf(followed) === 'credentials');
  expect(followed.trail.status().places[0]?.why).toMatch(/credentials are absent, expired or wrong; renew them/);
  expect(followed.messages.join('\n')).toContain(`error CloudTrail ${account}/${region}: listing s3://${bucket}/`);
  expect(await gapsOf(followed)).toEqual([]);
  now += 15 * 60_000;
  await until(() => aws().proxy.requests.length > 40);
  expired = false;
  await expectAll(followed);
  // While it lasts, and once more with its end.
  const gap = { stream: 'cloudtrail', origin: `${account}_${region}`, why: 'object-missing' };
  const span = { from: new Date(time).toISOString(), until: new Date(now).toISOString() };
  expect(await gapsOf(followed)).toMatchObject([
    { ...gap, ...span },
    { ...gap, ...span },
  ]);
});

test('credentials that another process renews in a file are found; absent ones are told', async () => {
  const saved = { ...process.env };
  onTestFinished(() => void Object.assign(process.env, saved));
  const file = join(await scratchFolder(), 'credentials');
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = file;
  const write = (id: string): Promise<void> =>
    writeFile(file, `[default]\naws_access_key_id=${id}\naws_secret_access_key=example\n`);
  first((request) =>
    isS3(request) && request.accessKey === 'AKIAOLD' ? s3Error(403, 'InvalidAccessKeyId') : undefined,
  );
  const followed = await follow(sourceOf(aws(), bucket));
  await until(() => stateOf(followed) === 'credentials');
  expect(followed.trail.status().places[0]?.why).toContain('CredentialsProviderError');
  await write('AKIAOLD');
  await until(() => aws().proxy.requests.some(({ accessKey }) => accessKey === 'AKIAOLD'));
  await write('AKIANEW');
  await expectAll(followed);
});

test('a download that is cut off is tried again, and no digest comes before the log file that it names', async () => {
  let cut = 0;
  const isLog = ({ path }: AwsRequest): boolean => path.includes(`/CloudTrail/${region}/`);
  first((request) => {
    if (!isFetch(request) || !isLog(request) || cut >= 2) return undefined;
    cut += 1;
    return (answer) => ({ ...answer, cutAfter: 50 });
  });
  const followed = await follow(sourceOf(aws(), bucket));
  await until(() => cut === 1 && stateOf(followed) === 'unreachable');
  expect(followed.trail.status().places[0]?.taken).toBe(0);
  await expectAll(followed);
  const order = aws().proxy.requests.filter(isFetch).map(isLog);
  expect(order).toEqual([true, true, true, false, false, false, false, false, false]);
});

test('an object that can never be read holds up the digests for some rounds only', async () => {
  first((request) =>
    isFetch(request) && request.path.includes('T1040Z') ? s3Error(400, 'InvalidRequest') : undefined,
  );
  const followed = await follow(sourceOf(aws(), bucket));
  await until(() => followed.trail.status().places[0]?.taken === 6);
  expect(stateOf(followed)).toBe('unreachable');
});

test('a chain without digests and a folder that may not be listed are told, whatever the others give', async () => {
  first(({ path }) => (path.includes('eu-west-1') ? s3Error(403, 'AccessDenied') : undefined));
  const chains = [
    { account, region, name: 'org-trail' },
    { account, region, name: 'other-trail' },
    { account, region: 'us-west-2' },
    { account, region: 'eu-west-1' },
  ];
  let now = time;
  const followed = await follow(sourceOf(aws(), bucket, { chains }), { now: () => now });
  const states = (): (string | undefined)[] => followed.trail.status().places.map(({ state }) => state);
  await until(() => !states().includes('starting'));
  expect(states()).toEqual(['empty', 'empty', 'forbidden']);
  const [one, two, three] = followed.trail.status().places;
  expect([one?.taken, one?.newestDigest]).toEqual([7, '2026-11-21T14:12:17Z']);
  expect(one?.why).toContain('no digest file of other-trail lies in s3://');
  expect(two?.why).toContain('no digest file of any trail lies in s3://');
  expect(three?.why).toContain('grant the collector s3:ListBucket');
  // Keys and settings are told by each region for itself.
  for (const operation of ['ListPublicKeys', 'DescribeTrails']) {
    const asked = aws().proxy.requests.filter((request) => request.operation === operation);
    expect(new Set(asked.map((request) => request.region))).toEqual(new Set([region, 'us-west-2', 'eu-west-1']));
  }
  now += 15 * 60_000;
  await until(() => aws().proxy.requests.length > 60);
  await followed.stop();
  const gaps = await gapsOf(followed);
  expect(gaps.map(({ origin, why }) => [origin, why]).sort()).toEqual(
    ['eu-west-1', 'us-east-1', 'us-west-2'].map((name) => [`${account}_${name}`, 'object-missing']),
  );
});

test('a bucket that is not there, or a server that answers nonsense, ends nothing', async () => {
  const absent = await follow(sourceOf(aws(), 'no-such-bucket-of-ours'));
  await until(() => stateOf(absent) === 'bucket');
  await absent.stop();
  first((request) => (isS3(request) ? { status: 200, body: '<<<' } : { status: 200, body: '[' }));
  const followed = await follow(sourceOf(aws(), bucket));
  await until(() => stateOf(followed) !== 'starting');
  expect(stateOf(followed)).not.toBe('ok');
  aws().proxy.rules.shift();
  await expectAll(followed);
});

test('where the store has no room, nothing counts as taken that is not on disk', async () => {
  let full = true;
  const store = await openTestStore();
  const refusing: Store & { path: string } = {
    ...store,
    log: async (stream, origin, options) => {
      const log = await store.log(stream, origin, options);
      return {
        nextSeq: log.nextSeq,
        append: (record, receivedAt) =>
          full && stream === 'cloudtrail-object'
            ? Promise.reject(new TallyError('input', 'the disk is full', { retryable: true }))
            : log.append(record, receivedAt),
      };
    },
  };
  const followed = await follow(sourceOf(aws(), bucket), { store: refusing });
  await until(() => stateOf(followed) === 'store');
  expect(followed.trail.status().places[0]).toMatchObject({ taken: 0, why: 'the disk is full' });
  full = false;
  await until(() => stateOf(followed) === 'ok');
  await followed.stop();
  const inventory = (await sealedTexts(followed))['cloudtrail-object'] ?? [];
  const objects = inventory.map((text) => (JSON.parse(text) as { object: string }).object);
  expect(objects.filter((object) => object.startsWith(account))).toHaveLength(7);
});
