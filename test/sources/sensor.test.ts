import { describe, expect, test } from 'vitest';
import { parseHooks, readHooks } from '../../src/sources/hooks.ts';
import {
  type Line,
  connectEvents,
  healthLine,
  lineAt,
  quiet,
  readCase,
  readGaps,
  second,
  socketEvent,
  toProcess,
  withEvidence,
} from './sensor-evidence.ts';

const gapTimes = (from: number | null, until: number | null) => ({
  from_time: from === null ? null : (expect.stringContaining(second(from).slice(11, 19)) as string),
  until: until === null ? null : (expect.stringContaining(second(until).slice(11, 19)) as string),
});

describe('hooks.json', () => {
  test('names for every channel what closes it, and judges only blind spots that can be seen to be touched', () => {
    const hooks = readHooks();
    expect(hooks.requiredHook).toContainEqual(['tcp', 'tcp_connect', 'required', 0, 1]);
    expect(hooks.requiredHook).toContainEqual(['sctp', 'security_socket_create', 'gate', 0, 1]);
    expect(hooks.requiredHook).toContainEqual(['dns', 'udp_sendmsg', 'required', 0, 2]);
    expect(hooks.blindSpots.filter(({ judged }) => judged).map(({ channel }) => channel)).toEqual([
      'quic',
      'dns-over-tcp',
      'xdp',
      'netlink-rewriting',
      'vsock-datagram',
    ]);
  });

  test('puts alternatives into one slot', () => {
    const text = JSON.stringify({
      channels: [{ channel: 'c', closes: 'x', required: ['a', ['b', 'd']] }],
      blindSpots: [],
    });
    expect(parseHooks(text).requiredHook).toEqual([
      ['c', 'a', 'required', 0, 1],
      ['c', 'b', 'required', 1, 1],
      ['c', 'd', 'required', 1, 1],
    ]);
  });

  test('a misspelt field is an error', () => {
    expect(() => parseHooks('{"channels":[],"blindSpots":[],"hooks":[]}')).toThrow();
  });
});

describe('lines about the sensor', () => {
  const read = (lines: (Line | string)[]) =>
    withEvidence({ lines, events: [], processes: [] }, (database) =>
      database.all('SELECT node, time, kind, state, why, n, port, started, cache_entries, evidence FROM sensor'),
    );

  test('a time with an offset is the same instant in UTC', async () => {
    const [row] = await read([
      { kind: 'canary', node: 'n1', time: '2026-01-01T14:00:00.123456789+02:00', n: 7, port: 9 },
    ]);
    expect(row).toMatchObject({ kind: 'canary', n: '7', port: '9', time: '2026-01-01 12:00:00.123456' });
  });

  test('start time and event cache are taken from the counters, an error from either field', async () => {
    const rows = await read([
      healthLine(0, { tetragon_event_cache_entries: 3 }),
      { kind: 'health', node: 'n1', time: second(1), error: 'unavailable' },
      { kind: 'health', node: 'n1', time: second(2), policies: [] },
    ]);
    expect(rows.map((row) => [row['started'], row['cache_entries'], row['why']])).toEqual([
      [1000, '3', null],
      [null, null, 'unavailable'],
      [null, null, 'the line tells no policies or no counters'],
    ]);
  });

  test('what can not be read becomes a gap, a line given twice counts once', async () => {
    const line = healthLine(0);
    const broken = ['{"kind":"health",', '[]', '{"kind":"weather","node":"n1","time":"2026-01-01T00:00:00Z"}'];
    const gaps = await readGaps({
      lines: [line, line, ...broken, '{"kind":"canary","node":"n1","time":"soon","n":1,"port":1}', '{"kind":"health"}'],
      events: [],
      processes: [],
    });
    expect(gaps.map(({ stream, why, evidence }) => [stream, why, evidence])).toEqual(
      [2, 3, 4, 5, 6].map((seq) => ['sensor', 'broken-line', `sensor/file/000${seq}`]),
    );
    expect(await read([line, line])).toHaveLength(1);
  });
});

