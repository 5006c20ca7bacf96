import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fakeFulcio,
  fakeRekor,
  identity,
  nobody,
  opensslTsa,
  serve,
  toRoot,
  toToken,
} from '../attest/fake-services.ts';
import { minimal, type Ran, run, workFolder } from './command-line.ts';

const bundles = ['report', 'runtime-trace', 'svr'];

async function setUp(attest: object): Promise<{
  audit: (env?: Record<string, string>) => Promise<Ran>;
  verify: (...flags: string[]) => Promise<Ran>;
  out: (name: string) => string;
  write: (name: string, text: string) => string;
}> {
  const work = workFolder();
  await run(['keygen', '--out', work.path('.')]);
  const config = work.write('tally.yaml', `attest: ${JSON.stringify(attest)}\n`);
  const task = work.write('task.yaml', minimal);
  const out = (name: string): string => join(work.path('out'), name);
  const command = ['audit', '--task', task, '--config', config, '--out', work.path('out')];
  return {
    out,
    write: work.write,
    audit: (env) => run([...command, '--key', work.path('tally.key.pem'), '--quiet'], { env: env ?? {} }),
    verify: (...flags) =>
      run([
        'verify',
        out('report.sigstore.json'),
        ...flags.map((flag) => flag.replace('KEY', work.path('tally.pub.pem'))),
      ]),
  };
}

describe('tally audit with services', () => {
  it('adds a timestamp and a log entry to each bundle, which tally verify lists', async () => {
    const [rekor, tsa] = [await fakeRekor(), opensslTsa()];
    const [log, authority] = [await serve(rekor.service), await serve(tsa.service)];
    const { audit, verify, write } = await setUp({ rekor: { url: log.url }, timestamp: { url: authority.url } });
    expect(await audit()).toEqual({ code: 3, out: '', err: '' });
    expect([log.asked.length, authority.asked.length]).toEqual([bundles.length, bundles.length]);
    const root = write('root.json', toRoot(rekor.root, tsa.root));
    const required = ['--require-timestamp', '--require-log-entry'];
    const verified = await verify('--key', 'KEY', '--trusted-root', root, ...required);
    expect(verified).toMatchObject({ code: 3, err: '' });
    expect(verified.out).toMatch(/\+ an RFC 3161 timestamp: the signature was there at 20/);
    expect(verified.out).toMatch(/\+ an entry on the signature in the transparency log https:/);
    const unrooted = await verify('--key', 'KEY');
    expect(unrooted.code).toBe(3);
    expect(unrooted.out).toMatch(/- when it was signed: .* \(give --trusted-root FILE\)/);
    const others = write('other.json', toRoot((await fakeRekor()).root, tsa.root));
    expect(await verify('--key', 'KEY', '--trusted-root', others)).toMatchObject({ code: 4, out: '' });
  });

  it('exits with 2 when one is down: all is written and signed without it', async () => {
    const down = await nobody();
    const { audit, verify, out } = await setUp({ rekor: { url: down }, timestamp: { url: down } });
    const { code, err } = await audit();
    expect(code).toBe(2);
    expect(err.trimEnd().split('\n').sort()).toEqual([
      `not attested: the timestamp authority ${down}: it can’t be reached (ECONNREFUSED): check its URL, and that it runs. The report is written and signed, but without its timestamp.`,
      `not attested: the transparency log ${down}: it can’t be reached (ECONNREFUSED): check its URL, and that it runs. The report is written and signed, but without an entry in that log.`,
    ]);
    for (const name of bundles) expect(existsSync(out(`${name}.sigstore.json`))).toBe(true);
    expect((await verify('--key', 'KEY')).code).toBe(3);
  });
});

describe('tally audit, keyless', () => {
  it('signs by identity; the token is in no file', async () => {
    const [fulcio, tsa] = [await fakeFulcio(), opensslTsa()];
    const services = {
      keyless: { fulcio: (await serve(fulcio.service)).url },
      timestamp: { url: (await serve(tsa.service)).url },
    };
    const { audit, verify, out, write } = await setUp(services);
    expect(await audit({ SIGSTORE_ID_TOKEN: toToken() })).toEqual({ code: 3, out: '', err: '' });
    const root = write('root.json', toRoot(fulcio.root, tsa.root));
    const who = ['--certificate-identity', identity.subject, '--certificate-oidc-issuer', identity.issuer];
    const verified = await verify('--trusted-root', root, ...who);
    expect(verified).toMatchObject({ code: 3, err: '' });
    expect(verified.out).toContain(`with a certificate on ${identity.subject}, for whom ${identity.issuer} vouched`);
    expect((await verify('--trusted-root', root, '--certificate-identity', 'x', ...who.slice(2))).code).toBe(4);
    expect(await verify('--key', 'KEY')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--trusted-root') as string,
    });
    expect(await verify('--trusted-root', root)).toMatchObject({ code: 2, out: '' });
    for (const name of ['report.json', 'manifest.json', 'report.html', 'report.sigstore.json'])
      expect(readFileSync(out(name), 'utf8')).not.toContain(toToken());
  });

  it('signs nothing without a token, or when refused, and says so; the report is there', async () => {
    const refusing = await serve(() => ({ status: 403, type: 'text/plain', body: 'no' }));
    const services = { keyless: { fulcio: refusing.url }, timestamp: { url: await nobody() } };
    for (const [env, why] of [
      [{}, 'no OIDC token: put one into SIGSTORE_ID_TOKEN'],
      [{ SIGSTORE_ID_TOKEN: toToken() }, 'it refused (HTTP 403)'],
    ] as const) {
      const { audit, out } = await setUp(services);
      const { code, err } = await audit(env);
      expect(code).toBe(2);
      expect(err).toContain(`not attested: keyless signing at ${refusing.url}: ${why}`);
      expect(err).toContain('The report is written, but not signed.');
      expect(err.trimEnd().split('\n')).toHaveLength(1);
      expect([existsSync(out('report.json')), existsSync(out('manifest.json'))]).toEqual([true, true]);
      for (const name of bundles) expect(existsSync(out(`${name}.sigstore.json`))).toBe(false);
    }
  });

  it.each([
    [{ keyless: { fulcio: 'https://fulcio.example.com' } }, 'keyless needs rekor or timestamp'],
    [{ rekor: { url: 'http://rekor.example.com' } }, 'must be an https:// URL'],
    [{ timestamp: { url: 'https://user:secret@tsa.example.com' } }, 'must hold no user name, password'],
    [{ timestamp: { url: 'https://tsa.example.com/?key=secret' } }, 'must hold no user name, password'],
    [
      { keyless: { fulcio: 'https://fulcio.example.com', token: 'secret' }, timestamp: { url: 'http://a.example' } },
      'token',
    ],
  ])('refuses the configuration %j', async (attest, why) => {
    const { audit } = await setUp(attest);
    const { code, err } = await audit();
    expect(code).toBe(2);
    expect(err).toContain(why);
  });
});
