import { createHash } from 'node:crypto';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import type { Statement } from './statement.ts';

/** `manifest.json` as it was signed: its digest is a subject of the statement. Throws `integrity` otherwise. */
export function openManifest(bytes: Buffer, statement: Statement): Manifest {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const subject = statement.subject.find(({ name }) => name === 'manifest.json');
  if (subject === undefined) {
    throw new TallyError('integrity', 'the statement is not about manifest.json: it names no subject of that name.');
  }
  if (subject.digest['sha256'] !== digest) {
    throw new TallyError('integrity', 'manifest.json is not the one that was signed: its SHA-256 differs.');
  }
  const manifest = JSON.parse(bytes.toString()) as Manifest; // signed bytes: whoever signed vouches for their form
  const declaration = statement.subject.find(({ name }) => name === 'declaration');
  if (declaration !== undefined && declaration.digest['sha256'] !== manifest.declaration.sha256) {
    throw new TallyError('integrity', 'manifest.json names another declaration than the statement.');
  }
  return manifest;
}

/** Throws `integrity` when these are not the bytes of the report.json that was written with the manifest, or not of the signed report. */
export function checkReport(reportBytes: Buffer, manifest: Manifest, report: Report): void {
  const digest = createHash('sha256').update(reportBytes).digest('hex');
  if (digest !== manifest.report.sha256) {
    throw new TallyError('integrity', 'report.json is not the one that was signed: its SHA-256 differs.');
  }
  if (!canonicalJson(JSON.parse(reportBytes.toString())).equals(canonicalJson(report))) {
    throw new TallyError('integrity', 'report.json says something else than the signed statement.');
  }
}
