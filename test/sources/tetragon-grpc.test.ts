import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sourcesSchema, type TetragonSource } from '../../src/model/collector.ts';
import { neededByNoTable, watchEvents, type WatchEventsOptions } from '../../src/sources/tetragon-grpc.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { encode, makeTlsFiles, numberedFrame, openServer, readRecording } from '../collect/tetragon-server.ts';
import { keepRecords, type KeptRecords } from './kept-records.ts';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');
const recording = join(shared, 'lab/scenarios/s01-benign/events.binpb.gz');

function sourceOf(settings: Partial<TetragonSource>): TetragonSource {
  const [source] = sourcesSchema.parse({ tetragon: [{ node: 'tetlab', ...settings }] }).tetragon;
  if (source === undefined) throw new Error('no source');
  return source;
}

/** Watches until the test ends; answers what was kept and the reasons of every end. */
function watch(
  source: TetragonSource,
  options: WatchEventsOptions = {},
): { records: KeptRecords; ends: string[]; stop: () => Promise<void> } {
  const records = keepRecords();
  const ends: string[] = [];
  const abort = new AbortController();
  const backOff = { first: 5, longest: 50 };
  const disconnected = (why: string): void => {
    ends.push(why);
    options.watcher?.disconnected?.(why);
  };
  const running = watchEvents(source, records, {
    backOff,
    ...options,
    watcher: { ...options.watcher, disconnected },
  }).run(abort.signal);
  const stop = (): Promise<void> => {
    abort.abort();
    return running;
  };
  onTestFinished(stop);
  return { records, ends, stop };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 5 });
const frames = (records: KeptRecords): Buffer[] => records.of('tetragon-grpc', 'tetlab').map(({ raw }) => raw);
const states = (records: KeptRecords): unknown[] =>
  records.lines('sensor', 'tetlab').map(({ kind, node, state, way, why }) => [kind, node, state, way, why]);
const connectedState = ['stream', 'tetlab', 'connected', 'grpc', undefined];

