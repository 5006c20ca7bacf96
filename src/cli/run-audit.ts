import { readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { auditTask } from '../judge/audit-task.ts';
import { parseConfig } from '../model/config.ts';
import { type Declaration, parseDeclaration } from '../model/declaration.ts';
import { TallyError } from '../model/errors.ts';
import { parseGranted } from '../model/granted.ts';
import type { Report } from '../model/report.ts';
import type { Inputs } from '../sources/ingest.ts';
import { isThere, makeOut } from './out-folder.ts';
import { openSigningKey } from './signing-key.ts';
import { toServices } from './signing-services.ts';
import { version } from './version.ts';
import { writeReadable } from './write-readable.ts';

export interface AuditFiles {
  readonly task: string;
  readonly config: string | undefined;
  readonly key: string | undefined;
  readonly inputs: Inputs;
  readonly out: string;
}

export interface Audited {
  readonly report: Report;
  /** Set when no key was given: the report was signed by a key made for it alone. */
  readonly throwAwayKey: boolean;
}

/** Reads declaration, configuration and key, audits, and writes all outputs into `out`. */
export async function runAudit(
  files: AuditFiles,
  env: Readonly<Record<string, string | undefined>>,
  step: (what: string) => void,
  failed?: (what: string) => void,
): Promise<Audited> {
  const declaration = await readText(files.task, 'the declaration (--task)');
  const parsed = parseDeclaration(declaration, files.task);
  const config = files.config === undefined ? undefined : await readText(files.config, 'the configuration (--config)');
  const { attest } = parseConfig(config ?? '', files.config ?? '');
  const policies = await readPolicies(parsed, files.task);
  const signing = openSigningKey(files.key, env);
  const services = toServices(attest, files.config, env);
  await makeOut(files.out);
  const evidence = join(files.out, 'evidence');
  if (await isThere(evidence)) {
    throw new TallyError('usage', `${evidence} is there already; choose another --out or remove it.`);
  }
  const report = await auditTask({
    declaration,
    config,
    policies,
    inputs: files.inputs,
    out: files.out,
    privateKey: signing.privateKey,
    version,
    step,
    attest,
    services,
    ...(failed === undefined ? {} : { failed }),
  }).catch(async (error: unknown) => {
    // half of it proves nothing, and would be in the way of another try
    await rm(evidence, { recursive: true, force: true });
    throw error;
  });
  await writeReadable(files.out, report, { ...signing, services }, { folder: evidence, name: 'evidence' });
  return { report, throwAwayKey: signing.throwAway && services.keyless === undefined };
}

/** Granted policies stand beside the declaration. */
async function readPolicies(declaration: Declaration, task: string): Promise<string[]> {
  const policies: string[] = [];
  for (const { provider, policy } of declaration.credentials) {
    if (policy === undefined || provider !== 'aws') continue;
    const path = resolve(dirname(task), policy);
    const text = await readText(path, `the granted policy ${JSON.stringify(policy)}`);
    checkGranted(text, path);
    policies.push(text);
  }
  return policies;
}

function checkGranted(text: string, path: string): void {
  try {
    parseGranted(text);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw new TallyError(error.code, `${path}: ${error.message}`, { cause: error, details: error.details });
  }
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `${what} can't be read: ${path}; check the path.`, { cause });
  });
}
