import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verdictExitCodes } from '../../src/model/claim.ts';
import {
  auditArguments,
  caseNames,
  openCodes,
  openWorkshop,
  readExpectation,
  readReport,
  runTally,
} from './shared-case.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

describe('every case gets the verdict that it asks for', () => {
  it.each(caseNames)('%s', async (name) => {
    const wanted = readExpectation(name);
    const out = join(workshop.folder, name);
    const { exitCode, stderr } = await runTally(auditArguments(name, out, workshop.key));
    const report = readReport(out);
    const codes = openCodes(report);
    const told = report.claims.flatMap((claim) => claim.findings.map((finding) => finding.code));
    expect(stderr).toBe('');
    expect(wanted.verdict, `${wanted.why} Codes: ${codes.join(', ')}`).toContain(report.verdict);
    expect(wanted.exit).toContain(exitCode);
    expect(exitCode).toBe(verdictExitCodes[report.verdict]);
    expect(codes).toEqual(expect.arrayContaining(wanted.codes));
    if (wanted.codesAny.length > 0) expect(wanted.codesAny.some((code) => codes.includes(code))).toBe(true);
    expect(told.filter((code) => wanted.notCodes.includes(code))).toEqual([]);
    expect(report.assumptions.map((one) => one.name)).toEqual(expect.arrayContaining(wanted.assumptions));
    const results = Object.fromEntries(report.claims.map((claim) => [claim.id, claim.result]));
    expect(results).toMatchObject(wanted.claims);

    const verified = await runTally([
      'verify',
      join(out, 'report.sigstore.json'),
      '--key',
      workshop.pub,
      '--evidence',
      out,
    ]);
    expect(verified.stderr).toBe('');
    expect(verified.exitCode).toBe(exitCode);
    expect(verified.stdout).toContain('the same report to the letter');
  });
});

describe('the built command', () => {
  const main = join(import.meta.dirname, '../../dist/cli/main.js');
  const run = (argv: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first.`);
    const env = { PATH: process.env['PATH'], NO_COLOR: '1' };
    return spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env });
  };

  it('audits and verifies a proven case, and says so', () => {
    const out = join(workshop.folder, 'built');
    const audited = run(auditArguments('c01-benign', out, workshop.key).filter((word) => word !== '--quiet'));
    expect(audited).toMatchObject({ status: 0, stderr: '' });
    expect(audited.stdout).toContain('PROVEN');
    const bundle = join(out, 'report.sigstore.json');
    const verified = run(['verify', bundle, '--key', workshop.pub, '--evidence', join(out, 'evidence'), '--json']);
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, verdict: 'proven' });
  });

  it.each([
    ['c02-undeclared-endpoint', 1],
    ['c18-no-health', 3],
  ])('exits of %s are those of its verdict: %i', (name, status) => {
    expect(run(auditArguments(name, join(workshop.folder, `built-${name}`), workshop.key))).toMatchObject({
      status,
      stdout: '',
      stderr: '',
    });
  });
});
