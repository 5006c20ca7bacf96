import { Command } from 'commander';
import { verdictExitCodes } from '../model/claim.ts';
import { attestFailures } from './attest-failures.ts';
import { type FormatFlag, printReport, tellsNotes, toFormat, withFormat } from './format.ts';
import type { GlobalFlags, Io } from './io.ts';
import { runAudit } from './run-audit.ts';
import { toProgress } from './progress.ts';

interface Flags extends FormatFlag {
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
  return withFormat(new Command('audit'))
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
      const format = toFormat(flags, globals);
      const progress = toProgress(io, globals);
      const failures = attestFailures();
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
        failures.failed,
      ).finally(progress.end);
      printReport(io, globals, format, report);
      if (throwAwayKey && tellsNotes(globals, format)) {
        io.stderr('Signed with a key made for this report alone; give --key to sign as yourself (tally keygen).\n');
      }
      done(failures.tell(io, verdictExitCodes[report.verdict]));
    });
}
