import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDigests } from '../../src/sources/cloudtrail-digest.ts';
import type { AuditObject } from '../../src/sources/cloudtrail-object-row.ts';
import { toStringToSign } from '../../src/sources/cloudtrail-signature.ts';
import { caseFolder, filesOf, judge, readAll, withCopy } from './cloudtrail-fixtures.ts';

const digest = (hour: number): string =>
  `111122223333_CloudTrail-Digest_us-east-1_org-trail_us-east-1_20261121T${String(hour).padStart(2, '0')}1217Z.json.gz`;
const log = '111122223333_CloudTrail_us-east-1_20261121T1040Z_f756ff3e8e26825c.json.gz';

const pathOf = async (folder: string, name: string): Promise<string> => {
  const path = (await filesOf(folder)).find((file) => basename(file) === name);
  if (path === undefined) throw new Error(`${name} is not in the case`);
  return path;
};

/** States after a change to a copy of the case, by object; only those that are not as they should be. */
async function troubles(change: (folder: string) => Promise<void>): Promise<Record<string, string>> {
  return withCopy('c01-benign', async (folder) => {
    await change(folder);
    return trouble(judge(await readAll(folder)));
  });
}

function trouble(rows: readonly AuditObject[]): Record<string, string> {
  const odd = rows.filter(({ state, why }) => why !== '' || (state !== 'valid' && state !== 'listed'));
  return Object.fromEntries(odd.map(({ object, state }) => [object, state]));
}

async function editText(path: string, edit: (text: string) => string): Promise<void> {
  await writeFile(path, gzipSync(edit(gunzipSync(await readFile(path)).toString())));
}

test('an untouched chain is valid, whatever the order of the files', async () => {
  const items = await readAll(caseFolder('c01-benign'));
  const rows = judge(items);
  expect(trouble(rows)).toEqual({});
  expect(rows.filter(({ starting }) => starting).map(({ object }) => object)).toEqual([digest(9)]);
  expect(rows.find(({ kind }) => kind === 'log')).toMatchObject({
    state: 'listed',
    listed_by: digest(11),
    trail: 'org-trail',
  });
  const states = judge([...items].reverse()).map(({ object, state }) => [object, state]);
  expect(states).toEqual(rows.map(({ object, state }) => [object, state]));
});

test('the string to sign is the one of the sheet, byte for byte', () => {
  const subject = { end: '2026-11-21T10:12:17Z', path: 'bucket/key', sha256: 'ab12', previousSignature: null };
  expect(toStringToSign(subject)).toBe('2026-11-21T10:12:17Z\nbucket/key\nab12\nnull');
  expect(toStringToSign({ ...subject, previousSignature: '00ff' })).toBe(
    '2026-11-21T10:12:17Z\nbucket/key\nab12\n00ff',
  );
});

