import { Command, CommanderError } from 'commander';
import { TallyError } from '../model/errors.ts';
import { visible } from '../report/visible.ts';
import { auditCommand } from './audit.ts';
import { verifyCommand } from './verify.ts';
import { collectCommand } from './collect.ts';
import { declareCommand } from './declare.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { keygenCommand } from './keygen.ts';
import { reportCommand } from './report.ts';
import { sealCommand } from './seal.ts';
import { tasksCommand } from './tasks.ts';
import { traceCommand } from './trace.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

/** Runs one command line; the result is its exit code (design 9). */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const done = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('tally')
    .description('Signed proof of completeness for the credentials of AI-agent tasks.')
    .version(version)
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .exitOverride();
  for (const command of [
    auditCommand(io, done),
    verifyCommand(io, done),
    keygenCommand(io),
    demoCommand(io),
    collectCommand(io),
    declareCommand(io),
    sealCommand(io),
    doctorCommand(io, done),
    reportCommand(io, done),
    tasksCommand(io),
    traceCommand(io, done),
  ]) {
    program.addCommand(withGlobalFlags(command.copyInheritedSettings(program)));
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof TallyError)) throw error;
    io.stderr(`tally: ${visible(error.message)}\n`);
    for (const detail of error.details) io.stderr(`  - ${visible(detail)}\n`);
    return error.exitCode;
  }
}

function withGlobalFlags(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'print nothing but errors')
    .option('--no-color', 'no colours (or set NO_COLOR)');
}
