import { Command } from 'commander';
import { loadPrivateKey } from '../attest/keys.ts';
import { sealStore } from '../collect/seal-store.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';

interface Flags {
  readonly store: string;
  readonly key?: string;
}

/** `tally seal`: seals now what a store has kept. */
export function sealCommand(io: Io): Command {
  return new Command('seal')
    .description('seal now what the store has kept')
    .requiredOption('--store <dir>', 'evidence store; a collector that runs on it is asked to do it')
    .option('--key <file>', 'private key (PEM) of the store, where no collector runs; or TALLY_KEY in the environment')
    .action(async (flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const sealed = await sealStore(flags.store, () => loadPrivateKey(flags.key, io.env));
      if (globals.json === true) io.stdout(toJsonText(sealed, 2));
      else if (globals.quiet !== true)
        io.stdout(
          `sealed ${sealed.segments} segment${sealed.segments === 1 ? '' : 's'}; the ledger has ${sealed.size}\n`,
        );
    });
}
