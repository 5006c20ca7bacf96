import { readStore } from '../evidence/store-read.ts';
import type { ListedTask } from '../model/listed-task.ts';
import { openDatabase } from '../query/database.ts';
import { checkFiles } from './check-files.ts';
import { ownStream } from './own-records.ts';
import { readTasks } from './store-tasks.ts';
import { readSummary } from './task-summary.ts';

export type { ListedTask } from '../model/listed-task.ts';

/** The sealed declarations of a live store, by time and then by id, each with what its last report said. */
export async function listTasks(store: string): Promise<ListedTask[]> {
  const { segments } = await readStore(store);
  const own = segments.filter(({ stream, origin }) => stream === ownStream && origin === 'declared');
  await checkFiles(store, own);
  const database = await openDatabase();
  try {
    const tasks: ListedTask[] = [];
    for (const { record, declaration, time } of await readTasks(database, store, own)) {
      const summary = await readSummary(store, record.task);
      tasks.push({
        id: record.task,
        type: declaration.task.type,
        declared: time,
        state: summary?.state ?? 'declared',
        verdict: summary?.verdict ?? null,
        window: summary?.window ?? {},
        counts: summary?.counts ?? null,
        pendingUntil: summary?.pendingUntil ?? null,
        agent: declaration.task.agent ?? null,
        judgedUntil: summary?.judgedUntil ?? null,
        open: summary?.open ?? null,
      });
    }
    return tasks;
  } finally {
    await database.close();
  }
}
