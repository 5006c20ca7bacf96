import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { type Evidence, type JudgedCase, openJudgedCase } from './judged-case.ts';
import { connectionsOf, type KernelLine, parseKernelLine } from './kernel-line.ts';
import { casesFolder, openCodes, readLines } from './shared-case.ts';

/**
 * Evidence without one of its pieces must never stay `proven`, but where nothing leaned on the piece. Which pieces those are
 * stands here, each with the reason: whoever adds one must be able to say why the proof is as good without it.
 */
const benign = 'c01-benign';
const linesOf = (name: string): KernelLine[] =>
  readLines(join(casesFolder, name, 'tetragon.jsonl.gz')).map(parseKernelLine);
const lines = linesOf(benign);
const sensorLines = readLines(join(casesFolder, benign, 'sensor.jsonl.gz')).map(
  (line) => JSON.parse(line) as { kind: string; n?: number; state?: string; time: string },
);

let opened: JudgedCase;
beforeAll(async () => {
  opened = await openJudgedCase(benign);
  expect((await opened.judge({})).verdict).toBe('proven');
});
afterAll(() => opened.close());

function withoutLines(evidence: Evidence, dropped: readonly number[]): Partial<Evidence> {
  const gone = new Set(dropped);
  return { tetragon: evidence.tetragon.filter((_, at) => !gone.has(at)) };
}

function withoutSensor(evidence: Evidence, dropped: readonly number[]): Partial<Evidence> {
  const gone = new Set(dropped);
  return { sensor: evidence.sensor.filter((_, at) => !gone.has(at)) };
}

/** Judges what is left, and says whether that is proven as it should be. */
async function expectLeft(changed: Partial<Evidence>, redundant: string | undefined, judged = opened): Promise<Report> {
  const report = await judged.judge(changed);
  const told = `${report.verdict}: ${openCodes(report).join(', ')}`;
  if (redundant === undefined) expect(report.verdict, told).not.toBe('proven');
  else expect(report.verdict, `${told}. Yet ${redundant}.`).toBe('proven');
  return report;
}

const connections = connectionsOf(lines.filter((line) => [423, 424, 427, 430].includes(line.pid)));

describe('a connection', () => {
  it('each of the task’s is leaned on by its use', async () => {
    expect(connections.map((one) => one[0]?.pid)).toEqual([424, 427, 430, 423]);
    for (const connection of connections) {
      await expectLeft(
        withoutLines(
          opened.evidence,
          connection.map((line) => line.at),
        ),
        undefined,
      );
    }
  });
});

describe('a process', () => {
  const outside = {
    'sshd 205': 'it started the launcher and the canary, and is no process of the task',
    'bash 419': 'it ran before the task',
    'python3 421': 'the launcher, outside the task: it set the environment that marks the task',
    'dnsmasq 227': 'the resolver’s own sends: its answer is seen at the process that asked',
    'python3.11 217': 'the far end of the connections, here by chance on the same node',
    'bash 434': 'it ran after the task',
  };
  it.each(Object.entries(outside))('%s stands outside: %s', async (who, reason) => {
    const dropped = lines.filter((line) => `${line.binary} ${line.pid}` === who);
    expect(dropped.length).toBeGreaterThan(0);
    await expectLeft(
      withoutLines(
        opened.evidence,
        dropped.map((line) => line.at),
      ),
      reason,
    );
  });

  it.each([422, 423, 424, 427, 430])('%i is the task’s, with or without its fork', async (pid) => {
    const own = lines.filter((line) => line.pid === pid).map((line) => line.at);
    const fork = lines.filter((line) => line.child === pid).map((line) => line.at);
    expect(fork.length).toBeGreaterThan(0);
    const codes = openCodes(await expectLeft(withoutLines(opened.evidence, own), undefined));
    expect(codes.some((code) => ['escaped-process', 'still-running', 'unknown-parent'].includes(code))).toBe(true);
    await expectLeft(withoutLines(opened.evidence, [...own, ...fork]), undefined);
  });

  it('the one that makes the canaries is needed', async () => {
    const canary = lines.filter((line) => line.pid === 420 && line.binary === 'python3').map((line) => line.at);
    const codes = openCodes(await expectLeft(withoutLines(opened.evidence, canary), undefined));
    expect(codes).toContain('canary-missed');
  });
});

