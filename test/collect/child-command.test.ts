import { join } from 'node:path';
import { ChildProcess, spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { runCommand, whyOf } from '../../src/collect/child-command.ts';
import { workFolder } from '../cli/command-line.ts';

vi.mock('node:child_process', { spy: true });

const { signal } = new AbortController();

test('a command ends with its code and what it said', async () => {
  const script = workFolder().write(
    'say.mjs',
    `console.log(process.argv[2]); console.error('no'); process.exitCode = 3;`,
  );
  expect(await runCommand(['hello'], {}, signal, script)).toEqual({ code: 3, stdout: 'hello\n', stderr: 'no\n' });
});

test('a command that can’t be started is one that failed: what spawn throws', async () => {
  const ended = await runCommand(['a\0b'], {}, signal, join('/', 'nowhere.mjs'));
  expect(ended).toMatchObject({ code: null, stdout: '' });
  expect(whyOf(ended)).toContain('null bytes');
});

test('… and what it tells later, without streams, as when no descriptor is left', async () => {
  vi.mocked(spawn).mockImplementationOnce(() => {
    const child = new ChildProcess();
    process.nextTick(() => child.emit('error', new Error('spawn node EMFILE')));
    return child;
  });
  expect(await runCommand([], {}, signal)).toEqual({ code: null, stdout: '', stderr: 'spawn node EMFILE' });
});

test('the signal ends it', async () => {
  const script = workFolder().write('wait.mjs', `setInterval(() => undefined, 1000);`);
  expect(await runCommand([], {}, AbortSignal.abort(), script)).toMatchObject({ code: null });
});
