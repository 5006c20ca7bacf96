// What the interop runs share: checks that are counted, and our command line.
/* global URL */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** `TALLY_MAIN` may name the source, to be run by the loader in `NODE_OPTIONS`. */
const tally = process.env.TALLY_MAIN ?? join(root, 'dist/cli/main.js');

export const recordingOf = (name) => join(root, 'demo', name);

/** Runs a program to its end; never throws. */
export function run(program, args, options = {}) {
  return new Promise((done) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20, ...options }, (error, out, err) =>
      done({ code: error === null ? 0 : (error.code ?? -1), out, err }),
    );
    child.stdin?.end(options.input ?? '');
  });
}

export const runTally = (...args) => run(process.execPath, [tally, ...args]);

/** One of our modules, `attest/verify` for example. */
export const importOurs = (name) => import(join(tally, '../..', `${name}${extname(tally)}`));

/** Makes a key pair in `folder`; throws what `tally keygen` says against it. */
export async function makeKeys(folder, type) {
  const { code, err } = await runTally('keygen', '--out', folder, '--type', type);
  if (code !== 0) throw new Error(err);
}

/** Audits one of the recordings of the demo into `out`, signed with the key in `keys`. */
export async function audit(name, keys, out) {
  const from = (file) => join(recordingOf(name), file);
  const inputs = ['--task', from('task.yaml'), '--config', from('config.yaml'), '--cloudtrail', from('cloudtrail')];
  inputs.push('--tetragon', from('tetragon.jsonl.gz'), '--sensor', from('sensor.jsonl.gz'));
  const { code, err } = await runTally('audit', ...inputs, '--key', join(keys, 'tally.key.pem'), '--out', out);
  if (![0, 1, 3].includes(code)) throw new Error(`tally audit ended with ${code}\n${err}`);
}

/**
 * Runs checks in order, says how each went, and ends with `N passed, N failed`. `folder`, where they work, is kept for a look
 * when one failed.
 */
export async function runChecks({ checks, setUp, folder }) {
  let failed = 0;
  try {
    await setUp();
    for (const { name, work } of checks()) {
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
    failed = checks().length;
    process.stdout.write(`not ok - setting up\n${error.stack}\n`);
  }
  if (failed === 0) rmSync(folder, { recursive: true });
  else process.stdout.write(`kept for a look: ${folder}\n`);
  process.stdout.write(`${checks().length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
