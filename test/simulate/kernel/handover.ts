import { int, labelled, sock, uint } from './arguments.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { unixSocket } from './local.ts';
import { dataSent, tcpSocket } from './tcp.ts';
import { us } from './time.ts';
import type { Ns, Tuple } from '../world.ts';

interface ReceiveAct {
  readonly tuple: Tuple;
  readonly from: string;
  readonly by: 'scm' | 'pidfd';
  readonly sends: readonly Ns[];
  readonly at: Ns;
}

/** A socket that comes in with a message, or is fetched from another process; then it is written to. */
export function receiveHappenings(scene: Scene, { tuple, from, by, sends, at }: ReceiveAct): void {
  if (by === 'scm') {
    const sender = scene.processes.get(from);
    const carrier = sock(unixSocket(`${BigInt(tuple.socket) - 8192n}`), 'sock');
    if (sender !== undefined) happen(scene, hooks.scmSend, at, [carrier], { process: sender });
    happen(scene, hooks.scmReceive, at + us(200), [uint(1, 'fd_count')]);
  }
  const file = `{"file_arg":{"permission":"srwxrwxrwx"}${labelled('file')}}`;
  const handed = sock(tcpSocket(tuple, 'TCP_ESTABLISHED'), 'file_private_data_as_socket');
  happen(scene, hooks.receive, at + us(220), [file, handed]);
  if (by === 'pidfd') fetched(scene, at);
  for (const sent of sends) dataSent(scene, tuple, sent);
}

export function inheritedHappenings(scene: Scene, act: { readonly tuple: Tuple; readonly sends: readonly Ns[] }): void {
  for (const sent of act.sends) dataSent(scene, act.tuple, sent);
}

/** pidfd_getfd(): which process the descriptor stands for is not told. */
export function fetched(scene: Scene, at: Ns): void {
  const told = { written: at + us(260), result: int(6) };
  happen(scene, hooks.pidfdGet, at, [int(5, 'pidfd'), int(3, 'targetfd')], told);
}
