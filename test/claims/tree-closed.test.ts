import { describe, expect, test } from 'vitest';
import type { Values } from '../sources/cloudtrail-database.ts';
import { judgeClaim, proc, second, task, type Tables } from '../judge/claim-tables.ts';

const judge = (tables: Tables) => judgeClaim('tree-closed', { task: [task()], process: [proc()], ...tables });
/** Another process that no one tied to the task. */
const other = (fields: Values): Values =>
  proc({ exec_id: 'other', pid: 200, task_id: null, tied_by: null, started: second(20), ...fields });
const shell = other({ exec_id: 'shell', pid: 50, parent_exec_id: 'init', started: second(-100) });
const init = other({ exec_id: 'init', pid: 1, parent_exec_id: null, started: second(-1000) });
const event = (fields: Values): Values => ({
  node: 'n1',
  time: second(20),
  kind: 'kprobe',
  exec_id: 'root',
  pid: 100,
  evidence: 'tetragon/n1/20',
  ...fields,
});

test('a tree from root to exit gives nothing', async () => {
  const child = proc({ exec_id: 'child', pid: 101, parent_exec_id: 'root', tied_by: 'parent', started: second(5) });
  expect(await judge({ process: [init, shell, proc(), child] })).toEqual([]);
});

describe('unknown-parent:', () => {
  test('no process matches the workload', async () => {
    expect(await judge({ process: [init, shell] })).toEqual(['unknown-parent doubt 7b3f']);
  });

  test('a process of the task’s time whose parent nobody saw', async () => {
    const stray = other({ parent_exec_id: 'never-seen' });
    expect(await judge({ process: [shell, proc(), stray] })).toEqual(['unknown-parent doubt n1 pid 200']);
    for (const near of [
      { started: second(-1) },
      { started: second(61) },
      { flags: 'procFS auid', started: second(-11) },
      { parent_exec_id: 'shell' },
      { fork_parent: 'shell' },
      { node: 'n2' },
    ]) {
      expect(await judge({ process: [shell, proc(), { ...stray, ...near }] })).toEqual([]);
    }
  });

  test('one older than the sensor that began after the task was declared: its mark is not known', async () => {
    const older = other({ parent_exec_id: 'shell', flags: 'procFS auid', started: second(-5), env: null });
    const told = { task: [task({ declared_basis: 'collector' })] };
    expect(await judge({ ...told, process: [shell, proc(), older] })).toEqual(['unknown-parent doubt n1 pid 200']);
    // a file may have been written long before the node began
    expect(await judge({ process: [shell, proc(), older] })).toEqual([]);
    expect(await judge({ ...told, process: [shell, proc(), { ...older, started: second(-11) }] })).toEqual([]);
    expect(await judge({ ...told, process: [shell, proc(), { ...older, node: 'n2' }] })).toEqual([]);
  });
});

describe('escaped-process:', () => {
  const adopted = other({ parent_exec_id: 'init' });

  test('init adopted it and no fork tells where it came from', async () => {
    expect(await judge({ process: [init, proc(), adopted] })).toEqual(['escaped-process doubt n1 pid 200']);
    expect(await judge({ process: [init, proc(), { ...adopted, fork_parent: 'shell' }] })).toEqual([]);
    expect(await judge({ process: [init, proc(), { ...adopted, started: second(-5) }] })).toEqual([]);
  });

  const fork = event({ hook: 'wake_up_new_task', i0: 300, i1: 300 });

  test('a forked child that is never seen again, not a thread, not another tree’s', async () => {
    expect(await judge({ kernel_event: [fork] })).toEqual(['escaped-process doubt n1 pid 300']);
    const child = proc({ exec_id: 'child', pid: 300, parent_exec_id: 'root', started: second(20) });
    expect(await judge({ process: [proc(), child], kernel_event: [fork] })).toEqual([]);
    expect(await judge({ process: [proc(), { ...child, seen: false }], kernel_event: [fork] })).toEqual([
      'escaped-process doubt n1 pid 300',
    ]);
    expect(await judge({ kernel_event: [{ ...fork, i1: 100 }] })).toEqual([]);
    expect(await judge({ process: [shell, proc()], kernel_event: [{ ...fork, exec_id: 'shell' }] })).toEqual([]);
  });

  // Pids are used again: a process of another tree that got the same one later is not the child.
  test('a forked child whose pid another tree’s process got later', async () => {
    const reused = other({ pid: 300, parent_exec_id: 'shell', fork_parent: 'shell', started: second(50) });
    expect(await judge({ process: [shell, proc(), reused], kernel_event: [fork] })).toEqual([
      'escaped-process doubt n1 pid 300',
    ]);
  });
});