describe('gaps from health lines', () => {
  test('nothing amiss, no gap', async () => {
    expect(await readGaps(quiet())).toEqual([]);
  });

  test.each([
    'tetragon_bpf_missed_events_total{error="EAGAIN",msg_op="13"}',
    'tetragon_observer_ringbuf_events_lost_total',
    'tetragon_observer_ringbuf_queue_events_lost_total',
    'tetragon_notify_overflowed_events_total',
    'tetragon_export_ratelimit_events_dropped_total',
    'tetragon_event_cache_fetch_failures_total{entry_type="parent_info",event_type="PROCESS_EXEC"}',
    'tetragon_event_cache_errors_total{error="nil_process_pid",event_type="PROCESS_KPROBE"}',
    'tetragon_events_missing_process_info_total',
    'tetragon_handler_errors_total{error="unknown_opcode",opcode="13"}',
    'tetragon_missed_link_probes_total{attach="kprobe_multi (38 functions)",policy="all"}',
    'tetragon_missed_prog_probes_total{attach="38 retkprobes",policy="all"}',
    'tetragon_missed_prog_probes_total{attach="tcp_connect",policy="all"}',
    'tetragon_missed_link_probes_total{attach="acct_process",policy="__base__"}',
  ])('%s that rises by one is a loss between its two lines', async (counter) => {
    const { lines, ...rest } = quiet();
    const losing = lines.map((line) =>
      line.kind === 'health' && line.time >= second(30)
        ? { ...line, metrics: { ...line.metrics, [counter]: 1 } }
        : line,
    );
    expect(await readGaps({ ...rest, lines: losing })).toEqual([
      expect.objectContaining({ why: 'sensor-loss', origin: 'n1', count: '1', ...gapTimes(20, 30) }),
    ]);
  });

  test.each([
    'tetragon_missed_link_probes_total{attach="uprobe_multi (5 functions)",policy="names-of-libc"}',
    'tetragon_missed_prog_probes_total{attach="tcp_close_unrelated",policy="all"}',
    'tetragon_process_cache_evictions_total',
    'tetragon_bpf_error_metrics_total{error="2"}',
    'tetragon_cgroup_rate_total{type="check"}',
  ])('%s is no loss', async (counter) => {
    const { lines, ...rest } = quiet();
    const line = lineAt(lines, 30);
    line.metrics = { ...line.metrics, [counter]: 1 };
    expect((await readGaps({ ...rest, lines })).filter(({ why }) => why === 'sensor-loss')).toEqual([]);
  });

  test('the rate limit of the export is none of a store that took gRPC frames only', async () => {
    const { lines, ...rest } = quiet();
    for (const line of lines.filter(({ kind, time }) => kind === 'health' && time >= second(30))) {
      line.metrics = { ...line.metrics, tetragon_export_ratelimit_events_dropped_total: 5 };
    }
    expect(await readGaps({ ...rest, lines, streams: ['tetragon-grpc'] })).toEqual([]);
    expect(await readGaps({ ...rest, lines, streams: ['tetragon', 'tetragon-grpc'] })).toHaveLength(1);
  });

  test('counters that stand high all along are no loss', async () => {
    const { lines, ...rest } = quiet();
    for (const line of lines.filter(({ kind }) => kind === 'health')) {
      line.metrics = { ...line.metrics, tetragon_notify_overflowed_events_total: 64739 };
    }
    expect(await readGaps({ ...rest, lines })).toEqual([]);
  });

  test('another start time is a restart, and so is a counter that went back', async () => {
    const restarted = quiet();
    for (const line of restarted.lines.filter(({ kind, time }) => kind === 'health' && time >= second(30))) {
      line.metrics = { ...line.metrics, process_start_time_seconds: 1001 };
    }
    const wentBack = quiet();
    for (const line of wentBack.lines.filter(({ kind, time }) => kind === 'health' && time < second(30))) {
      line.metrics = { ...line.metrics, tetragon_handler_errors_total: 2 };
    }
    for (const evidence of [restarted, wentBack]) {
      expect(await readGaps(evidence)).toEqual([
        expect.objectContaining({ why: 'sensor-restart', ...gapTimes(20, 30) }),
      ]);
    }
  });

  test('one dropped line is no gap, two in a row are', async () => {
    const { lines, ...rest } = quiet();
    const without = (...at: number[]) => lines.filter((line) => !at.some((a) => line === lineAt(lines, a)));
    expect(await readGaps({ ...rest, lines: without(30) })).toEqual([]);
    expect(await readGaps({ ...rest, lines: without(20, 30) })).toEqual([
      expect.objectContaining({ why: 'no-health-evidence', ...gapTimes(10, 40) }),
    ]);
  });

  test('a line with an error is a gap between its neighbours', async () => {
    const { lines, ...rest } = quiet();
    const failed = lines.map((line) =>
      line === lineAt(lines, 30) ? { kind: 'health', node: 'n1', time: line.time, error: 'deadline' } : line,
    );
    const [gap, ...others] = await readGaps({ ...rest, lines: failed });
    expect(gap).toMatchObject({ why: 'no-health-evidence', ...gapTimes(20, 40) });
    expect(gap?.['detail']).toContain('deadline');
    expect(others).toEqual([]);
  });

  test('a task that began before the first line or ended after the last lies in a gap there; without lines all does', async () => {
    const { lines, ...rest } = quiet();
    const kept = lines.filter((line) => line.kind !== 'health' || [30].some((at) => line === lineAt(lines, at)));
    const health = async (left: Line[]) =>
      (await readGaps({ ...rest, lines: left })).filter(({ why }) => why === 'no-health-evidence');
    expect(await health(kept)).toEqual([
      expect.objectContaining(gapTimes(null, 30)),
      expect.objectContaining(gapTimes(30, null)),
    ]);
    expect(await health([])).toEqual([expect.objectContaining(gapTimes(null, null))]);
  });
});

