// Builds cosign from its Go module, and runs it where it can reach nothing.
/* global URL */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { run } from '../checks.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tallystick', 'interop-cosign');

/** Path of the program, built once for what its module says. */
export function buildCosign() {
  const key = createHash('sha256').update(execFileSync('go', ['version']));
  for (const file of ['go.mod', 'go.sum']) key.update(readFileSync(join(here, file)));
  const program = join(cache, `cosign-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  process.stderr.write('building cosign, which takes some minutes the first time\n');
  mkdirSync(cache, { recursive: true });
  const draft = `${program}.${process.pid}`;
  const target = 'github.com/sigstore/cosign/v3/cmd/cosign';
  execFileSync('go', ['build', '-mod=readonly', '-o', draft, target], { cwd: here, stdio: ['ignore', 2, 2] });
  renameSync(draft, program);
  return program;
}

/** cosign with a home of its own, keys without a password, and nothing but a closed door for a network. */
export async function openCosign(program, folder) {
  let knocks = 0;
  const door = createServer((socket) => {
    knocks += 1;
    socket.destroy();
  });
  await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
  const proxy = `http://127.0.0.1:${door.address().port}`;
  const env = { PATH: process.env.PATH, HOME: join(folder, 'home'), COSIGN_PASSWORD: '' };
  Object.assign(env, { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, TUF_ROOT: join(folder, 'home', 'tuf') });
  const cosign = (...args) => run(program, args, { cwd: folder, env });

  // neither a log nor a timestamp authority, and no root of trust for any
  const path = (name) => join(folder, name);
  writeFileSync(path('signing.json'), '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}');
  writeFileSync(path('root.json'), '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
  const services = ['--signing-config', path('signing.json'), '--trusted-root', path('root.json')];

  return {
    version: async () => /^GitVersion:\s*(\S+)/m.exec((await cosign('version')).out)?.[1],
    /** Whether it takes the bundle, and what it said. */
    verify: async ({ key, bundle, type, blob }) => {
      const { code, err } = await cosign(
        ...['verify-blob-attestation', '--key', key, '--bundle', bundle, '--type', type],
        ...['--insecure-ignore-tlog', blob],
      );
      return { isAccepted: code === 0 && /^Verified OK$/m.test(err), isRefused: code !== 0, said: err };
    },
    /** Writes a bundle. `what`: `--predicate FILE` or `--statement FILE`. */
    attest: async ({ key, what, type, bundle, blob }) => {
      const { code, err } = await cosign(
        ...['attest-blob', '--key', key, ...what, '--type', type, ...services, '--bundle', bundle, blob],
      );
      if (code !== 0) throw new Error(err);
    },
    /** Our private key in its own encrypted form. */
    importKey: async (key, prefix) => {
      const { code, err } = await cosign('import-key-pair', '--key', key, '--output-key-prefix', prefix);
      if (code !== 0) throw new Error(err);
    },
    knocks: () => knocks,
    close: () => new Promise((resolve) => door.close(resolve)),
  };
}
