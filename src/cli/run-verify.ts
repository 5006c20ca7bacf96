import { createHash, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkCosignatures } from '../attest/cosigned.ts';
import { loadPublicKey } from '../attest/keys.ts';
import { checkReport, openManifest } from '../attest/manifest.ts';
import { runtimeTraceType, toRuntimeTrace } from '../attest/runtime-trace.ts';
import { svrType, toSvr } from '../attest/svr.ts';
import { reportOf, type Statement } from '../attest/statement.ts';
import { parseTrustedRoot } from '../attest/trusted-root.ts';
import { type Identity, verifyBundle, type VerifiedBundle, type VerifyOptions } from '../attest/verify.ts';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { verifyEvidence } from '../judge/verify-evidence.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { decideVerdict } from '../proof/verdict.ts';
import { isThere } from './out-folder.ts';
import { version } from './version.ts';

export interface Verified {
  readonly report: Report;
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
  /** Evidence was given, but the claims could not be judged again over it. */
  readonly notJudged?: boolean;
}

/**
 * Verifies a bundle: its signature always, manifest.json and report.json where they lie beside it, and with an evidence
 * folder all that it holds. Throws TallyError `integrity` naming the file that is not as signed.
 */
export async function runVerify(
  bundle: string,
  trust: string | Trust,
  evidence: string | undefined,
  witnesses: readonly string[] = [],
): Promise<Verified> {
  const { signer, who, vouched, options } = await openTrust(typeof trust === 'string' ? { key: trust } : trust);
  const bytes = await readRequired(bundle, 'the bundle');
  const open = (name: string, content: Buffer): VerifiedBundle =>
    nameFile(name, () => verifyBundle(content, signer, options));
  const verified = open(basename(bundle), bytes);
  const report = reportOf(verified.statement);
  if (report === undefined)
    throw new TallyError('input', `${bundle} is signed by ${who}, but is no report of tallystick.`);
  if (decideVerdict(report.claims).verdict !== report.verdict)
    throw new TallyError('integrity', `${basename(bundle)}: the verdict is not the one that its own claims give.`);
  const result = await verifyBehind(bundle, { ...verified, report, open }, evidence, witnesses);
  return {
    ...result,
    checked: [`the signature over ${basename(bundle)}, with ${vouched}`, ...verified.checked, ...result.checked],
    notChecked: [...verified.notChecked, ...result.notChecked],
  };
}

interface Opened {
  readonly statement: Statement;
  readonly report: Report;
  /** Verifies another bundle by the same signer. */
  readonly open: (name: string, content: Buffer) => VerifiedBundle;
}

/** What the signature vouches for. */
async function verifyBehind(
  bundle: string,
  { statement, report, open }: Opened,
  evidence: string | undefined,
  witnesses: readonly string[],
): Promise<Verified> {
  const checked: string[] = [];
  const beside = (name: string): string => join(dirname(bundle), name);
  const reportBytes = await readOptional(beside('report.json'));
  const manifestBytes = await readOptional(beside('manifest.json'));
  if (manifestBytes === undefined) {
    if (evidence !== undefined || witnesses.length > 0)
      throw new TallyError(
        'integrity',
        'manifest.json is missing beside the bundle: neither evidence nor cosignatures can be checked without it.',
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
  const others = await verifyOthers(
    beside,
    (name, content) => {
      nameFile(name, () => {
        const other = open(name, content).statement;
        openManifest(manifestBytes, other);
        checkForm(name, other, report, manifest, sha256(manifestBytes));
      });
    },
    manifest.tool.version === version,
  );
  checked.push(...others.checked);
  const cosigned = checkCosignatures(manifest.ledger, witnesses);
  checked.push(...cosigned.checked);
  const absent = [
    ...(reportBytes === undefined ? ['report.json (not beside the bundle)'] : []),
    ...others.notChecked,
    ...cosigned.notChecked,
  ];
  if (reportBytes !== undefined) {
    checkReport(reportBytes, manifest, report);
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
    notJudged: !result.judged,
    checked: [...checked, ...result.checked],
    notChecked: [
      ...absent,
      ...result.notChecked,
      'report.html, a rendering that is not signed',
      'whether records are missing that were never handed in',
    ],
  };
}

/** The report in other forms, signed beside it. */
async function verifyOthers(
  beside: (name: string) => string,
  check: (name: string, content: Buffer) => void,
  isOurs: boolean,
): Promise<{ checked: string[]; notChecked: string[] }> {
  const [checked, notChecked]: [string[], string[]] = [[], []];
  for (const name of ['runtime-trace.sigstore.json', 'svr.sigstore.json']) {
    const content = await readOptional(beside(name));
    if (content !== undefined) check(name, content);
    if (content === undefined) notChecked.push(`${name} (not beside the bundle)`);
    else if (isOurs) checked.push(name);
    else notChecked.push(`whether ${name} says what the report says (another version wrote it; its signature fits)`);
  }
  return { checked, notChecked };
}

/** That a signed form is the one its name says, and as this version writes it of the report. */
function checkForm(
  name: string,
  statement: Statement,
  report: Report,
  manifest: Manifest,
  manifestSha256: string,
): void {
  const isTrace = name.startsWith('runtime-trace');
  const written = isTrace ? toRuntimeTrace(report, manifestSha256) : toSvr(report, manifest, manifestSha256);
  const same = manifest.tool.version !== version || canonicalJson(written).equals(canonicalJson(statement.predicate));
  if (statement.predicateType !== (isTrace ? runtimeTraceType : svrType) || !same)
    throw new TallyError('integrity', 'it is signed, but says something else than the report.');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whose signature counts, as given on the command line. */
export interface Trust {
  readonly key?: string | undefined;
  readonly trustedRoot?: string | undefined;
  readonly certificateIdentity?: string | undefined;
  readonly certificateOidcIssuer?: string | undefined;
  readonly requireTimestamp?: boolean | undefined;
  readonly requireLogEntry?: boolean | undefined;
}

interface OpenTrust {
  readonly signer: KeyObject | Identity;
  readonly who: string;
  /** Who that is, for a person. */
  readonly vouched: string;
  readonly options: VerifyOptions;
}

async function openTrust(trust: Trust): Promise<OpenTrust> {
  const { key, trustedRoot, certificateIdentity: subject, certificateOidcIssuer: issuer } = trust;
  const root = trustedRoot === undefined ? undefined : await readRequired(trustedRoot, 'the trusted root');
  const options: VerifyOptions = {
    trusted: root === undefined ? undefined : parseTrustedRoot(root.toString(), trustedRoot ?? ''),
    needsTimestamp: trust.requireTimestamp === true,
    needsLogEntry: trust.requireLogEntry === true,
  };
  if (key !== undefined && subject === undefined && issuer === undefined)
    return { signer: loadPublicKey(key), who: 'this key', vouched: 'the key given', options };
  if (key !== undefined || !isGiven(subject) || !isGiven(issuer) || root === undefined)
    throw new TallyError(
      'usage',
      'who must have signed? Give --key FILE, or for a bundle that is signed with a certificate all of --trusted-root FILE, --certificate-identity ID and --certificate-oidc-issuer URL.',
    );
  const vouched = `a certificate on ${subject}, for whom ${issuer} vouched`;
  return { signer: { subject, issuer }, who: subject, vouched, options };
}

/** An empty name would fit a certificate that has none. */
function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
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