describe('a look-up', () => {
  /** The question, the answer, and what the kernel showed of the datagram besides. */
  const lookups = [424, 427, 430, 423].flatMap((pid) => {
    const own = lines.filter((line) => line.pid === pid);
    const ids = [...new Set(own.flatMap((line) => line.dns ?? []))];
    return ids.map((id, index) => {
      const question = own.find((line) => line.dns === id && line.hook === 'udp_sendmsg');
      const after = (hook: string): KernelLine | undefined =>
        own.find((line) => line.at > (question?.at ?? 0) && line.hook === hook && !line.hasBytes);
      const answer = own.find((line) => line.dns === id && line.hook === 'skb_consume_udp');
      const all = [question, answer, after('udp_sendmsg'), after('ip_send_skb')].flatMap((line) => line?.at ?? []);
      return { name: `${pid} ${index === 0 ? 'A' : 'AAAA'}`, all };
    });
  });
  const earlier = 'the answer to 424 gave the name, on the same node and within its TTL';
  const empty = 'its answer held no address';
  const redundant: Readonly<Record<string, string>> = {
    '424 AAAA': empty,
    '427 A': earlier,
    '427 AAAA': empty,
    '430 AAAA': empty,
    '423 A': earlier,
    '423 AAAA': empty,
  };
  it.each(lookups)('$name', async ({ name, all }) => {
    expect(all).toHaveLength(4);
    await expectLeft(withoutLines(opened.evidence, all), redundant[name]);
  });

  it('all that gave one name at once', async () => {
    const all = lookups.filter(({ name }) => !name.startsWith('430')).flatMap((one) => one.all);
    const codes = openCodes(await expectLeft(withoutLines(opened.evidence, all), undefined));
    expect(codes).toContain('unattributed-address');
  });
});

describe('CloudTrail', () => {
  const folder = 'AWSLogs/111122223333';
  const digest = (hour: string): string =>
    `${folder}/CloudTrail-Digest/us-east-1/2026/11/21/111122223333_CloudTrail-Digest_us-east-1_org-trail_us-east-1_20261121T${hour}17Z.json.gz`;
  const log = `${folder}/CloudTrail/us-east-1/2026/11/21/111122223333_CloudTrail_us-east-1_20261121T1040Z_f756ff3e8e26825c.json.gz`;
  const without = (...paths: readonly string[]): Partial<Evidence> => {
    const left = new Map(opened.evidence.cloudtrail);
    for (const path of paths) expect(left.delete(path), path).toBe(true);
    return { cloudtrail: left };
  };
  const before = 'it ends before the credential was issued';
  const settled = 'the log was settled with the digest before it: the second behind the expiry';

  it.each([
    ['0912', before],
    ['1012', before],
    ['1112', undefined],
    ['1212', undefined],
    ['1312', settled],
    ['1412', settled],
  ])('the digest of %s, with its metadata or without', async (hour, redundant) => {
    await expectLeft(without(digest(hour)), redundant);
    await expectLeft(without(digest(hour), `${digest(hour)}.metadata.json`), redundant);
  });

  it.each(['0912', '1012', '1112', '1212', '1312', '1412'])('the metadata of the digest of %s', async (hour) => {
    await expectLeft(
      without(`${digest(hour)}.metadata.json`),
      'its signature stands in its successor too, and proves itself; the last one is not leaned on',
    );
  });

  it('the metadata of the last digest that is left', async () => {
    const behind = ['1312', '1412'].flatMap((hour) => [digest(hour), `${digest(hour)}.metadata.json`]);
    await expectLeft(without(...behind), settled);
    const codes = openCodes(await expectLeft(without(...behind, `${digest('1212')}.metadata.json`), undefined));
    expect(codes).toContain('digest-invalid');
  });

  it('the log file', async () => {
    const codes = openCodes(await expectLeft(without(log), undefined));
    expect(codes).toContain('log-file-missing');
  });

  it('the public keys', async () => {
    await expectLeft(without('public-keys.json'), undefined);
  });

  it('the trail’s snapshots, all or either', async () => {
    await expectLeft(without('trails.json'), undefined);
    const snapshots = JSON.parse(String(opened.evidence.cloudtrail.get('trails.json'))) as readonly unknown[];
    expect(snapshots).toHaveLength(2);
    for (const snapshot of snapshots) {
      const left = Buffer.from(JSON.stringify(snapshots.filter((one) => one !== snapshot)));
      await expectLeft({ cloudtrail: new Map(opened.evidence.cloudtrail).set('trails.json', left) }, undefined);
    }
  });

  it('all of it', async () => {
    await expectLeft({ cloudtrail: new Map() }, undefined);
  });
});

