// Kills the collector with SIGKILL at random moments while events arrive, the export file is rotated and segments are
// sealed, then checks what the store holds. `node test/collect/chaos.mjs [kills=200] [seed]`, after `npm run build`; loopback only.
//
// Checked at the end: every line of the export file is there exactly once; no frame twice; every frame that is missing was
// received in a stretch that the lines about the stream call disconnected; what the collector had called kept before a kill
// is there; sequence numbers have no hole; the ledger and every segment under it check out; nothing was repaired by hand.
/* global Buffer, URL, performance, setTimeout */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { readStore } from '../../dist/evidence/store-read.js';
import { describeSegment } from '../../dist/evidence/seal.js';
import { openDatabase } from '../../dist/query/database.js';

const kills = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const random = mulberry32(seed);
const folder = mkdtempSync(join(tmpdir(), 'tally-chaos-'));
const store = join(folder, 'store');
const exportFile = join(folder, 'tetragon.log');
const tally = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const lab = (name) => fileURLToPath(new URL(`../../../shared/lab/scenarios/s01-benign/${name}`, import.meta.url));
const serverProgram = fileURLToPath(new URL('./tetragon-server.mjs', import.meta.url));

function mulberry32(a) {
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
writeFileSync(exportFile, '');

const server = spawn(process.execPath, [
  serverProgram,
  JSON.stringify({ queue: 10_000, front: false, rpc: lab('rpc-before.json'), metrics: lab('metrics-before.txt') }),
]);
const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
const { address, metrics } = JSON.parse((await answers.next()).value);
const tell = (command) => server.stdin.write(`${JSON.stringify(command)}\n`);
writeFileSync(
  join(folder, 'tally.yaml'),
  `store: { path: ./store, sealBytes: 300KB, sealAge: 1s }
keys: { signing: ./key.pem }
collector: { judge: 3600 }
sources: { tetragon: [ { node: node-1, address: "${address}", metrics: "${metrics}", export: ./tetragon.log, interval: 1s } ] }
`,
);

// The export file: numbered lines, a few at a time, torn writes, rotation with and without compression.
let lines = 0;
let pending = '';
let rotations = 0;
let writing = true;
async function writeExport() {
  while (writing) {
    for (let i = 0; i < 1 + random() * 20; i += 1) {
      const time = new Date().toISOString();
      pending += `{"process_exec":{"process":{"exec_id":"export-${lines}"}},"node_name":"node-1","time":"${time}"}\n`;
      lines += 1;
    }
    const cut = Math.floor(random() * pending.length);
    appendFileSync(exportFile, pending.slice(0, cut));
    pending = pending.slice(cut);
    if (random() < 0.005) {
      appendFileSync(exportFile, pending);
      pending = '';
      rotations += 1;
      const rotated = join(folder, `tetragon-${new Date().toISOString().replaceAll(':', '-').replace('Z', '')}.log`);
      renameSync(exportFile, rotated);
      writeFileSync(exportFile, '');
      if (random() < 0.5) setTimeout(() => compress(rotated), random() * 2000);
    }
    await sleep(random() * 20);
  }
  appendFileSync(exportFile, pending);
}
function compress(path) {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  rmSync(path);
}

// Frames: numbered, without end.
let making = true;
async function makeFrames() {
  while (making) {
    tell({ do: 'make', count: 1 + Math.floor(random() * 400), node: 'node-1' });
    made = JSON.parse((await answers.next()).value).next;
    await sleep(random() * 60);
  }
}
let made = 0;

const problems = [];
const keptBefore = new Map();
const keptNow = new Map();

function ask(path) {
  return new Promise((resolve) => {
    const call = request({ socketPath: join(store, 'control.sock'), path }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve(text));
      response.on('error', () => resolve(''));
    });
    call.on('error', () => resolve(''));
    call.end();
  });
}

async function noteKept() {
  for (const [, stream, kept] of (await ask('/metrics')).matchAll(
    /^tally_records\{stream="([^"]+)",origin="node-1"\} (\d+)/gm,
  ))
    keptNow.set(stream, Math.max(keptNow.get(stream) ?? 0, (keptBefore.get(stream) ?? 0) + Number(kept)));
}

