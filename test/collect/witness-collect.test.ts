import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerKey, loadPrivateKey } from '../../src/attest/keys.ts';
import { summaryFolder } from '../../src/judge/task-summary.ts';
import type { Manifest } from '../../src/model/record.ts';
import { startWitness } from '../attest/fake-witness.ts';
import { metric, openSite, runTally, startCollector } from './collector-process.ts';

const origin = 'agents.example.org/ledger';
const declaration = `apiVersion: tally/v1
kind: Task
task: { id: 7b3f, type: test }
workload: [ { env: { TASK_ID: 7b3f } } ]
`;

test('a collector has its ledger cosigned, tells of the witness that fails, and goes on judging', async () => {
  const site = await openSite();
  await site.write('names.jsonl', '');
  const [good, bad] = [await startWitness({ name: 'w.example/good' }), await startWitness({ name: 'w.example/bad' })];
  const { x = '' } = ledgerKey(loadPrivateKey(site.key, {})).export({ format: 'jwk' });
  good.logs.set(origin, { key: Buffer.from(x, 'base64url'), size: 0, root: Buffer.alloc(0) });
  const witnesses = [good, bad].map(({ url, vkey }) => ({ url, vkey }));
  const collector = await startCollector(
    site,
    `
store: ./store
keys: { signing: ./tally.key.pem }
sources: { resolutions: [./names.jsonl] }
collector: { judge: 1s }
attest: ${JSON.stringify({ origin, witnesses })}
`,
  );
  const task = await site.write('task.yaml', declaration);
  expect(await runTally('declare', task, '--store', site.store)).toMatchObject({ code: 0 });
  expect(await collector.said('a report lacks what a service should have added')).toMatchObject({
    task: '7b3f',
    why: `The witness w.example/bad (${bad.url}) does not know the ledger ${origin}: its operator has to add it.`,
  });
  expect(await collector.said('judged')).toMatchObject({ task: '7b3f', state: 'declared' });
  expect(await metric(site, 'tally_attest_failures_total')).toBeGreaterThan(0);
  const { ledger } = JSON.parse(
    await readFile(join(summaryFolder(site.store, '7b3f'), 'manifest.json'), 'utf8'),
  ) as Manifest;
  expect(ledger.vkey.startsWith(`${origin}+`)).toBe(true);
  expect(ledger.cosignatures).toHaveLength(1);
  expect(await readFile(join(site.store, 'state/ledger.cosigned'), 'utf8')).toContain('— w.example/good ');
  expect(await collector.stop()).toBe(0);

  // the name of the ledger stays with the store, also where no collector runs
  expect(await runTally('seal', '--store', site.store, '--key', site.key)).toMatchObject({ code: 0 });
  await site.write('tally.yaml', `store: ./store\nsources: { resolutions: [./names.jsonl] }\n`);
  const renamed = await runTally('collect', '--config', site.path('tally.yaml'), '--key', site.key);
  expect(renamed.code).toBe(2);
  expect(renamed.err).toContain(`is named ${origin}, not tallystick.dev/ledger; set attest.origin to that name`);
});
