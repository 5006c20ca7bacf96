import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toProgress } from '../../src/cli/progress.ts';
import { minimal, run, workFolder } from './command-line.ts';

const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;

/** The built command in a process of its own. */
function spawn(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first.`);
  return spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } });
}

describe('usage:', () => {
  test('no command: help on stderr, 2', async () => {
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([2, '']);
    for (const command of ['audit', 'verify', 'keygen']) expect(err).toContain(command);
  });

  test.each([
    ['an unknown command', ['nonsense'], /unknown command 'nonsense'/],
    ['an unknown flag', ['audit', '--task', 'x', '--out', 'y', '--nonsense'], /unknown option '--nonsense'/],
    ['no --task', ['audit', '--out', 'y'], /--task/],
    ['no --out', ['audit', '--task', 'x'], /--out/],
    ['a flag without its value', ['audit', '--out', 'y', '--task'], /--task <file>/],
    ['no bundle', ['verify', '--key', 'x'], /bundle/],
    ['no key to verify with', ['verify', 'x'], /--key/],
    ['a kind of key that is none', ['keygen', '--out', 'x', '--type', 'rsa'], /ecdsa-p256/],
  ])('%s: 2', async (_what, argv, message) => {
    const { code, out, err } = await run(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('help and version are results: stdout, 0', async () => {
    for (const argv of [['--help'], ['--version'], ['audit', '--help']]) {
      const { code, out, err } = await run(argv);
      expect([code, err, out.length > 0]).toEqual([0, '', true]);
    }
  });
});

describe('what is printed where:', () => {
  const prepare = () => {
    const work = workFolder();
    return { work, argv: ['audit', '--task', work.write('task.yaml', minimal), '--out', work.path('out')] };
  };

  test('--json prints report.json on stdout, and nothing else anywhere', async () => {
    const { work, argv } = prepare();
    const { code, out, err } = await run([...argv, '--json'], { terminal: true, colour: true });
    expect([code, err]).toEqual([3, '']);
    expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(work.path('out/report.json'), 'utf8')));
  });

  test('--quiet prints nothing, but errors', async () => {
    const { argv } = prepare();
    expect(await run([...argv, '--quiet'], { terminal: true })).toEqual({ code: 3, out: '', err: '' });
    expect((await run([...argv, '--quiet'])).err).toContain('choose another --out');
  });

  test('progress and colours only on a terminal, and only where they are wanted', async () => {
    const { argv } = prepare();
    const plain = await run(argv);
    expect(plain.out + plain.err).not.toContain('\u001b');
    const { argv: again } = prepare();
    const shown = await run(again, { terminal: true, colour: true });
    expect(shown.err).toContain('judging');
    expect(shown.out).toContain('\u001b[');
    const { argv: third } = prepare();
    expect((await run([...third, '--no-color'], { colour: true })).out).not.toContain('\u001b');
  });

  test('progress ends with its line cleared', () => {
    const lines: string[] = [];
    const write = (text: string): void => void lines.push(text);
    const progress = toProgress({ stdout: write, stderr: write, env: {}, terminal: true, colour: false }, {});
    progress.step('sealing');
    progress.end();
    expect(lines).toEqual(['\r\u001b[2Ksealing …', '\r\u001b[2K']);
  });

  test('the built command: exit codes, NO_COLOR, a reader that stops early', () => {
    const { work, argv } = prepare();
    const ran = spawn([...argv, '--json'], { NO_COLOR: '1' });
    expect([ran.status, ran.stderr]).toEqual([3, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: 'unproven' });
    expect(spawn(argv).status).toBe(2);
    expect(spawn([]).status).toBe(2);
    const pipe = `"${process.execPath}" "${main}" audit --task "${work.path('task.yaml')}" --out "${work.path('pipe')}" --json`;
    const piped = spawnSync('bash', ['-c', `${pipe} | true; echo "\${PIPESTATUS[0]}"`], { encoding: 'utf8' });
    expect([piped.stdout, piped.stderr]).toEqual(['3\n', '']);
  });
});

describe('keys:', () => {
  const prepare = async () => {
    const work = workFolder();
    expect((await run(['keygen', '--out', work.path('keys'), '--quiet'])).code).toBe(0);
    const task = work.write('task.yaml', minimal);
    const audit = (out: string, flags: readonly string[], env = {}) =>
      run(['audit', '--task', task, '--out', work.path(out), ...flags], { env });
    const key = work.path('keys/tally.key.pem');
    return { work, audit, key, pub: work.path('keys/tally.pub.pem') };
  };

  test('signed with --key, or TALLY_KEY as file or text; the flag counts first', async () => {
    const { work, audit, key, pub } = await prepare();
    await audit('a', ['--key', key], { TALLY_KEY: work.path('nowhere') });
    await audit('b', [], { TALLY_KEY: key });
    await audit('c', [], { TALLY_KEY: readFileSync(key, 'utf8') });
    for (const out of ['a', 'b', 'c']) {
      const { code, out: printed } = await run(['verify', work.path(`${out}/report.sigstore.json`), '--key', pub]);
      expect([code, printed.startsWith('verified: the report says unproven')]).toEqual([3, true]);
      expect(readdirSync(work.path(out))).not.toContain('tally.pub.pem');
    }
    expect((await audit('d', [], { TALLY_KEY: work.path('nowhere') })).code).toBe(2);
  });

  test('a key that others can read is refused, with what to do', async () => {
    const { audit, key, work } = await prepare();
    chmodSync(key, 0o644);
    const { code, err } = await audit('out', ['--key', key]);
    expect([code, err.includes(`chmod 600 ${key}`), existsSync(work.path('out'))]).toEqual([2, true, false]);
  });

  test('a key is never written over', async () => {
    const { work, key } = await prepare();
    const before = readFileSync(key);
    expect((await run(['keygen', '--out', work.path('keys')])).code).toBe(2);
    expect(readFileSync(key)).toEqual(before);
  });

  test('verify with another key, or of something altered: 4; without what it needs: 2', async () => {
    const { work, audit, key, pub } = await prepare();
    await audit('out', ['--key', key]);
    const bundle = work.path('out/report.sigstore.json');
    const verify = (...flags: string[]) => run(['verify', bundle, ...flags]);
    expect((await verify('--key', pub, '--evidence', work.path('out'))).code).toBe(3);
    await run(['keygen', '--out', work.path('other')]);
    const other = await verify('--key', work.path('other/tally.pub.pem'));
    expect([other.code, other.out, other.err.includes('report.sigstore.json')]).toEqual([4, '', true]);
    expect((await verify('--key', work.path('nowhere'))).code).toBe(2);
    expect((await verify('--key', pub, '--evidence', work.path('nowhere'))).code).toBe(2);
    expect((await run(['verify', work.path('nowhere'), '--key', pub])).code).toBe(2);
    const report = readFileSync(work.path('out/report.json'), 'utf8');
    work.write(join('out', 'report.json'), report.replace('unproven', 'proven'));
    expect((await verify('--key', pub)).code).toBe(4);
    work.write(join('out', 'report.json'), report);
    work.write(join('out', 'evidence', 'extra'), '');
    const extra = await verify('--key', pub, '--evidence', work.path('out'));
    expect([extra.code, extra.err.includes('extra')]).toEqual([4, true]);
  });
});
