import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sourcesSchema, type TetragonSource } from '../../src/model/collector.ts';
import { clientHello, dnsQuery, dnsRefusal } from '../../src/sources/canary-messages.ts';
import { greetTls, queryDns } from '../../src/sources/canary-parts.ts';
import { canaryAddress, makeCanary, nextCanary, watchCanaries } from '../../src/sources/canary.ts';
import { parseDnsMessage } from '../../src/sources/dns-message.ts';
import { parseClientHello } from '../../src/sources/tls-client-hello.ts';
import { keepRecords } from './kept-records.ts';
import { connectEvents, toProcess, withEvidence } from './sensor-evidence.ts';

function sourceOf(settings: Record<string, unknown> = {}): TetragonSource {
  const [source] = sourcesSchema.parse({ tetragon: [{ node: 'n1', address: 'unix:///none', ...settings }] }).tetragon;
  if (source === undefined) throw new Error('no source');
  return source;
}

/** Something that listens on a loopback address and tells whom it met. */
async function listenOn(host: string, met: string[]): Promise<number> {
  const server: Server = createServer((peer) => {
    met.push(peer.localAddress ?? '');
    peer.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

const ports = { connect: 1, dns: 0, hello: 0 };

describe('a canary', () => {
  it('bears its number in its address, never one that no connect reaches', () => {
    expect([1, 255, 256, 65536, 0xabcdef].map(canaryAddress)).toEqual([
      '127.0.0.1',
      '127.0.0.255',
      '127.0.1.0',
      '127.1.0.0',
      '127.171.205.239',
    ]);
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 0x1000005 }), (n) => {
        const next = nextCanary(n);
        expect(next).toBeGreaterThanOrEqual(1);
        expect(['127.0.0.0', '127.255.255.255']).not.toContain(canaryAddress(next));
      }),
    );
    expect(nextCanary(0xfffffe)).toBe(1);
    expect(nextCanary(0xfffffd)).toBe(0xfffffe);
  });

  it('connects to its address and port, after the time that its line tells', async () => {
    const met: string[] = [];
    const port = await listenOn('127.1.2.3', met);
    const before = Date.now();
    const line = await makeCanary('n1', 0x010203, { ...ports, connect: port });
    expect(line).toEqual({ kind: 'canary', node: 'n1', n: 0x010203, port, time: line.time });
    expect(Date.parse(line.time)).toBeGreaterThanOrEqual(before - 1);
    await vi.waitFor(() => expect(met).toEqual(['127.1.2.3']));
  });

  it('is whole where nobody listens, which is how it is meant', async () => {
    expect(await makeCanary('n1', 7, ports)).not.toHaveProperty('failed');
  });

  it('tells the parts that could not be done, and is made all the same', async () => {
    const met: string[] = [];
    const taken = await listenOn('127.0.0.9', met);
    const line = await makeCanary('n1', 9, { ...ports, hello: taken });
    expect(line.failed).toEqual(['hello']);
    expect(met).toEqual([]); // a stranger who listens there is not bothered
  });

  it('looks up a name that no one can have, and answers itself that there is none', async () => {
    const query = dnsQuery(0xbeef, 'canary-5.tallystick.invalid');
    expect(parseDnsMessage(query)).toMatchObject({
      kind: 'query',
      id: 0xbeef,
      questions: [{ name: 'canary-5.tallystick.invalid', type: 'A', class: 'IN' }],
      otherRecords: 0,
      trailingBytes: 0,
    });
    expect(parseDnsMessage(dnsRefusal(query))).toMatchObject({
      kind: 'answer',
      id: 0xbeef,
      rcode: 'NXDOMAIN',
      answers: [],
    });

    const socket = createSocket('udp4');
    const asked = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.5', resolve));
    onTestFinished(() => void socket.close());
    await queryDns('127.0.0.5', socket.address().port, 'canary-5.tallystick.invalid');
    expect(parseDnsMessage(await asked)).toMatchObject({ kind: 'query', rcode: 'NOERROR' });
  });

  it('greets with a ClientHello that reads whole, and its name is the canary', async () => {
    const hello = clientHello('canary-5.tallystick.invalid', Buffer.alloc(32, 7));
    expect(parseClientHello(hello)).toEqual({
      kind: 'hello',
      serverName: 'canary-5.tallystick.invalid',
      encrypted: false,
      alpn: [],
      complete: true,
    });
    expect(hello.subarray(0, 3)).toEqual(Buffer.from([0x16, 3, 1])); // what the hook's selector looks for
    await greetTls('127.0.0.5', 0, 'canary-5.tallystick.invalid');
  });
});

describe('canaries', () => {
  it('are numbered on from where the last ones ended', async () => {
    const records = keepRecords();
    const numbers: number[] = [];
    const options = { ports, first: 0xfffffd, onLine: ({ n }: { n: number }) => numbers.push(n) };
    const watch = watchCanaries(sourceOf(), records, options);
    for (let count = 0; count < 3; count += 1) await watch.now();
    expect(numbers).toEqual([0xfffffd, 0xfffffe, 1]);
    expect(records.lines('sensor', 'n1')).toMatchObject(
      numbers.map((n) => ({ kind: 'canary', node: 'n1', n, port: 1, interval: 10 })),
    );
    const anew = watchCanaries(sourceOf({ canary: { port: 4 } }), records, {
      ports: { dns: 0, hello: 0 },
      first: Number.NaN,
    });
    expect(await anew.now()).toMatchObject({ n: 1, port: 4 });
  });

  it('are made at the interval until the stop, whether or not they can be kept', async () => {
    const records = keepRecords();
    const abort = new AbortController();
    const numbers: number[] = [];
    const watch = watchCanaries(sourceOf({ interval: 0.1 }), records, { ports, onLine: ({ n }) => numbers.push(n) });
    const running = watch.run(abort.signal);
    await vi.waitFor(() => expect(numbers.length).toBeGreaterThanOrEqual(3), { timeout: 30_000 });
    abort.abort();
    await running;
    const made = numbers.length;
    await sleep(300);
    expect(numbers).toEqual(Array.from({ length: made }, (_, index) => index + 1));
  });

  it('are seen by the tables when their connects arrived', async () => {
    const lines = [await makeCanary('n1', 258, ports), await makeCanary('n1', 259, ports)];
    const at = (Date.parse(lines[0]?.time ?? '') - Date.UTC(2026, 0, 1, 12)) / 1000;
    const seen = await withEvidence(
      {
        lines: lines.map((line) => JSON.stringify(line)),
        events: connectEvents('127.0.1.2', 1, at + 0.001),
        processes: [toProcess('n1', 'collector', null, '2020-01-01T00:00:00Z', null)],
      },
      (database) => database.all('SELECT n, told, seen FROM sensor_canary ORDER BY n'),
    );
    expect(seen).toEqual([
      { n: '258', told: true, seen: true },
      { n: '259', told: true, seen: false },
    ]);
  });
});