test('anonymous-event: within the time of the task on its node, but for the sensor’s own kinds', async () => {
  const anonymous = event({ exec_id: null, pid: 7, hook: 'tcp_connect' });
  expect(await judge({ kernel_event: [anonymous] })).toEqual(['anonymous-event doubt n1 pid 7']);
  for (const near of [
    { exec_id: 'x' },
    { kind: 'throttle' },
    { time: second(-1) },
    { time: second(61) },
    { node: 'n2' },
  ]) {
    expect(await judge({ kernel_event: [{ ...anonymous, ...near }] })).toEqual([]);
  }
});

test('anonymous-event: a process of which the sensor knew no start, or too little', async () => {
  const known = other({ parent_exec_id: 'shell' });
  expect(await judge({ process: [shell, proc(), known] })).toEqual([]);
  const found = ['anonymous-event doubt n1 pid 200'];
  expect(await judge({ process: [shell, proc(), { ...known, started: null }] })).toEqual(found);
  expect(await judge({ process: [shell, proc(), { ...known, flags: 'unknown' }] })).toEqual(found);
  expect(await judge({ process: [shell, proc(), { ...known, flags: 'unknown', started: second(-5) }] })).toEqual([]);
});

describe('injected-process:', () => {
  const contained = proc({ container: 'c1', in_init_tree: true });

  test('a process of the task that was put into its container from outside', async () => {
    expect(await judge({ process: [contained] })).toEqual([]);
    expect(await judge({ process: [{ ...contained, in_init_tree: false }] })).toEqual([
      'injected-process doubt n1 pid 100',
    ]);
    expect(await judge({ process: [proc({ in_init_tree: false })] })).toEqual([]); // no container, no init tree
  });

  test('another tree’s process in a container of the task', async () => {
    const beside = other({ container: 'c1', parent_exec_id: 'shell' });
    expect(await judge({ process: [shell, contained, beside] })).toEqual(['injected-process doubt n1 pid 200']);
    expect(await judge({ process: [shell, contained, { ...beside, container: 'c2' }] })).toEqual([]);
  });

  // Runtimes run one task after another in one container: what had ended before is no injection.
  test('a process that had left the container before the task began is none', async () => {
    const gone = { started: second(-50), exited: second(-40), image_until: second(-40) };
    const before = other({ container: 'c1', parent_exec_id: 'shell', ...gone });
    expect(await judge({ process: [shell, contained, before] })).toEqual([]);
  });
});

describe('still-running:', () => {
  test('a process of the task without an end', async () => {
    const running = proc({ exited: null, image_until: null });
    expect(await judge({ process: [running] })).toEqual(['still-running doubt n1 pid 100']);
    expect(await judge({ process: [shell, proc(), other({ parent_exec_id: 'shell', image_until: null })] })).toEqual(
      [],
    );
  });
});

test('contested-process: one that bears another task’s mark', async () => {
  expect(await judge({ process: [proc({ contested: '9c01' })] })).toEqual(['contested-process doubt n1 pid 100']);
  const theirs = other({ contested: '9c01', parent_exec_id: 'shell' });
  expect(await judge({ process: [shell, proc(), theirs] })).toEqual([]);
});
