import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signBundle } from '../../src/attest/bundle.ts';
import { loadPrivateKey } from '../../src/attest/keys.ts';
import { toStatement } from '../../src/attest/statement.ts';
import { svrType } from '../../src/attest/svr.ts';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';
import type { Manifest } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { auditArguments, openWorkshop, type Ran, runTally } from './shared-case.ts';

/* With the evidence at hand nobody has to trust the signer: what he signed must be what the evidence says. */

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let made: string;
let out: string;

beforeAll(async () => {
  workshop = await openWorkshop();
  made = join(workshop.folder, 'made');
  expect(await runTally(auditArguments('c19-sensor-loss', made, workshop.key))).toMatchObject({ exitCode: 3 });
});
afterAll(() => workshop.close());
beforeEach((context) => {
  out = join(workshop.folder, context.task.id);
  cpSync(made, out, { recursive: true });
});

const verify = async (...more: string[]): Promise<Ran> =>
  runTally(['verify', join(out, 'report.sigstore.json'), '--key', workshop.pub, ...more]);
const withEvidence = async (): Promise<Ran> => verify('--evidence', join(out, 'evidence'));
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(out, name), 'utf8'));
const readReport = (): Report => readJson('report.json') as Report;
const readManifest = (): Manifest => readJson('manifest.json') as Manifest;
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Signed {
  readonly manifest?: Partial<Manifest>;
  readonly report?: object;
  readonly declaration?: string;
}

/** Signs manifest and report anew, each as said, and takes the other forms away. */
function signAnew({ manifest: changed = {}, report = readReport(), declaration }: Signed): void {
  const manifest: Manifest = { ...readManifest(), ...changed };
  const bytes = Buffer.concat([canonicalJson(manifest), Buffer.from('\n')]);
  writeFileSync(join(out, 'manifest.json'), bytes);
  const statement = toStatement({
    manifestSha256: sha256(bytes),
    declarationSha256: declaration ?? manifest.declaration.sha256,
    predicate: report,
  });
  sign('report', statement);
  for (const name of ['runtime-trace', 'svr']) takeAway(`${name}.sigstore.json`);
}

function sign(name: string, statement: Buffer): void {
  writeFileSync(join(out, `${name}.sigstore.json`), signBundle(statement, loadPrivateKey(workshop.key, {})));
}

describe('tally verify refuses what its own signer made up:', () => {
  it('nothing, where nothing is', async () => {
    expect(await withEvidence()).toMatchObject({ exitCode: 3, stderr: '' });
  });

  it.each(['failed', 'Proven', 'toString', '', undefined])('the verdict %s', async (verdict) => {
    signAnew({ report: { ...readReport(), verdict } });
    expect(await verify()).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('a verdict that its own claims do not give', async () => {
    signAnew({ report: { ...readReport(), verdict: 'proven' } });
    const { exitCode, stderr } = await verify();
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('not the one that its own claims give')]);
  });

  it('a verification result that says more than the report', async () => {
    const manifest = readFileSync(join(out, 'manifest.json'));
    const predicate = {
      ...{ verifier: { id: 'https://tallystick.dev/verifier/v1', policies: [] } },
      ...{ timeCreated: '2026-01-01T00:00:00Z', properties: ['TALLYSTICK_PROVEN'] },
    };
    const subjects = {
      manifestSha256: sha256(manifest),
      declarationSha256: readManifest().declaration.sha256,
    };
    sign('svr', toStatement({ ...subjects, predicateType: svrType, predicate }));
    const { exitCode, stderr } = await verify();
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('svr.sigstore.json: it is signed, but says')]);
  });

  it('a form that another version wrote is not said to be checked', async () => {
    signAnew({ manifest: { tool: { name: 'tallystick', version: '0.0.9' } } });
    const declarationSha256 = readManifest().declaration.sha256;
    const subjects = { manifestSha256: sha256(readFileSync(join(out, 'manifest.json'))), declarationSha256 };
    sign('svr', toStatement({ ...subjects, predicateType: svrType, predicate: { properties: ['TALLYSTICK_PROVEN'] } }));
    const { exitCode, stdout } = await verify();
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('- whether svr.sigstore.json says what')]);
    expect(stdout).not.toContain('+ svr.sigstore.json');
  });

  it('one form under the name of another', async () => {
    cpSync(join(out, 'runtime-trace.sigstore.json'), join(out, 'svr.sigstore.json'));
    const { exitCode, stderr } = await verify();
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('svr.sigstore.json')]);
  });

  it('a report.json that says something else than the statement', async () => {
    const other = `${JSON.stringify({ ...readReport(), verdict: 'proven' }, null, 2)}\n`;
    const report = readReport();
    writeFileSync(join(out, 'report.json'), other);
    signAnew({ manifest: { report: { sha256: sha256(other) } }, report });
    const { exitCode, stderr } = await verify();
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('report.json says something else')]);
  });

  it.each([
    ['another declaration than the statement', { declaration: '0'.repeat(64) }],
    ['another declaration than the sealed one', { manifest: { declaration: { sha256: '0'.repeat(64) } } }],
    ['another configuration than the sealed one', { manifest: { config: { sha256: '1'.repeat(64) } } }],
    ['no configuration', { manifest: { config: null } }],
  ])('%s', async (_, signed: Signed) => {
    signAnew(signed);
    const { exitCode, stderr } = await withEvidence();
    expect([exitCode, stderr]).toEqual([4, expect.stringMatching(/manifest\.json names another (declaration|config)/)]);
  });

  it('a proof that this version can not judge again is not shown to be one', async () => {
    const manifest = readManifest();
    const [first, ...others] = manifest.queries;
    const queries = [{ path: first?.path ?? '', sha256: '0'.repeat(64) }, ...others];
    const claims = readReport().claims.map((claim) => ({ ...claim, result: 'holds', findings: [] }));
    signAnew({ manifest: { queries }, report: { ...readReport(), verdict: 'proven', claims } });
    takeAway('report.json');
    const { exitCode, stdout } = await withEvidence();
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('whether the claims give the same verdict again')]);
  });

  it('a certificate of nobody', async () => {
    const bundle = join(out, 'report.sigstore.json');
    writeFileSync(join(out, 'root.json'), '{}');
    const names = ['--certificate-identity', '', '--certificate-oidc-issuer', ''];
    const ran = await runTally(['verify', bundle, '--trusted-root', join(out, 'root.json'), ...names]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain('who must have signed?');
  });
});

function takeAway(name: string): void {
  rmSync(join(out, name), { force: true });
}
