import type { KeyObject } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cosignLedger } from '../attest/cosigned.ts';
import { ledgerKey, maskKey } from '../attest/keys.ts';
import type { SigningServices } from '../attest/sign.ts';
import { makeFolder } from '../evidence/atomic-file.ts';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { sha256File } from '../evidence/seal.ts';
import { toVkey } from '../evidence/signed-note.ts';
import { appendEntries } from '../evidence/tiles.ts';
import type { AttestSettings } from '../model/attest.ts';
import { TallyError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { openDatabase } from '../query/database.ts';
import { ingest, type Inputs } from '../sources/ingest.ts';
import { judgeEvidence, writeTables } from './judge.ts';
import { sealOwnRecords } from './own-records.ts';
import { signReport } from './sign-report.ts';

/** Name of the ledger in its checkpoints, where the configuration gives it no other. */
export const ledgerOrigin = 'tallystick.dev/ledger';

export interface AuditInput {
  /** Texts as given: they are sealed as they are. */
  readonly declaration: string;
  readonly config: string | undefined;
  readonly policies: readonly string[];
  readonly inputs: Inputs;
  readonly out: string;
  readonly privateKey: KeyObject;
  readonly version: string;
  readonly step: (what: string) => void;
  readonly attest?: AttestSettings | undefined;
  /** The same settings, ready to sign with. */
  readonly services?: SigningServices;
  /** Told what a service that `attest` names did not do: the report is signed without it. */
  readonly failed?: (what: string) => void;
}

/** One shot: seals the inputs under `out/evidence`, judges them, signs, and writes report, manifest and bundle. */
export async function auditTask(input: AuditInput): Promise<Report> {
  const evidence = join(input.out, 'evidence');
  await makeFolder(input.out);
  if (await exists(evidence)) {
    throw new TallyError('usage', `${evidence} is there already; choose another --out or remove it.`);
  }
  await makeFolder(evidence);
  const database = await openDatabase();
  try {
    const context = { database, evidence, maskKey: maskKey(input.privateKey) };
    const { segments: ingested, problems } = await ingest(context, input.inputs, input.step);
    input.step('sealing');
    const own = await sealOwnRecords(database, evidence, [
      { origin: 'declaration', raw: input.declaration },
      ...(input.config === undefined ? [] : [{ origin: 'config', raw: input.config } as const]),
      ...input.policies.map((raw) => ({ origin: 'policy', raw }) as const),
      ...problems.map((problem) => ({ origin: 'problem', raw: canonicalJson(problem).toString() }) as const),
    ]);
    const segments = [...ingested, ...own].sort((a, b) => (a.file < b.file ? -1 : 1));
    const signer = { origin: input.attest?.origin ?? ledgerOrigin, privateKey: ledgerKey(input.privateKey) };
    const { checkpoint } = await appendEntries(join(evidence, 'ledger'), segments.map(canonicalJson), signer);
    input.step('judging');
    const report = await judgeEvidence(database, evidence, segments, input.version);
    await writeTables(database, evidence, segments.length);
    input.step('signing');
    const ledger = await cosignLedger(
      { vkey: toVkey(signer.origin, signer.privateKey), checkpoint },
      {
        folder: join(evidence, 'ledger'),
        kept: join(evidence, 'ledger.cosigned'),
        witnesses: input.attest?.witnesses,
        failed: input.failed,
      },
    );
    const files = await listFiles(evidence);
    await signReport({ ...input, report, evidence: { ledger, segments, files } });
    return report;
  } finally {
    await database.close();
  }
}

/** Every file below a folder with its digest, sorted by path. Anything but plain files and folders is an integrity error. */
export async function listFiles(folder: string): Promise<{ path: string; sha256: string }[]> {
  const files: { path: string; sha256: string }[] = [];
  const walk = async (part: string): Promise<void> => {
    for (const entry of await readdir(join(folder, part), { withFileTypes: true })) {
      const path = part === '' ? entry.name : `${part}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) files.push({ path, sha256: await sha256File(join(folder, path)) });
      else throw new TallyError('integrity', `${path} is neither a file nor a folder: it can't be evidence.`);
    }
  };
  await walk('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
