import { decode } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { parseDnsMessage, resolvedAddresses } from '../../../src/sources/dns-message.ts';
import { parseClientHello } from '../../../src/sources/tls-client-hello.ts';
import { clientHello } from './client-hello-bytes.ts';
import { dnsAnswer, dnsQuestion } from './dns-bytes.ts';
import { renderKernel } from './render-kernel.ts';
import { readTables } from './tables.ts';
import { after, curlActs, type Done, everyAct, smallWorld, tuple } from './small-world.ts';
import type { LookupAct, World } from '../world.ts';

const hooksOf = (world: World): string[] => [...renderKernel(world, 'lean')].map(({ hook }) => hook);

describe('export and lean lines', () => {
  it('give the same rows', async () => {
    const world = smallWorld(everyAct(), ({ nodes }) => nodes[0]?.sensor.restarts.push(after(21.2)));
    const queries = {
      events: 'SELECT * EXCLUDE evidence FROM kernel_event ORDER BY ALL',
      processes: 'SELECT * EXCLUDE evidence FROM process ORDER BY ALL',
      flows: 'SELECT * EXCLUDE evidence FROM flow ORDER BY ALL',
      names: 'SELECT * EXCLUDE evidence FROM dns_message ORDER BY ALL',
      hellos: 'SELECT * EXCLUDE evidence FROM tls_hello ORDER BY ALL',
    };
    const lean = await readTables(world, 'lean', queries);
    for (const name of Object.keys(queries)) expect(lean[name]?.length).toBeGreaterThan(0);
    expect(lean).toEqual(await readTables(world, 'export', queries));
  });
});

describe('a world in the tables of the product', () => {
  const acts: Done[] = [
    ...curlActs(),
    {
      ...{ kind: 'tcp', process: 'daemon', at: after(12), tuple: tuple('203.0.113.66', 443, 7001), closed: after(13) },
      ...{ outcome: 'refused', blocking: true, sends: [], hello: { form: 'none' } },
    },
  ];
  const world = smallWorld(acts, ({ processes }) => {
    // what ties a daemon without the task's environment is the fork of its parent
    for (const process of processes) if (process.id === 'daemon') process.env = {};
  });

  it('has its true process tree', async () => {
    const { tree } = await readTables(world, 'lean', {
      tree: `SELECT p.pid, p.binary, parent.pid AS parent, parent.binary AS parent_binary, p.tied_by, epoch_us(p.started) AS started,
               epoch_us(p.exited) AS exited, p.announced
             FROM process AS p JOIN process AS parent ON parent.exec_id = CASE WHEN p.tied_by = 'fork' THEN p.fork_parent ELSE p.parent_exec_id END
             WHERE p.task_id IS NOT NULL ORDER BY p.started, p.pid`,
    });
    const members = world.processes.filter(({ id }) => /^(root|curl|fork|shell|image|daemon)$/.test(id));
    expect(tree?.map((row) => [row['pid'], row['parent'], row['binary']].map(String))).toEqual(
      members.map(({ pid, parent, binary }) => [
        String(pid),
        String(world.processes.find(({ id }) => id === parent)?.pid),
        binary,
      ]),
    );
    expect(tree?.map((row) => Number(row['started']) - 10)).toEqual(
      members.map(({ started }) => Number(started / 1000n)),
    );
    expect(tree?.map((row) => (row['exited'] === null ? undefined : Number(row['exited'])))).toEqual(
      members.map(({ exited }) => (exited === undefined ? undefined : Number(exited / 1000n))),
    );
    expect(tree?.map((row) => row['announced'])).toEqual(members.map(({ how }) => how !== 'fork'));
    expect(tree?.at(-1)?.['tied_by']).toBe('fork');
  });

  it('has its true ways out, named as they were looked up', async () => {
    const { out } = await readTables(world, 'lean', {
      out: `SELECT p.binary, e.channel, e.remote_address, e.remote_port, e.path, e.outcome, e.carried, e.host
            FROM egress AS e JOIN process AS p ON p.exec_id = e.exec_id WHERE e.task_id IS NOT NULL ORDER BY e.opened, e.channel`,
    });
    const ways = out?.map((row) =>
      Object.values(row)
        .map((value) => (value === null ? '-' : String(value)))
        .join(' '),
    );
    expect(ways).toEqual([
      '/usr/bin/curl unix - - /var/run/nscd/socket unknown unknown -',
      '/usr/bin/curl udp 192.0.2.53 53 - up yes -',
      '/usr/bin/curl tcp 192.0.2.10 443 - up yes route53.amazonaws.com',
      '/usr/bin/python3 tcp 203.0.113.66 443 - failed no -',
    ]);
  });

  it('sees every canary that the collector made, and none that the task made or nobody', async () => {
    const changed = smallWorld(acts, ({ nodes }) => {
      const canaries = nodes[0]?.sensor.canaries ?? [];
      for (const canary of canaries) {
        if (canary.n === 20) canary.by = 'root';
        if (canary.n === 25) canary.made = false;
      }
    });
    const { missed } = await readTables(changed, 'lean', {
      missed: 'SELECT n FROM sensor_canary WHERE NOT seen ORDER BY n',
    });
    expect(missed?.map(({ n }) => Number(n))).toEqual([20, 25]);
  });
});