describe('gaps from policies', () => {
  const policiesAt = (at: number, change: (line: Line) => void) => {
    const evidence = quiet();
    change(lineAt(evidence.lines, at));
    return evidence;
  };
  const from = (at: number, change: (line: Line) => void) => {
    const evidence = quiet();
    evidence.lines.filter(({ kind, time }) => kind === 'health' && time >= second(at)).forEach(change);
    return evidence;
  };
  const eachPolicy = (line: Line, change: (policy: NonNullable<Line['policies']>[number]) => void) =>
    (line.policies ?? []).forEach(change);

  test('disabled in one line: from the last good line to the next', async () => {
    const gaps = await readGaps(
      policiesAt(30, (line) => eachPolicy(line, (policy) => (policy.state = 'TP_STATE_DISABLED'))),
    );
    expect(gaps).toEqual([expect.objectContaining({ why: 'policy-disabled', ...gapTimes(20, 40) })]);
    expect(gaps[0]?.['detail']).toContain('The policy all was TP_STATE_DISABLED');
  });

  test('enabled in part is judged by its hooks', async () => {
    const change = (line: Line) => eachPolicy(line, (policy) => (policy.state = 'TP_STATE_PARTIALLY_ENABLED'));
    expect(await readGaps(policiesAt(30, change))).toEqual([]);
  });

  test('absent in one line, and absent from some line on', async () => {
    expect(await readGaps(policiesAt(30, (line) => (line.policies = [])))).toEqual([
      expect.objectContaining({ why: 'policy-missing', ...gapTimes(20, 40) }),
    ]);
    expect(await readGaps(from(30, (line) => (line.policies = [])))).toEqual([
      expect.objectContaining({ why: 'policy-missing', ...gapTimes(20, null) }),
    ]);
  });

  test('never there at all', async () => {
    expect(await readGaps(from(0, (line) => (line.policies = [])))).toEqual([
      expect.objectContaining({ why: 'policy-missing', ...gapTimes(null, null) }),
    ]);
  });

  test('another id, or counters that went back under the same id, betray what no line shows', async () => {
    const anew = from(30, (line) => eachPolicy(line, (policy) => (policy.id = '7')));
    const reset = from(30, (line) => eachPolicy(line, (policy) => (policy.stats = { action_counters: {} })));
    for (const evidence of [anew, reset]) {
      expect(await readGaps(evidence)).toEqual([
        expect.objectContaining({ why: 'policy-disabled', ...gapTimes(20, 30) }),
      ]);
    }
  });

  test('a new name is fine', async () => {
    expect(await readGaps(from(30, (line) => eachPolicy(line, (policy) => (policy.name = 'renamed'))))).toEqual([]);
  });

  test('a gated hook that the kernel lacks is fine until the tree makes such a socket', async () => {
    const lacking = from(0, (line) =>
      eachPolicy(line, ({ hook_statuses }) =>
        hook_statuses
          ?.filter(({ hook_description }) => hook_description.startsWith('sctp_'))
          .forEach((status) => (status.state = 'STATUS_CALL_NOT_FOUND')),
      ),
    );
    expect(await readGaps(lacking)).toEqual([]);
    const byOther = [...lacking.events, socketEvent(2, 1, 132, 'collector')];
    expect(await readGaps({ ...lacking, events: byOther })).toEqual([]);
    const touched = [...lacking.events, socketEvent(2, 1, 132)];
    expect(await readGaps({ ...lacking, events: touched })).toEqual([
      expect.objectContaining({ why: 'hook-missing', count: '2', ...gapTimes(null, null) }),
    ]);
  });

  test('one of two alternatives is enough, one of two copies is not', async () => {
    const drop = (hook: string) =>
      from(0, (line) =>
        eachPolicy(line, (policy) => {
          const index = policy.hook_statuses?.findIndex(({ hook_description }) => hook_description === hook) ?? -1;
          policy.hook_statuses?.splice(index, 1);
        }),
      );
    expect(await readGaps(drop('receive_fd'))).toEqual([]);
    expect(await readGaps(drop('udp_sendmsg'))).toHaveLength(1);
  });

  test('an LSM policy has no hook status: it counts where its events were seen', async () => {
    const evidence = from(0, (line) => {
      eachPolicy(line, (policy) => {
        policy.hook_statuses =
          policy.hook_statuses?.filter(
            ({ hook_description: hook }) => hook !== 'security_socket_connect' && hook !== 'lsm:socket_connect',
          ) ?? [];
      });
      line.policies?.push({ id: '9', name: 'lsm', sensors: ['generic_lsm'], state: 'TP_STATE_ENABLED' });
    });
    const missing = await readGaps(evidence);
    expect(missing).toEqual([expect.objectContaining({ why: 'policy-missing', ...gapTimes(null, null) })]);
    const event = { node: 'n1', time: second(1), kind: 'lsm', hook: 'socket_connect', exec_id: 'x', evidence: 'e' };
    expect(await readGaps({ ...evidence, events: [...evidence.events, event] })).toEqual([]);
  });
});

