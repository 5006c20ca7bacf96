import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyHint } from '../attest/keys.ts';
import type { SigningServices } from '../attest/sign.ts';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { readCitedRecords } from '../judge/cited-records.ts';
import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { renderHtml } from '../report/html.ts';
import { isThere } from './out-folder.ts';
import { readPageScript } from './page-script.ts';
import type { SigningKey } from './signing-key.ts';

const identity = '--trusted-root ROOT.json --certificate-identity WHO --certificate-oidc-issuer URL';

export interface ReadableEvidence {
  /** Folder of the evidence or the live store. */
  readonly folder: string;
  /** How the command that verifies the report names it. */
  readonly name: string;
}

/** Writes report.html, and the public half of a key that was made for this report. Reads manifest.json, which is there already. */
export async function writeReadable(
  out: string,
  report: Report,
  { privateKey, throwAway, services }: SigningKey & { readonly services: SigningServices },
  evidence: ReadableEvidence,
): Promise<void> {
  const publicKey = createPublicKey(privateKey);
  const isKeyless = services.keyless !== undefined;
  if (throwAway && !isKeyless) {
    await writeFileAtomic(join(out, 'tally.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  const { segments } = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')) as Manifest;
  const html = renderHtml(report, {
    command: `tally verify report.sigstore.json ${isKeyless ? identity : '--key tally.pub.pem'} --evidence ${evidence.name}`,
    signedBy: isKeyless
      ? await signedKeyless(out)
      : `${keyHint(publicKey)}${throwAway ? ' (a key made for this report alone)' : ''}`,
    records: await readCitedRecords(evidence.folder, segments, report),
    script: await readPageScript(),
    sha256Base64: (text) => createHash('sha256').update(text).digest('base64'),
  });
  await writeFileAtomic(join(out, 'report.html'), html);
}

async function signedKeyless(out: string): Promise<string> {
  const isSigned = await isThere(join(out, 'report.sigstore.json'));
  return isSigned
    ? 'a certificate on an OIDC identity (keyless)'
    : 'nobody: the certificate to sign with could not be had';
}
