import { join } from 'node:path';
import { cosignLedger } from '../attest/cosigned.ts';
import { askCollector } from '../collect/control-client.ts';
import { ledgerFolder } from '../evidence/ledger-segments.ts';
import { readStore, readUnsealed } from '../evidence/store-read.ts';
import { judgeStored, type StoredJudgement } from '../judge/judge-stored.ts';
import { signReport } from '../judge/sign-report.ts';
import { keepSummary, toSummary } from '../judge/task-summary.ts';
import { TallyError } from '../model/errors.ts';
import { makeOut } from './out-folder.ts';
import type { SigningKey } from './signing-key.ts';
import type { Services } from './signing-services.ts';
import { version } from './version.ts';
import { writeReadable } from './write-readable.ts';

export interface ReportInput {
  readonly task: string;
  readonly store: string;
  readonly out: string;
  readonly signing: SigningKey;
  readonly services: Services;
  /** Ask the services for a final report alone: a provisional one is made again and again, and the key signs it. */
  readonly finalOnly: boolean;
  readonly step: (what: string) => void;
  /** Told what a service did not do that the configuration names under `attest`. */
  readonly failed: (what: string) => void;
}

export interface Reported extends StoredJudgement {
  /** No key was given, and no certificate asked for: it was signed by a key made for it alone. */
  readonly throwAwayKey: boolean;
}

/** Judges a task from a live store, signs, and writes all outputs into `out`. */
export async function runReport(input: ReportInput): Promise<Reported> {
  const { task, store, out, signing, step, failed } = input;
  await makeOut(out);
  const judged = await judgeStored({ store, task, version, step });
  const { report, segments } = judged;
  const services = input.finalOnly && judged.state !== 'final' ? {} : input.services;
  step('signing');
  const kept = join(store, 'state', 'ledger.cosigned');
  // Also for a provisional report: it is the ledger that is witnessed, and the sooner the less of it could be made up later.
  const { witnesses } = input.services;
  const ledger = await cosignLedger(judged.ledger, { folder: ledgerFolder(store), kept, witnesses, failed });
  await signReport({
    out,
    privateKey: signing.privateKey,
    version,
    report,
    services,
    failed,
    declaration: judged.task.record.declaration,
    config: judged.config.text,
    evidence: {
      evidence: 'store',
      ledger,
      segments,
      files: segments.map(({ file, fileSha256 }) => ({ path: file, sha256: fileSha256 })),
    },
  });
  await writeReadable(out, report, { ...signing, services }, { folder: store, name: 'STORE' });
  await keepSummary(store, toSummary(judged));
  return { ...judged, throwAwayKey: signing.throwAway && services.keyless === undefined };
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