describe('gaps from canaries', () => {
  test('an event that did not arrive: between the seen canaries around it', async () => {
    const { events, ...rest } = quiet();
    const missing = (...addresses: string[]) =>
      events.filter((event) => !addresses.some((a) => a === event['a_addr'] || a === event['s_daddr']));
    expect(await readGaps({ ...rest, events: missing('127.0.0.6', '127.0.0.7') })).toEqual([
      expect.objectContaining({ why: 'canary-missed', count: '2', ...gapTimes(20, 35) }),
    ]);
    expect(await readGaps({ ...rest, events: missing('127.0.0.13') })).toEqual([
      expect.objectContaining({ why: 'canary-missed', count: '1', ...gapTimes(55, null) }),
    ]);
  });

  test.each([
    ['only one of its two hooks fired', connectEvents('127.0.0.6', 1, 25.1).slice(0, 1)],
    ['it came too late', connectEvents('127.0.0.6', 1, 27.1)],
    ['it went to another port', connectEvents('127.0.0.6', 2, 25.1)],
    ['the task made it', connectEvents('127.0.0.6', 1, 25.1, 'task')],
    ['no one knows who made it', connectEvents('127.0.0.6', 1, 25.1, null)],
  ])('an event does not prove a canary when %s', async (_, instead) => {
    const { events, ...rest } = quiet();
    const others = events.filter((event) => event['a_addr'] !== '127.0.0.6' && event['s_daddr'] !== '127.0.0.6');
    expect(await readGaps({ ...rest, events: [...others, ...instead] })).toEqual([
      expect.objectContaining({ why: 'canary-missed', count: '1', ...gapTimes(20, 30) }),
    ]);
  });

  test('the number stands in the three low bytes', async () => {
    const { lines, events, ...rest } = quiet();
    const canary = { kind: 'canary', node: 'n1', time: second(62), n: 0x010203, port: 5 };
    const seen = connectEvents('127.1.2.3', 5, 62);
    const gaps = await readGaps({ ...rest, lines: [...lines, canary], events: [...events, ...seen] });
    expect(gaps).toEqual([expect.objectContaining({ count: String(0x010203 - 14), ...gapTimes(60, 62) })]);
  });

  test('a number without a line is missed unless its event is there', async () => {
    const { lines, events, ...rest } = quiet();
    const fewer = lines.filter((line) => line.n !== 6);
    expect(await readGaps({ ...rest, events, lines: fewer })).toEqual([]);
    const gone = events.filter((event) => event['a_addr'] !== '127.0.0.6' && event['s_daddr'] !== '127.0.0.6');
    expect(await readGaps({ ...rest, events: gone, lines: fewer })).toEqual([
      expect.objectContaining({ why: 'canary-missed', count: '1', ...gapTimes(20, 30) }),
    ]);
  });

  test('numbers that begin anew are another run, a long pause is a gap', async () => {
    const { lines, events, ...rest } = quiet();
    const again = [61, 66, 90].map((at, index) => ({ at, n: index + 1 }));
    const gaps = await readGaps({
      ...rest,
      lines: [...lines, ...again.map(({ at, n }) => ({ kind: 'canary', node: 'n1', time: second(at), n, port: 1 }))],
      events: [...events, ...again.flatMap(({ at, n }) => connectEvents(`127.0.0.${n}`, 1, at))],
    });
    expect(gaps).toEqual([expect.objectContaining({ why: 'canary-missed', count: null, ...gapTimes(66, 90) })]);
  });
});