describe('tampering is told:', () => {
  test('a digest is gone: its successor names it, and what it listed is not vouched for', async () => {
    await withCopy('c01-benign', async (folder) => {
      await rm(await pathOf(folder, digest(11)));
      const rows = judge(await readAll(folder));
      expect(trouble(rows)).toEqual({ [digest(11)]: 'missing', [log]: 'unlisted' });
      expect(rows.find(({ state }) => state === 'missing')).toMatchObject({
        from_time: '2026-11-21T10:12:17Z',
        until: '2026-11-21T11:12:17Z',
      });
    });
  });

  test('the starting digest is gone', async () => {
    expect(await troubles(async (folder) => rm(await pathOf(folder, digest(9))))).toEqual({ [digest(9)]: 'missing' });
  });

  test('a log file is gone, or cut short', async () => {
    expect(await troubles(async (folder) => rm(await pathOf(folder, log)))).toEqual({ [log]: 'missing' });
    const cut = async (folder: string): Promise<void> => {
      const path = await pathOf(folder, log);
      await writeFile(path, (await readFile(path)).subarray(0, -20));
    };
    expect(await troubles(cut)).toEqual({ [log]: 'missing' });
  });

  test('a log file is altered, or has bytes behind it', async () => {
    const edit = async (folder: string): Promise<void> =>
      editText(await pathOf(folder, log), (text) => text.replace('GetHostedZone', 'GetHostedZonf'));
    expect(await troubles(edit)).toEqual({ [log]: 'altered' });
    const append = async (folder: string): Promise<void> => writeFile(await pathOf(folder, log), 'x', { flag: 'a' });
    expect(await troubles(append)).toEqual({ [log]: 'altered' });
  });

  test('an altered copy beside the true log file: each is judged by its own hash', async () => {
    const plant = async (folder: string): Promise<void> => {
      const path = await pathOf(folder, log);
      await writeFile(join(folder, log), await readFile(path));
      await editText(join(folder, log), (text) => text.replace('GetHostedZone', 'GetHostedZonf'));
    };
    const rows = await withCopy('c01-benign', async (folder) => {
      await plant(folder);
      return judge(await readAll(folder));
    });
    expect(rows.filter(({ object }) => object === log).map(({ state }) => state)).toEqual(['altered', 'listed']);
  });

  test('a log file that no digest lists: unlisted before the newest digest’s end, pending after it', async () => {
    const plant = (name: string) => async (folder: string) => writeFile(join(folder, name), gzipSync('{"Records":[]}'));
    const early = log.replace('T1040Z_f756', 'T1050Z_aaaa');
    const late = log.replace('T1040Z_f756', 'T1415Z_bbbb');
    const loose = 'found-somewhere.json';
    expect(await troubles(plant(early))).toEqual({ [early]: 'unlisted' });
    expect(await troubles(plant(late))).toEqual({ [late]: 'pending' });
    expect(await troubles(plant(loose))).toEqual({ [loose]: 'unlisted' });
  });

  test('a digest is altered: neither it nor what it alone lists counts', async () => {
    const edit = async (folder: string): Promise<void> =>
      editText(await pathOf(folder, digest(11)), (text) => text.replace('10:33:51Z', '10:33:52Z'));
    expect(await troubles(edit)).toEqual({ [digest(11)]: 'invalid', [log]: 'unlisted' });
  });

  test('a digest has bytes behind it, another name than its own, or a wrong signature', async () => {
    const append = async (folder: string): Promise<void> =>
      writeFile(await pathOf(folder, digest(13)), 'x', { flag: 'a' });
    expect(await troubles(append)).toEqual({ [digest(13)]: 'invalid' });
    const move = async (folder: string): Promise<void> => {
      const path = await pathOf(folder, digest(12));
      await rename(path, join(dirname(path), digest(15)));
    };
    expect(await troubles(move)).toEqual({ [digest(12)]: 'missing', [digest(15)]: 'invalid' });
    const forge = async (folder: string): Promise<void> => {
      const path = await pathOf(folder, `${digest(12)}.metadata.json`);
      await writeFile(path, (await readFile(path, 'utf8')).replace(/"([0-9a-f]{2})([0-9a-f]{100})/, '"$2$1'));
    };
    expect(await troubles(forge)).toEqual({ [digest(12)]: 'invalid' });
  });

  test('lost metadata costs the newest digest only: each other signature is repeated by the successor', async () => {
    const lose = async (folder: string): Promise<void> => {
      for (const path of await filesOf(folder)) if (path.endsWith('.metadata.json')) await rm(path);
    };
    expect(await troubles(lose)).toEqual({ [digest(14)]: 'invalid' });
  });

  test('without public keys nothing is valid', async () => {
    const states = await troubles(async (folder) => rm(join(folder, 'public-keys.json')));
    expect(Object.values(states)).toEqual([
      'invalid',
      'invalid',
      'invalid',
      'invalid',
      'invalid',
      'invalid',
      'unlisted',
    ]);
  });
});

/** A chain of our own, to put together what no recorded case has. */
class Chain {
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private previous: { key: string; sha256: string; signature: string } | undefined;
  readonly publicKeys: { fingerprint: string; value: string }[];

  constructor(type: 'pkcs1' | 'spki') {
    const value = this.keys.publicKey.export({ type, format: 'der' }).toString('base64');
    this.publicKeys = [{ fingerprint: 'f'.repeat(32), value }];
  }

  add(
    start: number,
    end: number,
    options: { starting?: boolean; suffix?: string; logs?: { name: string; hash: string }[] } = {},
  ) {
    const time = (hour: number) => `2026-11-21T${String(hour).padStart(2, '0')}:00:00Z`;
    const compact = time(end).replaceAll(/[-:]/g, '');
    const object = `111122223333_CloudTrail-Digest_eu-west-1_a_trail_eu-west-1_${compact}${options.suffix ?? ''}.json.gz`;
    const previous = options.starting === true ? undefined : this.previous;
    const text = JSON.stringify({
      awsAccountId: '111122223333',
      digestStartTime: time(start),
      digestEndTime: time(end),
      digestS3Bucket: 'bucket',
      digestS3Object: `AWSLogs/${object}`,
      digestPublicKeyFingerprint: 'f'.repeat(32),
      digestSignatureAlgorithm: 'SHA256withRSA',
      newestEventTime: null,
      oldestEventTime: null,
      previousDigestS3Bucket: previous === undefined ? null : 'bucket',
      previousDigestS3Object: previous?.key ?? null,
      previousDigestHashValue: previous?.sha256 ?? null,
      previousDigestHashAlgorithm: previous === undefined ? null : 'SHA-256',
      previousDigestSignature: previous?.signature ?? null,
      logFiles: (options.logs ?? []).map(({ name, hash }) => ({
        s3Object: `AWSLogs/${name}`,
        hashValue: hash,
        hashAlgorithm: 'SHA-256',
      })),
    });
    const sha256 = sha(text);
    const subject = {
      end: time(end),
      path: `bucket/AWSLogs/${object}`,
      sha256,
      previousSignature: previous?.signature ?? null,
    };
    const signature = createSign('sha256').update(toStringToSign(subject)).sign(this.keys.privateKey, 'hex');
    this.previous = { key: `AWSLogs/${object}`, sha256, signature };
    return {
      object,
      sha256,
      text,
      signature,
      trailing: false,
      evidence: `cloudtrail-digest/x/${end}${options.suffix ?? ''}`,
    };
  }
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('chains:', () => {
  test('a hole in time between linked digests is told', () => {
    const chain = new Chain('pkcs1');
    const digests = [chain.add(8, 9, { starting: true }), chain.add(10, 11)];
    const missing = checkDigests({ digests, logs: [], publicKeys: chain.publicKeys }).filter(
      ({ state }) => state === 'missing',
    );
    expect(missing).toMatchObject([
      { from_time: '2026-11-21T09:00:00Z', until: '2026-11-21T10:00:00Z', trail: 'a_trail' },
    ]);
  });

  test('a chain that starts anew is told, also without a hole; a key in SPKI form serves', () => {
    const chain = new Chain('spki');
    const digests = [chain.add(8, 9, { starting: true }), chain.add(9, 10, { starting: true })];
    const rows = checkDigests({ digests, logs: [], publicKeys: chain.publicKeys });
    expect(rows.map(({ state, starting, why }) => [state, starting, why !== ''])).toEqual([
      ['valid', true, false],
      ['valid', true, true],
    ]);
  });

  test('a backfill digest has a chain of its own and vouches for what it lists', () => {
    const main = new Chain('pkcs1');
    const digests = [main.add(8, 9, { starting: true }), main.add(9, 10)];
    const backfill = new Chain('pkcs1');
    const name = '111122223333_CloudTrail_eu-west-1_20261121T0830Z_abcdefgh12345678.json.gz';
    const late = backfill.add(8, 9, { starting: true, suffix: '_backfill', logs: [{ name, hash: sha('late') }] });
    const rows = checkDigests({
      digests: [...digests, late],
      logs: [{ object: name, sha256: sha('late'), trailing: false, evidence: 'cloudtrail/x/0' }],
      publicKeys: [...main.publicKeys, ...backfill.publicKeys],
    });
    expect(rows.map(({ kind, state }) => [kind, state])).toEqual([
      ['backfill', 'valid'],
      ['digest', 'valid'],
      ['digest', 'valid'],
      ['log', 'listed'],
    ]);
  });
});

describe('any one change to any one digest or log file is told:', () => {
  const isOf = (path: string): boolean => /_CloudTrail(-Digest)?_.*\.json\.gz$/.test(path);

  test('removing it', async () => {
    for (const path of (await filesOf(caseFolder('c12-foreign-use'))).filter(isOf)) {
      await withCopy('c12-foreign-use', async (folder) => {
        await rm(await pathOf(folder, basename(path)));
        const items = await readAll(folder);
        const told = Object.keys(trouble(judge(items))).length + items.filter(({ kind }) => kind === 'problem').length;
        expect(told, basename(path)).toBeGreaterThan(0);
      });
    }
  });

  test('flipping one bit of it', async () => {
    const paths = (await filesOf(caseFolder('c12-foreign-use'))).filter(isOf);
    await withCopy('c12-foreign-use', async (folder) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), fc.boolean(), async (which, where, bit, inside) => {
          const path = await pathOf(folder, basename(paths[which % paths.length] ?? ''));
          const original = await readFile(path);
          const bytes = inside ? gunzipSync(original) : Buffer.from(original);
          const at = where % bytes.length;
          bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
          await writeFile(path, inside ? gzipSync(bytes) : bytes);
          try {
            const items = await readAll(folder);
            const told =
              Object.keys(trouble(judge(items))).length + items.filter(({ kind }) => kind === 'problem').length;
            // A gzip header holds bits, such as its time, that no content depends on.
            if (told === 0) expect(!inside && gunzipSync(bytes).equals(gunzipSync(original))).toBe(true);
          } finally {
            await writeFile(path, original);
          }
        }),
        { numRuns: 150 },
      );
    });
  });
});
