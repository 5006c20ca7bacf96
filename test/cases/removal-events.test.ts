import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, type JudgedCase, openJudgedCase } from './judged-case.ts';
import { connectionsOf, type KernelLine, parseKernelLine } from './kernel-line.ts';
import { casesFolder, openCodes, readLines } from './shared-case.ts';

const linesOf = (name: string): KernelLine[] =>
  readLines(join(casesFolder, name, 'tetragon.jsonl.gz')).map(parseKernelLine);

function without(evidence: Evidence, dropped: readonly number[]): Partial<Evidence> {
  const gone = new Set(dropped);
  return { tetragon: evidence.tetragon.filter((_, at) => !gone.has(at)) };
}

describe('one event less, in a proven case', () => {
  /** Events whose absence another event of the same matter makes good. Every other one must be missed. */
  const redundant: Readonly<Record<string, string>> = {
    exec: 'every event of the process names it, its parent and its environment',
    wake_up_new_task: 'the child never left its parent, and names it in its own events',
    security_socket_create: 'what was done on the socket shows its kind',
    security_socket_connect: 'tcp_connect, udp_sendmsg and unix_stream_connect show the far end',
    ip4_datagram_connect: 'a connect without a datagram is no egress, and each datagram shows its far end',
    __sys_connect_file: 'that the connection came up shows in what was sent on it',
    ip_send_skb: 'udp_sendmsg shows the same datagram with its sender',
    getaddrinfo: 'the DNS query tells the same name',
    tcp_connect: 'security_socket_connect shows the same attempt with its far end',
    tcp_sendmsg: 'tcp_sendmsg_locked shows that data was sent, and the address has one name only',
    tcp_sendmsg_locked: 'tcp_sendmsg shows the same send',
    tcp_close: 'the exit of the process ends the connection',
    'udp_sendmsg without bytes': 'the same datagram with its question is there',
    'further skb_consume_udp':
      'it holds no address, or the answer to 424 gave the name on the same node and within its TTL',
  };
  /** The processes with each kind of event; the others repeat them. */
  const pids = [422, 423, 424];
  const lines = linesOf('c01-benign');
  const seen = lines.filter((line) => pids.includes(line.pid) || pids.includes(line.child ?? 0));

  let opened: JudgedCase;
  beforeAll(async () => {
    opened = await openJudgedCase('c01-benign');
  });
  afterAll(() => opened.close());

  const kindOf = (line: KernelLine): string => {
    if (line.hook === 'udp_sendmsg' && !line.hasBytes) return 'udp_sendmsg without bytes';
    if (line.hook !== 'skb_consume_udp') return line.hook;
    const first = seen.find((one) => one.hook === 'skb_consume_udp')?.at === line.at;
    return first ? line.hook : 'further skb_consume_udp';
  };

  it.each([...new Set(seen.map(kindOf))])('%s', async (kind) => {
    for (const line of seen.filter((one) => kindOf(one) === kind)) {
      const report = await opened.judge(without(opened.evidence, [line.at]));
      const told = `line ${line.at}, ${line.hook} of ${line.binary} ${line.pid}: ${openCodes(report).join(', ')}`;
      const reason = redundant[kind];
      if (reason === undefined) expect(report.verdict, told).not.toBe('proven');
      else expect(report.verdict, `${told}. Yet ${reason}.`).toBe('proven');
    }
  });
});

describe('what is left of something that was not declared', () => {
  /** Judges a case without all of these events but the one that is kept. */
  async function expectKept(judged: JudgedCase, all: readonly KernelLine[], kept: KernelLine): Promise<void> {
    const dropped = all.filter((line) => line !== kept).map((line) => line.at);
    const report = await judged.judge(without(judged.evidence, dropped));
    expect(report.verdict, `line ${kept.at}, ${kept.hook}, still tells of it`).not.toBe('proven');
  }

  const bare = connectionsOf(linesOf('c10-bare-address').filter((line) => line.port === 8080));
  const evil = connectionsOf(linesOf('c02-undeclared-endpoint').filter((line) => line.address === '203.0.113.66'));
  const asked = linesOf('c02-undeclared-endpoint').filter(
    (line) => line.pid === 459 && (line.dns !== undefined || line.hook === 'getaddrinfo'),
  );
  const relay = linesOf('c04-unix-relay').filter(
    (line) => line.pid === 507 && ['security_socket_connect', 'unix_stream_connect'].includes(line.hook),
  );

  let address: JudgedCase;
  let host: JudgedCase;
  let path: JudgedCase;
  beforeAll(async () => {
    address = await openJudgedCase('c10-bare-address');
    host = await openJudgedCase('c02-undeclared-endpoint');
    path = await openJudgedCase('c04-unix-relay');
  });
  afterAll(async () => {
    for (const judged of [address, host, path]) await judged.close();
  });

  it('is all gone only when no event is left', async () => {
    const dropped = bare.flat().map((line) => line.at);
    expect(dropped).toHaveLength(5);
    expect((await address.judge(without(address.evidence, dropped))).verdict).toBe('proven');
  });

  // a close alone bears no port, and tells of no connection
  it.each((bare[0] ?? []).filter((line) => line.hook !== 'tcp_close').map((line) => [line.hook, line] as const))(
    'an address without a name: %s',
    async (_, kept) => {
      await expectKept(address, bare.flat(), kept);
    },
  );

  it.each((evil[0] ?? []).map((line) => [line.hook, line] as const))('a host: %s', async (_, kept) => {
    await expectKept(host, [...evil.flat(), ...asked], kept);
  });

  it.each(asked.map((line) => [`${line.hook} ${line.dns ?? ''}`.trim(), line] as const))(
    'a look-up of a name: %s',
    async (_, kept) => {
      await expectKept(host, [...evil.flat(), ...asked], kept);
    },
  );

  it.each(relay.map((line) => [line.hook, line] as const))('a unix socket: %s', async (_, kept) => {
    expect(relay).toHaveLength(2);
    await expectKept(path, relay, kept);
  });
});
