import { expect, test } from 'vitest';
import { judgeClaim } from '../judge/claim-tables.ts';

test('nothing wrong with the sealed evidence gives nothing', async () => {
  expect(await judgeClaim('evidence-intact', {})).toEqual([]);
});

test.each(['record-altered', 'record-missing', 'ledger-forked'])('%s is a doubt about the evidence', async (code) => {
  const fault = { code, subject: 'segments/tetragon/x.parquet', detail: 'It is not as sealed.' };
  expect(await judgeClaim('evidence-intact', { integrity: [fault] })).toEqual([`${code} doubt ${fault.subject}`]);
});
