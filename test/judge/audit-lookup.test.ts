import { expect, test } from 'vitest';
import { readQuery } from '../../src/query/queries.ts';
import { insertRows, withDatabase } from '../sources/cloudtrail-database.ts';

test('an event of LookupEvents counts once; what can not be read tells nothing', async () => {
  const event = {
    eventID: 'e1',
    eventTime: '2026-11-21T10:33:43Z',
    eventSource: 'route53.amazonaws.com',
    eventName: 'GetHostedZone',
    awsRegion: 'us-east-1',
    recipientAccountId: '111122223333',
    userIdentity: { accessKeyId: 'ASIA1' },
  };
  const raws = [JSON.stringify(event), JSON.stringify(event), '{', '[]', '{"eventID":"e2"}', 'null'];
  await withDatabase(async (database) => {
    await insertRows(
      database,
      'record',
      raws.map((raw, seq) => ({
        stream: 'cloudtrail-lookup',
        origin: 'x',
        seq,
        received_at: 1,
        evidence: `cloudtrail-lookup/x/${seq}`,
        raw,
      })),
    );
    expect(await database.all(readQuery('sources/audit-lookup'))).toEqual([
      {
        event_id: 'e1',
        time: '2026-11-21 10:33:43',
        account: '111122223333',
        region: 'us-east-1',
        access_key: 'ASIA1',
        action: 'route53.amazonaws.com GetHostedZone',
        evidence: 'cloudtrail-lookup/x/0',
      },
    ]);
  });
});