test('a health line without the counters that are always there could not be asked', async () => {
  const { lines, ...rest } = quiet();
  for (const counter of [
    'tetragon_notify_overflowed_events_total',
    'tetragon_observer_ringbuf_queue_events_lost_total',
  ]) {
    const without = lines.map((line) => {
      const metrics = Object.fromEntries(Object.entries(line.metrics ?? {}).filter(([name]) => name !== counter));
      return line.kind === 'health' ? { ...line, metrics } : line;
    });
    expect((await readGaps({ ...rest, lines: without })).map(({ why }) => why)).toContain('no-health-evidence');
  }
});

describe('gaps from the stream and from throttling', () => {
  const streamLine = (at: number, state: string): Line => ({
    kind: 'stream',
    node: 'n1',
    time: second(at),
    state,
    why: 'EOF',
  });

  test('disconnected and connected again: from the last seen canary on', async () => {
    const { lines, ...rest } = quiet();
    const cut = [...lines, streamLine(28, 'disconnected'), streamLine(33, 'connected')];
    expect(await readGaps({ ...rest, lines: cut })).toEqual([
      expect.objectContaining({ why: 'stream-gap', ...gapTimes(25, 33) }),
    ]);
  });

  test('connected twice: the first stream ended untold', async () => {
    const { lines, ...rest } = quiet();
    expect(await readGaps({ ...rest, lines: [...lines, streamLine(33, 'connected')] })).toEqual([
      expect.objectContaining({ why: 'stream-gap', ...gapTimes(30, 33) }),
    ]);
  });

  test('cut off for good is a gap only when the task still ran', async () => {
    const { lines, ...rest } = quiet();
    expect(await readGaps({ ...rest, lines: [...lines, streamLine(61, 'disconnected')] })).toEqual([]);
    expect(await readGaps({ ...rest, lines: [...lines, streamLine(38, 'disconnected')] })).toEqual([
      expect.objectContaining({ why: 'stream-gap', ...gapTimes(35, null) }),
    ]);
  });

  test('connected after the task began', async () => {
    const { lines, ...rest } = quiet();
    const late = lines.map((line) => (line.kind === 'stream' ? { ...line, time: second(22) } : line));
    expect(await readGaps({ ...rest, lines: late })).toEqual([
      expect.objectContaining({ why: 'stream-gap', ...gapTimes(null, 22) }),
    ]);
  });

  test('a throttle lasts from its start to its stop, a rate limit was told a minute late', async () => {
    const { events, ...rest } = quiet();
    const at = (kind: string, hook: string | null, time: number) => ({
      node: 'n1',
      kind,
      hook,
      time: second(time),
      evidence: `e${time}`,
    });
    const gaps = (more: (typeof events)[number][]) => readGaps({ ...rest, events: [...events, ...more] });
    expect(await gaps([at('throttle', 'THROTTLE_START', 22), at('throttle', 'THROTTLE_STOP', 24)])).toEqual([
      expect.objectContaining({ why: 'throttled', ...gapTimes(22, 24) }),
    ]);
    expect(await gaps([at('throttle', 'THROTTLE_START', 22)])).toEqual([expect.objectContaining(gapTimes(22, null))]);
    expect(await gaps([at('throttle', 'THROTTLE_STOP', 24)])).toEqual([expect.objectContaining(gapTimes(null, 24))]);
    expect(await gaps([at('rate_limit_info', null, 50)])).toEqual([expect.objectContaining(gapTimes(-40, 50))]);
  });
});

