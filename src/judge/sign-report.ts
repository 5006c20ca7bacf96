import { createHash, type KeyObject } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimeTraceType, toRuntimeTrace } from '../attest/runtime-trace.ts';
import { tellFailure } from '../attest/service-failure.ts';
import { type SigningServices, signStatement, without } from '../attest/sign.ts';
import { toStatement } from '../attest/statement.ts';
import { svrType, toSvr } from '../attest/svr.ts';
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
  readonly services?: SigningServices | undefined;
  /** Told what a service did not do: a sentence. */
  readonly failed?: ((what: string) => void) | undefined;
  /** What the report leans on. */
  readonly evidence: Pick<Manifest, 'ledger' | 'segments' | 'files' | 'evidence'>;
}

/** Writes report.json, manifest.json, and three bundles: report, runtime trace and simple verification result. But for the signature the same input gives the same bytes. */
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
  const manifestSha256 = sha256(manifestBytes);
  const subjects = { manifestSha256, declarationSha256: manifest.declaration.sha256 };
  const statements = {
    report: toStatement({ ...subjects, predicate: report }),
    'runtime-trace': toStatement({
      ...subjects,
      predicateType: runtimeTraceType,
      predicate: toRuntimeTrace(report, manifestSha256),
    }),
    svr: toStatement({ ...subjects, predicateType: svrType, predicate: toSvr(report, manifest, manifestSha256) }),
  };
  await writeFileAtomic(join(out, 'report.json'), reportBytes);
  await writeFileAtomic(join(out, 'manifest.json'), manifestBytes);
  await writeBundles(statements, input);
}

/**
 * All of them or none: where one could not be signed, none is, and those that lie there from before go, since they are
 * about another report.
 */
async function writeBundles(
  statements: Readonly<Record<string, Buffer>>,
  { out, privateKey, services = {}, failed }: SignInput,
): Promise<void> {
  const bundles = new Map<string, Buffer>();
  let left: SigningServices = services;
  for (const [name, statement] of Object.entries(statements)) {
    const { bundle, failures } = await signStatement(statement, { privateKey, services: left });
    for (const failure of failures) failed?.(tellFailure(failure, bundle !== undefined));
    if (bundle === undefined) break;
    bundles.set(name, bundle);
    left = without(left, failures);
  }
  const names = Object.keys(statements);
  const isWhole = bundles.size === names.length;
  for (const name of names) {
    const file = join(out, `${name}.sigstore.json`);
    const bundle = isWhole ? bundles.get(name) : undefined;
    if (bundle === undefined) await rm(file, { force: true });
    else await writeFileAtomic(file, bundle);
  }
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
