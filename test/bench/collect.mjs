// How many events per second the collector takes, hashed, written, fsynced and sealed, without loss; beside a bare gRPC loop
// that only counts the frames of the same server. `npm run bench:collect [recording.binpb.gz] [rounds=4]`, after a build.
// With `--soak SECONDS RATE` instead: made-up events at that rate, and the collector's memory every 30 s.
// Where taskset is there, collector and loop have core 0 alone, and the server core 1.
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const soakAt = process.argv.indexOf('--soak');
const soak =
  soakAt < 0 ? undefined : { seconds: Number(process.argv[soakAt + 1]), rate: Number(process.argv[soakAt + 2]) };
const recording = soak
  ? undefined
  : (process.argv[2] ?? here('../../../shared/lab/scenarios/s14-burst/events.binpb.gz'));
const rounds = Number(process.argv[3] ?? 4);
/** Events per second that the collector is offered: 180,000 in 10.7 s were the lab's burst (s14). The bare loop gets them as fast as it takes them. */
const rate = Number(process.argv[4] ?? 16_900);
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
const pinned = (core, command) => (hasTaskset ? ['taskset', '-c', String(core), ...command] : command);
const start = ([program, ...args], options) => spawn(program, args, options);

async function openServer(rate) {
  const recordings = recording === undefined ? undefined : Array.from({ length: rounds }, () => recording);
  const options = JSON.stringify({ front: false, recordings, rate });
  const child = start(pinned(1, [process.execPath, here('../collect/tetragon-server.mjs'), options]));
  child.stderr.pipe(process.stderr);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = JSON.parse((await answers.next()).value);
  const tell = async (command) => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return JSON.parse((await answers.next()).value);
  };
  return { ...hello, tell, stop: () => child.stdin.end() };
}

/** Only counts. */
const bareLoop = `
const { Client, credentials, Metadata } = await import('@grpc/grpc-js');
const [address, wanted] = process.argv.slice(1);
const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': 64 << 20, 'grpc-node.flow_control_window': 16 << 20 });
const stream = client.makeServerStreamRequest('/tetragon.FineGuidanceSensors/GetEvents', (b) => b, (b) => b, Buffer.alloc(0), new Metadata());
let count = 0, bytes = 0, began;
stream.on('data', (frame) => {
  began ??= performance.now();
  count += 1; bytes += frame.length;
  if (count === Number(wanted)) { console.log(JSON.stringify({ count, bytes, seconds: (performance.now() - began) / 1000, cpu: process.cpuUsage() })); process.exit(0); }
});
stream.on('error', (error) => { console.error(error.message); process.exit(1); });
`;

async function runBare(server) {
  const child = start(
    pinned(0, [process.execPath, '--input-type=module', '-e', bareLoop, server.address, String(server.recorded)]),
    {
      cwd: here('../..'),
    },
  );
  child.stderr.pipe(process.stderr);
  let out = '';
  for await (const part of child.stdout) out += part;
  return JSON.parse(out);
}

function ask(store, path, method = 'GET') {
  return new Promise((resolve) => {
    const call = request({ socketPath: join(store, 'control.sock'), path, method }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve(text));
    });
    call.on('error', () => resolve(''));
    call.end();
  });
}

async function openCollector(server) {
  const folder = mkdtempSync(join(tmpdir(), 'tally-bench-'));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(
    join(folder, 'tally.yaml'),
    `store: ./store\nkeys: { signing: ./key.pem }\ncollector: { judge: 3600 }\nsources: { tetragon: [ { node: tetlab, address: "${server.address}", metrics: "${server.metrics}", canary: false } ] }\n`,
  );
  const child = start(
    pinned(0, [process.execPath, here('../../dist/cli/main.js'), 'collect', '--config', join(folder, 'tally.yaml')]),
  );
  const log = createInterface({ input: child.stderr });
  let connected;
  log.on('line', (line) => {
    if (line.includes('stream connected')) connected ??= performance.now();
    if (!line.startsWith('{"level":30')) process.stderr.write(`${line}\n`);
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return { child, folder, store: join(folder, 'store'), ended, connected: () => connected };
}

const status = (pid) => {
  const text = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
  const mib = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) / 1024);
  return { rss: mib('VmRSS'), peak: mib('VmHWM') };
};

/** CPU seconds of a process, without its children. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const perFrame = (seconds, frames) => Math.round((seconds / frames) * 1e6);

const numberOf = (page, name) =>
  Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(page)?.[1] ?? 0);

if (soak === undefined) {
  const fast = await openServer();
  const bare = await runBare(fast);
  fast.stop();
  const server = await openServer(rate);
  const collector = await openCollector(server);
  while (collector.connected() === undefined) await sleep(10);
  let page = '';
  let kept = 0;
  while (kept < server.recorded) {
    await sleep(50);
    page = await ask(collector.store, '/metrics');
    kept = numberOf(page, 'tally_records{stream="tetragon-grpc",origin="tetlab"}');
    if (numberOf(page, 'tally_records_refused{stream="tetragon-grpc",origin="tetlab"}') > 0) break;
  }
  const keptSeconds = (performance.now() - collector.connected()) / 1000;
  const memory = status(collector.child.pid);
  const cpu = cpuSeconds(collector.child.pid);
  const began = performance.now();
  await ask(collector.store, '/v1/seal', 'POST');
  const report = {
    frames: server.recorded,
    meanBytes: Math.round(bare.bytes / bare.count),
    bare: {
      perSecond: Math.round(bare.count / bare.seconds),
      cpuMicrosecondsPerFrame: perFrame((bare.cpu.user + bare.cpu.system) / 1e6, bare.count),
    },
    collector: {
      offeredPerSecond: rate,
      cpuMicrosecondsPerFrame: perFrame(cpu, kept),
      keptPerSecond: Math.round(kept / keptSeconds),
      refused: server.recorded - kept,
      sealSecondsAfterwards: Number(((performance.now() - began) / 1000).toFixed(1)),
      rssMiB: memory.rss,
      peakMiB: memory.peak,
    },
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  collector.child.kill('SIGTERM');
  await collector.ended;
  server.stop();
  rmSync(collector.folder, { recursive: true });
} else {
  const server = await openServer();
  const collector = await openCollector(server);
  await sleep(1500);
  const making = server.tell({
    do: 'make',
    count: soak.seconds * soak.rate,
    rate: soak.rate,
    node: 'tetlab',
    size: 2500,
  });
  const began = performance.now();
  const samples = [];
  while ((performance.now() - began) / 1000 < soak.seconds) {
    await sleep(30_000);
    const page = await ask(collector.store, '/metrics');
    const sample = {
      seconds: Math.round((performance.now() - began) / 1000),
      kept: numberOf(page, 'tally_records{stream="tetragon-grpc",origin="tetlab"}'),
      refused: numberOf(page, 'tally_records_refused{stream="tetragon-grpc",origin="tetlab"}'),
      segments: numberOf(page, 'tally_segments'),
      rssMiB: status(collector.child.pid).rss,
    };
    samples.push(sample);
    process.stdout.write(`${JSON.stringify(sample)}\n`);
  }
  await making;
  collector.child.kill('SIGTERM');
  await collector.ended;
  server.stop();
  rmSync(collector.folder, { recursive: true });
}
