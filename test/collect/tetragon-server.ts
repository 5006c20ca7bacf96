import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { startTetragonServer, type TetragonServer, type TetragonServerOptions } from './tetragon-server.mjs';

export { encode, numberedFrame, readRecording } from './tetragon-server.mjs';

/** A fake agent (tetragon-server.mjs) that goes when the running test ends. */
export async function openServer(options: TetragonServerOptions = {}): Promise<TetragonServer> {
  const server = await startTetragonServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** Certificates in PEM files: an authority, a server's for *.tetragon-grpc.cilium.io and localhost, a client's. */
export interface TlsFiles {
  readonly ca: string;
  readonly server: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
}

const run = promisify(execFile);

/** Makes an authority and two certificates of it in `folder`, with openssl. */
export async function makeTlsFiles(folder: string): Promise<TlsFiles> {
  const file = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const [caKey, ca] = [file('ca.key'), file('ca.pem')];
  await run('openssl', ['req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=test-ca']);
  const issue = async (name: string, subjectAlt: string): Promise<{ key: string; cert: string }> => {
    const made = { key: file(`${name}.key`), cert: file(`${name}.pem`) };
    const request = file(`${name}.csr`);
    await writeFile(file(`${name}.ext`), `subjectAltName=${subjectAlt}\n`);
    await run('openssl', ['req', ...newKey, '-keyout', made.key, '-out', request, '-subj', `/CN=${name}`]);
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', file(`${name}.ext`)];
    await run('openssl', ['x509', '-req', '-in', request, ...by, '-out', made.cert]);
    return made;
  };
  return {
    ca,
    server: await issue('server', 'DNS:*.tetragon-grpc.cilium.io,DNS:localhost'),
    client: await issue('client', 'DNS:client'),
  };
}
