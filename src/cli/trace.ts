import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { judgeStored } from '../judge/judge-stored.ts';
import { TallyError } from '../model/errors.ts';
import { parseReport } from '../model/parse-report.ts';
import type { Report } from '../model/report.ts';
import { visible } from '../report/visible.ts';
import type { Exported } from '../telemetry/otlp/export-trace.ts';
import { protocols } from '../telemetry/otlp/protocols.ts';
import { type TaskTrace, toTaskTrace } from '../telemetry/task-trace.ts';
import type { TrustedParent } from '../telemetry/task-parent.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { toProgress } from './progress.ts';
import { sealFirst } from './run-report.ts';
import { version } from './version.ts';

interface Flags {
  readonly store?: string;
  readonly report?: string;
  readonly otlp?: string;
  readonly file?: string;
  readonly protocol?: string;
  readonly header: Readonly<Record<string, string>>;
  readonly maxSpans: number;
  readonly parent: TrustedParent;
  readonly ca?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly seal: boolean;
}

/** `tally trace`: one task as an OpenTelemetry trace, to a backend or a file. The exit code tells of the export alone. */
export function traceCommand(io: Io, done: (exitCode: number) => void): Command {
  return new Command('trace')
    .description('export one task as an OpenTelemetry trace')
    .argument('[task]', 'id of the task')
    .option('--store <dir>', 'evidence store of the collector: the task is judged from it')
    .option('--report <file>', 'report.json of an audit or report, instead of a store')
    .option('--otlp <url>', 'backend (OTLP); or OTEL_EXPORTER_OTLP_ENDPOINT in the environment')
    .option('--file <file>', 'write OTLP JSON lines to a file instead')
    .addOption(new Option('--protocol <protocol>', 'how to send (default: grpc to port 4317)').choices(protocols))
    .option(
      '--header <name=value>',
      'header of each request; may be repeated (secrets: OTEL_EXPORTER_OTLP_HEADERS)',
      addHeader,
      {},
    )
    .option('--max-spans <n>', 'leave out spans beyond this, but none with a finding', toCount, 10_000)
    .addOption(
      new Option(
        '--parent <whose>',
        'whose TRACEPARENT the task hangs under: also its first process’s, only the declaration’s, none',
      )
        .choices(['process', 'declaration', 'none'])
        .default('process'),
    )
    .option('--ca <file>', 'certificate authority of the backend (PEM)')
    .option('--cert <file>', 'client certificate (PEM)')
    .option('--cert-key <file>', 'key of the client certificate (PEM)')
    .option('--no-seal', 'judge what is sealed, without asking the collector to seal first')
    .action(async (task: string | undefined, flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const progress = toProgress(io, globals);
      try {
        const report = await openReport(task, flags, io, globals, progress.step);
        const trace = toTaskTrace(report, { maxSpans: flags.maxSpans, trustedParent: flags.parent });
        progress.step('exporting');
        const { to, exported } = await run(trace, flags, io.env);
        progress.end();
        print(io, globals, { report, trace, to, exported });
        if (exported.rejected > 0) done(2);
      } finally {
        progress.end();
      }
    });
}

async function openReport(
  task: string | undefined,
  { store, report: file, seal }: Flags,
  io: Io,
  globals: GlobalFlags,
  step: (what: string) => void,
): Promise<Report> {
  if ((store === undefined) === (file === undefined))
    throw new TallyError('usage', 'Give one of --store DIR (with the id of a task) and --report FILE.');
  if (file !== undefined) return readReport(task, file);
  if (task === undefined || store === undefined)
    throw new TallyError('usage', 'Which task? Give its id; tally tasks lists them.');
  const unsealed = seal ? await sealFirst(store) : undefined;
  if (unsealed !== undefined && globals.quiet !== true) io.stderr(`${visible(unsealed)}\n`);
  return (await judgeStored({ store, task, version, step })).report;
}

async function readReport(task: string | undefined, file: string): Promise<Report> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `the report (--report) can't be read: ${file}; check the path.`, { cause });
  });
  const report = parseReport(text, file);
  if (task === undefined || report.task.id === task) return report;
  throw new TallyError('usage', `${file} is the report on task ${report.task.id}, not on ${task}.`);
}

/** The SDK is loaded here: it would cost every other command a third of a second. */
async function run(trace: TaskTrace, flags: Flags, env: Io['env']): Promise<{ to: string; exported: Exported }> {
  const { otlp, file, header, ...rest } = flags;
  if (file !== undefined) {
    if (otlp !== undefined) throw new TallyError('usage', 'Give one of --otlp and --file.');
    const { writeTrace } = await import('../telemetry/otlp/write-trace.ts');
    return { to: file, exported: await writeTrace(trace, file, version) };
  }
  const { nameOf, openTarget } = await import('../telemetry/otlp/target.ts');
  const target = await openTarget({ ...rest, url: otlp, headers: header }, env);
  if (target === undefined)
    throw new TallyError('usage', 'Where to? Give --otlp URL, such as http://localhost:4318, or --file FILE.');
  const { exportTrace } = await import('../telemetry/otlp/export-trace.ts');
  return { to: nameOf(target), exported: await exportTrace(trace, target, version) };
}

interface Outcome {
  readonly report: Report;
  readonly trace: TaskTrace;
  readonly to: string;
  readonly exported: Exported;
}

function print(io: Io, globals: GlobalFlags, { report, trace, to, exported }: Outcome): void {
  const { spans, rejected, told } = exported;
  const { traceId, leftOut } = trace;
  const result = { task: report.task.id, verdict: report.verdict, traceId, spans, leftOut, rejected, to, told };
  if (globals.json === true) io.stdout(toJsonText(result, 2));
  else if (globals.quiet !== true) {
    const rest = leftOut === 0 ? '' : `, ${leftOut} left out (--max-spans)`;
    io.stdout(
      `${visible(`Task ${report.task.id} (${report.verdict}): ${spans} spans${rest} of trace ${traceId} to ${to}`)}\n`,
    );
  }
  if (rejected > 0)
    io.stderr(`tally: the backend refused ${rejected} of ${spans} spans for good; sending them again is of no use.\n`);
  if (rejected > 0 || globals.quiet !== true)
    for (const one of told) io.stderr(`  - the backend says: ${visible(one)}\n`);
}

function addHeader(text: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([\t\x20-\x7e]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('must be name=value, in printable ASCII.');
  return { ...headers, [name.toLowerCase()]: value };
}

function toCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('must be a number of spans, at least 1.');
  return count;
}
