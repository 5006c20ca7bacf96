// Gives our bundles to cosign, built from its Go module, and bundles of cosign to our verifier: as they are, and altered.
// `node test/interop/cosign/run.mjs`, after `npm run build`; needs Go to build with, then no network.
/* global Buffer */
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit, importOurs, makeKeys, runChecks, runTally } from '../checks.mjs';
import { buildCosign, openCosign } from './cosign.mjs';
import { oneByteChanged, signedChanges, unsignedChanges } from './tampering.mjs';

const ours = 'https://tallystick.dev/attestations/task-completeness/v1';
const types = {
  report: ours,
  'runtime-trace': 'https://in-toto.io/attestation/runtime-trace/v0.1',
  svr: 'https://in-toto.io/attestation/svr/v0.2',
};
const kinds = ['ecdsa-p256', 'ed25519'];
const folder = mkdtempSync(join(tmpdir(), 'tally-cosign-'));
const path = (...parts) => join(folder, ...parts);
const report = (kind, file = '') => path(kind, 'foreign-use', file);
const publicKey = (kind) => path(kind, 'tally.pub.pem');
const bytesOf = (kind, name) => readFileSync(report(kind, `${name}.sigstore.json`));
/** Exit code of the verdict in that recording. */
const violated = 1;
let cosign;
let written = 0;

/** A file for these bytes, beside a manifest.json and report.json. */
function bundleFile(bytes, kind = 'ecdsa-p256') {
  written += 1;
  const file = report(kind, `bundle-${written}.sigstore.json`);
  writeFileSync(file, bytes);
  return file;
}

const askCosign = (kind, bundle, { type = ours, key = kind, blob = report(kind, 'manifest.json') } = {}) =>
  cosign.verify({ key: publicKey(key), bundle, type, blob });

async function cosignTakes(kind, bundle, options) {
  const { isAccepted, said } = await askCosign(kind, bundle, options);
  assert.ok(isAccepted, said);
}

async function cosignRefuses(kind, bundle, reason, options) {
  const { isAccepted, isRefused, said } = await askCosign(kind, bundle, options);
  assert.ok(isRefused && !isAccepted, `cosign took it: ${said}`);
  assert.match(said, reason);
}

async function tallyRefuses(bundle, kind, reason = /./) {
  const { code, err } = await runTally('verify', bundle, '--key', publicKey(kind));
  assert.equal(code, 4, `exit ${code}: ${err}`);
  assert.match(err, reason);
}

/** The same by the function that `tally verify` calls, for the many alterations that a process each would take long for. */
async function verifierRefuses(bytes, kind) {
  const { verifyBundle } = await importOurs('attest/verify');
  const key = createPublicKey(readFileSync(publicKey(kind)));
  assert.throws(() => verifyBundle(bytes, key), { code: 'integrity' });
}

/** One after the other for each, and no output of a check that went well. */
async function forEach(items, work) {
  for (const item of items) await work(item).catch((cause) => Promise.reject(new Error(item.what, { cause })));
}

const accepted = (kind) =>
  Object.entries(types).map(([name, type]) => ({
    name: `cosign takes ${name}.sigstore.json signed with ${kind}, as its own type and as no other`,
    work: async () => {
      const bundle = report(kind, `${name}.sigstore.json`);
      assert.ok(existsSync(bundle), `${bundle} was not written`);
      await cosignTakes(kind, bundle, { type });
      for (const other of [...Object.values(types), 'custom', 'https://example.com/predicate/v1'])
        if (other !== type) await cosignRefuses(kind, bundle, /predicate/i, { type: other });
    },
  }));

const refused = (kind) => [
  {
    name: `another key and another manifest.json: refused by cosign and by us (${kind})`,
    work: async () => {
      const other = kinds.find((one) => one !== kind);
      const bundle = report(kind, 'report.sigstore.json');
      await cosignRefuses(kind, bundle, /./, { key: other });
      await tallyRefuses(bundle, other, /another key signed it/);
      await makeKeys(path(`${kind}-2`), kind);
      await cosignRefuses(kind, bundle, /threshold|signature/, { key: `${kind}-2` });
      await tallyRefuses(bundle, `${kind}-2`, /another key signed it/);

      const altered = path(`${kind}-altered`);
      cpSync(report(kind), altered, { recursive: true });
      const blob = join(altered, 'manifest.json');
      appendFileSync(blob, ' ');
      await cosignRefuses(kind, bundle, /digest|subject/, { blob });
      await tallyRefuses(join(altered, 'report.sigstore.json'), kind, /manifest\.json is not the one that was signed/);
    },
  },
  {
    name: `${signedChanges.length} changes of what is signed: refused by cosign and by us (${kind})`,
    work: () =>
      forEach(signedChanges, async ({ change }) => {
        const bundle = bundleFile(change(bytesOf(kind, 'report')), kind);
        await cosignRefuses(kind, bundle, /./);
        await tallyRefuses(bundle, kind);
      }),
  },
  {
    name: `${unsignedChanges.length} changes of what is not signed: ${told('refuses')} refused by cosign, ${told('takes')} taken; all refused by us (${kind})`,
    work: () =>
      forEach(unsignedChanges, async ({ change, cosign: does }) => {
        const bundle = bundleFile(change(bytesOf(kind, 'report')), kind);
        if (does === 'takes') await cosignTakes(kind, bundle);
        else await cosignRefuses(kind, bundle, /threshold/);
        await tallyRefuses(bundle, kind, /changed after signing/);
      }),
  },
  ...Object.entries(types).map(([name, type]) => ({
    name: `one byte of payload or signature at each of 40 places of ${name}.sigstore.json: refused by cosign and by us (${kind})`,
    work: () =>
      forEach(oneByteChanged(bytesOf(kind, name), 40), async ({ changed }) => {
        await cosignRefuses(kind, bundleFile(changed, kind), /./, { type });
        await verifierRefuses(changed, kind);
      }),
  })),
];