describe('the event stream', () => {
  const transports = {
    'a unix socket': async () => {
      const address = `unix://${join(await scratchFolder(), 'tetragon.sock')}`;
      return { server: { address }, source: {} };
    },
    TCP: () => Promise.resolve({ server: {}, source: {} }),
    'mutual TLS with another server name': async () => {
      const files = await makeTlsFiles(await scratchFolder());
      return {
        server: { tls: { ...files.server, clientCa: files.ca } },
        source: { tls: { ca: files.ca, ...files.client, serverName: 'x.tetragon-grpc.cilium.io' } },
      };
    },
  };

  it.each(Object.keys(transports) as (keyof typeof transports)[])(
    'is kept frame by frame, byte for byte and in order, over %s',
    async (transport) => {
      const { server: serverOptions, source } = await transports[transport]();
      const server = await openServer({ ...serverOptions, recordings: [recording] });
      const { records, stop } = watch(sourceOf({ address: server.address, ...source }));
      const recorded = readRecording(recording);
      await until(() => expect(frames(records).length).toBe(recorded.length));
      await server.make({ count: 3, node: 'tetlab' });
      await until(() => expect(frames(records).length).toBe(recorded.length + 3));
      expect(Buffer.concat(frames(records).slice(0, recorded.length)).equals(Buffer.concat(recorded))).toBe(true);
      await stop();
      expect(states(records)).toEqual([
        connectedState,
        ['stream', 'tetlab', 'disconnected', 'grpc', 'collector stopped'],
      ]);
      expect(records.gaps).toEqual([]);
    },
  );

  it('tells now and then that it is still connected, up to the last sign of life', async () => {
    const server = await openServer();
    const { records, stop } = watch(sourceOf({ address: server.address }), { reportMs: 20 });
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(states(records)).toContainEqual(connectedState));
    while (!records.lines('sensor', 'tetlab').some(({ resumed }) => resumed === true)) {
      await server.make({ count: 1, node: 'tetlab' });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await stop();
    const lines = records.lines('sensor', 'tetlab');
    const [begin, ...later] = lines.filter(({ state }) => state === 'connected');
    expect(begin).not.toHaveProperty('since');
    for (const { since, time } of later) expect([since, String(time) > String(since)]).toEqual([begin?.['time'], true]);
    const times = lines.map(({ time }) => String(time));
    expect(times).toEqual([...times].sort());
    expect(lines.at(-1)).toMatchObject({ state: 'disconnected' });
  });

  it('asks for every kind of event that tables hold, and leaves out only what it is told to', async () => {
    const server = await openServer();
    const whole = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.requests).toHaveLength(1));
    await whole.stop();
    const kinds = [
      ...['PROCESS_EXEC', 'PROCESS_EXIT', 'PROCESS_KPROBE', 'PROCESS_TRACEPOINT', 'PROCESS_LOADER', 'PROCESS_UPROBE'],
      ...['PROCESS_THROTTLE', 'PROCESS_LSM', 'PROCESS_USDT', 'RATE_LIMIT_INFO'],
    ];
    expect(server.requests).toEqual([{ allow_list: [{ event_set: kinds }] }]);

    watch(sourceOf({ address: server.address }), { leaveOut: neededByNoTable });
    await until(() => expect(server.requests).toHaveLength(2));
    const [filter] = (server.requests[1] as { field_filters: { fields: { paths: string[] }; action: string }[] })
      .field_filters;
    expect(filter?.action).toBe('EXCLUDE');
    expect(filter?.fields.paths).toContain('ancestors');
    expect(filter?.fields.paths.join()).not.toMatch(/environment|exec_id|\.ns|pod|args/);
  });

  it('reads on while nothing can be kept', async () => {
    const server = await openServer();
    const received: number[] = [];
    const { records } = watch(sourceOf({ address: server.address }), {
      watcher: { frame: (bytes) => received.push(bytes) },
    });
    records.fill();
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 2000 });
    await until(() => expect(received).toHaveLength(2000));
  });

  it('is opened again when it breaks, with lines that bound the gap', async () => {
    const server = await openServer();
    const { records, ends } = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(states(records)).toHaveLength(1));
    const before = BigInt(Date.now()) * 1_000_000n;
    server.cut();
    await until(() => expect(states(records)).toHaveLength(2));
    await until(() => expect([server.requests.length, server.streams]).toEqual([2, 1]));
    await sleep(5);
    const lower = new Date(Date.now() - 1).toISOString();
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(states(records)).toHaveLength(3));
    expect(states(records)).toEqual([
      connectedState,
      ['stream', 'tetlab', 'disconnected', 'grpc', ends[0]],
      connectedState,
    ]);
    expect(ends[0]).toMatch(/^UNAVAILABLE: /);
    const times = records.lines('sensor', 'tetlab').map(({ time }) => String(time));
    expect([...times].sort()).toEqual(times);
    expect(BigInt(Date.parse(times[1] ?? '')) * 1_000_000n).toBeGreaterThanOrEqual(before);
    expect(times[2] && times[2] >= lower).toBe(true); // not from before the event that proved it
    expect(frames(records).length).toBe(2);
  });

  it('that the agent ends in order has ended all the same', async () => {
    const server = await openServer();
    const { records } = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(states(records)).toHaveLength(1));
    server.end();
    await until(() =>
      expect(states(records)[1]).toEqual(['stream', 'tetlab', 'disconnected', 'grpc', 'the agent ended the stream']),
    );
    await until(() => expect([server.requests.length, server.streams]).toEqual([2, 1]));
  });

  it('is not taken for connected before the agent has sent anything', async () => {
    const server = await openServer();
    const { records, stop } = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.streams).toBe(1));
    await sleep(100);
    expect(states(records)).toEqual([]);
    await stop();
    expect(states(records)).toEqual([]);
  });

  it('that is silent is left alone while the agent answers, and given up when it hangs', async () => {
    const server = await openServer();
    const { records, ends } = watch(sourceOf({ address: server.address }), { silence: 400 });
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 1, node: 'tetlab' });
    await sleep(1500);
    expect(ends).toEqual([]);
    const answering = new Date().toISOString();
    server.hang();
    await until(() => expect(ends.length).toBeGreaterThanOrEqual(2));
    expect(new Set(ends)).toEqual(new Set(['no answer for 0.8 s']));
    expect(states(records)).toEqual([
      connectedState,
      ['stream', 'tetlab', 'disconnected', 'grpc', 'no answer for 0.8 s'],
    ]);
    // what came after the last sign of life may be lost, so that is when it ended
    const [, end] = records.lines('sensor', 'tetlab');
    expect(Date.parse(String(end?.['time']))).toBeLessThanOrEqual(Date.parse(answering) + 100);
    server.serve();
    await until(() => expect([server.requests.length, server.streams]).toEqual([2, 1]));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(states(records)).toHaveLength(3));
  });

  it('survives what is no gRPC, and tells the first failure once', async () => {
    const server = await openServer();
    server.spoil(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n\u001b[2Jgarbage'));
    const { records, ends } = watch(sourceOf({ address: server.address }));
    await until(() => expect(ends.length).toBeGreaterThanOrEqual(3));
    expect(ends.join('')).toMatch(/^[\x20-\x7e]+$/);
    expect(states(records)).toEqual([['stream', 'tetlab', 'disconnected', 'grpc', ends[0]]]);
    server.spoil(Buffer.alloc(100_000, 0xff));
    await until(() => expect(ends.length).toBeGreaterThanOrEqual(6));
    server.serve();
    await until(() => expect(server.streams).toBe(1));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(frames(records).length).toBe(1));
  });

  it('keeps frames that are no events, and frames of 10 MB', async () => {
    const server = await openServer();
    const { records, ends } = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.streams).toBe(1));
    const sent = [
      numberedFrame(1, { node: 'tetlab', size: 10_000_000 }),
      Buffer.from('no event'),
      Buffer.alloc(0),
      numberedFrame(2, { node: 'tetlab', size: 10_000_000 }),
    ];
    await server.send(sent);
    await until(() => expect(frames(records).length).toBe(4));
    expect(frames(records).every((frame, index) => frame.equals(sent[index] ?? Buffer.alloc(1)))).toBe(true);
    expect(ends).toEqual([]);
  });

  it('breaks at a frame that no agent sends, and says so', async () => {
    const server = await openServer();
    const { records, ends } = watch(sourceOf({ address: server.address }));
    await until(() => expect(server.streams).toBe(1));
    await server.send([numberedFrame(1, { node: 'tetlab', size: 70_000_000 })]);
    await until(() => expect(ends[0]).toMatch(/^RESOURCE_EXHAUSTED: Received message larger than max/));
    expect(frames(records).length).toBe(0);
    await until(() => expect([server.requests.length, server.streams]).toEqual([2, 1]));
    await server.make({ count: 1, node: 'tetlab' });
    await until(() => expect(frames(records).length).toBe(1));
  });

  it('of another node than the configuration says is a gap of this one, told once', async () => {
    const server = await openServer();
    const names: string[] = [];
    const { records } = watch(sourceOf({ address: server.address }), {
      watcher: { otherNode: (name) => names.push(name) },
    });
    await until(() => expect(server.streams).toBe(1));
    await server.send([numberedFrame(1, { node: 'node-2\u001b[2J', timeNs: 1_700_000_000_000_000_001n })]);
    await until(() => expect(names).toEqual(['node-2?[2J']));
    server.cut();
    await until(() => expect([server.requests.length, server.streams]).toEqual([2, 1]));
    await server.send([numberedFrame(2, { node: 'node-3' })]);
    await until(() => expect(frames(records).length).toBe(2));
    expect(names).toHaveLength(1);
    expect(records.gaps).toMatchObject([
      {
        stream: 'tetragon-grpc',
        origin: 'tetlab',
        from: '2023-11-14T22:13:20.000000001Z',
        until: null,
        why: 'stream-gap',
      },
    ]);
  });
});

