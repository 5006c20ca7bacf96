// Makes a large Tetragon export by repeating a recording, each repeat an hour later, so that no line is a duplicate.
// node test/bench/make-export.mjs RECORDING.jsonl.gz OUT.jsonl MEGABYTES
import { createWriteStream, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';

const [recording, out, megabytes] = process.argv.slice(2);
const lines = gunzipSync(readFileSync(recording)).toString().split('\n').filter(Boolean);
const file = createWriteStream(out);
let left = Number(megabytes) * 1e6;
for (let repeat = 0; left > 0; repeat += 1) {
  for (const line of lines) {
    const shifted = line.replace(/"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/, (_, time) => {
      const later = new Date(Date.parse(`${time}Z`) + repeat * 3_600_000).toISOString().slice(0, 19);
      return `"time":"${later}`;
    });
    left -= shifted.length + 1;
    if (!file.write(`${shifted}\n`)) await once(file, 'drain');
    if (left <= 0) break;
  }
}
file.end();
