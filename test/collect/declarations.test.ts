import { expect, test } from 'vitest';
import { DeclarationConflict, openBook, type Submission, toTime } from '../../src/collect/declarations.ts';
import type { Records } from '../../src/evidence/record-log.ts';
import { parseDeclaredRecord } from '../../src/model/declared-record.ts';

const yaml = (id: string, extra = ''): string =>
  `apiVersion: tally/v1\nkind: Task\ntask: { id: ${id}, type: t }\nworkload: [ { env: { TASK_ID: ${id} } } ]\n${extra}`;

interface Kept {
  readonly at: bigint;
  readonly raw: string;
}

function fakeRecords(): { records: Records; kept: Kept[] } {
  const kept: Kept[] = [];
  const records: Records = {
    log: (stream, origin) => {
      expect([stream, origin]).toEqual(['tally', 'declared']);
      return Promise.resolve({
        nextSeq: kept.length,
        append: (record: Buffer, at: bigint) => (kept.push({ at, raw: record.toString() }), Promise.resolve()),
      });
    },
    gap: () => Promise.reject(new Error('no gap is expected')),
  };
  return { records, kept };
}

const submit = (declaration: string, more: Partial<Submission> = {}): Submission => ({
  declaration,
  policies: [],
  late: false,
  name: 'task.yaml',
  ...more,
});
const at = 1_795_000_000_123_456_789n;

test('a declaration is kept word for word with the time at which it came', async () => {
  const { records, kept } = fakeRecords();
  const book = openBook(
    records,
    new Map(),
    () => Promise.resolve(undefined),
    () => at,
  );
  const text = yaml('7b3f', '# ünïcode\n');
  expect(await book.record(submit(text))).toEqual({ task: '7b3f', declared: toTime(at), already: false });
  expect(kept.map((one) => one.at)).toEqual([at]);
  expect(parseDeclaredRecord(kept[0]?.raw ?? '')).toEqual({
    task: '7b3f',
    declaration: text,
    policies: [],
    late: false,
  });
});

test('the same again changes nothing; another text for the task is refused', async () => {
  const { records, kept } = fakeRecords();
  let now = at;
  const book = openBook(
    records,
    new Map(),
    () => Promise.resolve(undefined),
    () => now,
  );
  await book.record(submit(yaml('7b3f')));
  now += 5_000_000_000n;
  expect(await book.record(submit(yaml('7b3f')))).toEqual({ task: '7b3f', declared: toTime(at), already: true });
  await expect(book.record(submit(yaml('7b3f', 'endpoints: ["evil.example.net:443"]\n')))).rejects.toThrow(
    DeclarationConflict,
  );
  expect(kept).toHaveLength(1);
});

test('of two at once one is recorded', async () => {
  const { records, kept } = fakeRecords();
  const book = openBook(
    records,
    new Map(),
    () => Promise.resolve(undefined),
    () => at,
  );
  const both = await Promise.allSettled([
    book.record(submit(yaml('7b3f'))),
    book.record(submit(yaml('7b3f', 'endpoints: ["a.example:443"]\n'))),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(kept).toHaveLength(1);
});

test('a task that has egress is refused, unless it is recorded as late', async () => {
  const { records, kept } = fakeRecords();
  const book = openBook(
    records,
    new Map(),
    () => Promise.resolve('2026-11-21T10:00:00Z'),
    () => at,
  );
  await expect(book.record(submit(yaml('7b3f')))).rejects.toThrow('2026-11-21T10:00:00Z');
  expect(kept).toHaveLength(0);
  await book.record(submit(yaml('7b3f'), { late: true }));
  expect(parseDeclaredRecord(kept[0]?.raw ?? '').late).toBe(true);
});

test('granted policies come with their declaration, and must be policies', async () => {
  const { records } = fakeRecords();
  const book = openBook(
    records,
    new Map(),
    () => Promise.resolve(undefined),
    () => at,
  );
  const text = yaml('7b3f', 'credentials: [ { provider: aws, session: s, policy: granted.json } ]\n');
  await expect(book.record(submit(text))).rejects.toThrow('1 granted policies, but 0 came');
  await expect(book.record(submit(text, { policies: ['{'] }))).rejects.toThrow('granted.json');
  const policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}';
  expect(await book.record(submit(text, { policies: [policy] }))).toMatchObject({ already: false });
});

test('a declaration that could not be kept is not taken as recorded', async () => {
  const { records } = fakeRecords();
  const full: Records = {
    ...records,
    log: () => Promise.resolve({ nextSeq: 0, append: () => Promise.reject(new Error('disk full')) }),
  };
  const book = openBook(
    full,
    new Map(),
    () => Promise.resolve(undefined),
    () => at,
  );
  await expect(book.record(submit(yaml('7b3f')))).rejects.toThrow('disk full');
  expect(book.tasks.size).toBe(0);
});
