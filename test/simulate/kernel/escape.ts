import { int, size, uint } from './arguments.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { us } from './time.ts';
import type { Ns, Process } from '../world.ts';

/** CLONE_NEWNET */
const netNamespace = 0x40000000;
/** PF_RANDOMIZE and PF_FORKNOEXEC, as every recorded fork shows them. */
const childFlags = 4_194_368;
const seize = 16_902;
/** IORING_OP_CONNECT */
const opcodeConnect = 16;

/**
 * A new process or thread, told under who made it. The clock of its start is read before the event's, which is before the
 * one that names a forked process.
 */
export function forkHappening(scene: Scene, child: { pid: number; tgid: number; parent: number }, at: Ns): void {
  const booted = at - us(105) - scene.node.booted;
  happen(scene, hooks.fork, at, [
    int(child.pid, 'child_pid'),
    int(child.tgid, 'child_tgid'),
    size(booted, 'child_start_boottime'),
    int(child.parent, 'real_parent_tgid'),
    uint(childFlags, 'child_flags'),
  ]);
}

export function threadHappening(scene: Scene, tid: number, at: Ns): void {
  const parent = scene.process.parent === undefined ? undefined : scene.processes.get(scene.process.parent);
  forkHappening(scene, { pid: tid, tgid: scene.process.pid, parent: parent?.pid ?? 1 }, at);
}

export function ptraceHappening(scene: Scene, target: Process | undefined, at: Ns): void {
  const told = { written: at + us(50), result: int(0) };
  happen(scene, hooks.ptrace, at, [int(seize, 'request'), int(target?.pid ?? 0, 'pid')], told);
}

export function vmWriteHappening(scene: Scene, target: Process | undefined, at: Ns): void {
  happen(scene, hooks.vmWrite, at, [int(target?.pid ?? 0, 'pid')], { written: at + us(50), result: int(64) });
}

export function setnsHappening(scene: Scene, at: Ns): void {
  const told = { written: at + us(50), result: int(0) };
  happen(scene, hooks.setns, at, [int(3, 'fd'), int(netNamespace, 'nstype')], told);
}

export function unshareHappening(scene: Scene, at: Ns): void {
  happen(scene, hooks.unshare, at, [size(netNamespace, 'flags')], { written: at + us(50), result: int(0) });
}

/** A ring is made and one request is put in. */
export function uringHappenings(scene: Scene, at: Ns): void {
  happen(scene, hooks.uringSetup, at, [uint(8, 'entries')], { written: at + us(100), result: int(3) });
  happen(scene, hooks.uringSubmit, at + us(400), [uint(opcodeConnect)]);
}
