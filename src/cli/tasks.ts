import { Command, Option } from 'commander';
import { listTasks, type ListedTask } from '../judge/list-tasks.ts';
import { renderTasks } from '../report/tasks.ts';
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
      const all = await listTasks(flags.store);
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
