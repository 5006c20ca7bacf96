import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { caseFolder, filesOf, objectsOf, readAll, shared, withCopy } from './cloudtrail-fixtures.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tally-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const log = JSON.stringify({
  Records: [
    {
      eventName: 'GetBucketAcl',
      eventSource: 's3.amazonaws.com',
      recipientAccountId: '111122223333',
      awsRegion: 'eu-west-1',
    },
  ],
});

async function readFileOf(name: string, content: string | Buffer) {
  const own = await mkdtemp(join(folder, 'case-'));
  await writeFile(join(own, name), content);
  return readAll(own);
}

test('a folder in S3 layout gives its log file, digests with metadata, keys and snapshots', async () => {
  const objects = objectsOf(await readAll(caseFolder('c01-benign')));
  expect(objects.map(({ inventory }) => inventory.kind).sort()).toEqual([
    ...Array<string>(6).fill('digest'),
    'log',
    'public-keys',
    'trails',
  ]);
  for (const { inventory, account, region, text } of objects.filter(({ stream }) => stream !== 'cloudtrail-config')) {
    expect([account, region]).toEqual(['111122223333', 'us-east-1']);
    expect(inventory.sha256).toBe(createHash('sha256').update(text).digest('hex'));
    expect('x-amz-meta-signature' in inventory.metadata).toBe(inventory.kind === 'digest');
  }
});

test('the content tells what a file is: loose files with any name give the same objects', async () => {
  await withCopy('c01-benign', async (copy) => {
    const loose = await readAll(...(await filesOf(copy)));
    expect(loose).toEqual(await readAll(caseFolder('c01-benign')));
  });
  const [item] = await readFileOf('whatever.json', gzipSync(log));
  expect(item).toMatchObject({ stream: 'cloudtrail', account: '111122223333', region: 'eu-west-1', text: log });
});

test('bytes after the gzip stream are told and change neither content nor hash', async () => {
  const plain = objectsOf(await readFileOf('a.json.gz', gzipSync(log)))[0];
  for (const tail of [Buffer.from('tail'), Buffer.alloc(3), gzipSync(''), gzipSync(log)]) {
    const [item] = objectsOf(await readFileOf('a.json.gz', Buffer.concat([gzipSync(log), tail])));
    expect(item?.inventory).toEqual({ ...plain?.inventory, trailing: true });
  }
});

test('what cannot be read is a problem, never an exception', async () => {
  const cut = gzipSync(log).subarray(0, -5);
  expect(await readFileOf('a.json.gz', cut)).toMatchObject([
    { kind: 'problem', object: 'a.json.gz', code: 'truncated-file' },
  ]);
  expect(await readFileOf('b.json', '{"Records": [')).toMatchObject([{ code: 'unreadable-file' }]);
  expect(await readFileOf('c.json', '{"hello": 1}')).toMatchObject([{ code: 'unknown-file' }]);
  expect(await readFileOf('d.json', '')).toMatchObject([{ code: 'unreadable-file' }]);
  expect(await readFileOf('e.json.gz.metadata.json', '{}')).toMatchObject([
    { object: 'e.json.gz', code: 'object-missing' },
  ]);
});

test('other files in a folder are left alone, but one that is named is read', async () => {
  const own = join(folder, 'mixed');
  await mkdir(own);
  await writeFile(join(own, 'README.md'), '# notes');
  expect(await readAll(own)).toEqual([]);
  expect(await readAll(join(own, 'README.md'))).toMatchObject([{ code: 'unreadable-file' }]);
});

test('whoever can write log files can not add keys or trail snapshots among them', async () => {
  await withCopy('c01-benign', async (copy) => {
    const keys = join(copy, 'public-keys.json');
    const bucket = join(copy, 'AWSLogs', '111122223333');
    for (const planted of [join(bucket, 'x.json'), join(bucket, 'public-keys.json'), join(copy, 'other.json')]) {
      await cp(keys, planted);
      const items = await readAll(copy);
      expect(items.filter(({ kind }) => kind === 'problem')).toMatchObject([
        { object: basename(planted), code: 'unknown-file' },
      ]);
      expect(objectsOf(items).filter(({ inventory }) => inventory.kind === 'public-keys')).toHaveLength(1);
      // named on the command line it is the operator's own word
      expect(objectsOf(await readAll(planted))).toHaveLength(1);
      await rm(planted);
    }
  });
});

test('a path that is not there is an input error', async () => {
  await expect(readAll(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'input' });
});

test('all real data is read', async () => {
  const items = await readAll(join(shared, 'data'));
  expect(items.filter(({ kind }) => kind === 'problem')).toEqual([]);
  expect(items).toHaveLength(84);
});
