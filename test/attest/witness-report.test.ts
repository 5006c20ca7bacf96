import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerKey, loadPrivateKey } from '../../src/attest/keys.ts';
import type { Manifest } from '../../src/model/record.ts';
import { auditArguments, casesFolder, openWorkshop, type Ran, runTally } from '../cases/shared-case.ts';
import { openTestStore, putCase, received, type TestStore } from '../judge/stored-case.ts';
import { type FakeWitness, startWitness } from './fake-witness.ts';

const name = 'c01-benign';
let workshop: Awaited<ReturnType<typeof openWorkshop>>;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(async () => {
  await workshop.close();
});

/** A witness that knows the ledgers of our key under that name. */
async function witnessOf(origin: string, witnessName?: string): Promise<FakeWitness> {
  const witness = await startWitness(witnessName === undefined ? {} : { name: witnessName });
  const { x = '' } = ledgerKey(loadPrivateKey(workshop.key, {})).export({ format: 'jwk' });
  witness.logs.set(origin, { key: Buffer.from(x, 'base64url'), size: 0, root: Buffer.alloc(0) });
  return witness;
}

function writeConfig(file: string, witnesses: readonly FakeWitness[], origin?: string): string {
  const attest = {
    witnesses: witnesses.map(({ url, vkey }) => ({ url, vkey })),
    ...(origin === undefined ? {} : { origin }),
  };
  const path = join(workshop.folder, file);
  const config = readFileSync(join(casesFolder, name, 'config.yaml'), 'utf8');
  writeFileSync(path, `${config}\nattest: ${JSON.stringify(attest)}\n`);
  return path;
}

async function audit(out: string, config: string): Promise<Ran> {
  rmSync(out, { recursive: true, force: true });
  return runTally(auditArguments(name, out, workshop.key).map((one) => (one.endsWith('config.yaml') ? config : one)));
}

const manifestOf = (out: string): Manifest => JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
const verify = (out: string, ...more: string[]): Promise<Ran> =>
  runTally(['verify', join(out, 'report.sigstore.json'), '--key', workshop.pub, ...more]);

test('an audit is cosigned: the manifest names it, the evidence holds it, and it is verified with the witness’s key', async () => {
  const origin = 'audits.example.org/1';
  const witness = await witnessOf(origin);
  const out = join(workshop.folder, 'cosigned');
  expect(await audit(out, writeConfig('cosigned.yaml', [witness], origin))).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: '',
  });
  const { ledger, files } = manifestOf(out);
  expect(ledger.vkey.startsWith(`${origin}+`)).toBe(true);
  const text = ledger.checkpoint.slice(0, ledger.checkpoint.indexOf('\n\n') + 1);
  expect(ledger.cosignatures).toEqual([witness.line(text).trimEnd()]);
  expect(readFileSync(join(out, 'evidence/ledger.cosigned'), 'utf8')).toBe(ledger.checkpoint + witness.line(text));
  expect(files.map(({ path }) => path)).toContain('ledger.cosigned');

  const told = await verify(out, '--witness', witness.vkey, '--evidence', join(out, 'evidence'));
  expect(told.exitCode).toBe(0);
  const size = ledger.checkpoint.split('\n')[1] ?? '';
  expect(told.stdout).toContain(
    `  + the cosignature of witness.example.org/w1: it saw this ledger of ${size} segments at 2026-11-18T11:06:40Z\n`,
  );
  const without = await verify(out);
  expect(without.exitCode).toBe(0);
  expect(without.stdout).toContain('  - the cosignature of witness.example.org/w1 (give its key: --witness VKEY)\n');
});

test('a witness that is asked for and has not cosigned is exit code 4, a bad key of one is 2', async () => {
  const origin = 'audits.example.org/2';
  const [witness, other] = [await witnessOf(origin), await witnessOf(origin)];
  const out = join(workshop.folder, 'other');
  await audit(out, writeConfig('other.yaml', [witness], origin));
  const both = await verify(out, '--witness', witness.vkey, '--witness', other.vkey);
  expect(both.exitCode).toBe(4);
  expect(both.stderr).toContain('holds no cosignature by this key of the witness witness.example.org/w1');
  expect(await verify(out, '--witness', manifestOf(out).ledger.vkey)).toMatchObject({ exitCode: 2 });
  rmSync(join(out, 'manifest.json'));
  expect((await verify(out, '--witness', witness.vkey)).exitCode).toBe(4);
});

test('a cosignature that does not fit is exit code 4, although the manifest that holds it is signed', async () => {
  const origin = 'audits.example.org/3';
  const witness = await witnessOf(origin);
  const out = join(workshop.folder, 'forged');
  await audit(out, writeConfig('forged.yaml', [witness], origin));
  // as someone would who has the signing key
  const manifest = manifestOf(out);
  const { signReport } = await import('../../src/judge/sign-report.ts');
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Parameters<
    typeof signReport
  >[0]['report'];
  await signReport({
    out,
    privateKey: loadPrivateKey(workshop.key, {}),
    version: manifest.tool.version,
    report,
    declaration: '',
    config: undefined,
    evidence: {
      ...manifest,
      ledger: { ...manifest.ledger, cosignatures: [witness.line('another\n1\nledger\n').trimEnd()] },
    },
  });
  expect((await verify(out)).exitCode).toBe(0);
  const ran = await verify(out, '--witness', witness.vkey);
  expect(ran.exitCode).toBe(4);
  expect(ran.stderr).toContain('manifest.json: the cosignature of witness.example.org/w1 does not fit the checkpoint');
});

