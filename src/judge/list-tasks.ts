import { readStore } from '../evidence/store-read.ts';
import type { ListedTask } from '../model/listed-task.ts';
import type { TaskSummary } from '../model/task-summary.ts';
import { openDatabase } from '../query/database.ts';
import { checkFiles } from './check-files.ts';
import { ownStream } from './own-records.ts';
import { type DeclaredRow, openDeclaration, readDeclaredRows } from './store-tasks.ts';
import { declarationDigest, readSummaries } from './task-summary.ts';

export type { ListedTask } from '../model/listed-task.ts';

/** The sealed declarations of a live store, by time and then by id, each with what its last report said. */
export async function listTasks(store: string): Promise<ListedTask[]> {
  const { segments } = await readStore(store);
  const own = segments.filter(({ stream, origin }) => stream === ownStream && origin === 'declared');
  await checkFiles(store, own);
  const database = await openDatabase();
  try {
    const declared = await readDeclaredRows(database, store, own);
    const summaries = await readSummaries(store, [...declared.keys()]);
    const tasks = [...declared].flatMap(([id, rows]) => toListed(id, rows, summaries.get(id)) ?? []);
    return tasks.sort((a, b) => compare(a.declared, b.declared) || compare(a.id, b.id));
  } finally {
    await database.close();
  }
}

/** Of the first record that declares the task; undefined where none does. */
function toListed(id: string, rows: readonly DeclaredRow[], summary: TaskSummary | undefined): ListedTask | undefined {
  for (const row of rows) {
    const head = headOf(row, summary);
    if (head === undefined) continue;
    return {
      id,
      type: head.type,
      declared: row.time,
      state: summary?.state ?? 'declared',
      verdict: summary?.verdict ?? null,
      window: summary?.window ?? {},
      counts: summary?.counts ?? null,
      pendingUntil: summary?.pendingUntil ?? null,
      agent: head.agent ?? null,
      judgedUntil: summary?.judgedUntil ?? null,
      open: summary?.open ?? null,
    };
  }
  return undefined;
}

interface Head {
  readonly type: string;
  readonly agent?: string | null | undefined;
}

/** Reading YAML takes far longer than all else here, so that is left out where the summary knows this very text. */
function headOf({ record }: DeclaredRow, summary: TaskSummary | undefined): Head | undefined {
  const kept = summary?.declaration;
  return kept?.sha256 === declarationDigest(record) ? kept : openDeclaration(record)?.task;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
