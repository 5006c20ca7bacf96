import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Row } from '../../../src/query/database.ts';
import type { AuditObject } from '../../../src/sources/cloudtrail-object-row.ts';
import { deriveUses, fileRecords, insertRows, withDatabase } from '../../sources/cloudtrail-database.ts';
import { caseFolder, judge, objectsOf, readAll } from '../../sources/cloudtrail-fixtures.ts';
import { caseNames } from '../../cases/shared-case.ts';
import type { CloudFile } from '../evidence.ts';
import { handMadeWorld } from './hand-made-world.ts';
import { renderProvider } from './render-provider.ts';
import { widenedWorld } from './widened-world.ts';
import type { Call, Ns, World } from '../world.ts';
import { writeObjects } from '../write-evidence.ts';

const worlds: [string, () => World][] = [
  ['hand-made', handMadeWorld],
  ['widened', widenedWorld],
];

async function readFiles(files: readonly CloudFile[]): ReturnType<typeof readAll> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-provider-'));
  try {
    return await readAll(...(await writeObjects(files, folder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function judgeFiles(files: readonly CloudFile[]): Promise<AuditObject[]> {
  return judge(await readFiles(files));
}

const stateOf = (rows: readonly AuditObject[]): Record<string, string> =>
  Object.fromEntries(rows.map(({ object, state }) => [object, state]));
const nameOf = ({ path }: CloudFile): string => path.slice(path.lastIndexOf('/') + 1);

test.each(worlds)('the %s world: every object is valid or listed, each chain begins once', async (_, make) => {
  const files = renderProvider(make());
  const rows = await judgeFiles(files);
  expect(rows.map(({ object }) => object).sort()).toEqual(
    files
      .filter(({ kind }) => kind === 'log' || kind === 'digest')
      .map(nameOf)
      .sort(),
  );
  const newest = files.reduce((last, { kind, at }) => (kind === 'digest' && at > last ? at : last), 0n);
  for (const file of files.filter(({ kind }) => kind === 'log' || kind === 'digest')) {
    const late = file.kind === 'log' && file.at > newest;
    const state = late ? 'pending' : { log: 'listed', digest: 'valid' }[file.kind as 'log' | 'digest'];
    expect(rows.find(({ object }) => object === nameOf(file))).toMatchObject({ state, why: late ? /./ : /^(?!It)/ });
  }
  expect(rows.filter(({ starting }) => starting)).toHaveLength(make().trails.length);
});

test('the same world is rendered the same, and all that was asked stands in some file', () => {
  expect(renderProvider(widenedWorld())).toEqual(renderProvider(widenedWorld()));
  const text = renderProvider(widenedWorld())
    .filter(({ kind }) => kind === 'log')
    .map(({ text }) => text)
    .join('\n');
  const { calls, sessions } = widenedWorld();
  for (const { eventId, logged } of [...calls, ...sessions]) expect(text.includes(eventId)).toBe(logged);
});

test('a file holds what was delivered within five minutes, and is delivered with the last of it', () => {
  const world = handMadeWorld();
  const all = [...world.sessions.map(({ issued, delay }) => ({ at: issued, delay })), ...world.calls];
  const times = all.map(({ at, delay }) => at + BigInt(delay) * 1_000_000_000n);
  const logs = renderProvider(world).filter(({ kind }) => kind === 'log');
  expect(logs.map(({ at }) => at)).toEqual([times.reduce((a, b) => (a > b ? a : b))]);
  world.calls[0] = { ...world.calls[0], delay: 2000 } as (typeof world.calls)[number];
  expect(renderProvider(world).filter(({ kind }) => kind === 'log')).toHaveLength(2);
});

test.each(['log', 'digest'] as const)('an altered byte of a %s is found, whichever file it is', async (kind) => {
  const files = renderProvider(kind === 'log' ? widenedWorld() : handMadeWorld());
  for (const [index, file] of files.entries()) {
    if (file.kind !== kind || (await stateFor(files, file)) === 'pending') continue;
    const altered = { ...file, text: file.text.replace('11112222', '11112223').replace('2223333', '2223334') };
    expect(altered.text).not.toBe(file.text);
    const state = await stateFor(files.with(index, altered), file);
    expect(state).toBe(kind === 'log' ? 'altered' : 'invalid');
  }
});

test.each(['log', 'digest'] as const)('a removed %s is found, except at the end of a chain', async (kind) => {
  const files = renderProvider(handMadeWorld());
  const last = files.findLast((file) => file.kind === kind);
  for (const file of files.filter((one) => one.kind === kind)) {
    const state = await stateFor(
      files.filter((one) => one !== file),
      file,
    );
    expect(state).toBe(kind === 'digest' && file === last ? undefined : 'missing');
  }
});

async function stateFor(files: readonly CloudFile[], { path }: CloudFile): Promise<string | undefined> {
  return stateOf(await judgeFiles(files))[path.slice(path.lastIndexOf('/') + 1)];
}

/** JSON paths with the types of what is there; elements of lists are one. */
function shapeOf(value: unknown, path = '$'): string[] {
  if (Array.isArray(value)) return [`${path} list`, ...value.flatMap((one) => shapeOf(one, `${path}[]`))];
  if (value === null || typeof value !== 'object') return [`${path} ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([key, one]) => shapeOf(one, `${path}.${key}`));
}

interface AnyRecord {
  readonly eventName: string;
  readonly errorCode?: string;
  readonly userIdentity: { readonly type: string };
}

function shapesOf(texts: readonly string[]): Map<string, Set<string>> {
  const records = texts.flatMap((text) => (JSON.parse(text) as { Records: AnyRecord[] }).Records);
  const shapes = new Map<string, Set<string>>();
  for (const record of records) {
    const kind = `${record.eventName} ${record.userIdentity.type} ${record.errorCode ?? ''}`;
    const shape = [...new Set(shapeOf(record))].sort().join('\n');
    shapes.set(kind, (shapes.get(kind) ?? new Set()).add(shape));
  }
  return shapes;
}

test('records have the keys and types of recorded ones', async () => {
  const recorded = new Map<string, Set<string>>();
  for (const name of caseNames) {
    const logs = objectsOf(await readAll(caseFolder(name))).filter(({ stream }) => stream === 'cloudtrail');
    for (const [kind, shapes] of shapesOf(logs.map(({ text }) => text)))
      recorded.set(kind, new Set([...(recorded.get(kind) ?? []), ...shapes]));
  }
  const rendered = shapesOf(
    renderProvider(handMadeWorld())
      .filter(({ kind }) => kind === 'log')
      .map(({ text }) => text),
  );
  expect([...rendered.keys()].sort()).toEqual([
    'AssumeRole IAMUser ',
    'GetHostedZone AssumedRole ',
    'ListResourceRecordSets AssumedRole ',
  ]);
  for (const [kind, shapes] of rendered) {
    for (const shape of shapes) expect([...(recorded.get(kind) ?? [])]).toContain(shape);
  }
});

test('digests, keys and snapshots have the keys and types of recorded ones', async () => {
  const config = async (files: Promise<Awaited<ReturnType<typeof readAll>>>): Promise<string[]> => {
    const texts = objectsOf(await files).filter(({ stream }) => stream !== 'cloudtrail');
    return [...new Set(texts.flatMap(({ text }) => shapeOf(JSON.parse(text))))].sort();
  };
  expect(await config(readFiles(renderProvider(handMadeWorld())))).toEqual(
    await config(readAll(caseFolder('c01-benign'))),
  );
});

test('what the world was asked lands in the tables with its true values', async () => {
  const world = widenedWorld();
  await withDatabase(async (database) => {
    await fileRecords(database, await readFiles(renderProvider(world)));
    await insertRows(
      database,
      'task',
      [
        {
          task_id: '7b3f',
          type: 'x',
          declared_basis: 'self-reported',
          has_policy: true,
          evidence: 'tally/declaration/0',
        },
      ].map((row) => ({ ...row, tolerance: '2 seconds' })),
    );
    await insertRows(
      database,
      'declared_session',
      world.sessions.map(({ key }) => ({ provider: 'aws', key })),
    );
    await deriveUses(database);
    expectSessions(await database.all('SELECT * FROM session ORDER BY key'), world);
    expectUses(await database.all('SELECT * FROM "use" ORDER BY event_id'), world);
    const coverage = await database.all(
      `SELECT DISTINCT account, region, trail, logging, validated, management, data FROM audit_snapshot ORDER BY ALL`,
    );
    expect(
      coverage.map(({ account, region, trail, logging, validated, management, data }) => [
        account,
        region,
        trail,
        logging,
        validated,
        management,
        String(data).match(/AWS::\w+::\w+/g),
      ]),
    ).toEqual([
      ['111122223333', 'eu-west-1', 'org-trail', true, true, 'all', ['AWS::S3::Object']],
      ['111122223333', 'us-east-1', 'org-trail', true, true, 'all', null],
      ['111122223333', 'us-east-1', 'second-trail', true, true, 'all', ['AWS::S3::Object', 'AWS::SQS::Queue']],
      ['222233334444', 'us-east-1', 'org-trail', true, true, 'all', null],
    ]);
  });
});

const toTime = (time: Ns): string =>
  new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');

function expectSessions(rows: readonly Row[], world: World): void {
  const expected = world.sessions
    .filter(({ logged }) => logged)
    .map((session) => ({
      ...{ key: session.key, principal: `${session.roleId}:${session.name}`, name: session.name, role: session.role },
      ...{ account: session.account, issued: toTime(session.issued), expires: toTime(session.expires) },
      ...{ parent_key: session.issuer.kind === 'oidc' ? null : session.issuer.key, request_id: session.requestId },
      ...{
        issued_for: session.issuer.kind === 'oidc' ? session.issuer.subject : null,
        foreign_account: false,
        listed: 'listed',
      },
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  expect(rows.filter(({ issued }) => issued !== null)).toMatchObject(expected);
}

function toResources({ resources }: Call): string | null {
  return resources.length === 0 ? null : JSON.stringify(resources.map(({ arn }) => arn));
}

function expectUses(rows: readonly Row[], world: World): void {
  const expected = world.calls
    .filter(({ logged }) => logged)
    .map((call) => {
      const delegated = /amazonaws|Internal/.test(call.source);
      return {
        ...{
          event_id: call.eventId,
          time: toTime(call.at),
          key: call.key,
          account: call.account,
          service: call.service,
        },
        ...{ event_name: call.eventName, action: call.action, source: call.source, outcome: call.outcome, delegated },
        ...{
          region: call.id === 'global' ? 'us-east-1' : call.region,
          request_id: call.requestId,
          read_only: call.readOnly,
        },
        ...{ host: call.tellsHost && !delegated ? call.host : null, category: call.data ? 'Data' : 'Management' },
        ...{
          vpc_endpoint: call.vpcEndpoint ?? null,
          known: true,
          user_agent: delegated ? call.source : call.userAgent,
        },
        ...{
          resources: toResources(call),
          listed: call.id === 'after' ? 'pending' : 'listed',
        },
      };
    })
    .sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
  const issuing = world.sessions.map(({ eventId }) => eventId);
  const asked = rows.filter(
    ({ event_id, event_name }) => !issuing.includes(String(event_id)) && event_name !== 'AssumeRole',
  );
  expect(asked).toMatchObject(expected);
}
