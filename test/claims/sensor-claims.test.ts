import { describe, expect, test } from 'vitest';
import { readHooks } from '../../src/sources/hooks.ts';
import {
  type Cells,
  type Evidence,
  type Line,
  type Policy,
  lineAt,
  quiet,
  readCase,
  readFindings,
  second,
  socketEvent,
  toTask,
} from '../sources/sensor-evidence.ts';

/** Findings but for notes, as `code kind`. */
async function codes(evidence: Evidence): Promise<string[]> {
  const findings = await readFindings(evidence);
  return findings.filter(({ kind }) => kind !== 'note').map(({ code, kind }) => `${code} ${kind}`);
}

const healthFrom = (lines: readonly Line[], at: string) =>
  lines.filter(({ kind, time }) => kind === 'health' && time >= at);

describe('sensor-coverage', () => {
  test('nothing amiss: only the note that selectors were not checked', async () => {
    const findings = await readFindings(quiet());
    expect(findings.map(({ claim, code, kind }) => [claim, code, kind])).toEqual([
      ['sensor-coverage', 'hook-narrowed', 'note'],
    ]);
  });

  test('a gap of a policy outside the window is none of the claim', async () => {
    const evidence = quiet();
    lineAt(evidence.lines, 60).policies = [];
    expect(await codes(evidence)).toEqual([]);
    lineAt(evidence.lines, 40).policies = [];
    expect(await codes(evidence)).toEqual(['policy-missing doubt']);
  });

  test('digests that stay are checked selectors, one that changes within the window is a doubt', async () => {
    const { lines, ...rest } = quiet();
    for (const line of healthFrom(lines, second(0))) line.specs = [{ name: 'all', sha256: 'aa' }];
    expect(await readFindings({ ...rest, lines })).toEqual([]);
    lineAt(lines, 30).specs = [{ name: 'all', sha256: 'bb' }];
    expect(await codes({ ...rest, lines })).toEqual(['hook-narrowed doubt']);
  });

  test('another digest after the window and its closing line is told nowhere', async () => {
    const { lines, ...rest } = quiet();
    for (const line of healthFrom(lines, second(0))) line.specs = [{ name: 'all', sha256: 'aa' }];
    lineAt(lines, 50).specs = [{ name: 'all', sha256: 'bb' }];
    expect(await codes({ ...rest, lines })).toEqual([]);
  });

  test.each([
    ['AF_XDP', socketEvent(44, 3, 0), 'xdp'],
    ['netfilter over netlink', socketEvent(16, 3, 12), 'netlink-rewriting'],
    ['a vsock datagram socket', socketEvent(40, 2, 0), 'vsock-datagram'],
    ['a Bluetooth socket, of which nothing is known', socketEvent(31, 3, 0), 'family 31, type 3, protocol 0'],
    ['DCCP, of which nothing is known', socketEvent(2, 6, 33), 'family 2, type 6, protocol 33'],
  ])('%s is a blind spot', async (_, event, detail) => {
    const evidence = quiet();
    const findings = await readFindings({ ...evidence, events: [...evidence.events, event] });
    const found = findings.filter(({ code }) => code === 'blind-spot');
    expect(found).toEqual([
      expect.objectContaining({ kind: 'doubt', subject: 'n1', detail: expect.stringContaining(detail) as string }),
    ]);
  });

  test.each([
    ['a socket of another process', socketEvent(44, 3, 0, 'collector')],
    ['a socket that the kernel made for itself', { ...socketEvent(44, 3, 0), i3: 1 }],
    ['TCP', socketEvent(2, 1, 6)],
    ['UDP over IPv6', socketEvent(10, 2, 0)],
    ['the netlink socket of a look-up', socketEvent(16, 3, 0)],
    ['a packet socket, which is told as a raw channel', socketEvent(17, 3, 768)],
    ['a raw socket, which is told as a raw channel', socketEvent(2, 3, 255)],
    ['MPTCP', socketEvent(2, 1, 262)],
  ])('%s is no blind spot', async (_, event) => {
    const evidence = quiet();
    expect(await codes({ ...evidence, events: [...evidence.events, event] })).toEqual([]);
  });

  test.each([
    ['QUIC', { channel: 'udp', remote_port: 443 }, 1],
    ['DNS over TCP', { channel: 'tcp', remote_port: 53 }, 1],
    ['DNS over TLS', { channel: 'tcp', remote_port: 853, carried: 'unknown' }, 1],
    ['HTTPS', { channel: 'tcp', remote_port: 443 }, 0],
    ['DNS', { channel: 'udp', remote_port: 53 }, 0],
    ['DNS over TCP that carried nothing', { channel: 'tcp', remote_port: 53, carried: 'no' }, 0],
    ['DNS over TCP within the tree', { channel: 'tcp', remote_port: 53, inside: true }, 0],
    ['DNS over TCP of others', { channel: 'tcp', remote_port: 53, task_id: null }, 0],
  ])('egress by %s', async (_, difference, count) => {
    const row: Cells = {
      ...{ id: 'e1', node: 'n1', exec_id: 'task', task_id: '7b3f', opened: second(25), hook: 'tcp_connect' },
      ...{ outcome: 'up', carried: 'yes', inside: false, hello: 'none', basis: 'none', endpoint: 'x', declared: true },
      ...{ evidence: 'tetragon/n1/9', ...difference },
    };
    expect(await codes({ ...quiet(), egress: [row] })).toEqual(Array(count).fill('blind-spot doubt'));
  });
});

