import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { diagnose } from '../collect/doctor.ts';
import { realProbes } from '../collect/doctor-io.ts';
import type { Probes } from '../collect/doctor-probes.ts';
import type { DeclaredTask } from '../collect/doctor-task.ts';
import { renderFindings, sortFindings } from '../collect/doctor-text.ts';
import { readSubmission } from '../collect/read-submission.ts';
import { toSettings } from '../collect/settings.ts';
import { parseDeclaration } from '../model/declaration.ts';
import { TallyError } from '../model/errors.ts';
import { parseGranted } from '../model/granted.ts';
import { toPaint } from '../report/text-layout.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { toProgress } from './progress.ts';

/** `tally doctor`: 3 when something would keep a report from being proven, 2 when the configuration itself is no good. */
export function doctorCommand(io: Io, done: (exitCode: number) => void, probes?: Probes): Command {
  return new Command('doctor')
    .description('say before a task runs what would keep its report from being proven, each with the fix')
    .option('--config <file>', 'configuration of the collector (YAML); or TALLY_CONFIG in the environment')
    .option('--task <file>', 'declaration of the task that is about to run: what it needs is checked too')
    .action(async (flags: { config?: string; task?: string }, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const path = flags.config ?? io.env['TALLY_CONFIG'];
      if (path === undefined || path === '')
        throw new TallyError('usage', 'give the configuration: --config tally.yaml');
      const settings = toSettings(await readText(path), path);
      const task = flags.task === undefined ? undefined : await readTask(flags.task);
      const others = await readDeclared(settings.collector.declarations);
      const progress = toProgress(io, globals);
      progress.step('asking sensors and providers');
      const ended = new AbortController();
      const findings = await diagnose(
        { settings, task, others, env: io.env },
        probes ?? realProbes(ended.signal),
      ).finally(() => {
        ended.abort();
        progress.end();
      });
      if (globals.json === true) io.stdout(toJsonText(sortFindings(findings), 2));
      else if (globals.quiet !== true)
        io.stdout(renderFindings(findings, toPaint(io.colour && globals.color !== false)));
      done(findings.some(({ level }) => level === 'fail') ? 3 : 0);
    });
}

async function readTask(path: string): Promise<DeclaredTask> {
  const { declaration, policies } = await readSubmission(path, false);
  for (const policy of policies) parseGranted(policy);
  return { declaration: parseDeclaration(declaration, path), policies };
}

/** What lies in the watched folder; one that can't be read, or is none, is the collector's to tell. */
async function readDeclared(folder: string | undefined): Promise<DeclaredTask[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch(() => []);
  const tasks: DeclaredTask[] = [];
  for (const name of names.filter((each) => /\.ya?ml$/.test(each))) {
    try {
      const declaration = parseDeclaration(await readFile(join(folder, name), 'utf8'), name);
      tasks.push({ declaration, policies: [] });
    } catch (error) {
      if (!(error instanceof TallyError) && !(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return tasks;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `the configuration can't be read: ${path}; check the path.`, { cause });
  });
}
