import { describe, expect, it, test } from 'vitest';
import { curlActs, everyAct, smallWorld } from './small-world.ts';
import { renderKernel } from './render-kernel.ts';
import { readAllRecorded, readRecorded, toEvent, toPaths } from './recorded-lines.ts';

const recorded = readAllRecorded();
const simulated = [...renderKernel(smallWorld(everyAct()), 'export')].map(({ text }) => toEvent(text));

/** Hooks of which no recording is here: their form is that of facts/tetragon.md and of the policies. */
const unrecorded = [
  '__scm_send@egress-audit',
  '__x64_sys_pidfd_getfd@egress-audit',
  '__x64_sys_process_vm_writev@egress-audit',
  '__x64_sys_unshare@egress-audit',
  'receive_fd@egress-audit',
  'scm_detach_fds@egress-audit',
];
/** Recorded hooks of ways that no world takes, and what the sensor says of itself. */
const unused = [
  'mptcp_connect@egress-audit',
  'sctp_inet_connect@egress-audit',
  'sctp_sendmsg@egress-audit',
  'socket_connect@lsm-audit',
  'tcp_sendmsg_fastopen@egress-audit',
  'vsock_connect@egress-audit',
];

interface Shape {
  readonly always: Set<string>;
  readonly ever: Set<string>;
}

function toShapes(
  events: readonly { hook: string; pid: number; line: Parameters<typeof toPaths>[0] }[],
): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const { hook, pid, line } of events) {
    if (pid < 0) continue;
    const paths = toPaths(line);
    const shape = shapes.get(hook);
    if (shape === undefined) {
      shapes.set(hook, { always: paths, ever: new Set(paths) });
      continue;
    }
    for (const path of shape.always) if (!paths.has(path)) shape.always.delete(path);
    for (const path of paths) shape.ever.add(path);
  }
  return shapes;
}

/** What some processes have and others don't, whatever they do. */
const optional = /\.arguments:string$|\.environment_variables\[\]/;

describe('the form of export lines', () => {
  const shapes = toShapes(recorded.flat());
  const hooks = [...new Set(simulated.map(({ hook }) => hook))].sort();
  // an environment, in whatever line, is the same everywhere, and so is what a process of procFS lacks
  const anywhere = new Set(
    [...shapes.values()].flatMap(({ ever }) => [...ever]).filter((path) => /process|parent|ancestors/.test(path)),
  );
  const common = (path: string): boolean =>
    [...anywhere].some((known) => known.replace(/^\.process_\w+/, '') === path.replace(/^\.process_\w+/, ''));

  it('covers the hooks that were recorded, and those alone but for a few', () => {
    expect(hooks.filter((hook) => !shapes.has(hook))).toEqual(unrecorded);
    expect([...shapes.keys()].filter((hook) => !hooks.includes(hook)).sort()).toEqual(unused);
  });

  it.each(hooks.filter((hook) => !unrecorded.includes(hook)))('of %s is the recorded one', (hook) => {
    const { always, ever } = shapes.get(hook) ?? { always: new Set<string>(), ever: new Set<string>() };
    expect(always.size).toBeGreaterThan(20);
    // the kernel as a parent, of pid 1 alone, is in no recording that is read here
    for (const event of simulated.filter((one) => one.hook === hook && one.pid !== 1)) {
      const paths = toPaths(event.line);
      const processes = /^\.process_\w+\.(process|parent|ancestors)\b/;
      expect([...paths].filter((path) => !ever.has(path) && !(processes.test(path) && common(path)))).toEqual([]);
      // what only processes with ancestors have can't be asked of the others
      const due = [...always].filter((path) => event.ancestors > 0 || !path.includes('.ancestors'));
      expect(due.filter((path) => !paths.has(path) && !optional.test(path))).toEqual([]);
    }
  });

  it('has members in the recorded order', () => {
    const order = (text: string): string => [...text.matchAll(/"(\w+)":/g)].map(([, key]) => key).join(' ');
    const known = new Set(recorded.flat().map(({ text }) => order(cut(text))));
    const own = simulated
      .filter(({ hook, pid }) => pid !== 1 && !unrecorded.includes(hook))
      .map(({ text }) => order(cut(text)));
    expect(own.length).toBeGreaterThan(200);
    expect([...new Set(own.filter((keys) => !known.has(keys)))]).toEqual([]);
  });
});