describe('sensor-continuity', () => {
  test('nothing at all about the sensor', async () => {
    expect(await codes({ ...quiet(), lines: [] })).toEqual(['no-health-evidence doubt']);
  });

  test('canaries without health, and health without canaries', async () => {
    const { lines, ...rest } = quiet();
    const without = (kind: string) => codes({ ...rest, lines: lines.filter((line) => line.kind !== kind) });
    expect(await without('health')).toEqual(['no-health-evidence doubt']);
    expect(await without('canary')).toContain('canary-missed doubt');
  });

  test('health lines must hold the window on both sides', async () => {
    const { lines, ...rest } = quiet();
    const only = (from: number, until: number) =>
      codes({
        ...rest,
        lines: lines.filter(({ kind, time }) => kind !== 'health' || (time >= second(from) && time <= second(until))),
      });
    expect(await only(20, 40)).toEqual(['stream-gap doubt']); // not settled: no line tells that the cache is empty
    expect(await only(30, 60)).toEqual(['no-health-evidence doubt']);
    expect(await only(0, 30)).toContain('no-health-evidence doubt');
  });

  test('a window that was declared wider than the task must be held too', async () => {
    const evidence = quiet();
    const findings = await codes({
      ...evidence,
      task: { ...evidence.task, window_start: second(-30), window_end: second(70) },
    });
    expect(findings).toEqual([
      'no-health-evidence doubt',
      'no-health-evidence doubt',
      'stream-gap doubt',
      'canary-missed doubt',
    ]);
  });

  test('what is only a matter of time is a wait, unless the stream has ended', async () => {
    const { lines, events, ...rest } = quiet();
    const cut = lines.filter(({ time }) => time <= second(40));
    const task = toTask(second(20), second(40), second(45));
    const findings = await readFindings({ ...rest, events, lines: cut, task });
    expect(findings.filter(({ kind }) => kind !== 'note')).toEqual([
      expect.objectContaining({
        code: 'stream-gap',
        kind: 'wait',
        until_time: expect.stringContaining('12:01:10') as string,
      }),
    ]);
    const ended = { kind: 'stream', node: 'n1', time: second(41), state: 'disconnected' };
    expect(await codes({ ...rest, events, lines: [...cut, ended], task })).toEqual(['stream-gap doubt']);
    expect(await codes({ ...rest, events, lines: cut })).toEqual(['stream-gap doubt']);
  });

  test('settled too when the stream goes on for half a minute, though the cache is never told empty', async () => {
    const { lines, events, ...rest } = quiet();
    for (const line of healthFrom(lines, second(0)))
      line.metrics = { ...line.metrics, tetragon_event_cache_entries: 2 };
    expect(await codes({ ...rest, lines, events })).toEqual(['stream-gap doubt']);
    const later = { node: 'n1', time: second(71), kind: 'exec', evidence: 'tetragon/n1/99' };
    expect(await codes({ ...rest, lines, events: [...events, later] })).toEqual([]);
  });

  test('a stream that was not connected when the window began, or broke within it', async () => {
    const { lines, ...rest } = quiet();
    const stream = (at: number, state: string): Line => ({ kind: 'stream', node: 'n1', time: second(at), state });
    const others = lines.filter(({ kind }) => kind !== 'stream');
    const told = (...streams: Line[]) => codes({ ...rest, lines: [...others, ...streams] });
    expect(await told(stream(21, 'connected'))).toEqual(['stream-gap doubt']);
    expect(await told(stream(-1, 'connected'), stream(30, 'disconnected'))).toContain('stream-gap doubt');
    expect(await told(stream(-1, 'connected'), stream(3, 'disconnected'), stream(5, 'connected'))).toEqual([]);
    expect(await told()).toEqual([]);
    const notes = await readFindings({ ...rest, lines: others });
    expect(notes).toContainEqual(
      expect.objectContaining({ claim: 'sensor-continuity', code: 'stream-gap', kind: 'note' }),
    );
  });

  test.each([
    ['of any node', '', 'broken-line', ['stream-gap doubt']],
    ['of a file', 'export.json', 'truncated-file', ['stream-gap doubt']],
    ['of another node', 'n2', 'broken-line', []],
  ])('a gap %s in the sensor’s stream', async (_, origin, why, expected) => {
    const gap = { stream: 'tetragon', origin, why, detail: 'Lines are missing.', evidence: 'tetragon/x/1' };
    const evidence = quiet();
    const processes = [...evidence.processes, { ...evidence.processes[1], node: 'n2' }];
    expect(await codes({ ...evidence, processes, gaps: [{ ...gap, from_time: null, until: null }] })).toEqual(expected);
  });

  test('a gap that ends before the window or begins after it does not matter', async () => {
    const gap = { stream: 'tetragon-grpc', origin: 'n1', why: 'stream-gap', detail: 'Cut.', evidence: 'e' };
    const cut = (from: number, until: number) =>
      codes({ ...quiet(), gaps: [{ ...gap, from_time: second(from), until: second(until) }] });
    expect(await cut(0, 19)).toEqual([]);
    expect(await cut(41, 50)).toEqual([]);
    expect(await cut(19, 21)).toEqual(['stream-gap doubt']);
  });

  test('a line that could not be read is told', async () => {
    const { lines, ...rest } = quiet();
    const findings = await readFindings({ ...rest, lines: [...lines, { ...lineAt(lines, 30), kind: '' }] });
    expect(findings).toContainEqual(expect.objectContaining({ code: 'no-health-evidence', kind: 'note' }));
  });

  test('without a process of the task there is nothing to judge here', async () => {
    const evidence = quiet();
    expect(await readFindings({ ...evidence, processes: [], task: toTask(null, null, second(60)) })).toEqual([]);
  });
});

