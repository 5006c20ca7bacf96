import { createHash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { signBundle } from '../attest/bundle.ts';
import { toStatement } from '../attest/statement.ts';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { canonicalJson } from '../evidence/canonical-json.ts';
import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { queryDigests } from '../query/queries.ts';

export interface SignInput {
  /** Folder that is there. */
  readonly out: string;
  readonly privateKey: KeyObject;
  readonly version: string;
  readonly report: Report;
  /** Texts as they were sealed. */
  readonly declaration: string;
  readonly config: string | undefined;
  /** What the report leans on. */
  readonly evidence: Pick<Manifest, 'ledger' | 'segments' | 'files' | 'evidence'>;
}

/** Writes report.json, manifest.json and report.sigstore.json. But for the signature the same input gives the same bytes. */
export async function signReport(input: SignInput): Promise<void> {
  const { out, report, declaration, config, evidence } = input;
  const reportBytes = Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
  const manifest: Manifest = {
    schema: 'tallystick/manifest/v1',
    declaration: { sha256: sha256(declaration) },
    config: config === undefined ? null : { sha256: sha256(config) },
    report: { sha256: sha256(reportBytes) },
    ...evidence,
    queries: queryDigests(),
    tool: { name: 'tallystick', version: input.version },
  };
  const manifestBytes = Buffer.concat([canonicalJson(manifest), Buffer.from('\n')]);
  const statement = toStatement({
    manifestSha256: sha256(manifestBytes),
    declarationSha256: manifest.declaration.sha256,
    predicate: report,
  });
  await writeFileAtomic(join(out, 'report.json'), reportBytes);
  await writeFileAtomic(join(out, 'manifest.json'), manifestBytes);
  await writeFileAtomic(join(out, 'report.sigstore.json'), signBundle(statement, input.privateKey));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
