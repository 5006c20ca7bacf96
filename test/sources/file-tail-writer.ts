import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A program that writes lines to a file and rotates it as lumberjack does. */
export interface Writer {
  readonly path: string;
  /** Lines that were written to their end, in order. */
  readonly written: string[];
  write(lines: number, size?: number): Promise<void>;
  /** A line without its end; the next write completes it. `json`: all but the line end is there. */
  writeHalf(isJson: boolean): Promise<void>;
  rotate(isPacked?: boolean): Promise<void>;
  /** Compresses what was rotated. */
  pack(): Promise<void>;
  /** Deletes all but the newest rotated files. */
  prune(keep: number): Promise<void>;
  empty(): Promise<void>;
}

export function timeOf(line: string): bigint {
  const [, ms = '', ns = ''] = /"time":"([^"]{19}\.\d{3})(\d{6})Z"/.exec(line) ?? [];
  return BigInt(Date.parse(`${ms}Z`)) * 1_000_000n + BigInt(ns);
}

export function lineWriter(path: string): Writer {
  const written: string[] = [];
  let rotations = 0;
  let half: { line: string; rest: string; isJson: boolean } | undefined;
  let last = 0n;

  function nextLine(size: number): string {
    const at = BigInt(Date.now()) * 1_000_000n;
    last = at > last ? at : last + 1n;
    const time = `${new Date(Number(last / 1_000_000n)).toISOString().slice(0, 23)}${String(last % 1_000_000n).padStart(6, '0')}Z`;
    return `{"pad":"${'x'.repeat(size)}","n":${written.length},"time":"${time}"}`;
  }

  async function rotated(): Promise<string[]> {
    const stem = basename(path, '.log');
    const names = (await readdir(dirname(path))).filter((name) => name.startsWith(`${stem}-`));
    return names.sort().map((name) => join(dirname(path), name));
  }

  async function packOne(file: string): Promise<void> {
    const bytes = gzipSync(await readFile(file));
    await writeFile(`${file}.gz`, bytes.subarray(0, bytes.length / 2));
    await writeFile(`${file}.gz`, bytes);
    await rm(file);
  }

  function leaveHalf(): void {
    if (half?.isJson === true) written.push(half.line);
    half = undefined;
  }

  return {
    path,
    written,
    async write(lines, size = 10) {
      let text = '';
      if (half !== undefined) {
        text = `${half.rest}\n`;
        written.push(half.line);
        half = undefined;
      }
      for (let n = 0; n < lines; n += 1) {
        const line = nextLine(size);
        text += `${line}\n`;
        written.push(line);
      }
      await appendFile(path, text);
    },
    async writeHalf(isJson) {
      if (half !== undefined) return;
      const line = nextLine(2000);
      const cut = isJson ? line.length : 20;
      half = { line, rest: line.slice(cut), isJson };
      await appendFile(path, line.slice(0, cut));
    },
    async rotate(isPacked = false) {
      leaveHalf();
      rotations += 1;
      const stamp = new Date(Date.UTC(2026, 0, 1) + rotations * 1000).toISOString().slice(0, 23).replaceAll(':', '-');
      const away = join(dirname(path), `${basename(path, '.log')}-${stamp}.log`);
      await rename(path, away);
      await writeFile(path, '');
      if (isPacked) await packOne(away);
    },
    async pack() {
      for (const file of await rotated()) if (file.endsWith('.log')) await packOne(file);
    },
    async prune(keep) {
      const files = await rotated();
      for (const file of files.slice(0, Math.max(0, files.length - keep))) await rm(file);
    },
    async empty() {
      leaveHalf();
      await truncate(path);
    },
  };
}