describe('recorded cases', () => {
  test.each([
    ...['c01-benign', 'c02-undeclared-endpoint', 'c03-daemon', 'c04-unix-relay', 'c05-fork-without-exec', 'c06-udp'],
    ...['c07-second-name', 'c08-concurrent', 'c10-bare-address', 'c11-data-events-off'],
  ])('%s has no gap', async (name) => {
    expect(await readGaps(readCase(name))).toEqual([]);
  });

  test('c19: the counters that moved', async () => {
    const gaps = await readGaps(readCase('c19-sensor-loss'));
    expect(gaps.map(({ why, from_time }) => [why, from_time])).toEqual([
      ['sensor-loss', '2026-11-21 10:33:47.774432'],
      ['sensor-loss', '2026-11-21 10:33:47.774432'],
    ]);
  });

  test('c20: the policy that was off, and the canaries that were not seen meanwhile', async () => {
    const gaps = await readGaps(readCase('c20-policy-off'));
    expect(gaps.map(({ why, from_time, until, count }) => ({ why, from_time, until, count }))).toEqual([
      { why: 'canary-missed', from_time: '2026-11-21 10:40:23.698553', until: '2026-11-21 10:40:28.71173', count: '4' },
      {
        why: 'policy-disabled',
        from_time: '2026-11-21 10:40:21.772431',
        until: '2026-11-21 10:40:31.370601',
        count: '25',
      },
    ]);
  });

  test('a process of unknown end keeps the tail open', async () => {
    const { processes, lines, ...rest } = quiet();
    const running = [...processes, toProcess('n1', 'task-2', '7b3f', second(21), null)];
    expect(await readGaps({ ...rest, processes: running, lines })).toEqual([
      expect.objectContaining({ why: 'no-health-evidence', ...gapTimes(60, null) }),
    ]);
  });
});
