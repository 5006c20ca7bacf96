#!/usr/bin/env node
import { visible } from '../report/visible.ts';
import { runCommandLine } from './program.ts';

// Whoever reads the output may stop early (head): the exit code still tells the verdict.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  const exitCode = await runCommandLine(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    terminal: process.stderr.isTTY,
    colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  });
  // no code at all would be 0 to a shell
  process.exitCode = Number.isInteger(exitCode) ? exitCode : 2;
} catch (error) {
  // Left to Node, a bug or a full disk would exit with 1, which says "violated".
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = ['tally: failed unexpectedly, and has no verdict; please report this:', ...stack.split('\n')];
  process.stderr.write(`${lines.map(visible).join('\n')}\n`);
  process.exitCode = 2;
}