describe('TLS', () => {
  const failing = async (source: (files: Awaited<ReturnType<typeof makeTlsFiles>>, other: string) => unknown) => {
    const files = await makeTlsFiles(await scratchFolder());
    const { ca: other } = await makeTlsFiles(await scratchFolder());
    const server = await openServer({ tls: { ...files.server, clientCa: files.ca } });
    const { ends, records } = watch(sourceOf({ address: server.address, tls: source(files, other) as never }));
    await until(() => expect(ends.length).toBeGreaterThanOrEqual(2));
    expect(states(records)).toHaveLength(1);
    return ends[0];
  };
  const serverName = 'node.tetragon-grpc.cilium.io';

  it('refuses a server of another authority', async () => {
    const why = await failing(({ client }, other) => ({ ca: other, ...client, serverName }));
    expect(why).toMatch(/^UNAVAILABLE: .*(self-signed certificate|unable to verify|certificate signature failure)/);
  });

  it('refuses a server of another name', async () => {
    const why = await failing(({ ca, client }) => ({ ca, ...client, serverName: 'elsewhere.example' }));
    expect(why).toMatch(/^UNAVAILABLE: .*elsewhere\.example.*(altnames|cert)/);
  });

  it('tells when the server wants a certificate of the client', async () => {
    expect(await failing(({ ca }) => ({ ca, serverName }))).toBe(
      'UNAVAILABLE: SSL routines: tlsv13 alert certificate required',
    );
  });

  it('files that are not there are a mistake of the operator', async () => {
    const folder = await scratchFolder();
    const run = (ca: string) =>
      watchEvents(sourceOf({ address: '127.0.0.1:1', tls: { ca } }), keepRecords()).run(new AbortController().signal);
    await expect(run(join(folder, 'none.pem'))).rejects.toThrow(/The TLS file .*none\.pem can't be read/);
    await writeFile(join(folder, 'bad.pem'), 'no certificate');
    const { ends } = watch(sourceOf({ address: '127.0.0.1:1', tls: { ca: join(folder, 'bad.pem') } }));
    await until(() => expect(ends.length).toBeGreaterThanOrEqual(1));
  });
});

it('an answer of a later agent with fields of its own is a frame like any other', async () => {
  const server = await openServer();
  const { records } = watch(sourceOf({ address: server.address }));
  await until(() => expect(server.streams).toBe(1));
  const frame = Buffer.concat([
    encode('tetragon.GetEventsResponse', { node_name: 'tetlab' }),
    Buffer.from([0xfa, 0x7f, 1, 0]),
  ]);
  await server.send([frame]);
  await until(() => expect(frames(records)).toEqual([frame]));
});