describe('a line about the sensor', () => {
  const health = sensorLines.flatMap((line, at) => (line.kind === 'health' ? [at] : []));

  it.each(health)('a single health line, %i', async (at) => {
    await expectLeft(
      withoutSensor(opened.evidence, [at]),
      'the counters are cumulative, and a policy that was off shows in the next line',
    );
  });

  const behind = 'the line at 10:33:54 is behind the end of the task, and behind a canary';
  it.each(health.slice(1).map((at, index) => [health[index] ?? 0, at] as const))(
    'two health lines, %i and %i',
    async (first, second) => {
      const last = second === health.at(-1);
      await expectLeft(withoutSensor(opened.evidence, [first, second]), last ? behind : undefined);
    },
  );

  it('every health line', async () => {
    await expectLeft(withoutSensor(opened.evidence, health), undefined);
  });

  it('the beginning of the stream', async () => {
    const at = sensorLines.findIndex((line) => line.state === 'connected');
    const codes = openCodes(await expectLeft(withoutSensor(opened.evidence, [at]), undefined));
    expect(codes).toContain('stream-gap');
  });

  it('the end of the stream', async () => {
    const at = sensorLines.findIndex((line) => line.state === 'disconnected');
    await expectLeft(withoutSensor(opened.evidence, [at]), 'it came after the task, and its absence hides no gap');
  });
});

describe('a canary', () => {
  const canaries = sensorLines.flatMap((line, at) => (line.n === undefined ? [] : [{ n: line.n, at }]));
  const eventsOf = (n: number): number[] =>
    lines.filter((line) => line.pid === 420 && line.address === `127.0.0.${n}`).map((line) => line.at);
  /** Those between the seen ones before the task and behind its last exit. */
  const leanedOn = new Set([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

  it.each(canaries)('$n: its line, its events, both', async ({ n, at }) => {
    const events = eventsOf(n);
    expect(events.length).toBeGreaterThan(3);
    const apart = leanedOn.has(n) ? undefined : 'it was made well before the task, or behind one that came after it';
    await expectLeft(withoutSensor(opened.evidence, [at]), 'its event, and the numbers around it, tell of it');
    const without = withoutLines(opened.evidence, events);
    const report = await expectLeft(without, apart);
    expect(openCodes(report)).toEqual(apart === undefined ? expect.arrayContaining(['canary-missed']) : []);
    await expectLeft({ ...without, ...withoutSensor(opened.evidence, [at]) }, apart);
  });

  it('all that were made after the task', async () => {
    const late = canaries.filter(({ n }) => n >= 15);
    await expectLeft(
      withoutLines(
        opened.evidence,
        late.flatMap(({ n }) => eventsOf(n)),
      ),
      undefined,
    );
  });
});

describe('a connection that a neighbour’s use could explain', () => {
  it.each(['c05-fork-without-exec', 'c09-concurrent-assumed'])('in %s', async (name) => {
    const judged = await openJudgedCase(name);
    try {
      const base = await judged.judge({});
      expect(base.verdict).toBe('proven');
      const tasks = new Set(base.processes.map((process) => process.execId));
      const own = linesOf(name).filter((line) => tasks.has(line.execId));
      const all = connectionsOf(own);
      expect(all.length).toBeGreaterThan(2);
      for (const connection of all) {
        // One connection may carry several uses, so the use fits the one to the same host that was open within the tolerance.
        const twin = all.some((other) => other !== connection && other[0]?.address === connection[0]?.address);
        await expectLeft(
          withoutLines(
            judged.evidence,
            connection.map((line) => line.at),
          ),
          twin ? 'its use fits another connection to the host: one may carry several' : undefined,
          judged,
        );
      }
    } finally {
      await judged.close();
    }
  });
});