/** Without what differs from process to process. */
function cut(text: string): string {
  return text
    .replace(/, "ancestors":\[.*\]/, '')
    .replace(/, "environment_variables":\[[^\]]*\]/g, '')
    .replace(/"arguments":"(?:\\.|[^"\\])*", /g, '');
}

describe('the order of hooks', () => {
  const sequences = recorded.flatMap((events) => {
    const byPid = new Map<number, string[]>();
    for (const { pid, hook } of events) byPid.set(pid, [...(byPid.get(pid) ?? []), hook]);
    return [...byPid.values()].map((hooks) => `${hooks.join(' ')} `);
  });
  const kinds = ['lookup', 'tcp', 'udp', 'icmp', 'raw', 'packet', 'unix', 'inherited', 'thread', 'ptrace', 'setns'];
  const acts = everyAct().map((act, n) => [`${act.kind} ${n + 1}`, `a${n + 1}`, act.kind] as const);

  test.each(acts.filter(([, , kind]) => kinds.includes(kind)))('of %s was recorded', (_, id) => {
    const world = smallWorld(everyAct());
    const lines = [...renderKernel(world, 'export')].filter(({ act }) => act === id);
    const hooks = lines.map(({ text }) => toEvent(text).hook).filter((hook) => !hook.startsWith('getaddrinfo'));
    // of two questions on one socket, the answer to the first may come behind the second
    const sequence = `${hooks.filter((hook) => !hook.startsWith('skb_consume')).join(' ')} `;
    expect(sequence.length).toBeGreaterThan(5);
    expect(sequences.some((known) => known.includes(sequence))).toBe(true);
  });

  test('of a whole look-up was recorded', () => {
    const lines = [...renderKernel(smallWorld(curlActs()), 'export')].filter(({ act }) => act === 'a1' || act === 'a2');
    const sequence = `${lines.map(({ text }) => toEvent(text).hook).join(' ')} `;
    expect(sequence.split('skb_consume_udp')).toHaveLength(3);
    expect(sequences.some((known) => known.includes(sequence))).toBe(true);
  });
});

describe('figures of a benign client', () => {
  const benign = readRecorded('cases/c01-benign/tetragon.jsonl.gz');
  // a python client: curl asks from a second thread and tries more sockets
  const client = benign.filter(
    ({ pid, hook, text }) =>
      pid === 423 && !/^(wake_up|exec|exit)/.test(hook) && !text.includes('"string_arg":"192.0.2.10"'),
  );
  const own = [...renderKernel(smallWorld(curlActs()), 'export')]
    .filter(({ act }) => act !== undefined)
    .map(({ text }) => toEvent(text));

  it('shares of hooks are the recorded ones', () => {
    const count = (events: typeof own): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { hook } of events) counts[hook] = (counts[hook] ?? 0) + 1;
      return counts;
    };
    expect(client.length).toBeGreaterThan(15);
    expect(count(own)).toEqual(count(client));
  });

  it('lines are as long as recorded ones with as many ancestors', () => {
    for (const { hook, text, ancestors } of own) {
      const known = benign
        .filter((event) => event.hook === hook && event.ancestors >= 5)
        .map((event) => event.text.length / (event.ancestors + 2));
      const median = known.sort((a, b) => a - b)[Math.floor(known.length / 2)] ?? 0;
      expect(median).toBeGreaterThan(2000);
      expect(text.length / (ancestors + 2) / median).toBeGreaterThan(0.85);
      expect(text.length / (ancestors + 2) / median).toBeLessThan(1.3);
    }
  });
});
