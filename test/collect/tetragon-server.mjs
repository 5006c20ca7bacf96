// A Tetragon agent for tests: real gRPC and a real metrics page, with recorded or made-up events, and every way to fail.
// `node tetragon-server.mjs '<options as JSON>'` runs it as a process of its own: it prints one line of JSON with its
// addresses, then takes one command in JSON per line of stdin ({"do":"cut"}, {"do":"make","count":1000} …), prints each
// answer as a line, and ends when stdin does.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const proto = new protobuf.Root();
proto.resolvePath = (_origin, target) =>
  target.startsWith('google/') ? target : fileURLToPath(new URL(`../../proto/${target}`, import.meta.url));
proto.loadSync(['tetragon/sensors.proto', 'tetragon/events.proto'], { keepCase: true });
proto.resolveAll();

/** A message from the JSON form that Go's protojson gives it (64-bit integers as text, enums by name). */
export function encode(name, json) {
  const type = proto.lookupType(name);
  return Buffer.from(type.encode(type.fromObject(json)).finish());
}

export function decode(name, bytes) {
  const type = proto.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String });
}

/** The frames of a recording (.binpb or .binpb.gz). */
export function readRecording(path) {
  const file = readFileSync(path);
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file;
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}

/** A made-up event that can be told from all others: its exec_id is base64("node:number:1"). About `size` bytes. */
export function numberedFrame(number, { node = 'node-1', timeNs = BigInt(Date.now()) * 1_000_000n, size = 0 } = {}) {
  const exec_id = Buffer.from(`${node}:${number}:1`).toString('base64');
  const time = { seconds: String(timeNs / 1_000_000_000n), nanos: Number(timeNs % 1_000_000_000n) };
  const process = { exec_id, pid: { value: 1 }, binary: '/bin/true', arguments: 'x'.repeat(size) };
  return encode('tetragon.GetEventsResponse', { process_exec: { process }, node_name: node, time });
}

