import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { pino } from 'pino';
import { loadPrivateKey } from '../attest/keys.ts';
import { runCollector } from '../collect/collector.ts';
import { toSettings } from '../collect/settings.ts';
import { TallyError } from '../model/errors.ts';
import type { GlobalFlags, Io } from './io.ts';
import { version } from './version.ts';

interface Flags {
  readonly config?: string;
  readonly key?: string;
}

/** `tally collect`: runs until SIGTERM or SIGINT, then seals what it kept. Its log goes to stderr, a line of JSON each. */
export function collectCommand(io: Io): Command {
  return new Command('collect')
    .description('run the collector: keep evidence while tasks run, seal it, judge declared tasks')
    .option('--config <file>', 'configuration (YAML); or TALLY_CONFIG in the environment')
    .option(
      '--key <file>',
      'private key (PEM); else keys.signing of the configuration, or TALLY_KEY in the environment',
    )
    .action(async (flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const path = flags.config ?? io.env['TALLY_CONFIG'];
      if (path === undefined || path === '')
        throw new TallyError('usage', 'no configuration: give --config FILE (docs/collector.md shows one).');
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new TallyError('input', `the configuration (--config) can't be read: ${path}; check the path.`, {
          cause,
        });
      });
      const settings = toSettings(text, path);
      const key = flags.key ?? (io.env['TALLY_KEY'] === undefined ? settings.key : undefined);
      const privateKey = loadPrivateKey(key, io.env);
      const level = globals.quiet === true ? 'error' : settings.collector.log;
      const log = pino({ level, base: null }, { write: (line: string) => io.stderr(line) });
      const keyArguments = [...(key === undefined ? [] : ['--key', key]), '--config', path, '--final-only'];
      await runCollector({ settings, privateKey, keyArguments, env: io.env, version, log }, stopSignal(log));
    });
}

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once, as it would have without us. */
function stopSignal(log: { info(message: string): void }): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info(`${signal}: stopping`);
      stop.abort();
    });
  }
  return stop.signal;
}
