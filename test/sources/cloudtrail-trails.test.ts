import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toCoverage } from '../../src/sources/cloudtrail-selectors.ts';
import { parseSnapshots } from '../../src/sources/cloudtrail-trails.ts';
import { caseFolder } from './cloudtrail-fixtures.ts';

const trail = {
  Name: 'org-trail',
  TrailARN: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail',
  HomeRegion: 'us-east-1',
  IsMultiRegionTrail: true,
  IncludeGlobalServiceEvents: true,
  LogFileValidationEnabled: true,
};

test('a recorded file of snapshots gives a row for each trail and time', async () => {
  const { rows, problems } = parseSnapshots(
    await readFile(join(caseFolder('c01-benign'), 'trails.json'), 'utf8'),
    'e/0',
  );
  expect(problems).toEqual([]);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toEqual({
    provider: 'aws',
    account: '111122223333',
    region: 'us-east-1',
    trail: 'org-trail',
    time: '2026-11-21T09:33:23Z',
    logging: true,
    validated: true,
    multi_region: true,
    global_events: true,
    home_region: 'us-east-1',
    management: 'all',
    excluded: '[]',
    data: '[]',
    selectors:
      '{"EventSelectors":[{"DataResources":[],"ExcludeManagementEventSources":[],"IncludeManagementEvents":true,"ReadWriteType":"All"}]}',
    latest_digest: '2026-11-21T09:12:17Z',
    evidence: 'e/0',
  });
});

test('raw outputs of the three calls with one time make one snapshot', () => {
  const time = '2026-11-21T09:00:00Z';
  const parts = [
    { time, trailList: [trail] },
    { time, trail: 'org-trail', IsLogging: true, LatestDigestDeliveryTime: '2026-11-21T08:00:00Z' },
    { time, TrailARN: trail.TrailARN, EventSelectors: [{ ReadWriteType: 'WriteOnly' }] },
  ];
  expect(parseSnapshots(JSON.stringify(parts), 'e/0').rows).toMatchObject([
    {
      account: '111122223333',
      region: 'us-east-1',
      logging: true,
      management: 'write',
      latest_digest: '2026-11-21T08:00:00Z',
    },
  ]);
});

test('what is not told counts as off; what is broken is told and costs no other snapshot', () => {
  const good = { time: '2026-11-21T09:00:00Z', trails: [trail] };
  const { rows, problems } = parseSnapshots(JSON.stringify([{ time: 'noon', trails: [] }, good]), 'e/0');
  expect(rows).toMatchObject([{ logging: false, management: 'none', data: '[]' }]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('entry 0: time');
  expect(parseSnapshots('{', 'e/0')).toEqual({ rows: [], problems: ['it is not JSON'] });
});

describe('selectors:', () => {
  const field = (Field: string, operators: Record<string, string[]>) => ({ Field, ...operators });
  const advanced = (...selectors: ReturnType<typeof field>[][]) =>
    toCoverage({ AdvancedEventSelectors: selectors.map((FieldSelectors) => ({ FieldSelectors })) });
  const management = field('eventCategory', { Equals: ['Management'] });
  const data = field('eventCategory', { Equals: ['Data'] });
  const objects = field('resources.type', { Equals: ['AWS::S3::Object'] });

  test('basic ones, with the forms that stand for every resource', () => {
    const coverage = toCoverage({
      EventSelectors: [
        {
          ReadWriteType: 'All',
          IncludeManagementEvents: true,
          ExcludeManagementEventSources: ['kms.amazonaws.com'],
          DataResources: [
            { Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::'] },
            { Type: 'AWS::Lambda::Function', Values: ['arn:aws:lambda:us-east-1:111122223333:function:one'] },
          ],
        },
      ],
    });
    expect(coverage).toEqual({
      management: 'all',
      excluded: ['kms.amazonaws.com'],
      data: [
        { service: 's3', resource_type: 'AWS::S3::Object', prefixes: null, read_write: 'all' },
        {
          service: 'lambda',
          resource_type: 'AWS::Lambda::Function',
          prefixes: ['arn:aws:lambda:us-east-1:111122223333:function:one'],
          read_write: 'all',
        },
      ],
    });
  });

  test('advanced ones: read and write parts join, a source left out is named', () => {
    const readOnly = (value: string) => field('readOnly', { Equals: [value] });
    expect(advanced([management, readOnly('true')]).management).toBe('read');
    expect(advanced([management, readOnly('true')], [management, readOnly('false')]).management).toBe('all');
    expect(advanced([management, field('eventSource', { NotEquals: ['kms.amazonaws.com'] })])).toMatchObject({
      management: 'all',
      excluded: ['kms.amazonaws.com'],
    });
    expect(advanced([data, objects, readOnly('false')]).data).toEqual([
      { service: 's3', resource_type: 'AWS::S3::Object', prefixes: null, read_write: 'write' },
    ]);
  });

  test('one that narrows in another way never counts as whole', () => {
    expect(advanced([management, field('eventName', { NotEquals: ['GetObject'] })]).management).toBe('none');
    expect(
      advanced([data, objects, field('resources.ARN', { StartsWith: ['arn:aws:s3:::logs/'] })]).data,
    ).toMatchObject([{ prefixes: ['arn:aws:s3:::logs/'] }]);
    expect(advanced([data, objects, field('eventName', { Equals: ['PutObject'] })]).data).toMatchObject([
      { prefixes: [] },
    ]);
    expect(toCoverage(undefined)).toEqual({ management: 'none', excluded: [], data: [] });
  });
});
