import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import type { Report } from '../../src/model/report.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, with what it prints captured. */
export async function run(argv: readonly string[], io: Partial<Io> = {}): Promise<Ran> {
  const printed = { out: '', err: '' };
  const code = await runCommandLine(argv, {
    stdout: (text) => void (printed.out += text),
    stderr: (text) => void (printed.err += text),
    env: {},
    terminal: false,
    colour: false,
    ...io,
  });
  return { code, ...printed };
}

export const minimal = `apiVersion: tally/v1
kind: Task
task: { id: 7b3f, type: test }
workload: [ { env: { TASK_ID: 7b3f } } ]
`;

/** A folder that goes when the test ends, with a way to write files into it. */
export function workFolder(): {
  path: (name: string) => string;
  write: (name: string, data: string | Buffer) => string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'tally-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    write: (name, data) => {
      writeFileSync(path(name), data);
      return path(name);
    },
  };
}

export interface Audited extends Ran {
  /** The report on disk; fails where there is none. */
  readonly report: Report;
  readonly folder: string;
}

/** Audits a minimal task with these flags in a folder of its own. */
export async function audit(flags: readonly string[], declaration = minimal): Promise<Audited> {
  const work = workFolder();
  const folder = work.path('out');
  const task = work.write('task.yaml', declaration);
  const ran = await run(['audit', '--task', task, '--out', folder, ...flags]);
  return { ...ran, folder, report: readReport(folder, ran) };
}

function readReport(folder: string, ran: Ran): Report {
  const file = join(folder, 'report.json');
  if (!existsSync(file)) throw new Error(`No report; exit ${ran.code}: ${ran.err}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

const shared = process.env['TALLY_SHARED'] ?? new URL('../../../shared', import.meta.url).pathname;
const proven = `${shared}/cases/c01-benign`;

export function provenFile(name: string): string {
  const file = `${proven}/${name}`;
  if (!existsSync(file)) throw new Error(`${file} is missing: set TALLY_SHARED to the folder that holds cases/.`);
  return file;
}

export function provenText(name: string): string {
  return gunzipSync(readFileSync(provenFile(name))).toString();
}

/** Audits the recorded case that is proven, with some of its inputs replaced. */
export async function auditProven(replaced: Readonly<Record<string, string>>): Promise<Audited> {
  const inputs = {
    config: provenFile('config.yaml'),
    tetragon: provenFile('tetragon.jsonl.gz'),
    sensor: provenFile('sensor.jsonl.gz'),
    cloudtrail: provenFile('cloudtrail'),
    ...replaced,
  };
  const folder = workFolder().path('out');
  const flags = Object.entries(inputs).flatMap(([name, file]) => [`--${name}`, file]);
  const ran = await run(['audit', '--task', provenFile('task.yaml'), '--out', folder, ...flags]);
  return { ...ran, folder, report: readReport(folder, ran) };
}
