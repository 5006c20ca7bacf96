import { Command } from 'commander';
import { verdictExitCodes } from '../model/claim.ts';
import { visible } from '../report/visible.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { toProgress } from './progress.ts';
import { runVerify, type Verified } from './run-verify.ts';

/** `tally verify`: 4 when anything is not as signed, else the exit code of the verdict that was verified. */
export function verifyCommand(io: Io, done: (exitCode: number) => void): Command {
  return new Command('verify')
    .description('check a report: its signature offline, and with --evidence everything behind it')
    .argument('<bundle>', 'report.sigstore.json')
    .requiredOption('--key <file>', 'public key (PEM) of whoever signed')
    .option('--evidence <dir>', 'evidence folder: recompute the ledger and judge again')
    .action(async (bundle: string, flags: { key: string; evidence?: string }, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const progress = toProgress(io, globals);
      progress.step('verifying');
      const verified = await runVerify(bundle, flags.key, flags.evidence).finally(progress.end);
      if (globals.json === true) io.stdout(toJsonText(toJson(verified), 2));
      else if (globals.quiet !== true) io.stdout(renderVerified(verified));
      done(verdictExitCodes[verified.report.verdict]);
    });
}

function toJson({ report, checked, notChecked }: Verified): object {
  return { verified: true, verdict: report.verdict, task: report.task, checked, notChecked };
}

function renderVerified({ report, checked, notChecked }: Verified): string {
  const lines = [
    `verified: the report says ${report.verdict} for task ${report.task.id}`,
    `  ${report.summary}`,
    'checked',
    ...checked.map((what) => `  + ${what}`),
    'not checked',
    ...notChecked.map((what) => `  - ${what}`),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}
