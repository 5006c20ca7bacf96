import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { generateKeyPair, type KeyKind } from '../attest/keys.ts';
import { TallyError } from '../model/errors.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { makeOut } from './out-folder.ts';

/** `tally keygen`: writes a key pair, never over an old one. */
export function keygenCommand(io: Io): Command {
  return new Command('keygen')
    .description('make a signing key: tally.key.pem (mode 600) and tally.pub.pem')
    .requiredOption('--out <dir>', 'folder for the two files')
    .addOption(new Option('--type <type>', 'kind of key').choices(['ecdsa-p256', 'ed25519']).default('ecdsa-p256'))
    .action(async (flags: { out: string; type: KeyKind }, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      await makeOut(flags.out);
      const { privatePem, publicPem } = generateKeyPair(flags.type);
      const paths = { privateKey: join(flags.out, 'tally.key.pem'), publicKey: join(flags.out, 'tally.pub.pem') };
      await writeNew(paths.privateKey, privatePem, 0o600);
      await writeNew(paths.publicKey, publicPem, 0o644);
      if (globals.json === true) io.stdout(toJsonText(paths));
      else if (globals.quiet !== true) {
        io.stdout(
          `${paths.privateKey}  keep it secret: it signs reports\n${paths.publicKey}  give it to whoever checks them\n`,
        );
      }
    });
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode, flag: 'wx' }).catch((cause: unknown) => {
    throw new TallyError('input', `${path} can't be written (it is never written over); choose another --out.`, {
      cause,
    });
  });
}
