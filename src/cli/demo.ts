import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { generateKeyPair } from '../attest/keys.ts';
import { verdictExitCodes } from '../model/claim.ts';
import type { Report } from '../model/report.ts';
import { visible } from '../report/visible.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toProgress } from './progress.ts';
import { runAudit } from './run-audit.ts';
import { runVerify } from './run-verify.ts';

const recordings = fileURLToPath(new URL('../../demo/', import.meta.url));

/** The shipped tasks, in the order in which they are told. */
const tasks = [
  { name: 'benign', story: 'everything declared, nothing missing' },
  { name: 'undeclared-egress', story: 'a grandchild also connects to an undeclared host' },
  { name: 'foreign-use', story: 'the credential is used from elsewhere after the task' },
  { name: 'gap', story: 'the sensor’s policy was off for some seconds' },
] as const;

interface Told {
  readonly name: string;
  readonly story: string;
  readonly report: Report;
  readonly folder: string;
}

/** `tally demo`: the whole path on shipped recordings; 0 when every report was made and verified, whatever its verdict. */
export function demoCommand(io: Io): Command {
  return new Command('demo')
    .description('audit four recorded tasks, verify the reports, and say what to open next')
    .option('--out <dir>', 'folder for keys and reports', 'tally-demo')
    .action(async (flags: { out: string }, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const progress = toProgress(io, globals);
      const told = await runDemo(flags.out, progress.step).finally(progress.end);
      if (globals.json === true) {
        const rows = told.map(({ name, report, folder }) => ({
          task: name,
          verdict: report.verdict,
          summary: report.summary,
          folder,
        }));
        io.stdout(`${JSON.stringify(rows, null, 2)}\n`);
      } else if (globals.quiet !== true) io.stdout(renderDemo(told, flags.out));
    });
}

async function runDemo(out: string, step: (what: string) => void): Promise<Told[]> {
  await mkdir(out, { recursive: true });
  const { privatePem, publicPem } = generateKeyPair();
  const key = join(out, 'tally.key.pem');
  const publicKey = join(out, 'tally.pub.pem');
  await rm(key, { force: true });
  await writeFile(key, privatePem, { mode: 0o600 });
  await writeFile(publicKey, publicPem);
  const told: Told[] = [];
  for (const [index, { name, story }] of tasks.entries()) {
    const from = (file: string): string => join(recordings, name, file);
    const folder = join(out, name);
    await removeOldReport(folder);
    const inputs = {
      tetragon: [from('tetragon.jsonl.gz')],
      sensor: [from('sensor.jsonl.gz')],
      cloudtrail: [from('cloudtrail')],
      resolutions: [],
    };
    const tell = (what: string): void => step(`${index + 1} of ${tasks.length}: ${name}: ${what}`);
    const { report } = await runAudit(
      { task: from('task.yaml'), config: from('config.yaml'), key, inputs, out: folder },
      {},
      tell,
    );
    tell('verifying');
    await runVerify(join(folder, 'report.sigstore.json'), publicKey, join(folder, 'evidence'));
    told.push({ name, story, report, folder });
  }
  return told;
}

/** Only what an earlier demo wrote is removed. */
async function removeOldReport(folder: string): Promise<void> {
  const old = await access(join(folder, 'report.sigstore.json')).then(
    () => true,
    () => false,
  );
  if (old) await rm(folder, { recursive: true });
}

function renderDemo(told: readonly Told[], out: string): string {
  const width = Math.max(...told.map(({ name }) => name.length));
  const rows = told.map(
    ({ name, story, report }) =>
      `${report.verdict.padEnd(9)} exit ${verdictExitCodes[report.verdict]}  ${name.padEnd(width)}  ${story}\n${' '.repeat(18)}${visible(report.summary)}`,
  );
  const first = told[0];
  const second = told[1];
  const next = [
    ...(second === undefined
      ? []
      : [`open   ${join(second.folder, 'report.html')}  in a browser: the two halves side by side`]),
    ...(first === undefined
      ? []
      : [
          `check  tally verify ${join(first.folder, 'report.sigstore.json')} --key ${join(out, 'tally.pub.pem')} --evidence ${join(first.folder, 'evidence')}`,
        ]),
    'your own  tally audit --task task.yaml --tetragon … --sensor … --cloudtrail … --config tally.yaml --out DIR',
  ];
  return `${rows.join('\n')}\n\nAll ${told.length} reports are signed and were verified with their evidence.\n${next.join('\n')}\n`;
}
