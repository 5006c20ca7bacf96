import { Command, Option } from 'commander';
import type { KnownTask } from '../collect/declarations.ts';
import { readDeclared } from '../collect/declared-tasks.ts';
import { readVkey } from '../evidence/store-read.ts';
import { listTasks, type ListedTask } from '../judge/list-tasks.ts';
import { renderTasks } from '../report/tasks.ts';
import { parseDeclaration } from '../model/declaration.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';

interface Flags {
  readonly store: string;
  readonly state?: string;
  readonly verdict?: string;
  readonly type?: string;
}

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
    .action(async (flags: Flags, command: Command) => {
      const globals = command.optsWithGlobals<GlobalFlags>();
      const all = await listAll(flags.store);
      const chosen = all.filter((task) => fits(task, flags));
      if (globals.json === true) io.stdout(toJsonText(chosen, 2));
      else if (globals.quiet !== true)
        io.stdout(renderTasks(chosen, all.length, { color: io.colour && globals.color !== false }));
    });
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
  const declared = await readDeclared(store);
  const sealed = declared.size > 0 && (await readVkey(store)) === undefined ? [] : await listTasks(store);
  const known = new Set(sealed.map(({ id }) => id));
  const waiting = [...declared].filter(([id]) => !known.has(id));
  return [...sealed, ...waiting.map(([id, task]) => toListed(id, task))];
}

function toListed(id: string, { record, declared }: KnownTask): ListedTask {
  const { type } = parseDeclaration(record.declaration, `of ${id}`).task;
  return { id, type, declared, state: 'declared', verdict: null, window: {}, counts: null, pendingUntil: null };
}