describe('recorded cases', () => {
  test.each([
    ...['c01-benign', 'c02-undeclared-endpoint', 'c03-daemon', 'c04-unix-relay', 'c05-fork-without-exec', 'c06-udp'],
    ...['c07-second-name', 'c08-concurrent', 'c10-bare-address', 'c11-data-events-off'],
  ])('%s: both claims hold', async (name) => {
    expect(await codes(readCase(name))).toEqual([]);
  });

  test('c19 and c20 do not', async () => {
    expect(new Set(await codes(readCase('c19-sensor-loss')))).toEqual(new Set(['sensor-loss doubt']));
    expect(await codes(readCase('c20-policy-off'))).toEqual(['policy-disabled doubt', 'canary-missed doubt']);
  });
});

describe('c01 with its lines about the sensor changed', () => {
  const c01 = () => readCase('c01-benign');
  const middle = '2026-11-21T10:33:47.7';
  const eachPolicy = (lines: readonly Line[], change: (policy: Policy) => void) =>
    lines.forEach(({ policies }) => policies?.forEach(change));

  test('a stretch of health lines is missing', async () => {
    const evidence = c01();
    const health = evidence.lines.filter(({ kind }) => kind === 'health');
    const without = (gone: readonly Line[]) =>
      codes({ ...evidence, lines: evidence.lines.filter((line) => !gone.includes(line)) });
    expect(await without(health.slice(3, 4))).toEqual([]);
    expect(await without(health.slice(2, 5))).toEqual(['no-health-evidence doubt']);
    expect(await without(health.slice(5))).toContain('no-health-evidence doubt');
    expect(await without(health.slice(0, 2))).toEqual(['no-health-evidence doubt']);
    expect(await without(health)).toEqual(['no-health-evidence doubt']);
  });

  test('a canary is missing: its event alone, its line alone, both', async () => {
    const evidence = c01();
    const lines = evidence.lines.filter(({ n }) => n !== 9);
    const events = evidence.events.filter(
      (event) => event['a_addr'] !== '127.0.0.9' && event['s_daddr'] !== '127.0.0.9',
    );
    expect(events).toHaveLength(evidence.events.length - 2);
    expect(await codes({ ...evidence, lines })).toEqual([]);
    expect(await codes({ ...evidence, events })).toEqual(['canary-missed doubt']);
    expect(await codes({ ...evidence, lines, events })).toEqual(['canary-missed doubt']);
  });

  test('every loss counter in the recording counts, moved by one', async () => {
    const evidence = c01();
    const loss =
      /^tetragon_(bpf_missed_events|observer_ringbuf_events_lost|observer_ringbuf_queue_events_lost|notify_overflowed_events|export_ratelimit_events_dropped|event_cache_fetch_failures|event_cache_errors|events_missing_process_info|missed_link_probes|missed_prog_probes|handler_errors)_total/;
    const names = new Map<string, string>();
    for (const counter of Object.keys(evidence.lines.find(({ kind }) => kind === 'health')?.metrics ?? {})) {
      const required = !/_probes_total/.test(counter) || /policy="(__base__|egress-audit|tls-hello)"/.test(counter);
      const name = loss.exec(counter)?.[0];
      if (name !== undefined && required) names.set(name, counter);
    }
    names.set('tetragon_bpf_missed_events_total', 'tetragon_bpf_missed_events_total{error="ENOSPC",msg_op="13"}');
    expect([...names.keys()].sort()).toHaveLength(11);
    for (const counter of names.values()) {
      const moved = c01();
      for (const { metrics } of healthFrom(moved.lines, middle)) {
        if (metrics !== undefined) metrics[counter] = (metrics[counter] ?? 0) + 1;
      }
      expect([counter, await codes(moved)]).toEqual([counter, ['sensor-loss doubt']]);
    }
  });

  test('the agent restarted', async () => {
    const evidence = c01();
    for (const { metrics } of healthFrom(evidence.lines, middle)) {
      if (metrics !== undefined) metrics['process_start_time_seconds'] = 1795256999;
    }
    expect(await codes(evidence)).toEqual(['sensor-restart doubt']);
  });

  test('a policy was disabled in one line', async () => {
    for (const name of ['egress-audit', 'lineage-audit', 'dns-audit', 'tls-hello']) {
      const evidence = c01();
      eachPolicy(healthFrom(evidence.lines, middle).slice(0, 1), (policy) => {
        if (policy.name === name) policy.state = 'TP_STATE_DISABLED';
      });
      expect([name, await codes(evidence)]).toEqual([name, ['policy-disabled doubt']]);
    }
  });

  test('policies that close nothing may go, and all may be renamed', async () => {
    const evidence = c01();
    for (const line of evidence.lines.filter(({ kind }) => kind === 'health')) {
      line.policies = (line.policies ?? []).filter(({ name }) => name !== 'dns-libc' && name !== 'iouring-audit');
    }
    eachPolicy(evidence.lines, (policy) => (policy.name = `x-${policy.name}`));
    expect(await codes(evidence)).toEqual([]);
  });

  test('every required hook that the kernel lacks is missed, unless a gate shows that it was not needed', async () => {
    const { requiredHook } = readHooks();
    const gated = new Set(requiredHook.filter(([, , role]) => role === 'gate').map(([channel]) => channel));
    const needed = requiredHook.filter(([, , role]) => role !== 'optional');
    const ungated = needed.filter(([channel, , role]) => role === 'gate' || !gated.has(channel));
    // the look-ups of the recorded task try IPv6 sockets, so that it needs their hook
    const always = new Set([...ungated.map(([, hook]) => hook), 'udpv6_sendmsg']);
    const recorded = new Set(
      c01().lines.flatMap(({ policies }) =>
        (policies ?? []).flatMap((policy) => (policy.hook_statuses ?? []).map((status) => status.hook_description)),
      ),
    );
    const hooks = [...new Set(needed.map(([, hook]) => hook))].filter((hook) => recorded.has(hook));
    expect(hooks).toHaveLength(28);
    for (const hook of hooks) {
      const evidence = c01();
      eachPolicy(evidence.lines, ({ hook_statuses }) =>
        hook_statuses?.forEach((status) => {
          if (status.hook_description === hook) status.state = 'STATUS_CALL_NOT_FOUND';
        }),
      );
      expect([hook, await codes(evidence)]).toEqual([hook, always.has(hook) ? ['hook-missing doubt'] : []]);
    }
  });
});
