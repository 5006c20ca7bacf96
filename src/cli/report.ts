import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { readStore } from '../evidence/store-read.ts';
import type { StoredJudgement } from '../judge/judge-stored.ts';
import { verdictExitCodes } from '../model/claim.ts';
import { renderText } from '../report/text.ts';
import { visible } from '../report/visible.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { type Progress, toProgress } from './progress.ts';
import { type ReportInput, runReport, sealFirst } from './run-report.ts';
import { openSigningKey } from './signing-key.ts';

interface Flags {
  readonly store: string;
  readonly out: string;
  readonly key?: string;
  readonly seal: boolean;
  readonly watch?: boolean;
}

/** How often a watched store is looked at. */
const lookMs = 3000;

/** `tally report`: from a live store to a signed report, provisional or final. */
export function reportCommand(io: Io, done: (exitCode: number) => void): Command {
  return new Command('report')
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
    .action(async (task: string, flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const progress = toProgress(io, globals);
      const signing = openSigningKey(flags.key, io.env);
      const unsealed = flags.seal ? await sealFirst(flags.store) : undefined;
      if (unsealed !== undefined && globals.quiet !== true) io.stderr(`${visible(unsealed)}\n`);
      const input = { task, store: flags.store, out: flags.out, signing, step: progress.step };
      const judged = await (flags.watch === true ? watch(input, io, globals, progress) : runReport(input)).finally(
        progress.end,
      );
      print(io, globals, judged, signing.throwAway);
      done(verdictExitCodes[judged.report.verdict]);
    });
}

function print(
  io: Io,
  globals: GlobalFlags,
  { report, state, judgedUntil }: StoredJudgement,
  throwAway: boolean,
): void {
  if (globals.json === true) io.stdout(toJsonText(report, 2));
  else if (globals.quiet !== true) {
    io.stdout(renderText(report, { color: io.colour && globals.color !== false }));
    if (state !== 'final')
      io.stderr(
        `Provisional: the task is ${state}, judged by evidence until ${judgedUntil ?? 'no time'}; --watch waits.\n`,
      );
    if (throwAway) {
      io.stderr('Signed with a key made for this report alone; give --key to sign as yourself (tally keygen).\n');
    }
  }
}

/** Judges whenever the ledger has grown, and tells each change, until nothing is left to wait for. */
async function watch(input: ReportInput, io: Io, globals: GlobalFlags, progress: Progress): Promise<StoredJudgement> {
  let told = '';
  for (;;) {
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
