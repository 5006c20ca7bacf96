import { Command } from 'commander';
import { verdictExitCodes } from '../model/claim.ts';
import { visible } from '../report/visible.ts';
import { type FormatFlag, renderForm, toFormat, withFormat } from './format.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { toProgress } from './progress.ts';
import { runVerify, type Trust, type Verified } from './run-verify.ts';

/** `tally verify`: 4 when anything is not as signed, else the exit code of the verdict that was verified. */
export function verifyCommand(io: Io, done: (exitCode: number) => void): Command {
  return withFormat(new Command('verify'))
    .description('check a report: its signature offline, and with --evidence everything behind it')
    .argument('<bundle>', 'report.sigstore.json')
    .option('--key <file>', 'public key (PEM) of whoever signed')
    .option('--trusted-root <file>', 'Sigstore trusted root (JSON): whose certificates, log entries, timestamps count')
    .option('--certificate-identity <id>', 'who signed, where with a certificate: e-mail address or URI, to the letter')
    .option('--certificate-oidc-issuer <url>', 'who vouched for that identity')
    .option('--require-timestamp', 'refuse a bundle without an RFC 3161 timestamp')
    .option('--require-log-entry', 'refuse a bundle without an entry in a transparency log')
    .option('--evidence <dir>', 'evidence folder: recompute the ledger and judge again')
    .option('--witness <vkey>', 'verifier key of a witness that must have cosigned; may be given again', also)
    .action(
      async (
        bundle: string,
        flags: FormatFlag & Trust & { evidence?: string; witness?: string[] },
        command: Command,
      ) => {
        const globals = command.optsWithGlobals<GlobalFlags>();
        const format = toFormat(flags, globals);
        const progress = toProgress(io, globals);
        progress.step('verifying');
        const verified = await runVerify(bundle, flags, flags.evidence, flags.witness).finally(progress.end);
        if (format === 'json') io.stdout(toJsonText(toJson(verified), 2));
        else if (format !== 'text') io.stdout(renderForm(format, verified.report, verified));
        else if (globals.quiet !== true) io.stdout(renderVerified(verified));
        const code = verdictExitCodes[verified.report.verdict];
        // what was asked to be judged again and could not be is not shown to be proven
        done(code === 0 && verified.notJudged === true ? verdictExitCodes.unproven : code);
      },
    );
}

function also(value: string, before: string[] = []): string[] {
  return [...before, value];
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