function encodeAny({ '@type': type_url, ...rest }) {
  const name = type_url.replace('type.googleapis.com/', '');
  const toValue = (value) =>
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'number'
        ? { numberValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : { nullValue: 0 };
  const json = name.endsWith('ListValue') ? { values: rest.value.map(toValue) } : rest;
  return { type_url, value: encode(name, json) };
}

function encodeInfo({ probes = [], conf = [], ...rest }) {
  const entries = conf.map(({ key, value }) =>
    encode('tetragon.ConfigEntry', { key, value: encodeAny(value) }).toString('base64'),
  );
  const names = probes.map((probe) => Buffer.from(JSON.stringify(probe)).toString('base64'));
  return encode('tetragon.GetInfoResponse', { ...rest, probes: names, conf: entries });
}

/** Until more may be written, or the stream has gone. */
function drained(stream) {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'cancelled', 'error'];
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

const service = '/tetragon.FineGuidanceSensors';
const asIs = (bytes) => bytes;
const method = (name, responseStream = false) => ({
  path: `${service}/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

/** See TetragonServerOptions. */
export async function startTetragonServer(options = {}) {
  const { address = '127.0.0.1:0', tls, rpc, metrics, recordings = [], front = true, queue } = options;
  const answers = rpc === undefined ? {} : JSON.parse(readFileSync(rpc, 'utf8'));
  const state = {
    policies: answers.ListTracingPolicies?.policies ?? [],
    version: answers.GetVersion?.version ?? 'test',
    info: answers.GetInfo?.conf === undefined ? undefined : answers.GetInfo,
    page: metrics === undefined ? 'process_start_time_seconds 1000\n' : readFileSync(metrics, 'utf8'),
  };
  const recorded = recordings.flatMap(readRecording);
  const streams = new Set();
  const requests = [];
  let sent = 0;
  let dropped = 0;

  const write = async (stream, frame) => {
    if (stream.cancelled || stream.destroyed) return;
    if (queue !== undefined && stream.writableLength >= queue) {
      // what the agent does to a slow subscriber: drop, tell no one, count
      dropped += 1;
      setCounter('tetragon_notify_overflowed_events_total', getCounter('tetragon_notify_overflowed_events_total') + 1);
      return;
    }
    sent += 1;
    if (!stream.write(frame) && queue === undefined) {
      await drained(stream);
    }
  };
  const play = async (stream, frames, rate) => {
    const began = performance.now();
    for (const [index, frame] of frames.entries()) {
      if (stream.cancelled || stream.destroyed) return;
      await write(stream, frame);
      if (rate === undefined) {
        if (index % 256 === 255) await turn();
      } else {
        const early = (index / rate) * 1000 - (performance.now() - began);
        if (early > 5) await sleep(early);
      }
    }
  };

  const server = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 });
  const unary = (answer) => (_call, callback) => {
    try {
      callback(null, answer());
    } catch (error) {
      callback({ code: status.UNIMPLEMENTED, details: error.message });
    }
  };
  server.addService(
    {
      GetEvents: method('GetEvents', true),
      GetVersion: method('GetVersion'),
      GetInfo: method('GetInfo'),
      ListTracingPolicies: method('ListTracingPolicies'),
    },
    {
      GetEvents: (stream) => {
        requests.push(decode('tetragon.GetEventsRequest', stream.request));
        streams.add(stream);
        const gone = () => streams.delete(stream);
        stream.on('cancelled', gone);
        stream.on('close', gone);
        stream.on('error', gone);
        void play(stream, recorded, options.rate);
      },
      GetVersion: unary(() => encode('tetragon.GetVersionResponse', { version: state.version })),
      GetInfo: unary(() => {
        if (state.info === undefined) throw new Error('unknown method GetInfo');
        return encodeInfo(state.info);
      }),
      ListTracingPolicies: unary(() => encode('tetragon.ListTracingPoliciesResponse', { policies: state.policies })),
    },
  );

  // In front of the service stands a plain relay, for what gRPC itself would never do.
  const folder = mkdtempSync(join(tmpdir(), 'tetragon-server-'));
  const inner = front ? `unix://${join(folder, 'inner.sock')}` : address;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.clientCa === undefined ? null : readFileSync(tls.clientCa),
          [{ private_key: readFileSync(tls.key), cert_chain: readFileSync(tls.cert) }],
          tls.clientCa !== undefined,
        );
  const innerPort = await new Promise((resolve, reject) => {
    server.bindAsync(inner, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
  let mode = 'pass';
  let garbage = Buffer.alloc(0);
  const peers = new Set();
  const relay = createServer((peer) => {
    peers.add(peer);
    peer.on('error', () => undefined);
    peer.on('close', () => peers.delete(peer));
    if (mode === 'refuse') peer.destroy();
    else if (mode === 'garbage') peer.end(garbage);
    else if (mode === 'hang') peer.pause();
    else {
      const onward = connect(join(folder, 'inner.sock'));
      peer.onward = onward;
      onward.on('error', () => peer.destroy());
      onward.on('close', () => peer.destroy());
      peer.on('close', () => onward.destroy());
      peer.pipe(onward);
      onward.pipe(peer);
    }
  });
  let listening = address;
  if (front) {
    const unix = /^unix:\/\/(.*)$/.exec(address)?.[1];
    const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
    relay.listen(unix === undefined ? { host, port: Number(port) } : { path: unix });
    await once(relay, 'listening');
    if (unix === undefined) listening = `${host}:${relay.address().port}`;
  } else if (!address.startsWith('unix:')) listening = address.replace(/:\d+$/, `:${innerPort}`);

  let metricsUp = true;
  const page = createHttpServer((_request, response) => {
    if (!metricsUp) response.destroy();
    else response.setHeader('content-type', 'text/plain; version=0.0.4').end(state.page);
  });
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');

  const line = (key) => state.page.split('\n').find((each) => each.startsWith(`${key} `));
  function getCounter(key) {
    return Number(line(key)?.split(' ').at(-1) ?? 0);
  }
  function setCounter(key, value) {
    const old = line(key);
    if (old === undefined) state.page = `${state.page.trimEnd()}\n${key} ${value}\n`;
    else state.page = state.page.replace(old, () => `${key} ${value}`);
  }
  const cut = () => {
    for (const peer of peers) peer.destroy();
  };
  const send = async (frames) => {
    await Promise.all([...streams].map((stream) => play(stream, frames, undefined)));
  };
  let made = options.first ?? 1;

  const self = {
    address: listening,
    metrics: `http://127.0.0.1:${page.address().port}/metrics`,
    recorded,
    /** Every GetEventsRequest, as JSON. */
    requests,
    get streams() {
      return streams.size;
    },
    get sent() {
      return sent;
    },
    get dropped() {
      return dropped;
    },
    send,
    /** Makes the next `count` numbered events and sends them, `rate` a second; answers the number after the last. */
    async make({ count, rate, size, node }) {
      const began = performance.now();
      for (let index = 0; index < count; index += 1) {
        const frame = numberedFrame(made, { size, node });
        made += 1;
        await Promise.all([...streams].map((stream) => write(stream, frame)));
        const early = rate === undefined ? 0 : (index / rate) * 1000 - (performance.now() - began);
        if (early > 5) await sleep(early);
        else if (index % 64 === 63) await turn();
      }
      return made;
    },
    cut,
    /** Ends every stream as an agent does that is stopped in order. */
    end() {
      for (const stream of streams) stream.end();
    },
    /** From now on: connections stay, but not a byte more goes either way. New ones are taken and left. */
    hang() {
      mode = 'hang';
      for (const peer of peers) {
        peer.unpipe?.();
        peer.pause();
        peer.onward?.unpipe();
        peer.onward?.pause();
      }
    },
    /** Cuts, and answers new connections with these bytes. */
    spoil(bytes) {
      mode = 'garbage';
      garbage = Buffer.from(bytes);
      cut();
    },
    /** Cuts, and hangs up on new connections. */
    refuse() {
      mode = 'refuse';
      cut();
    },
    /** Ends what hangs and serves again. */
    serve() {
      const wasServing = mode === 'pass';
      mode = 'pass';
      if (!wasServing) cut();
    },
    getCounter,
    setCounter,
    setPage(text) {
      state.page = text;
    },
    setMetricsUp(up) {
      metricsUp = up;
    },
    get policies() {
      return state.policies;
    },
    setPolicies(policies) {
      state.policies = policies;
    },
    setInfo(info) {
      state.info = info;
    },
    /** What a restart looks like from outside: streams end, it started later, its counters begin at zero. */
    restart() {
      const started = getCounter('process_start_time_seconds') + 100;
      state.page = state.page.replace(/^(tetragon_\S+_total(?:\{.*\})?) .*$/gm, '$1 0');
      setCounter('process_start_time_seconds', started);
      cut();
    },
    async stop() {
      cut();
      relay.close();
      page.close();
      page.closeAllConnections();
      server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
      await turn();
    },
  };
  return self;
}

/** The commands of the program form. */
async function obey(server, command) {
  const { do: what, ...rest } = command;
  switch (what) {
    case 'make':
      return { next: await server.make(rest) };
    case 'cut':
    case 'hang':
    case 'refuse':
    case 'serve':
    case 'end':
    case 'restart':
      server[what]();
      return {};
    case 'spoil':
      server.spoil(Buffer.from(rest.hex ?? '', 'hex'));
      return {};
    case 'big':
      await server.send([numberedFrame(rest.number ?? 0, { size: rest.size, node: rest.node })]);
      return {};
    case 'counter':
      server.setCounter(rest.key, rest.value);
      return {};
    case 'policies':
      server.setPolicies(rest.policies);
      return {};
    case 'stats':
      return { sent: server.sent, dropped: server.dropped, streams: server.streams };
    default:
      return { error: `unknown command ${JSON.stringify(what)}` };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startTetragonServer(JSON.parse(process.argv[2] ?? '{}'));
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  say({ address: server.address, metrics: server.metrics, recorded: server.recorded.length });
  for await (const text of createInterface({ input: process.stdin })) {
    if (text.trim() !== '') say(await obey(server, JSON.parse(text)));
  }
  await server.stop();
}
