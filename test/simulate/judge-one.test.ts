import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCodes, openWorkshop, readReport, runTally } from '../cases/shared-case.ts';
import { handMadeWorld } from './provider/hand-made-world.ts';
import { openSingleJudge, type SingleJudge } from './judge-one.ts';
import { renderWorld } from './render-world.ts';
import { writeEvidence } from './write-evidence.ts';

let judge: SingleJudge;
beforeAll(async () => {
  judge = await openSingleJudge();
});
afterAll(() => judge.close());

test.each(['lean', 'export'] as const)('the hand-made world is proven from its %s evidence', async (form) => {
  const report = await judge.judge(renderWorld(handMadeWorld(), form));
  expect(openCodes(report)).toEqual([]);
  expect(report).toMatchObject({ verdict: 'proven', sessions: [{ uses: 2 }] });
  const reached = report.egress.map(({ endpoint, connections, basis }) => [endpoint, connections, basis]);
  expect(reached).toContainEqual(['route53.amazonaws.com:443', 2, 'dns+sni']);
  expect(report.connections.flatMap(({ uses }) => uses)).toEqual(handMadeWorld().calls.map(({ eventId }) => eventId));
});

test('a judge forgets: what is missing is not taken from the world before', async () => {
  const whole = renderWorld(handMadeWorld());
  expect((await judge.judge({ ...whole, cloudtrail: [] })).verdict).toBe('unproven');
  expect((await judge.judge({ ...whole, tetragon: [] })).verdict).toBe('unproven');
  expect((await judge.judge(whole)).verdict).toBe('proven');
});

test('the command line says the same of the files', async () => {
  const workshop = await openWorkshop();
  try {
    const evidence = renderWorld(handMadeWorld(), 'export');
    const { task, config, inputs } = await writeEvidence(evidence, join(workshop.folder, 'in'), { compress: true });
    const out = join(workshop.folder, 'out');
    const given = [
      '--tetragon',
      ...inputs.tetragon,
      '--sensor',
      ...inputs.sensor,
      '--cloudtrail',
      ...inputs.cloudtrail,
    ];
    const files = ['--task', task, '--config', config, ...given, '--key', workshop.key, '--out', out];
    expect(await runTally(['audit', ...files, '--quiet'])).toMatchObject({ exitCode: 0 });
    const { claims } = readReport(out);
    expect(claims).toEqual((await judge.judge(evidence)).claims);
  } finally {
    await workshop.close();
  }
});
