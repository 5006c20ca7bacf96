// A writer to be killed: node store-writer.mjs DIST STORE KEY RUN ACKNOWLEDGED. Says "open" when it has the store; adds each
// record to the file ACKNOWLEDGED once it is.
import { Buffer } from 'node:buffer';
import { createPrivateKey } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

const [dist, path, key, run, acknowledged] = process.argv.slice(2);
const { openStore } = await import(`${dist}/evidence/store.js`);
const { openSealWorker } = await import(`${dist}/collect/seal-worker.js`);
const store = await openStore(path, {
  signer: {
    origin: 'tallystick.dev/ledger',
    privateKey: createPrivateKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs8' }),
  },
  maskKey: Buffer.alloc(32),
  sealBytes: 64 << 10,
  sealAge: 0.2,
  memory: 64 << 20,
  openSealer: openSealWorker,
});
const acks = openSync(acknowledged, 'a');
process.stdout.write('open\n');
const filler = 'x'.repeat(700);
for (let n = 0; ; n += 1) {
  for (const origin of ['a', 'b', 'c']) {
    const log = await store.log('tetragon', origin);
    for (let each = 0; each < 5; each += 1) {
      const text = `${run}.${n}.${each}`;
      void log.append(Buffer.from(`${text} ${filler}`), BigInt(Date.now()) * 1_000_000n).then(
        () => writeSync(acks, `${origin} ${text}\n`),
        (error) => process.stderr.write(`${error}\n`),
      );
    }
  }
  if (n % 50 === 49) void store.seal();
  await setTimeout(2);
}