async function start() {
  const child = spawn(process.execPath, [tally, 'collect', '--config', join(folder, 'tally.yaml')]);
  const log = createInterface({ input: child.stderr });
  const collecting = new Promise((resolve) => {
    log.on('line', (line) => {
      if (line.includes('"msg":"collecting"')) resolve(true);
      if (!line.startsWith('{"level":30') && !line.includes('stream disconnected')) problems.push(line);
    });
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return { child, collecting, ended };
}

/** How many records of a stream the store holds: sealed, or in log files. */
async function heldRecords() {
  const { readUnsealed } = await import('../../dist/evidence/store-read.js');
  const held = new Map();
  const note = (stream, end) => held.set(stream, Math.max(held.get(stream) ?? 0, end));
  for (const { stream, origin, firstSeq, records } of await readUnsealed(store))
    if (origin === 'node-1') note(stream, firstSeq + records);
  for (const { stream, origin, lastSeq } of (await readStore(store)).segments)
    if (origin === 'node-1') note(stream, lastSeq + 1);
  return held;
}

// What was written before the collector first saw the file is not its business.
const first = await start();
await first.collecting;
first.child.kill('SIGTERM');
await first.ended;
const framing = makeFrames();
const exporting = writeExport();

for (let kill = 0; kill < kills; kill += 1) {
  const { child, collecting, ended } = await start();
  if (random() < 0.85) {
    await Promise.race([collecting, ended]);
    const until = performance.now() + random() * 1500;
    while (performance.now() < until) {
      await noteKept();
      await sleep(random() * 200);
    }
  } else await sleep(random() * 600); // also while it starts
  child.kill('SIGKILL');
  await ended;
  if (!existsSync(join(store, 'ledger.vkey'))) continue;
  const held = await heldRecords();
  for (const [stream, kept] of keptNow)
    if ((held.get(stream) ?? 0) < kept)
      problems.push(`kill ${kill}: ${stream} holds ${held.get(stream)} of ${kept} kept records`);
  for (const [stream, count] of held) {
    keptBefore.set(stream, count);
    keptNow.set(stream, count);
  }
  if (kill % 20 === 19) process.stderr.write(`${kill + 1} kills, ${lines} lines, ${rotations} rotations\n`);
}
making = false;
writing = false;
await Promise.all([framing, exporting]);
const last = await start();
await last.collecting;
const total = lines;
const isCaughtUp = (page) =>
  /^tally_export_lag_bytes\{node="node-1"\} 0$/m.test(page) &&
  /^tally_source_connected\{node="node-1",way="export"\} 1$/m.test(page);
while (!isCaughtUp(await ask('/metrics'))) await sleep(100);
last.child.kill('SIGTERM');
const code = await last.ended;
if (code !== 0) problems.push(`the last run ended with ${code}`);
server.stdin.end();

// What the store holds.
const { segments } = await readStore(store);
const database = await openDatabase();
for (const segment of segments) {
  const { stream, origin, file } = segment;
  const found = await describeSegment(database, store, {
    stream,
    origin,
    file,
    raw: stream === 'tetragon-grpc' ? 'bytes' : 'text',
  });
  if (found.root !== segment.root || found.fileSha256 !== segment.fileSha256)
    problems.push(`${file} is not what the ledger says`);
}
await database.close();
const byLog = new Map();
for (const { stream, origin, firstSeq, lastSeq } of segments) {
  const key = `${stream} ${origin}`;
  const next = byLog.get(key) ?? 0;
  if (firstSeq !== next) problems.push(`${key}: records ${next} to ${firstSeq - 1} are missing`);
  byLog.set(key, lastSeq + 1);
}
if (
  existsSync(join(store, 'wal')) &&
  readdirSync(join(store, 'wal'), { recursive: true }).some((name) => name.endsWith('.wal'))
)
  problems.push('log files are left after a clean end');

const db = await (await DuckDBInstance.create(':memory:')).connect();
const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
const files = (stream) => {
  const list = segments.filter((segment) => segment.stream === stream).map(({ file }) => `'${join(store, file)}'`);
  return list.length === 0 ? undefined : `read_parquet([${list.join(',')}])`;
};
const [exported] = await rows(
  `SELECT count(*) AS n, count(DISTINCT raw ->> '$.process_exec.process.exec_id') AS different FROM ${files('tetragon')}`,
);
if (Number(exported.n) !== total || Number(exported.different) !== total)
  problems.push(
    `export: ${total} lines were written, ${exported.n} records are there, ${exported.different} different`,
  );

const { decodeFrame } = await import('../../dist/sources/tetragon-frames.js');
const seen = new Map();
const frames = files('tetragon-grpc');
for (const { raw } of frames === undefined
  ? []
  : (await db.runAndReadAll(`SELECT raw FROM ${frames}`)).getRowObjects()) {
  const event = JSON.parse(decodeFrame(raw.bytes).line);
  const number = Number(Buffer.from(event.process_exec.process.exec_id, 'base64').toString().split(':')[1]);
  if (seen.has(number)) problems.push(`frame ${number} is there twice`);
  seen.set(number, Date.parse(event.time));
}
const streamLines = (await rows(`SELECT raw FROM ${files('sensor')} ORDER BY seq`))
  .map(({ raw }) => JSON.parse(raw))
  .filter(({ kind, way }) => kind === 'stream' && way !== 'export')
  .sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
const gaps = [];
for (const [index, { state, time }] of streamLines.entries()) {
  if (state !== 'disconnected') continue;
  const next = streamLines.slice(index + 1).find((line) => line.state === 'connected');
  gaps.push([Date.parse(time), next === undefined ? Infinity : Date.parse(next.time)]);
}
const firstConnected = Date.parse(streamLines.find(({ state }) => state === 'connected')?.time ?? '');
let missing = 0;
let untold = 0;
const numbers = [...seen.keys()].sort((a, b) => a - b);
for (let index = 1; index < numbers.length; index += 1) {
  const [before, after] = [numbers[index - 1], numbers[index]];
  if (after === before + 1) continue;
  missing += after - before - 1;
  // what is missing lies between the two, and so must a gap
  const [from, until] = [seen.get(before), seen.get(after)];
  if (!gaps.some(([a, b]) => a <= until + 5 && b >= from - 5) && from >= firstConnected) {
    untold += after - before - 1;
    problems.push(
      `frames ${before + 1} to ${after - 1} (${new Date(from).toISOString()} to ${new Date(until).toISOString()}) are missing, and no gap tells it`,
    );
  }
}
const [gapRows] = await rows(
  `SELECT count(*) AS n FROM ${files('tally') ?? "(SELECT '' AS raw WHERE false)"} WHERE raw LIKE '%"why"%'`,
);
const summary = {
  seed,
  kills,
  segments: segments.length,
  export: { lines: total, kept: Number(exported.n), rotations },
  frames: { made, kept: seen.size, missing, untold },
  gapRecords: Number(gapRows.n),
  problems: problems.length,
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
for (const problem of problems.slice(0, 50)) process.stdout.write(`${problem}\n`);
if (problems.length === 0) rmSync(folder, { recursive: true });
else process.stdout.write(`kept for a look: ${folder}\n`);
process.exit(problems.length === 0 ? 0 : 1);
