import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { KnownTask } from '../collect/declarations.ts';
import { readWaiting } from '../collect/declared-tasks.ts';
import { readVkey } from '../evidence/store-read.ts';
import { listTasks, type ListedTask } from '../judge/list-tasks.ts';
import { renderTasks } from '../report/tasks.ts';
import { parseDeclaration } from '../model/declaration.ts';
import { TallyError } from '../model/errors.ts';
import { visible } from '../report/visible.ts';
import { plural } from '../report/words.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';
import { toProgress } from './progress.ts';
import { writeSite } from './tasks-site.ts';

interface Flags {
  readonly store: string;
  readonly state?: string;
  readonly verdict?: string;
  readonly type?: string;
  readonly html?: string;
  readonly reports?: number;
}

/** Reports copied beside the overview, where --reports does not say. */
const mostReports = 1000;

/** `tally tasks`: what was declared to a store, and what the last report on each said. */
export function tasksCommand(io: Io): Command {
  return new Command('tasks')
    .description('list the declared tasks of a live store with their last verdicts')
    .requiredOption('--store <dir>', 'evidence store of the collector')
    .addOption(
      new Option('--state <state>', 'only tasks in this state').choices(['declared', 'running', 'ended', 'final']),
    )
    .addOption(
      new Option('--verdict <verdict>', 'only tasks with this verdict; - for those not judged yet').choices([
        'proven',
        'violated',
        'unproven',
        'pending',
        '-',
      ]),
    )
    .option('--type <type>', 'only tasks of this type')
    .option('--html <dir>', 'write an overview as static pages into this folder, with the reports that the store keeps')
    .option(
      '--reports <n>',
      `with --html: copy the reports of so many tasks at most, of violated ones first, then of the newest (default: ${mostReports})`,
      parseCount,
    )
    .action(async (flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      if (flags.reports !== undefined && flags.html === undefined)
        throw new TallyError('usage', '--reports says how many reports --html copies: give --html too.');
      const all = await listAll(flags.store);
      const chosen = all.filter((task) => fits(task, flags));
      const written = flags.html === undefined ? undefined : await writePages(io, globals, flags, chosen, all.length);
      if (globals.json === true) io.stdout(toJsonText(chosen, 2));
      else if (written !== undefined && globals.quiet !== true) io.stdout(written);
      else if (globals.quiet !== true)
        io.stdout(renderTasks(chosen, all.length, { color: io.colour && globals.color !== false }));
    });
}

/** Gives what there is to say of it. */
async function writePages(
  io: Io,
  globals: GlobalFlags,
  { store, html = '', reports = mostReports, state, verdict, type }: Flags,
  tasks: readonly ListedTask[],
  all: number,
): Promise<string> {
  const { step, end } = toProgress(io, globals);
  const chosen = { ...(state && { state }), ...(verdict && { verdict }), ...(type !== undefined && { type }) };
  const written = await writeSite({ folder: html, store, tasks, all, filters: chosen, reports, step }).finally(end);
  const more = written.pages === 1 ? '' : ` and ${plural(written.pages - 1, 'more page')}`;
  return `Wrote ${visible(join(html, 'index.html'))}${more}: ${plural(tasks.length, 'task')}, ${plural(written.reports, 'report')}.\n`;
}

function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('must be a number.');
  return Number(text);
}

function fits(task: ListedTask, { state, verdict, type }: Flags): boolean {
  return (
    (state === undefined || task.state === state) &&
    (verdict === undefined || (task.verdict ?? '-') === verdict) &&
    (type === undefined || task.type === type)
  );
}

/** Also those that were declared a moment ago and are not sealed yet. */
async function listAll(store: string): Promise<ListedTask[]> {
  const waiting = await readWaiting(store); // first: what is sealed meanwhile is then listed as sealed
  const sealed = waiting.size > 0 && (await readVkey(store)) === undefined ? [] : await listTasks(store);
  const known = new Set(sealed.map(({ id }) => id));
  const others = [...waiting].filter(([id]) => !known.has(id));
  return [...sealed, ...others.map(([id, task]) => toListed(id, task))];
}

function toListed(id: string, { record, declared }: KnownTask): ListedTask {
  const { type, agent = null } = parseDeclaration(record.declaration, `of ${id}`).task;
  const unknown = { verdict: null, window: {}, counts: null, pendingUntil: null, judgedUntil: null, open: null };
  return { id, type, declared, state: 'declared', agent, ...unknown };
}
