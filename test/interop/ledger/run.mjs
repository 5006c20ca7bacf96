// Has Go's golang.org/x/mod/sumdb check our ledgers, and refuse each of them once a byte is changed.
// `node test/interop/ledger/run.mjs`, after `npm run build`; needs Go. TALLY_MAIN: another command line than dist/cli/main.js.
/* global Buffer, URL */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { start, until } from '../otel/backends.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const tally = resolve(process.env.TALLY_MAIN ?? join(root, 'dist/cli/main.js'));
const source = extname(tally);
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tallystick', 'interop-ledger');
const shared = process.env.TALLY_SHARED ?? join(root, '../shared');
const folder = mkdtempSync(join(tmpdir(), 'tally-ledger-'));
const path = (name) => join(folder, name);
const load = (name) => import(pathToFileURL(join(dirname(tally), '..', `${name}${source}`)).href);
const started = [];

/** The Go program, built once for what its module says. */
function build() {
  const key = createHash('sha256').update(execFileSync('go', ['version']));
  for (const file of ['go.mod', 'go.sum', 'main.go']) key.update(readFileSync(join(here, file)));
  const program = join(cache, `check-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const draft = `${program}.${process.pid}`;
  execFileSync('go', ['build', '-o', draft, '.'], { cwd: here, stdio: ['ignore', 2, 2] });
  renameSync(draft, program);
  return program;
}

/** What Go says of a ledger: undefined where all of it holds. */
function check(program, options) {
  const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.ok(status === 0 || (status === 1 && stdout !== ''), `it broke: ${stderr}`);
  return status === 0 ? undefined : stdout.trim();
}

function run(...args) {
  return new Promise((done) => {
    execFile(process.execPath, [...process.execArgv, tally, ...args], { maxBuffer: 64 << 20 }, (error, out, err) =>
      done({ code: error === null ? 0 : error.code, out, err }),
    );
  });
}

/** Flips one bit of a byte. */
function spoil(file, at) {
  const bytes = readFileSync(file);
  bytes[at] ^= 1;
  writeFileSync(file, bytes);
}

const middle = (file) => Math.floor(readFileSync(file).length / 2);
const filesUnder = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** A copy of a folder in which one byte of one file is another. */
function spoilt(from, file, at) {
  const copy = path('spoilt');
  rmSync(copy, { recursive: true, force: true });
  cpSync(from, copy, { recursive: true, filter: (one) => !one.endsWith('.sock') });
  spoil(join(copy, file), at(join(copy, file)));
  return copy;
}

const tests = [];
const test = (name, work) => tests.push({ name, work });
let program;
let audited;

test('the evidence of an audit: checkpoint, tiles, entries, proofs, and the files that entries name', async () => {
  const from = (file) => join(shared, 'cases/c01-benign', file);
  const inputs = ['tetragon.jsonl.gz', 'sensor.jsonl.gz', 'cloudtrail'];
  const { code, err } = await run(
    'audit',
    ...['--task', from('task.yaml'), '--config', from('config.yaml'), '--out', path('out')],
    ...inputs.flatMap((file) => [`--${file.split('.')[0]}`, from(file)]),
    '--quiet',
  );
  assert.equal(code, 0, err);
  const { ledger, segments } = JSON.parse(readFileSync(path('out/manifest.json'), 'utf8'));
  assert.ok(segments.length > 5);
  const evidence = path('out/evidence');
  assert.equal(ledger.checkpoint, readFileSync(join(evidence, 'ledger/checkpoint'), 'utf8'));
  assert.equal(ledger.checkpoint.split('\n')[1], String(segments.length));
  audited = { evidence, options: (dir) => ({ vkey: ledger.vkey, ledger: join(dir, 'ledger'), files: dir }) };
  assert.equal(check(program, audited.options(evidence)), undefined);
});

const changes = [
  ['the origin in the checkpoint', 'ledger/checkpoint', () => 2],
  ['the size in the checkpoint', 'ledger/checkpoint', (file) => readFileSync(file).indexOf('\n') + 1],
  ['the root in the checkpoint', 'ledger/checkpoint', (file) => readFileSync(file).indexOf('\n\n') - 8],
  ['the key name beside the signature', 'ledger/checkpoint', (file) => readFileSync(file).indexOf('— ') + 6],
  ['the key id in the signature', 'ledger/checkpoint', (file) => readFileSync(file).lastIndexOf(' ') + 1],
  ['the signature', 'ledger/checkpoint', (file) => readFileSync(file).length - 20],
  ['a hash tile', 'ledger/tile/0/', middle],
  ['the first byte of an entry bundle', 'ledger/tile/entries/', () => 0],
  ['an entry', 'ledger/tile/entries/', middle],
  ['a segment', 'segments/', middle],
];
for (const [what, where, at] of changes)
  test(`one byte of ${what} is changed: refused`, () => {
    const { evidence, options } = audited;
    const file = filesUnder(evidence).find((one) => one.startsWith(join(evidence, where)));
    const copy = spoilt(evidence, file.slice(evidence.length), at);
    assert.notEqual(check(program, options(copy)), undefined);
    spoil(join(copy, file.slice(evidence.length)), at(file));
    assert.equal(check(program, options(copy)), undefined, 'changed back it is accepted again');
  });

test('every byte of checkpoint and tiles of an audit, one after the other, is changed: refused', async () => {
  const { readLedger } = await load('evidence/tiles');
  const { evidence, options } = audited;
  let refused = 0;
  for (const file of filesUnder(join(evidence, 'ledger'))) {
    const bytes = readFileSync(file);
    // all of the checkpoint, some of the others
    const step = file.endsWith('checkpoint') ? 1 : Math.max(1, Math.floor(bytes.length / 40));
    for (let at = 0; at < bytes.length; at += step) {
      spoil(file, at);
      // Go overlooks bits of the last character before `=` that encode nothing; we do not
      const stray = file.endsWith('checkpoint') && at === bytes.length - 3;
      if (!stray) assert.notEqual(check(program, options(evidence)), undefined, `${file} at ${at}`);
      await assert.rejects(readLedger(join(evidence, 'ledger'), options(evidence).vkey), `${file} at ${at}, ours`);
      spoil(file, at);
      refused += 1;
    }
  }
  assert.ok(refused > 200);
  assert.equal(check(program, options(evidence)), undefined);
});

test('a live store while it grows: every checkpoint is continued by the next', async () => {
  assert.equal((await run('keygen', '--out', path('keys'))).code, 0);
  writeFileSync(path('names.jsonl'), '');
  const config = [
    'store: ./store',
    'keys: { signing: ./keys/tally.key.pem }',
    'sources: { resolutions: [./names.jsonl] }',
  ];
  writeFileSync(path('tally.yaml'), `${config.join('\n')}\n`);
  const store = path('store');
  const collecting = start(process.execPath, [...process.execArgv, tally, 'collect', '--config', path('tally.yaml')]);
  started.push(collecting);
  await until('it collects', () => {
    if (collecting.child.exitCode !== null) throw new Error(`it ended: ${collecting.said.slice(-2000)}`);
    return collecting.said.includes('"msg":"collecting"');
  });
  const checkpoints = [];
  for (let round = 0; round < 6; round += 1) {
    const task = `apiVersion: tally/v1\nkind: Task\ntask: { id: t${round}, type: test }\nworkload: [ { env: { TASK_ID: t${round} } } ]\n`;
    assert.equal(await post(store, '/v1/declarations', task), 201);
    assert.equal(await post(store, '/v1/seal', ''), 200);
    const file = path(`checkpoint-${round}`);
    cpSync(join(store, 'ledger/checkpoint'), file);
    checkpoints.push(file);
  }
  const options = {
    vkey: readFileSync(join(store, 'ledger.vkey'), 'utf8').trim(),
    ledger: join(store, 'ledger'),
    files: store,
  };
  for (const older of checkpoints) assert.equal(check(program, { ...options, older }), undefined);
  const sizes = checkpoints.map((file) => Number(readFileSync(file, 'utf8').split('\n')[1]));
  assert.ok(sizes.every((size, at) => at === 0 || size > sizes[at - 1]));
  assert.equal(await collecting.stop(), 0);
  for (const older of checkpoints) assert.equal(check(program, { ...options, older }), undefined);
  for (const where of ['ledger/checkpoint', 'ledger/tile/0/', 'ledger/tile/entries/', 'segments/']) {
    const file = filesUnder(store).find((one) => one.startsWith(join(store, where)));
    const copy = spoilt(store, file.slice(store.length), middle);
    const spoiltOptions = { ...options, ledger: join(copy, 'ledger'), files: copy };
    assert.notEqual(check(program, { ...spoiltOptions, older: checkpoints[2] }), undefined, where);
  }
  spoil(checkpoints[2], 30);
  assert.notEqual(check(program, { ...options, older: checkpoints[2] }), undefined);
});

test('ledgers of many sizes, with full tiles of several levels; consistency proofs that we make for witnesses', async () => {
  const { appendEntries } = await load('evidence/tiles');
  const { openCheckpoint } = await load('evidence/checkpoint');
  const { readConsistencyProof } = await load('evidence/tile-proofs');
  const { toVkey } = await load('evidence/signed-note');
  const { generateKeyPair, ledgerKey } = await load('attest/keys');
  const origin = 'agents.example.org/ledger';
  const privateKey = ledgerKey(createPrivateKey(generateKeyPair().privatePem));
  const vkey = toVkey(origin, privateKey);
  const sizes = [1, 2, 3, 5, 8, 255, 256, 257, 511, 513, 700, 65_536, 65_800];
  const ledger = path('many');
  const kept = [];
  let proven = 0;
  for (const size of sizes) {
    const from = kept.at(-1)?.size ?? 0;
    const entries = Array.from({ length: size - from }, (_, at) => Buffer.from(`{"entry":${from + at}}`));
    const { checkpoint } = await appendEntries(ledger, entries, { origin, privateKey });
    writeFileSync(path(`many-${size}`), checkpoint);
    const head = openCheckpoint(Buffer.from(checkpoint), vkey, 'checkpoint');
    for (const { size: old, file } of kept) {
      // the larger trees only from some: each is checked whole again
      if (size > 65_536 ? ![1, 257, 65_536].includes(old) : size > 1000) continue;
      const proof = await readConsistencyProof(ledger, old, head);
      const lines = proof.map((hash) => `${hash.toString('base64')}\n`);
      writeFileSync(path('proof'), lines.join(''));
      const options = { vkey, ledger, older: file, proof: path('proof') };
      assert.equal(check(program, options), undefined, `${old} to ${size}`);
      if (lines.length > 0 && size < 1000) {
        spoil(path('proof'), 5);
        assert.match(check(program, options), /proof/);
      }
      proven += 1;
    }
    kept.push({ size, file: path(`many-${size}`) });
  }
  assert.ok(proven >= 58, `${proven} proofs`);
});

function post(store, where, body) {
  return new Promise((done, fail) => {
    const options = { socketPath: join(store, 'control.sock'), path: where, method: 'POST' };
    const sent = request({ ...options, headers: { 'content-type': 'application/yaml' } }, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode));
    });
    sent.on('error', fail).end(body);
  });
}

let failed = 0;
try {
  program = build();
  for (const { name, work } of tests) {
    const error = await Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (thrown) => thrown,
      );
    if (error !== undefined) failed += 1;
    process.stdout.write(error === undefined ? `ok - ${name}\n` : `not ok - ${name}\n${error.stack}\n`);
  }
} catch (error) {
  failed = tests.length;
  process.stdout.write(`not ok - setting up\n${error.stack}\n`);
} finally {
  await Promise.all(started.map((one) => one.stop()));
}
if (failed === 0) rmSync(folder, { recursive: true });
else process.stdout.write(`kept for a look: ${folder}\n`);
process.stdout.write(`${tests.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
