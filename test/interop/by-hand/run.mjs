// Runs every command of docs/verify.md as it stands over a report of the demo, and then over altered ones, each of which one of its
// steps must refuse. `node test/interop/by-hand/run.mjs`, after `npm run build`; needs bash, openssl, jq, xxd and pip.
/* global Buffer, URL */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { audit, makeKeys, run, runChecks } from '../checks.mjs';
import { alterations } from './alterations.mjs';
import { installDuckdb } from './duckdb.mjs';
import { isAsShown, readGuide, runBlocks } from './guide.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tally-by-hand-'));
const path = (...parts) => join(folder, ...parts);
const kinds = ['ecdsa-p256', 'ed25519'];
/** As after `npm run demo` in a checkout: key and reports in one folder, the queries in the one above. */
const report = (kind) => path(kind, 'foreign-use');
const guide = readGuide();
let programs;

const inFolder = (where) => ({ folder: where, path: programs, scratch: path('scratch') });

const follow = ({ section, needs }) => guide.filter((block) => block.section === section || needs(block));

/** What step N uses of earlier ones, so that an alteration meets it even where an earlier step would have found it. */
const needed = {
  1: ({ section }) => section < 1,
  2: ({ section }) => section < 2,
  3: ({ section }) => section < 1,
  4: ({ section }) => section < 1,
  5: ({ section, commands }) => section < 1 || commands.includes('leaves() {'),
  6: ({ section, commands }) => section < 1 || /leaves\(\) \{|^id=/m.test(commands),
};

const whole = (kind) => ({
  name: `every command of the guide says what the guide shows (${kind})`,
  work: async () => {
    const { code, err, results } = await runBlocks(guide, inFolder(report(kind)));
    for (const { section, commands, expected, state, printed } of results) {
      const told = `step ${section}: ${commands}\nprinted: ${printed}\n${err}`;
      assert.equal(state, 'ok', told);
      if (expected === undefined) assert.equal(printed.trim(), '', told);
      else assert.ok(isAsShown(printed, inKind(expected, kind)), `${told}\nshown: ${expected}`);
    }
    assert.equal(code, 0);
  },
});

/** What openssl says to an Ed25519 key, as the guide tells. */
function inKind(expected, kind) {
  if (kind !== 'ed25519' || !expected.startsWith('DSSEv1')) return expected;
  return expected.replace('Verified OK', 'Signature Verified Successfully');
}

const otherStatement = (name) => ({
  name: `step 1 holds for ${name}.sigstore.json, and not when it is altered`,
  work: async () => {
    const blocks = guide
      .filter(({ section, commands }) => section === 0 || commands.includes('check_signature'))
      .map((block) => ({ ...block, commands: block.commands.replaceAll('report.sigstore', `${name}.sigstore`) }));
    assert.ok(blocks.some(({ commands }) => commands.includes(`${name}.sigstore.json`)));
    const { code, err, results } = await runBlocks(blocks, inFolder(report('ecdsa-p256')));
    assert.equal(code, 0, err);
    assert.ok(isAsShown(results[1].printed, results[1].expected), results[1].printed);
    const altered = copy(`altered-${name}`);
    const bundle = JSON.parse(readFileSync(join(altered, `${name}.sigstore.json`), 'utf8'));
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64');
    payload[payload.length - 3] ^= 1;
    bundle.dsseEnvelope.payload = payload.toString('base64');
    writeFileSync(join(altered, `${name}.sigstore.json`), JSON.stringify(bundle));
    const { results: refused } = await runBlocks(blocks, inFolder(altered));
    assert.equal(refused[1].state, 'failed', refused[1].printed);
  },
});

let copies = 0;

/** A report of its own, in the place where the guide finds key and queries. */
function copy(name) {
  copies += 1;
  const parent = path(`${copies}-${name.replaceAll(/[^a-z0-9]+/gi, '-')}`);
  cpSync(path('ecdsa-p256'), parent, { recursive: true });
  return join(parent, 'foreign-use');
}

const refusal = ({ section, without, what, alter }) => ({
  name: `step ${section} refuses ${what}`,
  work: async () => {
    const altered = copy(what);
    const sql = (text) => run(join(programs, 'duckdb'), ['-c', text], { cwd: altered }).then(done);
    const alteration = await alter({ folder: altered, other: path('ed25519'), sql });
    const blocks = follow({ section, needs: needed[section] })
      .filter(({ commands }) => without === undefined || !commands.includes(without))
      .map((block) => ({ ...block, commands: (alteration?.edit ?? ((text) => text))(block.commands) }));
    const { code, results } = await runBlocks(blocks, inFolder(altered));
    const first = results.find(({ state }) => state !== 'ok');
    assert.ok(first !== undefined, `nothing failed: ${results.map(({ printed }) => printed).join('')}`);
    assert.equal(first.section, section, `failed too early: ${first.commands}\n${first.printed}`);
    assert.notEqual(code, 0);
    rmSync(join(altered, '..'), { recursive: true });
  },
});

function done({ code, err }) {
  assert.equal(code, 0, err);
}

await runChecks({
  folder,
  checks: () => [...kinds.map(whole), ...['runtime-trace', 'svr'].map(otherStatement), ...alterations.map(refusal)],
  setUp: async () => {
    programs = installDuckdb();
    symlinkSync(join(root, 'queries'), path('queries'));
    for (const kind of kinds) {
      await makeKeys(path(kind), kind);
      await audit('foreign-use', path(kind), report(kind));
      rmSync(path(kind, 'tally.key.pem'));
    }
    assert.deepEqual([...new Set(guide.map(({ section }) => section))], [0, 1, 2, 3, 4, 5, 6]);
    process.stderr.write(`${guide.length} blocks of commands, ${alterations.length} alterations\n`);
  },
});
