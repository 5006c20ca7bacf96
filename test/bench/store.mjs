// How many records the live store takes and seals: node test/bench/store.mjs [seconds] [record bytes] [records/s]
// Uses dist (or the folder in DIST); prints one line per figure. Records are made of recorded frames' kind of bytes.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const dist = resolve(process.env.DIST ?? new URL('../../dist', import.meta.url).pathname);
const { openStore } = await import(`${dist}/evidence/store.js`);
const { openSealWorker } = await import(`${dist}/collect/seal-worker.js`);
const [seconds = 10, bytes = 3000, rate = Infinity] = process.argv.slice(2).map(Number);

const path = mkdtempSync(join(process.env.STORE ?? tmpdir(), 'tally-bench-'));
const signer = { origin: 'tallystick.dev/ledger', privateKey: generateKeyPairSync('ed25519').privateKey };
const store = await openStore(path, {
  signer,
  maskKey: randomBytes(32),
  sealBytes: 16 << 20,
  sealAge: 60,
  memory: 256 << 20,
  openSealer: openSealWorker,
  onProblem: (error) => console.error(error),
});
const log = await store.log('tetragon-grpc', 'node-1');
const text = 'binary /usr/bin/python3 arguments -m http.server cwd /home/agent pod default/agent-7b3f ';
const template = Buffer.from(`\n${text.repeat(Math.ceil(bytes / text.length))}`).subarray(0, bytes);

let worst = 0;
let last = performance.now();
const probe = setInterval(() => {
  worst = Math.max(worst, performance.now() - last - 5);
  last = performance.now();
}, 5);
let [kept, refused, sent] = [0, 0, 0];
let inAppend = 0;
const cpu = process.cpuUsage();
const began = performance.now();
for (let now = began; now - began < seconds * 1000; now = performance.now()) {
  const due = rate === Infinity ? 200 : Math.floor(((now - began) / 1000) * rate) - sent;
  const from = performance.now();
  for (let n = 0; n < due; n += 1) {
    const record = Buffer.from(template);
    record.writeUInt32BE(sent, 4);
    log.append(record, BigInt(Date.now()) * 1_000_000n).then(
      () => (kept += 1),
      () => (refused += 1),
    );
    sent += 1;
  }
  inAppend += performance.now() - from;
  await new Promise((resolve) => (due > 0 ? setImmediate(resolve) : setTimeout(resolve, 2)));
}
const took = (performance.now() - began) / 1000;
await store.flush();
const { user, system } = process.cpuUsage(cpu);
console.log(`appended ${sent} in ${took.toFixed(1)} s: ${Math.round(sent / took)}/s, kept ${kept}, refused ${refused}`);
console.log(
  `in append: ${((inAppend * 1000) / sent).toFixed(2)} us each; cpu of the process ${((user + system) / 1e6 / took).toFixed(2)} cores`,
);
console.log(`event loop held up at most ${worst.toFixed(0)} ms; memory ${process.memoryUsage().rss >> 20} MiB`);
clearInterval(probe);
const before = performance.now();
const segments = await store.seal();
const { sealing } = store.stats();
console.log(
  `sealing: ${segments} segments were left, ${((performance.now() - before) / 1000).toFixed(1)} s; ${sealing.segments} in ${sealing.seconds.toFixed(1)} s: ${Math.round(sent / sealing.seconds)} records/s; memory ${process.memoryUsage().rss >> 20} MiB`,
);
await store.close();
rmSync(path, { recursive: true });
