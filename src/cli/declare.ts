import { Command } from 'commander';
import { declareTo } from '../collect/declare-to.ts';
import { readSubmission } from '../collect/read-submission.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';

interface Flags {
  readonly store: string;
  readonly late?: boolean;
}

/** `tally declare`: records a declaration before its task runs. */
export function declareCommand(io: Io): Command {
  return new Command('declare')
    .description('record a declaration before its task runs')
    .argument('<file>', 'declaration of the task (YAML)')
    .requiredOption('--store <dir>', 'evidence store; a collector that runs on it is asked to do it')
    .option('--late', 'record it even though the task has egress already; the report will say so')
    .action(async (file: string, flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const recorded = await declareTo(flags.store, await readSubmission(file, flags.late === true));
      if (globals.json === true) io.stdout(toJsonText(recorded, 2));
      else if (globals.quiet !== true) {
        const before = recorded.already ? ' (recorded before; that time stands)' : '';
        io.stdout(`task ${recorded.task} declared at ${recorded.declared}${before}\n`);
      }
    });
}
