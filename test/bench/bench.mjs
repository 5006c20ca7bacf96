// Time and memory of the whole path: npm run bench [-- MEGABYTES]. Compare ratios within one run: machines differ.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const megabytes = Number(process.argv[2] ?? 300);
const scratch = mkdtempSync(join(tmpdir(), 'tally-bench-'));

/** Runs the built command and measures its wall time and highest memory. */
async function measure(name, args, bytes) {
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: 'ignore' });
  let peak = 0;
  const poll = setInterval(() => {
    try {
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch {
      // ended, or no /proc on this system
    }
  }, 50);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(poll);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const rate = bytes === undefined ? '' : `  ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  console.log(`${name.padEnd(28)} ${seconds.toFixed(1)} s  ${(peak / 1024).toFixed(0)} MiB  exit ${code}${rate}`);
}

const recording = join(root, 'demo/gap/tetragon.jsonl.gz');
const large = join(scratch, 'large.jsonl');
spawnSync(process.execPath, [join(root, 'test/bench/make-export.mjs'), recording, large, String(megabytes)]);
writeFileSync(
  join(scratch, 'task.yaml'),
  `apiVersion: tally/v1\nkind: Task\ntask: { id: bench, type: bench }\nworkload: [ { env: { TASK_ID: 0ff1 } } ]\n`,
);
const audit = (out, tetragon) => [
  'audit',
  '--task',
  join(scratch, 'task.yaml'),
  '--tetragon',
  tetragon,
  '--out',
  join(scratch, out),
];
await measure('demo (four tasks)', ['demo', '--out', join(scratch, 'demo')]);
await measure('audit, 18 MB recording', audit('small', recording));
await measure(`audit, ${megabytes} MB export`, audit('large', large), statSync(large).size);
await measure('verify with evidence', [
  'verify',
  join(scratch, 'large/report.sigstore.json'),
  '--key',
  join(scratch, 'large/tally.pub.pem'),
  '--evidence',
  join(scratch, 'large/evidence'),
]);
rmSync(scratch, { recursive: true, force: true });