test('a witness that fails is told, the report is there, signed without it, and the exit code is 2', async () => {
  const origin = 'audits.example.org/4';
  const [good, bad] = [await witnessOf(origin, 'w.example/good'), await startWitness({ name: 'w.example/bad' })];
  const out = join(workshop.folder, 'failed');
  const ran = await audit(out, writeConfig('failed.yaml', [bad, good], origin));
  expect(ran).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `not attested: The witness w.example/bad (${bad.url}) does not know the ledger ${origin}: its operator has to add it.\n`,
  });
  expect(manifestOf(out).ledger.cosignatures).toHaveLength(1);
  expect((await verify(out, '--witness', good.vkey)).exitCode).toBe(0);

  good.logs.clear();
  expect((await audit(out, writeConfig('failed.yaml', [good], origin))).exitCode).toBe(2);
  expect(manifestOf(out).ledger).not.toHaveProperty('cosignatures');
  expect(existsSync(join(out, 'evidence/ledger.cosigned'))).toBe(false);
  expect((await verify(out, '--evidence', join(out, 'evidence'))).exitCode).toBe(0);
});

test('without witnesses nothing of all this is there', async () => {
  const out = join(workshop.folder, 'plain');
  expect((await audit(out, join(casesFolder, name, 'config.yaml'))).exitCode).toBe(0);
  const { ledger } = manifestOf(out);
  expect(Object.keys(ledger).sort()).toEqual(['checkpoint', 'vkey']);
  expect(readdirSync(join(out, 'evidence')).sort()).toEqual(['ledger', 'segments', 'tables']);
  expect((await verify(out)).stdout).not.toContain('cosignature');
});

test('a configuration with the key of a log, a password in the URL, or a witness twice is refused', async () => {
  const witness = await startWitness();
  const { vkey } = manifestOf(join(workshop.folder, 'plain')).ledger;
  const refuse = async (...witnesses: FakeWitness[]): Promise<string> => {
    const ran = await audit(join(workshop.folder, 'refused'), writeConfig('refused.yaml', witnesses));
    expect(ran.exitCode).toBe(2);
    return ran.stderr;
  };
  expect(await refuse({ ...witness, vkey })).toContain('must be the verifier key of a witness');
  expect(await refuse({ ...witness, url: 'https://me:secret@witness.example.org/' })).toContain(
    'must hold no user name',
  );
  expect(await refuse(witness, witness)).toContain('must name each witness once');
});

test('reports from a live store: the witness follows the ledger, and a fork of it is told', async () => {
  const origin = 'tallystick.dev/ledger';
  const witness = await witnessOf(origin);
  const config = writeConfig('store.yaml', [witness]);
  const store: TestStore = await openTestStore(workshop.key);
  try {
    const { id } = await putCase(store, name);
    await store.seal();
    const out = join(workshop.folder, 'from-store');
    const report = (...more: string[]): Promise<Ran> =>
      runTally(['report', id, '--store', store.path, '--out', out, '--key', workshop.key, '--quiet', ...more]);
    expect(await report('--config', config)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const kept = join(store.path, 'state/ledger.cosigned');
    const first = manifestOf(out).ledger;
    expect(readFileSync(kept, 'utf8')).toBe(`${first.checkpoint}${first.cosignatures?.join('\n') ?? ''}\n`);
    expect(await report('--config', config)).toMatchObject({ exitCode: 0 });
    expect(witness.requests).toHaveLength(1);

    store.put('tetragon', 'node-2', received('2026-11-21T18:00:00Z', '{}'));
    await store.seal();
    expect(await report('--config', config)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(witness.requests).toHaveLength(2);
    expect(readFileSync(kept, 'utf8').split('\n')[1]).toBe(String(witness.logs.get(origin)?.size));
    const verified = await verify(out, '--witness', witness.vkey, '--evidence', store.path);
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain('+ the cosignature of witness.example.org/w1');

    // the witness saw another history under our key
    const known = witness.logs.get(origin);
    if (known !== undefined) known.root = Buffer.alloc(32, 1);
    rmSync(kept);
    const forked = await report('--config', config);
    expect(forked.exitCode).toBe(2);
    expect(forked.stderr).toMatch(
      /^not attested: The witness .* knows another ledger named tallystick\.dev\/ledger: .*One of the two is a fork\.\n$/,
    );
    const lenient = await report('--config', config, '--best-effort');
    expect(lenient).toEqual({ ...forked, exitCode: 0 });
    expect(manifestOf(out).ledger).not.toHaveProperty('cosignatures');

    // what is kept only saves asking
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, 'no note');
    if (known !== undefined) Object.assign(known, { size: 0, root: Buffer.alloc(0) });
    expect(await report('--config', config)).toMatchObject({ exitCode: 0, stderr: '' });
    // without a configuration no one is asked
    const asked = witness.requests.length;
    expect(await report()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(witness.requests).toHaveLength(asked);
  } finally {
    await store.close();
  }
});
