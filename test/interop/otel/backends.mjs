// Builds and starts the backends of the test: an OpenTelemetry Collector and Jaeger, both from their published Go modules.
/* global URL, setTimeout */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tallystick', 'interop-otel');

/** Path of the program, built once for what its module says. */
function build(name, folder, target) {
  const sources = readdirSync(folder).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file));
  const key = createHash('sha256').update(execFileSync('go', ['version']));
  for (const file of sources.sort()) key.update(readFileSync(join(folder, file)));
  const program = join(cache, `${name}-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  process.stderr.write(`building ${name}, which takes some minutes the first time\n`);
  mkdirSync(cache, { recursive: true });
  const draft = `${program}.${process.pid}`;
  execFileSync('go', ['build', '-o', draft, target], { cwd: folder, stdio: ['ignore', 2, 2] });
  renameSync(draft, program);
  return program;
}

export const buildCollector = () => build('otelcol', here, '.');
export const buildJaeger = () =>
  build('jaeger', join(here, 'jaeger'), 'github.com/jaegertracing/jaeger/cmd/all-in-one');

/** Ports of loopback that nobody listens on. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function until(what, isTrue, limitMs = 60_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const result = await isTrue();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A program that runs until it is stopped; what it says is in `said`. */
export function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const running = { child, said: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (running.said += part));
  running.stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const code = await running.ended;
    globalThis.clearTimeout(timer);
    return code;
  };
  return running;
}

/** Jaeger with Badger, its embedded database, which stores spans by their ids. */
export async function startJaeger(program) {
  const listeners = [
    'collector.otlp.grpc.host-port',
    'query.http-server.host-port',
    'admin.http.host-port',
    'collector.otlp.http.host-port',
    'collector.grpc-server.host-port',
    'collector.http-server.host-port',
    'query.grpc-server.host-port',
    'http-server.host-port',
    'processor.jaeger-binary.server-host-port',
    'processor.jaeger-compact.server-host-port',
    'processor.zipkin-compact.server-host-port',
  ];
  const ports = await freePorts(listeners.length);
  const args = listeners.map((name, index) => `--${name}=127.0.0.1:${ports[index]}`);
  const running = start(program, [...args, '--badger.ephemeral=true'], { SPAN_STORAGE_TYPE: 'badger' });
  const api = `http://127.0.0.1:${ports[1]}/api`;
  const get = (path) =>
    globalThis
      .fetch(`${api}/${path}`)
      .then((answer) => answer.json())
      .catch(() => undefined);
  await until('Jaeger answers', () => {
    if (running.child.exitCode !== null) throw new Error(`Jaeger ended: ${running.said.slice(-2000)}`);
    return get('services');
  });
  return {
    ...running,
    otlp: `127.0.0.1:${ports[0]}`,
    /** Spans of a trace, as it would show them. */
    trace: async (traceId) => (await get(`traces/${traceId}`))?.data?.[0]?.spans ?? [],
  };
}

/** The collector: OTLP in by each way, out to files and to Jaeger. */
export async function startCollector(program, config, env) {
  const running = start(program, ['--config', config], env);
  await until('the collector is ready', () => {
    if (running.child.exitCode !== null) throw new Error(`the collector ended: ${running.said.slice(-2000)}`);
    return running.said.includes('Everything is ready');
  });
  return running;
}
