import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { maskSecrets } from '../../src/evidence/mask.ts';
import type { Segment } from '../../src/model/record.ts';
import { insertAudit } from '../../src/judge/audit.ts';
import { openRecords } from '../../src/judge/records.ts';
import { readStore } from '../../src/evidence/store-read.ts';
import { createTables, openDatabase, type Row } from '../../src/query/database.ts';
import { ingest } from '../../src/sources/ingest.ts';
import { parseSnapshots } from '../../src/sources/cloudtrail-trails.ts';
import { storeOptions } from '../evidence/store-fixture.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { caseFolder, filesOf } from './cloudtrail-fixtures.ts';
import {
  account,
  type Aws,
  follow,
  newBucket,
  put,
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
const day = `AWSLogs/${account}/CloudTrail/${region}/2026/11/21/`;
const logName = (at: string, id = 'aaaaaaaaaaaaaaaa'): string => `${account}_CloudTrail_${region}_${at}Z_${id}.json.gz`;
const logOf = (...ids: string[]): Buffer =>
  gzipSync(
    JSON.stringify({
      Records: ids.map((eventID) => ({ eventID, eventName: 'GetObject', eventSource: 's3.amazonaws.com' })),
    }),
  );

beforeAll(async () => {
  const client = new CloudTrailClient({ region, endpoint: aws().moto });
  await newBucketWithKeys();
  await client.send(
    new CreateTrailCommand({
      Name: 'org-trail',
      S3BucketName: bucket,
      IsMultiRegionTrail: true,
      EnableLogFileValidation: true,
    }),
  );
  await client.send(new StartLoggingCommand({ Name: 'org-trail' }));
  const all = { ReadWriteType: 'All', IncludeManagementEvents: true } as const;
  await client.send(new PutEventSelectorsCommand({ TrailName: 'org-trail', EventSelectors: [all] }));
  client.destroy();
});

async function newBucketWithKeys(): Promise<Aws> {
  bucket = await newBucket(aws());
  await serveKeys(aws());
  return aws();
}

/** Tables of the provider's half; record ids, which differ by way in, are left out. */
async function tablesOf(folder: string, segments: readonly Segment[]): Promise<{ objects: Row[]; events: Row[] }> {
  const database = await openDatabase();
  try {
    await createTables(database);
    await openRecords(database, folder, segments);
    await insertAudit(database);
    return {
      objects: await database.all('SELECT * EXCLUDE (evidence) FROM audit_object ORDER BY ALL'),
      events: await database.all('SELECT * EXCLUDE (evidence) FROM audit_event ORDER BY ALL'),
    };
  } finally {
    await database.close();
  }
}

async function ingested(name: string): Promise<{ objects: Row[]; events: Row[] }> {
  const database = await openDatabase();
  const evidence = await scratchFolder();
  try {
    const inputs = { tetragon: [], sensor: [], resolutions: [], cloudtrail: [caseFolder(name)] };
    const context = { database, evidence, maskKey: storeOptions.maskKey };
    const { segments } = await ingest(context, inputs, () => undefined);
    return await tablesOf(evidence, segments);
  } finally {
    await database.close();
  }
}

describe('what is followed in a bucket', () => {
  test.each(['c01-benign', 'c02-undeclared-endpoint', 'c14-digest-missing', 'c15-log-file-missing'])(
    '%s gives the objects, chains and events that its files give',
    async (name) => {
      bucket = await newBucket(aws());
      await serveKeys(aws(), name);
      await putCase(aws(), bucket, { name });
      const followed = await follow(sourceOf(aws(), bucket));
      await until(() => followed.trail.status().places[0]?.state === 'ok');
      await followed.stop();
      await followed.store.seal();
      const { segments } = await readStore(followed.store.path);
      expect(await tablesOf(followed.store.path, segments)).toEqual(await ingested(name));
    },
  );

  test('a prefix and an organization are part of the path', async () => {
    await newBucketWithKeys();
    const path = `logs/all/AWSLogs/o-abc1234567/${account}/CloudTrail/${region}/2026/11/21/`;
    await put(aws(), bucket, path + logName('20261121T1000'), logOf('e1'));
    const followed = await follow(
      sourceOf(aws(), bucket, { prefix: 'logs/all', organization: 'o-abc1234567', chains: [{ account, region }] }),
    );
    await until(() => followed.trail.status().places[0]?.taken === 1);
    expect((await sealedTexts(followed))['cloudtrail']).toEqual([expect.stringContaining('"e1"')]);
  });

  test('many pages, and keys with odd characters, are all listed', async () => {
    await newBucketWithKeys();
    const names = Array.from({ length: 23 }, (_, index) => logName(`20261121T10${10 + index}`, `id${index}`));
    names.push(logName('20261121T1050', 'a b+c%20é\u0001'));
    for (const name of names) await put(aws(), bucket, day + name, logOf(name));
    const followed = await follow(sourceOf(aws(), bucket, { chains: [{ account, region }] }), { pageSize: 5 });
    await until(() => followed.trail.status().places[0]?.taken === names.length);
    const inventory = (await sealedTexts(followed))['cloudtrail-object'] ?? [];
    const objects = inventory.map((text) => (JSON.parse(text) as { object: string }).object);
    expect(objects.filter((object) => object.startsWith(account)).sort()).toEqual([...names].sort());
  });

  test('secrets are masked before the inventory is written: the hash is that of the sealed bytes', async () => {
    await newBucketWithKeys();
    const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    const text = JSON.stringify({
      Records: [{ eventName: 'X', eventSource: 'x', requestParameters: { secretAccessKey: secret } }],
    });
    await put(aws(), bucket, day + logName('20261121T1000'), gzipSync(text));
    const followed = await follow(sourceOf(aws(), bucket, { chains: [{ account, region }] }));
    await until(() => followed.trail.status().places[0]?.taken === 1);
    const texts = await sealedTexts(followed);
    const [sealed = ''] = texts['cloudtrail'] ?? [];
    expect(sealed).not.toContain(secret);
    const entry = (texts['cloudtrail-object'] ?? []).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entry).toContainEqual(
      expect.objectContaining({
        masked: 1,
        sha256: createHash('sha256').update(text).digest('hex'),
        record_sha256: createHash('sha256').update(sealed).digest('hex'),
        key: day + logName('20261121T1000'),
      }),
    );
  });

  test('a late object in an older day is taken; one of before the time looked back is not', async () => {
    await newBucketWithKeys();
    const at = (path: string): string => `AWSLogs/${account}/CloudTrail/${region}/${path}/`;
    await put(aws(), bucket, at('2026/11/21') + logName('20261121T1000'), logOf('today'));
    let now = time;
    const followed = await follow(sourceOf(aws(), bucket, { chains: [{ account, region }], lookback: 3 * 86_400 }), {
      now: () => now,
    });
    await until(() => followed.trail.status().places[0]?.taken === 1);
    await put(aws(), bucket, at('2026/11/17') + logName('20261117T1000'), logOf('too old'));
    await put(aws(), bucket, at('2026/11/20') + logName('20261120T1000'), logOf('yesterday'));
    await put(aws(), bucket, at('2026/11/18') + logName('20261118T1600'), logOf('three days ago'));
    await until(() => followed.trail.status().places[0]?.taken === 2);
    now += 16 * 60_000; // older days are listed four times an hour
    await until(() => followed.trail.status().places[0]?.taken === 3);
    const logs = (await sealedTexts(followed))['cloudtrail'] ?? [];
    expect(logs.map((text) => /"eventID":"([^"]*)"/.exec(text)?.[1])).toEqual(['three days ago', 'today', 'yesterday']);
  });

  test('a log file that only a digest names, in another folder, is taken before the digest', async () => {
    await newBucketWithKeys();
    const key = `AWSLogs/${account}/CloudTrail-NetworkActivity/${region}/2026/11/21/${logName('20261121T1000')}`;
    const elsewhere = `AWSLogs/999999999999/CloudTrail/${region}/2026/11/21/x.json.gz`;
    await put(aws(), bucket, key, logOf('named'));
    await put(aws(), bucket, elsewhere, logOf('foreign'));
    const digest = {
      digestStartTime: '2026-11-21T10:00:00Z',
      digestEndTime: '2026-11-21T11:00:00Z',
      digestPublicKeyFingerprint: 'f',
      logFiles: [key, elsewhere, `${day}gone.json.gz`].map((s3Object) => ({ s3Bucket: bucket, s3Object })),
    };
    const name = `${account}_CloudTrail-Digest_${region}_org-trail_${region}_20261121T110000Z.json.gz`;
    const path = `AWSLogs/${account}/CloudTrail-Digest/${region}/2026/11/21/`;
    await put(aws(), bucket, path + name, gzipSync(JSON.stringify(digest)));
    const followed = await follow(sourceOf(aws(), bucket));
    await until(() => followed.trail.status().places[0]?.state === 'ok');
    const texts = await sealedTexts(followed);
    expect(texts['cloudtrail']).toEqual([expect.stringContaining('"named"')]);
    expect(texts['cloudtrail-digest']).toHaveLength(1);
    // Its key is not among those asked for at the start: it is asked for again, once.
    expect(aws().proxy.requests.filter(({ operation }) => operation === 'ListPublicKeys')).toHaveLength(2);
  });

  test('keys or settings that lie in the bucket are refused: whoever writes there could vouch for himself', async () => {
    await newBucketWithKeys();
    await put(
      aws(),
      bucket,
      `${day}public-keys.json`,
      await readFile(join(caseFolder('c01-benign'), 'public-keys.json')),
    );
    await put(aws(), bucket, `${day}trails.json`, await readFile(join(caseFolder('c01-benign'), 'trails.json')));
    const followed = await follow(sourceOf(aws(), bucket, { chains: [{ account, region }] }));
    await until(() => followed.trail.status().places[0]?.refused === 2);
    const { 'cloudtrail-config': config = [], tally = [] } = await sealedTexts(followed);
    // What the API answered, not what lies in the bucket.
    for (const text of config) expect(text).not.toContain('example-org-cloudtrail');
    expect(config.filter((text) => text.includes('PublicKeyList'))).toHaveLength(1);
    expect(tally.filter((text) => text.includes('unknown-file'))).toHaveLength(2);
  });

  test('what gives no record is told once, and the rest goes on', async () => {
    await newBucketWithKeys();
    await put(aws(), bucket, day + logName('20261121T1000', 'cut'), logOf('e1').subarray(0, -9));
    await put(
      aws(),
      bucket,
      day + logName('20261121T1001', 'big'),
      gzipSync(JSON.stringify({ pad: 'x'.repeat(200_000) })),
    );
    await put(aws(), bucket, day + logName('20261121T1002', 'fat'), Buffer.alloc(100_001));
    await put(aws(), bucket, day + logName('20261121T1003', 'good'), logOf('e2'));
    const followed = await follow(sourceOf(aws(), bucket, { chains: [{ account, region }] }), { limit: 100_000 });
    await until(() => followed.trail.status().places[0]?.taken === 1);
    const asked = aws().proxy.requests.length;
    await until(() => aws().proxy.requests.length > asked + 8); // some more rounds
    const { tally = [] } = await sealedTexts(followed);
    const gaps = tally.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(gaps.filter(({ why }) => why !== 'object-missing').map(({ why, until: end }) => [why, end])).toEqual([
      ['truncated-file', '2026-11-21T10:01:00.000Z'],
      ['unreadable-file', '2026-11-21T10:02:00.000Z'],
      ['unreadable-file', '2026-11-21T10:03:00.000Z'],
    ]);
  });
});

