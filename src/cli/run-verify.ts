import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadPublicKey } from '../attest/keys.ts';
import { checkReport, openManifest } from '../attest/manifest.ts';
import { reportOf } from '../attest/statement.ts';
import { verifyBundle } from '../attest/verify.ts';
import { verifyEvidence } from '../judge/verify-evidence.ts';
import { TallyError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { isThere } from './out-folder.ts';

export interface Verified {
  readonly report: Report;
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

/**
 * Verifies a bundle: its signature always, manifest.json and report.json where they lie beside it, and with an evidence
 * folder all that it holds. Throws TallyError `integrity` naming the file that is not as signed.
 */
export async function runVerify(bundle: string, key: string, evidence: string | undefined): Promise<Verified> {
  const publicKey = loadPublicKey(key);
  const bytes = await readRequired(bundle, 'the bundle');
  const { statement } = nameFile(basename(bundle), () => verifyBundle(bytes, publicKey));
  const report = reportOf(statement);
  if (report === undefined) {
    throw new TallyError('input', `${bundle} is signed by this key, but is no report of tallystick.`);
  }
  const checked = [`the signature over ${basename(bundle)}, with the key given`];
  const beside = (name: string): string => join(dirname(bundle), name);
  const reportBytes = await readOptional(beside('report.json'));
  const manifestBytes = await readOptional(beside('manifest.json'));
  if (manifestBytes === undefined) {
    if (evidence !== undefined)
      throw new TallyError(
        'integrity',
        'manifest.json is missing beside the bundle: the evidence can’t be checked without it.',
      );
    return {
      report,
      checked,
      notChecked: [
        'manifest.json (not beside the bundle)',
        ...(reportBytes === undefined ? [] : ['report.json (only manifest.json names it)']),
        'the evidence (give --evidence DIR)',
      ],
    };
  }
  const manifest = openManifest(manifestBytes, statement);
  checked.push('manifest.json, which the statement names');
  const absent = reportBytes === undefined ? ['report.json (not beside the bundle)'] : [];
  if (reportBytes !== undefined) {
    checkReport(reportBytes, manifest);
    checked.push('report.json');
  }
  if (evidence === undefined) {
    return {
      report,
      checked,
      notChecked: [
        ...absent,
        'the evidence behind the report (give --evidence DIR)',
        'report.html, a rendering that is not signed',
      ],
    };
  }
  const result = await verifyEvidence(await evidenceFolder(evidence), manifest, report);
  return {
    report,
    checked: [...checked, ...result.checked],
    notChecked: [
      ...absent,
      ...result.notChecked,
      'report.html, a rendering that is not signed',
      'whether records are missing that were never handed in',
    ],
  };
}

function nameFile<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw new TallyError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}

async function readRequired(path: string, what: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new TallyError('input', `${what} can't be read: ${path}; check the path.`, { cause });
  });
}

/** Undefined where there is no such file; one that can't be read is an error, never taken for a missing one. */
async function readOptional(path: string): Promise<Buffer | undefined> {
  return (await isThere(path)) ? readRequired(path, basename(path)) : undefined;
}

/** The folder itself, or the output folder that holds it. */
async function evidenceFolder(path: string): Promise<string> {
  if (!(await isThere(path))) throw new TallyError('input', `there is no ${path} (--evidence); check the path.`);
  for (const folder of [path, join(path, 'evidence')]) {
    if (await isThere(join(folder, 'ledger'))) return folder;
  }
  throw new TallyError(
    'integrity',
    `ledger is missing in ${path}: this is no evidence folder, or its ledger was removed.`,
  );
}
