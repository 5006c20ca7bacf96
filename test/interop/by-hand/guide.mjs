// The commands of docs/verify.md, taken from it as they stand.
/* global URL */
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { run } from '../checks.mjs';

const guide = fileURLToPath(new URL('../../../docs/verify.md', import.meta.url));

/** The blocks marked `sh`: section (0 before the first number), commands, and the `text` that stands right behind. */
export function readGuide() {
  const text = readFileSync(guide, 'utf8');
  const found = text.matchAll(/^## (\d+)\.|^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?/gms);
  let section = 0;
  const blocks = [];
  for (const [, number, commands, expected] of found) {
    if (number !== undefined) section = Number(number);
    else blocks.push({ section, commands, expected });
  }
  return blocks;
}

/**
 * Runs blocks one after another in one bash that stops at the first failure. The result of each: `ok`, `failed` (its exit code, or
 * that of a command before its last one), or `not run`, and what it printed.
 */
export async function runBlocks(blocks, { folder, path, scratch }) {
  mkdirSync(scratch, { recursive: true });
  const script = blocks.map(
    ({ commands }) => `${commands}\ncode=$?; printf '\\n@@ %d\\n' "$code"; [ "$code" = 0 ] || exit "$code"\n`,
  );
  const env = { ...process.env, PATH: `${path}:${process.env.PATH}`, TMPDIR: mkdtempSync(join(scratch, 'tmp-')) };
  const { code, out, err } = await run('bash', ['-e', '-c', script.join('')], { cwd: folder, env });
  const parts = out.split(/\n@@ (\d+)\n/);
  const results = blocks.map((block, at) => {
    const status = parts[2 * at + 1];
    const ran = status !== undefined || parts[2 * at] !== undefined;
    return { ...block, state: status === '0' ? 'ok' : ran ? 'failed' : 'not run', printed: parts[2 * at] ?? '' };
  });
  return { code, err, results };
}

/** Whether this is what the guide shows; `…` stands for anything. */
export function isAsShown(printed, expected) {
  const pattern = expected.trim().split('…').map(escapeRegex).join('[^]*');
  return new RegExp(`^${pattern}$`).test(printed.trim());
}

function escapeRegex(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