describe('what was taken', () => {
  test('is not taken again after a start: positions tell, and where they are lost, the inventory', async () => {
    await newBucketWithKeys();
    await putCase(aws(), bucket);
    const state = join(await scratchFolder(), 'state');
    const first = await follow(sourceOf(aws(), bucket), { state });
    await until(() => first.trail.status().places[0]?.state === 'ok');
    await first.stop();
    const inventory = ((await sealedTexts(first))['cloudtrail-object'] ?? []).map(
      (text) => JSON.parse(text) as { object: string; etag?: string },
    );
    const gets = (): number => aws().proxy.requests.filter(({ path }) => /\.json\.gz/.test(path)).length;
    const before = gets();
    expect(before).toBe(7);

    const again = await follow(sourceOf(aws(), bucket), { state, store: first.store });
    await until(() => again.trail.status().places[0]?.state === 'ok');
    await again.stop();
    expect(gets()).toBe(before);

    await rm(state, { recursive: true });
    const taken = async function* () {
      yield* await Promise.resolve(inventory);
    };
    const lost = await follow(sourceOf(aws(), bucket), { state, store: first.store, taken });
    await until(() => lost.trail.status().places[0]?.state === 'ok');
    await lost.stop();
    expect(gets()).toBe(before);
  });

  test('twice, with positions and inventory lost, gives the same chains and events', async () => {
    await newBucketWithKeys();
    await putCase(aws(), bucket);
    const first = await follow(sourceOf(aws(), bucket));
    await until(() => first.trail.status().places[0]?.state === 'ok');
    await first.stop();
    const again = await follow(sourceOf(aws(), bucket), { store: first.store });
    await until(() => again.trail.status().places[0]?.state === 'ok');
    await again.stop();
    await first.store.seal();
    const { segments } = await readStore(first.store.path);
    const { objects, events } = await tablesOf(first.store.path, segments);
    const expected = await ingested('c01-benign');
    expect(events).toEqual(expected.events);
    expect(objects.filter(({ kind }) => kind !== 'log')).toEqual(expected.objects.filter(({ kind }) => kind !== 'log'));
  });

  test('is taken again when its content changed, as evidence of that; one that is gone stays', async () => {
    await newBucketWithKeys();
    await putCase(aws(), bucket);
    const followed = await follow(sourceOf(aws(), bucket));
    await until(() => followed.trail.status().places[0]?.taken === 7);
    const path = (await filesOf(caseFolder('c01-benign'))).find((file) => file.includes('_20261121T1040Z_')) ?? '';
    const name = path.slice(path.lastIndexOf('/') + 1);
    const altered = gunzipSync(await readFile(path))
      .toString()
      .replace('GetHostedZone', 'GetHostedZonf');
    await put(aws(), bucket, day + name, gzipSync(altered));
    await until(() => followed.trail.status().places[0]?.taken === 8);
    await aws().s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: day + name }));
    await followed.stop();
    await followed.store.seal();
    const { segments } = await readStore(followed.store.path);
    const { objects } = await tablesOf(followed.store.path, segments);
    expect(objects.filter(({ kind }) => kind === 'log').map(({ state }) => state)).toEqual(['altered', 'listed']);
  });
});

