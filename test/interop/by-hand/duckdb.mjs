// DuckDB's own command line, from the package that its makers publish for Python.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const version = '1.5.6';
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tallystick', 'interop-duckdb');

/** The folder with the program `duckdb`, installed once. */
export function installDuckdb() {
  const folder = join(cache, version);
  const programs = join(folder, 'duckdb_cli');
  if (existsSync(join(programs, 'duckdb'))) return programs;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'new-'));
  try {
    const stdio = ['ignore', 2, 2];
    const target = ['-m', 'pip', 'install', '--quiet', '--target', join(draft, 'packages'), `duckdb-cli==${version}`];
    execFileSync(findPip(draft), target, { stdio });
    renameSync(join(draft, 'packages'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return programs;
}

/** A Python with pip: the system's, else one of a virtual environment. */
function findPip(draft) {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return 'python3';
  } catch {
    execFileSync('python3', ['-m', 'venv', join(draft, 'venv')], { stdio: ['ignore', 2, 2] });
    return join(draft, 'venv', 'bin', 'python3');
  }
}
