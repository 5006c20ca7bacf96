import { createHash, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { keyHint } from '../attest/keys.ts';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import type { Report } from '../model/report.ts';
import { renderHtml } from '../report/html.ts';
import type { SigningKey } from './signing-key.ts';

/** Writes report.html, and the public half of a key that was made for this report. `evidence`: what to verify it with. */
export async function writeReadable(
  out: string,
  report: Report,
  { privateKey, throwAway }: SigningKey,
  evidence: string,
): Promise<void> {
  const publicKey = createPublicKey(privateKey);
  if (throwAway) {
    await writeFileAtomic(join(out, 'tally.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  const html = renderHtml(report, {
    command: `tally verify report.sigstore.json --key tally.pub.pem --evidence ${evidence}`,
    signedBy: `${keyHint(publicKey)}${throwAway ? ' (a key made for this report alone)' : ''}`,
    sha256Base64: (text) => createHash('sha256').update(text).digest('base64'),
  });
  await writeFileAtomic(join(out, 'report.html'), html);
}