describe('how the trails are set', () => {
  test('is asked at the start, at an interval and at a boundary, and read as snapshots', async () => {
    await newBucketWithKeys();
    await putCase(aws(), bucket);
    let now = time;
    const followed = await follow(sourceOf(aws(), bucket), { now: () => now });
    const snapshots = async (): Promise<string[]> =>
      ((await sealedTexts(followed))['cloudtrail-config'] ?? []).filter((text) => !text.includes('PublicKeyList'));
    await until(() => followed.trail.status().places[0]?.state === 'ok');
    await followed.trail.snapshot(); // within seconds of the last
    expect(followed.trail.status().snapshot).toEqual({ asked: time, why: '' });
    now += 60_000;
    await followed.trail.snapshot();
    now += 301_000;
    await until(() => followed.trail.status().snapshot.asked === now);
    await followed.stop();
    const rows = (await snapshots()).flatMap((text) => parseSnapshots(text, 'e').rows);
    expect(rows.map((row) => Date.parse(row.time) - time)).toEqual([0, 60_000, 361_000]);
    expect(rows[0]).toMatchObject({
      account,
      region,
      trail: 'org-trail',
      logging: true,
      validated: true,
      multi_region: true,
      management: 'all',
    });
  });

  test('is told where an account has no trail, and where a trail can not be asked about it is left out', async () => {
    await newBucketWithKeys();
    await putCase(aws(), bucket);
    const chains = [{ account: '999999999999', region }];
    const other = await follow(sourceOf(aws(), bucket, { chains }));
    await until(() => other.trail.status().snapshot.why !== '');
    expect(other.trail.status().snapshot.why).toBe(`no trail watches 999999999999/${region}`);
    await other.stop();

    aws().proxy.rules.unshift(({ operation }) =>
      operation === 'GetTrailStatus'
        ? { status: 400, body: JSON.stringify({ __type: 'AccessDeniedException', message: 'no' }) }
        : undefined,
    );
    const denied = await follow(sourceOf(aws(), bucket));
    await until(() => denied.trail.status().places[0]?.state === 'ok');
    expect(denied.trail.status().snapshot.why).toMatch(/GetTrailStatus of arn:.*access is denied/);
    await denied.stop();
    const texts = (await sealedTexts(denied))['cloudtrail-config'] ?? [];
    expect(texts.filter((text) => !text.includes('PublicKeyList'))).toEqual([]);
  });
});

test('masking what is masked already changes nothing, for every object of the cases', async () => {
  for (const path of await filesOf(caseFolder('c01-benign'))) {
    const bytes = await readFile(path);
    const text = path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    const once = maskSecrets(text, storeOptions.maskKey).bytes;
    expect(maskSecrets(once, storeOptions.maskKey)).toEqual({ bytes: once, count: 0 });
  }
});
