import { askCollector } from '../collect/control-client.ts';
import { readStore, readUnsealed } from '../evidence/store-read.ts';
import { judgeStored, type StoredJudgement } from '../judge/judge-stored.ts';
import { signReport } from '../judge/sign-report.ts';
import { keepSummary, toSummary } from '../judge/task-summary.ts';
import { TallyError } from '../model/errors.ts';
import { makeOut } from './out-folder.ts';
import type { SigningKey } from './signing-key.ts';
import { version } from './version.ts';
import { writeReadable } from './write-readable.ts';

export interface ReportInput {
  readonly task: string;
  readonly store: string;
  readonly out: string;
  readonly signing: SigningKey;
  readonly step: (what: string) => void;
}

/** Judges a task from a live store, signs, and writes all outputs into `out`. */
export async function runReport({ task, store, out, signing, step }: ReportInput): Promise<StoredJudgement> {
  await makeOut(out);
  const judged = await judgeStored({ store, task, version, step });
  const { report, segments, ledger } = judged;
  step('signing');
  await signReport({
    out,
    privateKey: signing.privateKey,
    version,
    report,
    declaration: judged.task.record.declaration,
    config: judged.config.text,
    evidence: {
      evidence: 'store',
      ledger,
      segments,
      files: segments.map(({ file, fileSha256 }) => ({ path: file, sha256: fileSha256 })),
    },
  });
  await writeReadable(out, report, signing, 'STORE');
  await keepSummary(store, toSummary(judged));
  return judged;
}

/** Asks the collector of a store to seal what it holds. Gives what a reader has to know of it, undefined when all is sealed. */
export async function sealFirst(store: string): Promise<string | undefined> {
  let failed = '';
  try {
    const answer = await askCollector(store, 'POST', '/v1/seal');
    if (answer !== undefined && answer.status < 300) return undefined;
    if (answer !== undefined)
      failed = `The collector could not seal: ${JSON.stringify(answer.json['error'] ?? answer.status)}. `;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    failed = `${error.message} `;
  }
  const waiting = await countUnsealed(store);
  if (waiting === 0) return failed === '' ? undefined : failed.trim();
  const what = waiting === 1 ? 'One record is' : `${waiting} records are`;
  return `${failed}${what} not sealed yet, so not judged: start the collector, or run tally seal.`;
}

/** A log file may lie there still although its records are sealed: those don't count. */
async function countUnsealed(store: string): Promise<number> {
  const next = new Map<string, number>();
  const keyOf = (stream: string, origin: string): string => JSON.stringify([stream, origin]);
  for (const { stream, origin, lastSeq } of (await readStore(store)).segments) {
    const key = keyOf(stream, origin);
    next.set(key, Math.max(next.get(key) ?? 0, lastSeq + 1));
  }
  const counts = (await readUnsealed(store)).map(({ stream, origin, firstSeq, records }) =>
    Math.max(0, firstSeq + records - Math.max(firstSeq, next.get(keyOf(stream, origin)) ?? 0)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
