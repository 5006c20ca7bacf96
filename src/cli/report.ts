import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { readStore } from '../evidence/store-read.ts';
import { verdictExitCodes } from '../model/claim.ts';
import { visible } from '../report/visible.ts';
import { type AttestFailures, attestFailures } from './attest-failures.ts';
import { type Format, type FormatFlag, printReport, tellsNotes, toFormat, withFormat } from './format.ts';
import type { GlobalFlags, Io } from './io.ts';
import { type Progress, toProgress } from './progress.ts';
import { type Reported, type ReportInput, runReport, sealFirst } from './run-report.ts';
import { openSigningKey } from './signing-key.ts';
import { readServices } from './signing-services.ts';

interface Flags extends FormatFlag {
  readonly store: string;
  readonly out: string;
  readonly key?: string;
  readonly seal: boolean;
  readonly watch?: boolean;
  readonly bestEffort?: boolean;
  readonly config?: string;
  readonly finalOnly?: boolean;
}

/** How often a watched store is looked at. */
const lookMs = 3000;

/** `tally report`: from a live store to a signed report, provisional or final. */
export function reportCommand(io: Io, done: (exitCode: number) => void): Command {
  return withFormat(new Command('report'))
    .description('judge one declared task from a live store, sign and render')
    .argument('<task>', 'id of the task')
    .requiredOption('--store <dir>', 'evidence store of the collector')
    .requiredOption('--out <dir>', 'folder for report, bundle and manifest')
    .option(
      '--key <file>',
      'private key (PEM); or TALLY_KEY in the environment; else one is made for this report alone',
    )
    .option('--no-seal', 'judge what is sealed, without asking the collector to seal first')
    .option('--watch', 'wait until the report is final, judging again as the store grows')
    .option('--config <file>', 'configuration (YAML) whose `attest` says which services sign; or TALLY_CONFIG')
    .option('--final-only', 'ask those services for a final report alone; --watch does')
    .option('--best-effort', 'a service of `attest` that fails does not change the exit code')
    .action(async (task: string, flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const format = toFormat(flags, globals);
      const progress = toProgress(io, globals);
      const signing = openSigningKey(flags.key, io.env);
      const services = await readServices(flags.config ?? io.env['TALLY_CONFIG'], io.env);
      const finalOnly = flags.finalOnly === true || flags.watch === true;
      const unsealed = flags.seal ? await sealFirst(flags.store) : undefined;
      if (unsealed !== undefined && globals.quiet !== true) io.stderr(`${visible(unsealed)}\n`);
      const failures = attestFailures();
      const { failed } = failures;
      const input = {
        task,
        store: flags.store,
        out: flags.out,
        signing,
        services,
        finalOnly,
        step: progress.step,
        failed,
      };
      const judged = await (
        flags.watch === true ? watch(input, io, globals, progress, failures) : runReport(input)
      ).finally(progress.end);
      print(io, globals, format, judged);
      const verdict = verdictExitCodes[judged.report.verdict];
      const exitCode = failures.tell(io, verdict);
      done(flags.bestEffort === true ? verdict : exitCode);
    });
}

function print(
  io: Io,
  globals: GlobalFlags,
  format: Format,
  { report, state, judgedUntil, throwAwayKey }: Reported,
): void {
  printReport(io, globals, format, report);
  if (!tellsNotes(globals, format)) return;
  if (state !== 'final')
    io.stderr(
      `Provisional: the task is ${state}, judged by evidence until ${judgedUntil ?? 'no time'}; --watch waits.\n`,
    );
  if (throwAwayKey)
    io.stderr('Signed with a key made for this report alone; give --key to sign as yourself (tally keygen).\n');
}

/** Judges whenever the ledger has grown, and tells each change, until nothing is left to wait for. */
async function watch(
  input: ReportInput,
  io: Io,
  globals: GlobalFlags,
  progress: Progress,
  failures: AttestFailures,
): Promise<Reported> {
  let told = '';
  for (;;) {
    failures.forget();
    const judged = await runReport(input);
    const { report, state } = judged;
    const until = report.pendingUntil === undefined ? '' : `, waits until ${report.pendingUntil}`;
    const now = `${state}: ${report.verdict}${until}`;
    if (now !== told && globals.quiet !== true) {
      progress.end();
      io.stderr(`${now}\n`);
    }
    told = now;
    if (state === 'final') return judged;
    progress.step('waiting for evidence');
    while ((await readStore(input.store)).size === judged.size) await sleep(lookMs);
  }
}
