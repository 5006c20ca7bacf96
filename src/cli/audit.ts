import { Command } from 'commander';
import { verdictExitCodes } from '../model/claim.ts';
import { renderText } from '../report/text.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { runAudit } from './run-audit.ts';
import { toProgress } from './progress.ts';

interface Flags {
  readonly task: string;
  readonly out: string;
  readonly config?: string;
  readonly key?: string;
  readonly tetragon?: string[];
  readonly sensor?: string[];
  readonly cloudtrail?: string[];
  readonly resolutions?: string[];
}

/** `tally audit`: from files to a signed report, in one shot. */
export function auditCommand(io: Io, done: (exitCode: number) => void): Command {
  return new Command('audit')
    .description('judge one task from files: seal the evidence, judge every claim, sign and render')
    .requiredOption('--task <file>', 'declaration of the task (YAML)')
    .requiredOption('--out <dir>', 'folder for report, bundle, manifest and evidence; must not hold evidence yet')
    .option('--tetragon <files...>', 'Tetragon JSON export, or recorded gRPC frames (.binpb); plain, .gz, .zst')
    .option('--sensor <files...>', 'lines about the sensor: health, stream, canary')
    .option('--cloudtrail <paths...>', 'CloudTrail folder in S3 layout, or loose log and digest files')
    .option('--resolutions <files...>', 'address and host lines, AWS ip-ranges.json, or Hubble flow JSON')
    .option('--config <file>', 'configuration (YAML)')
    .option(
      '--key <file>',
      'private key (PEM); or TALLY_KEY in the environment; else one is made for this report alone',
    )
    .action(async (flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const progress = toProgress(io, globals);
      const { report, throwAwayKey } = await runAudit(
        {
          task: flags.task,
          config: flags.config ?? io.env['TALLY_CONFIG'],
          key: flags.key,
          out: flags.out,
          inputs: {
            tetragon: flags.tetragon ?? [],
            sensor: flags.sensor ?? [],
            cloudtrail: flags.cloudtrail ?? [],
            resolutions: flags.resolutions ?? [],
          },
        },
        io.env,
        progress.step,
      ).finally(progress.end);
      if (globals.json === true) io.stdout(toJsonText(report, 2));
      else if (globals.quiet !== true) {
        io.stdout(renderText(report, { color: io.colour && globals.color !== false }));
        if (throwAwayKey) {
          io.stderr('Signed with a key made for this report alone; give --key to sign as yourself (tally keygen).\n');
        }
      }
      done(verdictExitCodes[report.verdict]);
    });
}
