import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { runCommandLine } from '../../src/cli/program.ts';
import { claimIds } from '../../src/model/claim.ts';
import type { Report } from '../../src/model/report.ts';

/** Folder with one case in each folder: evidence as it comes from outside, and what must be said of it. */
export const casesFolder = join(process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared'), 'cases');
if (!existsSync(casesFolder)) {
  throw new Error(`${casesFolder} is missing: set TALLY_SHARED to the folder that holds cases/.`);
}

export const caseNames: readonly string[] = readdirSync(casesFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();
if (caseNames.length === 0) throw new Error(`${casesFolder} holds no cases: one folder each is wanted.`);

const expectation = z.strictObject({
  why: z.string(),
  exit: z.array(z.number()).min(1),
  verdict: z.array(z.enum(['proven', 'violated', 'unproven', 'pending'])).min(1),
  codes: z.array(z.string()).default([]),
  codesAny: z.array(z.string()).default([]),
  notCodes: z.array(z.string()).default([]),
  assumptions: z.array(z.string()).default([]),
  claims: z.partialRecord(z.enum(claimIds), z.enum(['holds', 'violated', 'unproven'])).default({}),
});

/** What a case's expect.json asks; an unknown key is an error, so that none is passed over. */
export function readExpectation(name: string): z.infer<typeof expectation> {
  return expectation.parse(JSON.parse(readFileSync(join(casesFolder, name, 'expect.json'), 'utf8')));
}

export interface CaseInputs {
  readonly tetragon: readonly string[];
  readonly sensor: readonly string[];
  readonly cloudtrail: readonly string[];
}

/** The evidence of a case, by path; what it does not have is left out. */
export function inputsOf(name: string): CaseInputs {
  const present = (file: string): string[] => [join(casesFolder, name, file)].filter((path) => existsSync(path));
  return {
    tetragon: present('tetragon.jsonl.gz'),
    sensor: present('sensor.jsonl.gz'),
    cloudtrail: present('cloudtrail'),
  };
}

/** The command line that audits a case, with evidence of its own or other. */
export function auditArguments(name: string, out: string, key: string, inputs = inputsOf(name)): string[] {
  const folder = join(casesFolder, name);
  const given = Object.entries(inputs).flatMap(([source, paths]: [string, readonly string[]]) =>
    paths.length > 0 ? [`--${source}`, ...paths] : [],
  );
  const files = ['--task', join(folder, 'task.yaml'), '--config', join(folder, 'config.yaml')];
  return ['audit', ...files, ...given, '--key', key, '--out', out, '--quiet'];
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process. */
export async function runTally(argv: readonly string[]): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCommandLine(argv, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env: {},
    terminal: false,
    colour: false,
  });
  return { exitCode, stdout, stderr };
}

export function readReport(out: string): Report {
  return JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
}

/** Codes of the findings that count: notes are only told. */
export function openCodes(report: Report): string[] {
  const findings = report.claims.flatMap((claim) => claim.findings).filter((finding) => finding.kind !== 'note');
  return [...new Set(findings.map((finding) => finding.code))].sort();
}

/** A scratch folder with a key pair, for a whole test file; `close` removes it. */
export async function openWorkshop(): Promise<{ folder: string; key: string; pub: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tally-cases-'));
  await runTally(['keygen', '--out', folder, '--quiet']);
  return {
    folder,
    key: join(folder, 'tally.key.pem'),
    pub: join(folder, 'tally.pub.pem'),
    close: () => rm(folder, { recursive: true }),
  };
}

/** Lines of a plain or gzip file, without the empty ones. */
export function readLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
  return text.split('\n').filter((line) => line !== '');
}

/** Paths of all files below a folder, relative to it, sorted. */
export function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