function told(does) {
  return unsignedChanges.filter((one) => one.cosign === does).length;
}

/** A bundle that cosign made with our key about a file of the report. */
async function madeByCosign({ kind = 'ecdsa-p256', content, as = '--predicate', type = ours, blob = 'manifest.json' }) {
  const bundle = bundleFile('', kind);
  const file = path(`content-${written}.json`);
  writeFileSync(file, content);
  await cosign.attest({ key: path(`${kind}.key`), what: [as, file], type, bundle, blob: report(kind, blob) });
  return bundle;
}

const statementOf = (kind) => Buffer.from(JSON.parse(bytesOf(kind, 'report')).dsseEnvelope.payload, 'base64');
const predicateOf = (kind) => JSON.stringify(JSON.parse(statementOf(kind)).predicate);

async function tallyTakes(bundle, kind) {
  const { code, out, err } = await runTally('verify', bundle, '--key', publicKey(kind), '--json');
  assert.equal(code, violated, err);
  const { verified, verdict, checked } = JSON.parse(out);
  assert.deepEqual([verified, verdict], [true, 'violated']);
  return checked.join('\n');
}

const byCosign = () => [
  {
    name: 'a bundle that cosign made around our report: taken by us, with the verdict and the manifest that it is about',
    work: async () => {
      const kind = 'ecdsa-p256';
      const bundle = await madeByCosign({ content: predicateOf(kind) });
      await cosignTakes(kind, bundle);
      assert.match(await tallyTakes(bundle, kind), /manifest\.json[^]*report\.json/);
    },
  },
  {
    name: 'a statement of ours in another spelling, signed by cosign: taken by us',
    work: async () => {
      const content = JSON.stringify(JSON.parse(statementOf('ecdsa-p256')), null, 1);
      const bundle = await madeByCosign({ content, as: '--statement' });
      assert.match(await tallyTakes(bundle, 'ecdsa-p256'), /manifest\.json/);
    },
  },
  {
    // Bundles around exactly our statement have one form, so that any byte changed in ours is found.
    name: 'the very statement of ours, signed by cosign: refused by us, since the bundle is not as we write it',
    work: async () => {
      const bundle = await madeByCosign({ content: statementOf('ecdsa-p256'), as: '--statement' });
      await cosignTakes('ecdsa-p256', bundle);
      await tallyRefuses(bundle, 'ecdsa-p256', /changed after signing/);
    },
  },
  {
    name: 'a bundle that cosign made around something else: signed by this key, but no report of ours (exit 2)',
    work: async () => {
      for (const type of ['custom', 'https://example.com/predicate/v1', 'https://slsa.dev/provenance/v1']) {
        const bundle = await madeByCosign({ content: '{"buildType":"https://example.com/build"}', type });
        const { code, err } = await runTally('verify', bundle, '--key', publicKey('ecdsa-p256'));
        assert.equal(code, 2, err);
        assert.match(err, /is signed by this key, but is no report of tallystick/);
      }
    },
  },
  {
    name: 'our report about another file than manifest.json, signed by cosign: refused by us beside a manifest',
    work: async () => {
      const content = predicateOf('ecdsa-p256');
      const bundle = await madeByCosign({ content, blob: 'report.json' });
      await tallyRefuses(bundle, 'ecdsa-p256', /is not about manifest\.json/);
    },
  },
  {
    name: 'a bundle of cosign’s, altered: refused by cosign and by us; hints are nobody’s business',
    work: async () => {
      const kind = 'ecdsa-p256';
      const bytes = readFileSync(await madeByCosign({ content: predicateOf(kind) }));
      await forEach(signedChanges, async ({ change }) => {
        const bundle = bundleFile(change(bytes));
        await cosignRefuses(kind, bundle, /./);
        await tallyRefuses(bundle, kind);
      });
      await forEach(oneByteChanged(bytes, 40), async ({ changed }) => {
        await cosignRefuses(kind, bundleFile(changed), /./);
        await verifierRefuses(changed, kind);
      });
      const hint = unsignedChanges.find(({ what }) => what === 'another hint of the key');
      await tallyTakes(bundleFile(hint.change(bytes)), kind);
    },
  },
  {
    // It signs with Ed25519ph and verifies with Ed25519. Should this fail with a newer version: let it be one more kind above.
    name: 'cosign can’t use its own signature of an Ed25519 key, so there is no such bundle to take',
    work: () => assert.rejects(madeByCosign({ kind: 'ed25519', content: predicateOf('ed25519') }), /threshold/),
  },
  {
    name: 'none of this asked anything of a network',
    work: () => assert.equal(cosign.knocks(), 0),
  },
];

await runChecks({
  folder,
  checks: () => [...kinds.flatMap((kind) => [...accepted(kind), ...refused(kind)]), ...byCosign()],
  setUp: async () => {
    mkdirSync(path('home'));
    cosign = await openCosign(buildCosign(), folder);
    for (const kind of kinds) {
      await makeKeys(path(kind), kind);
      await audit('foreign-use', path(kind), report(kind));
      await cosign.importKey(path(kind, 'tally.key.pem'), path(kind));
    }
  },
});
await cosign?.close();
