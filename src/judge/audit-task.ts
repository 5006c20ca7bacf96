import { createHash, type KeyObject } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { signBundle } from '../attest/bundle.ts';
import { ledgerKey, maskKey } from '../attest/keys.ts';
import { toStatement } from '../attest/statement.ts';
import { makeFolder, writeFileAtomic } from '../evidence/atomic-file.ts';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { sha256File } from '../evidence/seal.ts';
import { toVkey } from '../evidence/signed-note.ts';
import { appendEntries } from '../evidence/tiles.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest, Segment } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { openDatabase } from '../query/database.ts';
import { queryDigests } from '../query/queries.ts';
import { ingest, type Inputs } from '../sources/ingest.ts';
import { judgeEvidence, writeTables } from './judge.ts';
import { sealOwnRecords } from './own-records.ts';

/** Name of the ledger in its checkpoints. */
const ledgerOrigin = 'tallystick.dev/ledger';

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
    const signer = { origin: ledgerOrigin, privateKey: ledgerKey(input.privateKey) };
    const { checkpoint } = await appendEntries(join(evidence, 'ledger'), segments.map(canonicalJson), signer);
    input.step('judging');
    const report = await judgeEvidence(database, evidence, segments, input.version);
    await writeTables(database, evidence, segments.length);
    input.step('signing');
    const ledger = { vkey: toVkey(ledgerOrigin, signer.privateKey), checkpoint };
    await writeReport(input, evidence, report, segments, ledger);
    return report;
  } finally {
    await database.close();
  }
}

async function writeReport(
  input: AuditInput,
  evidence: string,
  report: Report,
  segments: readonly Segment[],
  ledger: Manifest['ledger'],
): Promise<void> {
  const reportBytes = Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
  const manifest: Manifest = {
    schema: 'tallystick/manifest/v1',
    declaration: { sha256: sha256(input.declaration) },
    config: input.config === undefined ? null : { sha256: sha256(input.config) },
    report: { sha256: sha256(reportBytes) },
    ledger,
    segments,
    files: await listFiles(evidence),
    queries: queryDigests(),
    tool: { name: 'tallystick', version: input.version },
  };
  const manifestBytes = Buffer.concat([canonicalJson(manifest), Buffer.from('\n')]);
  const statement = toStatement({
    manifestSha256: sha256(manifestBytes),
    declarationSha256: manifest.declaration.sha256,
    predicate: report,
  });
  await writeFileAtomic(join(input.out, 'report.json'), reportBytes);
  await writeFileAtomic(join(input.out, 'manifest.json'), manifestBytes);
  await writeFileAtomic(join(input.out, 'report.sigstore.json'), signBundle(statement, input.privateKey));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
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