describe('what the sensor could not tell', () => {
  it('is left out by hook, by policy and by process', () => {
    const all = hooksOf(smallWorld(curlActs()));
    const without = (blind: object): string[] =>
      hooksOf(
        smallWorld(curlActs(), ({ nodes }) =>
          nodes[0]?.sensor.blind.push({ from: after(5.5), until: after(6.9), ...blind }),
        ),
      );
    const window = all.length - without({}).length;
    expect(window).toBeGreaterThan(28);
    expect(all.length - without({ hooks: ['tcp_connect'] }).length).toBe(1 + 1); // with a canary
    expect(all.length - without({ policies: ['dns-audit'] }).length).toBe(4);
    expect(all.length - without({ processes: ['curl'] }).length).toBe(window - 5);
    expect(without({ from: after(100), until: after(200) })).toEqual(all);
  });

  it('is old after a restart: what runs is named anew, from when its pid began', () => {
    const world = smallWorld(curlActs('image', 20), ({ nodes }) => nodes[0]?.sensor.restarts.push(after(10)));
    const lines = [...renderKernel(world, 'lean')];
    const ids = lines.flatMap(({ process, text, hook }) =>
      process === 'image'
        ? [[hook, Buffer.from(/"exec_id":"([^"]+)"/.exec(text)?.[1] ?? '', 'base64').toString()]]
        : [],
    );
    expect(ids[0]).toEqual(['exec', 'tetlab:604500000000:426']);
    expect(ids[1]).toEqual(['exec', 'tetlab:603980000000:426']);
    expect(new Set(ids.slice(1).map(([, id]) => id)).size).toBe(1);
    const renamed = lines.filter(({ process, hook }) => process === 'image' && hook === 'exec')[1]?.text ?? '';
    expect(renamed).toContain('"flags":"procFS"');
    expect(renamed).not.toContain('environment_variables');
    expect(lines.some(({ process, hook }) => process === 'shell' && hook === 'exec')).toBe(true);
  });

  it('is limited: one send a minute for a process and two ends', () => {
    const sends = Array.from({ length: 8 }, (_, n) => after(6 + 10 * n));
    const act: Done = {
      kind: 'inherited',
      process: 'login',
      at: after(6),
      tuple: tuple('203.0.113.66', 443, 7100),
      sends,
    };
    expect(hooksOf(smallWorld([act])).filter((hook) => hook === 'tcp_sendmsg_locked')).toHaveLength(2);
  });

  it('bears the time of the node', () => {
    const [straight, skewed] = [0n, -850_000_000n].map((skew) =>
      [
        ...renderKernel(
          smallWorld(curlActs(), ({ nodes }) => nodes.forEach((node) => (node.skew = skew))),
          'lean',
        ),
      ].find(({ hook, act }) => hook === 'tcp_connect' && act !== undefined),
    );
    const time = (text = ''): number => Date.parse(/"time":"([^"]+)"\}$/.exec(text)?.[1] ?? '');
    expect(skewed?.at).toBe(straight?.at);
    expect(time(straight?.text) - time(skewed?.text)).toBe(850);
  });
});

describe('payloads', () => {
  const lookup: LookupAct = {
    ...{
      kind: 'lookup',
      name: 'api.example.com',
      type: 'A',
      server: '192.0.2.53',
      localPort: 4000,
      socket: '1',
      answered: 1n,
    },
    answers: [
      { address: '192.0.2.1', ttl: 30 },
      { address: '192.0.2.2', ttl: 30 },
    ],
    ...{ through: ['edge.example.net', 'a.b.example.org'], messageId: 4711 },
  };

  it('of DNS read the same to the product and to a library', () => {
    const answer = parseDnsMessage(dnsAnswer(lookup));
    if (answer.kind === 'broken') throw new Error(answer.why);
    expect(resolvedAddresses(answer, lookup.name)).toEqual(lookup.answers);
    expect(decode(dnsAnswer(lookup)).answers?.map(({ name }) => name)).toEqual([
      lookup.name,
      'edge.example.net',
      'a.b.example.org',
      'a.b.example.org',
    ]);
    expect(parseDnsMessage(dnsQuestion(lookup))).toMatchObject({
      kind: 'query',
      id: 4711,
      otherRecords: 0,
      trailingBytes: 0,
    });
  });

  it('of TLS tell the name, part of it, or that it is hidden', () => {
    expect(clientHello('whole', 'route53.amazonaws.com', 's')).toHaveLength(517);
    expect(parseClientHello(clientHello('whole', 'route53.amazonaws.com', 's'))).toMatchObject({
      ...{ kind: 'hello', serverName: 'route53.amazonaws.com', encrypted: false, alpn: ['h2', 'http/1.1'] },
    });
    expect(parseClientHello(clientHello('split', 'route53.amazonaws.com', 's'))).toMatchObject({ kind: 'partial' });
    expect(parseClientHello(clientHello('encrypted', 'public.example', 's'))).toMatchObject({
      kind: 'hello',
      encrypted: true,
    });
  });

  it.each([
    ['whole', 443, 1],
    ['split', 443, 1],
    ['encrypted', 443, 1],
    ['old', 443, 0],
    ['whole', 8443, 0],
  ] as const)('of a %s hello to port %i are in %i events', (form, port, count) => {
    const act: Done = {
      ...{ kind: 'tcp', process: 'curl', at: after(6), tuple: tuple('192.0.2.10', port, 6957), closed: after(8) },
      ...{ outcome: 'up', blocking: true, sends: [after(7)], hello: { form, name: 'route53.amazonaws.com' } },
    };
    expect(hooksOf(smallWorld([act])).filter((hook) => hook === 'tcp_sendmsg')).toHaveLength(count);
  });
});
